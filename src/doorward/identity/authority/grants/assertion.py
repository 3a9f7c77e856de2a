"""Identity assertions for tokens (ID-JAG: draft-ietf-oauth-identity-assertion-authz-grant by RFC 7523; Enterprise-Managed Authorization).

The company's provider says, to us alone and once, that this client may act for this person at this endpoint. Nobody is asked again.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.domain.actors import Subject
from doorward.identity.authority import scopes, signed
from doorward.identity.authority.families import Family
from doorward.identity.authority.grants.kit import Asking, Kit, agent, opened, required, resource
from doorward.identity.authority.port import Grant, OAuthError
from doorward.identity.authority.signed import Keys, SignedError, Times, Wanted
from doorward.identity.people import Habits, PersonError, person

PROFILE: Final = "urn:ietf:params:oauth:grant-profile:id-jag"
TYPE: Final = "oauth-id-jag+jwt"
_WHAT: Final = "identity assertion"
_LONGEST_SECONDS: Final = 3_600.0
"""From its making to its end, whatever it says: a provider's minutes, not days."""


class Trusted(msgspec.Struct, frozen=True):
    """A provider whose assertions count."""

    name: str
    """As in the configuration: it prefixes its people's names."""
    keys: Keys
    algorithms: frozenset[str]
    leeway_seconds: float
    habits: Habits
    """Which claims name the person and the groups."""


class _Assertion(msgspec.Struct, frozen=True):
    subject: Subject
    resource: str
    """Empty where it leaves that to us."""
    scopes: frozenset[str] | None
    """None where it leaves that to us."""
    name: str
    """By which it is known to have been used."""
    until: float


async def tokens(kit: Kit, asking: Asking, trusted: Mapping[str, Trusted]) -> dict[str, object]:
    """The answer to `grant_type=…:jwt-bearer`; `trusted` by issuer identifier. Raises `OAuthError`."""
    try:
        found = await _read(kit, asking, trusted)
    except SignedError as error:
        raise OAuthError("invalid_grant", str(error)) from error
    bounds = [asking.client.scopes] if found.scopes is None else [asking.client.scopes, found.scopes]
    wanted = scopes.given(scopes.asked(asking.fields), *bounds)
    target = resource(kit, asking.fields, found.resource)
    await agent(kit, asking.client)
    now = kit.now()
    # The last of all checks: what is refused for another reason may be presented again.
    if not await kit.store.spend(found.name, found.until, now):
        raise OAuthError("invalid_grant", "this identity assertion was used before")
    family = Family(
        id=kit.mint.identifier(),
        client=asking.client.id,
        subject=found.subject.id,
        groups=tuple(sorted(found.subject.groups)),
        scopes=wanted,
        resource=target,
        created_at=now,
        # No refresh token: the provider is asked again, so that it has a say each time.
        expires_at=now + kit.terms.token_seconds,
    )
    await kit.store.open(family)
    return await opened(kit, asking, Grant.ASSERTION, family)


async def _read(kit: Kit, asking: Asking, trusted: Mapping[str, Trusted]) -> _Assertion:
    token = signed.read(required(asking.fields, "assertion"), _WHAT)
    issuer = signed.text(token.claims, "iss", _WHAT)
    provider = trusted.get(issuer)
    if provider is None:
        raise SignedError("the identity assertion is of an issuer that is not trusted here")
    claims = await signed.verified(token, provider.keys, Wanted(_WHAT, frozenset({TYPE}), provider.algorithms))
    signed.check_audience(claims, kit.terms.issuer, _WHAT)
    if signed.text(claims, "client_id", _WHAT) != asking.client.id:
        raise SignedError("the identity assertion was given to another client")
    _check_key(claims, asking)
    target = _resource(claims, asking.fields)
    limited = claims.get("scope")
    if limited is not None and not isinstance(limited, str):
        raise SignedError("a text was expected in scope of the identity assertion")
    subject = _subject(provider, claims)
    now = kit.now()
    ends = signed.check_times(claims, Times(now, provider.leeway_seconds, _LONGEST_SECONDS), _WHAT)
    name = signed.once("id-jag", issuer, signed.text(claims, "jti", _WHAT))
    allowed = None if limited is None else scopes.asked({"scope": limited}) or frozenset()
    return _Assertion(subject, target, allowed, name, ends + provider.leeway_seconds)


def _check_key(claims: Mapping[str, object], asking: Asking) -> None:
    """Raises `SignedError` where the provider has tied the assertion to a key that the client has not proven."""
    confirmation = claims.get("cnf")
    if confirmation is not None and confirmation != asking.held.confirmation:
        raise SignedError("the identity assertion is tied to another key")


def _resource(claims: Mapping[str, object], fields: Mapping[str, str]) -> str:
    """What the assertion is for; of several the one that the request names. Empty where it leaves that to us."""
    said = claims.get("resource")
    match said:
        case None:
            return ""
        case str() if said:
            return said
        case [str() as only] if only:
            return only
        case list() if fields.get("resource") in said:
            return fields["resource"]
        case _:
            raise OAuthError("invalid_target", "resource was expected to be one that the identity assertion is for")


def _subject(provider: Trusted, claims: Mapping[str, object]) -> Subject:
    try:
        return person(provider.name, claims, provider.habits).subject
    except PersonError as error:
        raise SignedError(str(error)) from error
