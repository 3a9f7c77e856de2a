"""Whether an access token is good: from its text, the issuer's key, the audience and the time to what it says, or a refusal. Pure.

The order matters: until the signature is checked, nothing but the choice of issuer and key depends on what the token says.
"""

from collections.abc import Mapping

import msgspec
from joserfc.jwk import Key

from doorward.identity.tokens.issuer import Issuer
from doorward.identity.tokens.jws import Signed, check_signature, refused, seconds, shown

_ID_TOKEN = ("at_hash", "c_hash", "s_hash")
"""Claims of ID tokens alone (OpenID Connect Core §3.3.2.11): such a token was made for a client to read, not to be shown to us."""
_EVENTS = ("events",)
"""The claim of logout and security event tokens (RFC 8417)."""
_MOST_AUDIENCES = 32


class Verified(msgspec.Struct, frozen=True):
    """What a good token says, and how long."""

    claims: Mapping[str, object]
    until: float
    """Unix seconds, the issuer's leeway included: from then on it is not good any more."""


def verified(signed: Signed, key: Key, issuer: Issuer, audience: str, now: float) -> Verified:
    """The claims of an access token for an audience; raises `Refused` UNAUTHENTICATED. `key` is the issuer's own, for the token's algorithm."""
    check_header(signed, issuer)
    check_signature(signed, key)
    claims = signed.claims
    if claims.get("iss") != issuer.url:
        raise refused(f"expected {issuer.url!r} as iss, got {shown(claims.get('iss'))}")
    until = _until(claims, issuer, now)
    _check_audience(claims, issuer, audience)
    _check_kind(claims, issuer)
    return Verified(claims, until)


def check_header(signed: Signed, issuer: Issuer) -> None:
    """Raises `Refused` UNAUTHENTICATED unless the issuer signs with this algorithm, and gives access tokens of this type."""
    if signed.alg not in issuer.algorithms:
        raise refused(f"expected {', '.join(sorted(issuer.algorithms))} as alg of {issuer.name}, got {shown(signed.alg)}")
    if signed.typ not in issuer.habits.types:
        raise refused(f"expected {_listed(issuer.habits.types)} as typ of {issuer.name}, got {shown(signed.typ)}")


def _until(claims: dict[str, object], issuer: Issuer, now: float) -> float:
    end, start, made = seconds(claims, "exp"), seconds(claims, "nbf"), seconds(claims, "iat")
    leeway = issuer.leeway_seconds
    if end is None:
        raise refused("expected a token that ends, there is no exp")
    if now >= end + leeway:
        raise refused(f"the token has expired {now - end:.0f} seconds ago")
    if max(start or 0.0, made or 0.0) > now + leeway:
        raise refused("the token is of the future")
    longest = issuer.longest_seconds
    if longest is not None and (made is None or end - made > longest):
        lasts = "no iat" if made is None else f"{end - made:.0f} seconds"
        raise refused(f"expected a token of at most {longest:.0f} seconds from iat to exp, got {lasts}")
    return end + leeway


def _check_audience(claims: dict[str, object], issuer: Issuer, audience: str) -> None:
    """RFC 7519 §4.1.3: a text or a list of them. INVARIANT: a token that names no audience is for nobody."""
    said = claims.get("aud")
    given = [said] if isinstance(said, str) else said
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_AUDIENCES or not all(isinstance(one, str) for one in given):
        raise refused(f"expected a text, or a list of at most {_MOST_AUDIENCES} of them, as aud")
    wanted = issuer.audiences or frozenset((audience,))
    if wanted.isdisjoint(given):
        raise refused(f"expected a token for {_listed(wanted)}, got one for {shown(', '.join(given))}")


def _check_kind(claims: dict[str, object], issuer: Issuer) -> None:
    for name, values in issuer.habits.says.items():
        value = claims.get(name)
        if not isinstance(value, str) or value not in values:
            raise refused(f"expected {_listed(values)} as claim {name} of an access token, got {shown(value)}")
    others = _EVENTS if issuer.habits.is_id_token else _ID_TOKEN + _EVENTS
    for name in others:
        if name in claims:
            raise refused(f"expected an access token, {name} is a claim of other tokens")


def _listed(texts: frozenset[str]) -> str:
    return " or ".join(repr(text) for text in sorted(texts)) or "nothing"
