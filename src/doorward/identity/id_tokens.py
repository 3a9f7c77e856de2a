"""ID tokens: who signed in, signed by their provider for us alone (OpenID Connect Core 1.0, 3.1.3.7)."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256, sha384, sha512

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.identity.tokens.jws import Signed, check_signature, read_long, seconds, shown
from doorward.identity.tokens.keys import Keys

_FRESH_SECONDS = 600.0
"""An ID token that we have just asked for was made just now."""
_HASHES = {"256": sha256, "384": sha384, "512": sha512}
"""By the end of the algorithm's name; Ed25519 hashes with SHA-512."""


class IdTokenError(DoorwardError):
    """An ID token that proves nothing; for operators."""


class Expected(msgspec.Struct, frozen=True):
    """What an ID token must say."""

    issuer: str
    client: str
    nonce: str
    algorithms: frozenset[str]
    leeway_seconds: float
    now: float


async def verified(token: str, keys: Keys, expected: Expected, access_token: str) -> Mapping[str, object]:
    """The claims of an ID token; an unknown key is asked for once. Raises `IdTokenError`."""
    try:
        signed = read_long(token)
        _check_header(signed, expected)
        if keys.find(signed.kid, signed.alg) is None:
            await keys.refresh()
        key = keys.find(signed.kid, signed.alg)
        if key is None:
            raise IdTokenError(f"the ID token is signed with a key that the provider does not have: {shown(signed.kid)}")
        check_signature(signed, key)
        _check_times(signed.claims, expected)
    except Refused as refusal:
        raise IdTokenError(refusal.detail) from refusal
    _check_audience(signed.claims, expected)
    _check_binding(signed, expected, access_token)
    return signed.claims


def _check_header(signed: Signed, expected: Expected) -> None:
    if signed.alg not in expected.algorithms:
        raise IdTokenError(f"the ID token is signed with {signed.alg}, expected one of {', '.join(sorted(expected.algorithms))}")
    if signed.typ not in ("", "jwt"):
        raise IdTokenError(f"the token is a {shown(signed.typ)}, expected an ID token (JWT)")


def _check_audience(claims: Mapping[str, object], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenError(f"the ID token is of {shown(claims.get('iss'))}, expected {shown(expected.issuer)}")
    audience, party = claims.get("aud"), claims.get("azp", expected.client)
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client not in audiences:
        raise IdTokenError("the ID token is for another client")
    if party != expected.client or (len(audiences) > 1 and "azp" not in claims):
        raise IdTokenError("the ID token was asked for by another client")


def _check_times(claims: Mapping[str, object], expected: Expected) -> None:
    end, made, start = seconds(claims, "exp"), seconds(claims, "iat"), seconds(claims, "nbf") or 0.0
    if end is None or made is None:
        raise IdTokenError("expected exp and iat of the ID token")
    now, leeway = expected.now, expected.leeway_seconds
    if end + leeway <= now:
        raise IdTokenError("the ID token has expired")
    if max(made, start) - leeway > now:
        raise IdTokenError("the ID token is of the future")
    if made + leeway + _FRESH_SECONDS < now:
        raise IdTokenError("the ID token was made long ago, expected one of this sign-in")


def _check_binding(signed: Signed, expected: Expected, access_token: str) -> None:
    nonce, digest = signed.claims.get("nonce"), signed.claims.get("at_hash")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise IdTokenError("the ID token is of another sign-in (its nonce)")
    if digest is None:
        return
    whole = _HASHES.get(signed.alg[-3:], sha512)(access_token.encode()).digest()
    half = urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=")
    if not isinstance(digest, str) or not hmac.compare_digest(digest.encode(), half):
        raise IdTokenError("the ID token is of another access token (its at_hash)")
