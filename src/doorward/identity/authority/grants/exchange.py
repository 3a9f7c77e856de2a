"""A narrower token for a sub-agent (RFC 8693): the same person, one more link in the chain, and in no respect more than its parent.

LAW: of scope, endpoint, end, family and binding, the child has what its parent has or less; it ends when its parent's family ends.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from doorward.domain.reasons import Refused
from doorward.domain.receipts import Event, Scalar
from doorward.identity.authority import scopes, signed
from doorward.identity.authority.families import Family
from doorward.identity.authority.grants.kit import Asking, Kit, agent, answered, not_admitted, required, resource, stands
from doorward.identity.authority.keys import ALGORITHM, SigningKeys
from doorward.identity.authority.mint import TYPE, Bearing
from doorward.identity.authority.port import Grant, OAuthError
from doorward.identity.authority.signed import SignedError, Wanted

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
_KINDS: Final = frozenset({ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"})
MOST_ACTORS: Final = 6
"""Agents in one chain, the speaking one included: receipts have room for eight, and people for fewer."""

_WHAT: Final = "subject token"
_WANTED: Final = Wanted(_WHAT, frozenset({TYPE}), frozenset({ALGORITHM}))


class Parent(msgspec.Struct, frozen=True):
    """An access token of ours that is good now."""

    family: Family
    client: str
    scopes: frozenset[str]
    ends_at: float
    act: Mapping[str, object] | None
    is_bound: bool


async def tokens(kit: Kit, asking: Asking, keys: SigningKeys) -> dict[str, object]:
    """The answer to `grant_type=…:token-exchange`; raises `OAuthError`."""
    fields = asking.fields
    _check_kinds(fields)
    try:
        parent = await _parent(kit, keys, required(fields, "subject_token"))
    except SignedError as error:
        raise OAuthError("invalid_request", str(error)) from error
    if parent.is_bound and asking.held.confirmation is None:
        raise OAuthError("invalid_request", "the subject token is tied to a key: a DPoP proof or a client certificate was expected")
    resource(kit, fields, parent.family.resource)
    wanted = scopes.given(scopes.asked(fields), parent.scopes, asking.client.scopes)
    speaker = await agent(kit, asking.client)
    act = await _chain(kit, {"sub": speaker, "client_id": asking.client.id}, parent)
    await kit.told(_event(asking, parent, wanted, speaker))
    answer = answered(kit, parent.family, Bearing(asking.client.id, wanted, asking.held, act, parent.ends_at))
    return {**answer, "issued_token_type": ACCESS_TOKEN}


def _check_kinds(fields: Mapping[str, str]) -> None:
    if required(fields, "subject_token_type") not in _KINDS:
        raise OAuthError("invalid_request", f"subject_token_type was expected to be {ACCESS_TOKEN}")
    if fields.get("requested_token_type", ACCESS_TOKEN) not in _KINDS:
        raise OAuthError("invalid_request", f"requested_token_type was expected to be {ACCESS_TOKEN}")
    if "actor_token" in fields or "actor_token_type" in fields:
        raise OAuthError("invalid_request", "no actor_token was expected: the actor is the client that authenticates")
    if "audience" in fields:
        raise OAuthError("invalid_target", "no audience was expected: the endpoint is the subject token's own")


async def _parent(kit: Kit, keys: SigningKeys, token: str) -> Parent:
    claims = await signed.verified(signed.read(token, _WHAT), keys, _WANTED)
    now = kit.now()
    ends = claims.get("exp")
    if claims.get("iss") != kit.terms.issuer or not isinstance(ends, int) or ends <= now:
        raise SignedError("the subject token has expired, or is not of this issuer")
    family = await kit.store.family(signed.text(claims, "fam", _WHAT))
    if family is None or not stands(kit, family) or claims.get("aud") != family.resource:
        raise SignedError("the subject token is revoked")
    act = claims.get("act")
    return Parent(
        family=family,
        client=signed.text(claims, "client_id", _WHAT),
        scopes=frozenset(signed.text(claims, "scope", _WHAT).split(" ")),
        ends_at=ends,
        act=act if isinstance(act, dict) else None,
        is_bound="cnf" in claims,
    )


async def _chain(kit: Kit, speaker: Mapping[str, object], parent: Parent) -> dict[str, object]:
    """`act` of the child: the agent that speaks now, then those before it; raises `OAuthError` where one of them may not act any more."""
    try:
        before = parent.act or {"sub": await kit.clientele.agent(parent.client), "client_id": parent.client}
        names = tuple(_names(before))
        for name in names:
            kit.clientele.check_standing(name)
    except Refused as refused:
        raise not_admitted() from refused
    if len(names) >= MOST_ACTORS:
        raise OAuthError("invalid_request", f"the chain of agents would be longer than {MOST_ACTORS}")
    return {**speaker, "act": before}


def _names(act: object) -> Iterator[str]:
    """The agents of a chain of ours, the last one first."""
    while isinstance(act, dict):
        yield str(act.get("sub"))
        act = act.get("act")


def _event(asking: Asking, parent: Parent, wanted: tuple[str, ...], speaker: str) -> Event:
    fields: dict[str, Scalar] = {
        "grant": Grant.EXCHANGE.value,
        "client": asking.client.id,
        "agent": speaker,
        "parent": parent.client,
        "family": parent.family.id,
        "resource": parent.family.resource,
        "scope": " ".join(wanted),
    }
    return Event("token_issued", "doorward", fields)
