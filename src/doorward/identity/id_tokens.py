"""ID tokens: who signed in, signed by their provider for us alone (OpenID Connect Core 1.0, 3.1.3.7)."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256, sha384, sha512
from typing import Protocol

from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from doorward.domain.errors import DoorwardError
from doorward.identity.web import json_object

_FRESH_SECONDS = 600.0
"""An ID token that we have just asked for was made just now."""
_HASHES = {"256": sha256, "384": sha384, "512": sha512, "DSA": sha512}
"""By the end of the algorithm's name; `EdDSA` on Ed25519 hashes with SHA-512."""


class IdTokenError(DoorwardError):
    """An ID token that proves nothing; for operators."""


class Keys(Protocol):
    """A provider's public keys."""

    def find(self, kid: str | None, alg: str) -> Key | None:
        """The key of an id (None: the only one) that an algorithm can be verified with, of those that are known now."""
        ...

    async def refresh(self) -> None:
        """Asks the provider for its keys again, at most so often; raises `NetError` or `ProviderError`."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say."""

    issuer: str
    client: str
    nonce: str
    algorithms: frozenset[str]
    leeway_seconds: float
    now: float


async def verified(token: str, keys: Keys, expected: Expected, access_token: str | None) -> Mapping[str, object]:
    """The claims of an ID token; an unknown key is asked for once. Raises `IdTokenError`, and what `Keys.refresh` raises."""
    try:
        signed = extract_compact(token.encode("ascii"))
    except (JoseError, ValueError) as error:
        raise IdTokenError("the ID token is no signed JWT") from error
    header = signed.headers()
    alg, kid = _checked_header(header, expected)
    key = keys.find(kid, alg)
    if key is None:
        await keys.refresh()
        key = keys.find(kid, alg)
    if key is None:
        raise IdTokenError(f"the ID token is signed with a key that the provider does not have: {str(kid)[:80]!r}")
    _check_signature(signed, key, alg)
    try:
        claims = json_object(signed.payload)
    except ValueError as error:
        raise IdTokenError(f"the ID token's claims cannot be read: {error}") from error
    _check_audience(claims, expected)
    _check_times(claims, expected)
    _check_binding(claims, expected, alg, access_token)
    return claims


def _checked_header(header: Mapping[str, object], expected: Expected) -> tuple[str, str | None]:
    alg, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(alg, str) or alg not in expected.algorithms:
        raise IdTokenError(f"the ID token is signed with {str(alg)[:20]!r}, expected one of {', '.join(sorted(expected.algorithms))}")
    if "crit" in header or "b64" in header:
        raise IdTokenError("the ID token asks for an extension that is not known here")
    if not isinstance(kind, str) or kind.lower() != "jwt":
        raise IdTokenError(f"the token is a {str(kind)[:40]!r}, expected an ID token (JWT)")
    if kid is not None and not isinstance(kid, str):
        raise IdTokenError("the ID token's key id was expected to be a text")
    return alg, kid


def _check_signature(signed: CompactSignature, key: Key, alg: str) -> None:
    try:
        is_good = validate_compact(signed, key, registry=JWSRegistry(algorithms=[alg]))
    except (JoseError, ValueError) as error:
        raise IdTokenError(f"the ID token's signature cannot be checked: {error}") from error
    if not is_good:
        raise IdTokenError("the ID token's signature is wrong")


def _check_audience(claims: Mapping[str, object], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise IdTokenError(f"the ID token is of {str(claims.get('iss'))[:200]!r}, expected {expected.issuer!r}")
    audience, party = claims.get("aud"), claims.get("azp", expected.client)
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client not in audiences:
        raise IdTokenError("the ID token is for another client")
    if party != expected.client or (len(audiences) > 1 and "azp" not in claims):
        raise IdTokenError("the ID token was asked for by another client")


def _check_times(claims: Mapping[str, object], expected: Expected) -> None:
    end, made, start = _seconds(claims.get("exp")), _seconds(claims.get("iat")), _seconds(claims.get("nbf", 0))
    now, leeway = expected.now, expected.leeway_seconds
    if end + leeway <= now:
        raise IdTokenError("the ID token has expired")
    if max(made, start) - leeway > now:
        raise IdTokenError("the ID token is of the future")
    if made + leeway + _FRESH_SECONDS < now:
        raise IdTokenError("the ID token was made long ago, expected one of this sign-in")


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise IdTokenError("the ID token has no proper exp, iat or nbf")
    return float(value)


def _check_binding(claims: Mapping[str, object], expected: Expected, alg: str, access_token: str | None) -> None:
    nonce, digest = claims.get("nonce"), claims.get("at_hash")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise IdTokenError("the ID token is of another sign-in (its nonce)")
    if digest is None or access_token is None:
        return
    whole = _HASHES[alg[-3:]](access_token.encode()).digest()
    half = urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=")
    if not isinstance(digest, str) or not hmac.compare_digest(digest.encode(), half):
        raise IdTokenError("the ID token is of another access token (its at_hash)")
