"""What every grant works with: the terms of the house, and the steps that all of them end in."""

from collections.abc import Callable, Mapping

import msgspec

from doorward.domain.reasons import Refused
from doorward.domain.receipts import Event, Scalar
from doorward.identity.authority.binding import Held
from doorward.identity.authority.families import AuthorityStore, Family
from doorward.identity.authority.mint import Bearing, Mint
from doorward.identity.authority.port import Client, Clientele, Ended, Grant, OAuthError, Told
from doorward.identity.vouched import is_vouched


class Terms(msgspec.Struct, frozen=True):
    """What the configuration says, and where the house stands."""

    issuer: str
    """The origin of our public URL."""
    is_ours: Callable[[str], bool]
    """Whether a text is, exactly, the resource of one of our endpoints (`identity/resources.py`)."""
    token_seconds: float = 600
    refresh_seconds: float = 30 * 86_400.0
    must_bind: bool = False
    """No token without a DPoP key or certificate, as none would be accepted."""
    issuers: frozenset[str] | None = None
    """Whose people there can be, as of now; None where that is not bounded."""


class Kit(msgspec.Struct, frozen=True):
    """What a grant needs of the house."""

    terms: Terms
    store: AuthorityStore
    mint: Mint
    clientele: Clientele
    told: Told
    ended: Ended
    pseudonym: Callable[[str], str]
    """How leaves name a person."""
    now: Callable[[], float]


def stands(kit: Kit, family: Family) -> bool:
    """Whether a family goes on: it has not ended, and an issuer still says that there is such a person."""
    is_over = family.ended_at is not None or family.expires_at <= kit.now()
    return not is_over and (not family.subject or kit.terms.issuers is None or is_vouched(family.subject, kit.terms.issuers))


class Asking(msgspec.Struct, frozen=True):
    """A token request whose client is known, and proven where it can be."""

    client: Client
    fields: Mapping[str, str]
    held: Held
    network: str


def required(fields: Mapping[str, str], name: str) -> str:
    """A field that must be there; raises `OAuthError` `invalid_request`."""
    value = fields.get(name, "")
    if not value:
        raise OAuthError("invalid_request", f"{name} was expected")
    return value


def resource(kit: Kit, fields: Mapping[str, str], otherwise: str = "") -> str:
    """The one endpoint that a token is wanted for (RFC 8707); raises `OAuthError` `invalid_target`.

    `otherwise`: what is meant where the request says nothing, and what it must say where it says something.
    """
    said = fields.get("resource", otherwise)
    if not said:
        raise OAuthError("invalid_target", "resource was expected: the URL of the MCP endpoint that the token is for")
    if (otherwise and said != otherwise) or not kit.terms.is_ours(said):
        raise OAuthError("invalid_target", "resource was expected to be exactly the URL of an endpoint here, the one that was granted")
    return said


async def agent(kit: Kit, client: Client) -> str:
    """The agent that a client stands for, made known if a rule says so; raises `OAuthError` `unauthorized_client`."""
    try:
        return await kit.clientele.agent(client.id)
    except Refused as refused:
        raise not_admitted() from refused


def not_admitted() -> OAuthError:
    """What a client gets that stands for no agent in good standing: not which, nor why."""
    return OAuthError("unauthorized_client", "this client is not registered here as an agent in good standing")


async def opened(kit: Kit, asking: Asking, grant: Grant, family: Family) -> dict[str, object]:
    """The answer to a grant that has opened a family: recorded, then given."""
    fields: dict[str, Scalar] = {
        "grant": grant.value,
        "client": family.client,
        "family": family.id,
        "resource": family.resource,
        "scope": " ".join(family.scopes),
    }
    if family.subject:
        fields["subject"] = kit.pseudonym(family.subject)
    await kit.told(Event("token_issued", "doorward", fields))
    return answered(kit, family, Bearing(asking.client.id, family.scopes, asking.held))


def answered(kit: Kit, family: Family, bearing: Bearing, refresh: str = "") -> dict[str, object]:
    """A token response (RFC 6749 §5.1)."""
    token, seconds = kit.mint.access(family, bearing)
    body: dict[str, object] = {
        "access_token": token,
        "token_type": bearing.held.token_type,
        "expires_in": seconds,
        "scope": " ".join(bearing.scopes),
    }
    return {**body, "refresh_token": refresh} if refresh else body


async def end_reused(kit: Kit, asking: Asking, family: str, what: str) -> None:
    """Makes it known that two parties have what one should: the store has ended the family, now its access tokens end."""
    await kit.ended(family, f"{what}_reused")
    fields: dict[str, Scalar] = {"family": family, "client": asking.client.id, "what": what, "network": asking.network}
    await kit.told(Event("token_reuse_detected", "doorward", fields))
