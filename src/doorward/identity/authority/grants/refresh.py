"""Refresh tokens for tokens (OAuth 2.1 §4.3): a new one each time, and the old one, should it come again, ends everything it stood for.

There is no moment in which an old one is still good, not even for a client that lost an answer: whoever asks for that moment may as well be
the one who stole the token. That client's person signs in again.
"""

from doorward.identity.authority import scopes
from doorward.identity.authority.families import Use
from doorward.identity.authority.grants.kit import Asking, Kit, agent, answered, end_reused, required, resource, stands
from doorward.identity.authority.mint import Bearing, digest
from doorward.identity.authority.port import OAuthError


async def tokens(kit: Kit, asking: Asking) -> dict[str, object]:
    """The answer to `grant_type=refresh_token`; raises `OAuthError`."""
    fields = asking.fields
    old = required(fields, "refresh_token")
    name = kit.mint.family(old)
    family = await kit.store.family(name) if name is not None else None
    if family is None or family.client != asking.client.id or not family.refresh or not stands(kit, family):
        raise _invalid()
    if family.holder and family.holder != asking.held.holder:
        raise OAuthError("invalid_grant", "the refresh token is tied to another key or certificate")
    resource(kit, fields, family.resource)
    wanted = scopes.given(scopes.asked(fields), family.scopes, asking.client.scopes)
    await agent(kit, asking.client)
    new = kit.mint.refresh(family.id)
    match await kit.store.rotate(family.id, digest(old), digest(new), kit.now()):
        case Use.FIRST:
            return answered(kit, family, Bearing(asking.client.id, wanted, asking.held), new)
        case Use.AGAIN:
            await end_reused(kit, asking, family.id, "refresh_token")
    raise _invalid()


def _invalid() -> OAuthError:
    return OAuthError("invalid_grant", "the refresh token is unknown, expired, used or revoked")
