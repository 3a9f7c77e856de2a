"""Tokens for a client that acts for nobody but itself (OAuth 2.1 §4.2): it must be declared, and must have signed its request."""

from doorward.identity.authority import scopes
from doorward.identity.authority.families import Family
from doorward.identity.authority.grants.kit import Asking, Kit, agent, opened, resource
from doorward.identity.authority.port import Grant


async def tokens(kit: Kit, asking: Asking) -> dict[str, object]:
    """The answer to `grant_type=client_credentials`; raises `OAuthError`."""
    client = asking.client
    wanted = scopes.given(scopes.asked(asking.fields), client.scopes)
    target = resource(kit, asking.fields)
    await agent(kit, client)
    now = kit.now()
    family = Family(
        id=kit.mint.identifier(),
        client=client.id,
        subject="",
        groups=(),
        scopes=wanted,
        resource=target,
        created_at=now,
        expires_at=now + kit.terms.token_seconds,
    )
    await kit.store.open(family)
    return await opened(kit, asking, Grant.CREDENTIALS, family)
