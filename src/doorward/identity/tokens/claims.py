"""What the claims of a verified token say here: client, person, groups, scopes, what it is bound to, and who handed it on. Pure."""

from collections.abc import Mapping

import msgspec

from doorward.identity.tokens.issuer import EVERY, Issuer
from doorward.identity.tokens.jws import refused, shown, text

_NAME = 256
_MOST_GROUPS = 1000
_MOST_SCOPES = 256
_CLIENT = 2048
"""Characters of a client id: as much as the URL of a client's document may have."""


class Holder(msgspec.Struct, frozen=True):
    """Whom a token was given to, as its issuer names them."""

    client: str
    subject: str | None
    """The person it acts for; None where the client acts for itself."""


class Link(msgspec.Struct, frozen=True):
    """One of those that handed a token on."""

    name: str
    """As its issuer names it: a client, or in tokens of our own an agent."""
    client: str
    """The OAuth client that it is."""


class Confirmation(msgspec.Struct, frozen=True):
    """What a token is bound to (`cnf`, RFC 7800); empty texts for nothing."""

    certificate: str = ""
    """RFC 8705 §3.1."""
    key: str = ""
    """RFC 9449 §6.1: the thumbprint of a DPoP key."""


def holder(claims: Mapping[str, object], issuer: Issuer) -> Holder:
    """Client and person of a token; raises `Refused` where there is no client."""
    habits = issuer.habits
    client = _first(claims, habits.client, _CLIENT)
    if client is None:
        raise refused(f"expected the client as {' or '.join(habits.client)} of a token of {issuer.name}")
    subject = _first(claims, habits.subject, _NAME if not issuer.is_own else _CLIENT)
    return Holder(client, None if subject is None or _is_alone(claims, issuer, client, subject) else subject)


def _is_alone(claims: Mapping[str, object], issuer: Issuer, client: str, subject: str) -> bool:
    """Whether a client got the token for itself: then its `sub` names no person."""
    if subject == client:
        return True
    match issuer.preset:
        case "auth0":
            return subject == f"{client}@clients"
        case "entra":
            return claims.get("idtyp") == "app" or "scp" not in claims
        case "keycloak":
            # Both: the name alone could be given to a person.
            return claims.get("client_id") == client and claims.get("preferred_username") == f"service-account-{client.lower()}"
        case _:
            return False


def leaves_groups_out(claims: Mapping[str, object], issuer: Issuer) -> bool:
    """Whether the token says that the person's groups stand elsewhere (OpenID Connect Core §5.6.2, Entra's `hasgroups`)."""
    elsewhere = claims.get("_claim_names")
    if elsewhere is not None and not isinstance(elsewhere, dict):
        raise refused("expected an object as _claim_names")
    return claims.get("hasgroups") not in (None, False) or not frozenset(issuer.habits.groups).isdisjoint(elsewhere or ())


def groups(claims: Mapping[str, object], issuer: Issuer) -> frozenset[str]:
    """The person's groups as the issuer names them; raises `Refused` where they cannot be told."""
    return frozenset(name for claim in issuer.habits.groups for name in _texts(claims.get(claim), claim, _MOST_GROUPS))


def scopes(claims: Mapping[str, object], issuer: Issuer, held: Holder) -> frozenset[str]:
    """What the token is limited to, in our words where the configuration has them; raises `Refused` where it cannot be told."""
    habits = issuer.habits
    names = habits.alone if held.subject is None and habits.alone else habits.scopes
    said = [scope for name in names for scope in _scopes(claims.get(name), name)]
    meant = issuer.scopes
    return frozenset(ours for scope in said for ours in meant.get(scope, (scope,))) | frozenset(meant.get(EVERY, ()))


def confirmation(claims: Mapping[str, object]) -> Confirmation:
    """What the token is bound to; raises `Refused` where that is something that is not understood here."""
    bound = claims.get("cnf")
    if bound is None and "cnf" not in claims:
        return Confirmation()
    if not isinstance(bound, dict):
        raise refused("expected an object as cnf")
    found = Confirmation(text(bound, "x5t#S256", 64) or "", text(bound, "jkt", 64) or "")
    if not found.certificate and not found.key:
        # INVARIANT: a token that says it is bound is never taken for one that is not.
        raise refused("expected x5t#S256 or jkt in cnf")
    return found


def actors(claims: Mapping[str, object], issuer: Issuer) -> tuple[Link, ...]:
    """The links of `act` (RFC 8693 §4.1), the one that speaks now first; raises `Refused` where the chain cannot be told."""
    found: list[Link] = []
    act = claims.get("act")
    while act is not None:
        if not isinstance(act, dict) or len(found) >= issuer.longest_chain:
            raise refused(f"expected at most {issuer.longest_chain} objects, one in the other, as act")
        name = text(act, "sub", _CLIENT)
        if name is None or act.get("iss", issuer.url) != issuer.url:
            raise refused("expected a sub of the same issuer in each act")
        # Our own authority names agents, and beside each the client that it spoke as: stops name either.
        client = text(act, "client_id", _CLIENT) if issuer.is_own else None
        link = Link(name, client or name)
        # Instances of one agent hand work on to one another by our own authority, which bounds how often.
        if link in found and not issuer.is_own:
            raise refused(f"expected everybody once in act, {shown(name)} is there twice")
        found.append(link)
        act = act.get("act")
    return tuple(found)


def family(claims: Mapping[str, object], issuer: Issuer) -> str:
    """The grant that a token of our own comes from; empty for tokens of others, which may use the name for anything."""
    return (text(claims, "fam", _NAME) or "") if issuer.is_own else ""


def _first(claims: Mapping[str, object], names: tuple[str, ...], longest: int) -> str | None:
    return next((found for name in names if (found := text(claims, name, longest)) is not None), None)


def _scopes(value: object, name: str) -> tuple[str, ...]:
    """A list of texts, or one text with spaces between them (RFC 8693 §4.2)."""
    return _texts(value.split(" ") if isinstance(value, str) else value, name, _MOST_SCOPES)


def _texts(value: object, name: str, most: int) -> tuple[str, ...]:
    """The texts of a claim: a list, or a single one. What could be read in two ways is refused, so that nothing is left out in silence."""
    if value is None:
        return ()
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or len(given) > most:
        raise refused(f"expected at most {most} texts as {name}, got {shown(type(given).__name__)}")
    for one in given:
        if not isinstance(one, str) or len(one) > _NAME or not one.isprintable():
            raise refused(f"expected texts of at most {_NAME} printable characters in {name}")
    return tuple(one for one in given if one)
