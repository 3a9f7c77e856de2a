"""The public keys of a provider (JWKS, RFC 7517): kept, and asked for again when one is met that is not among them."""

from collections.abc import Callable

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from doorward.identity.provider import ProviderError
from doorward.identity.web import Web, json_object

_MOST_KEYS = 100
_PAUSE_SECONDS = 10.0
"""Between two looks: a token with an invented key id must not make us ask again and again."""
_KEPT_SECONDS = 3600.0
"""A key that its provider took back is no key after this time."""
_RSA_BITS = 2048
"""Smaller ones can be broken; counted by the letters of `n`, of six bits each."""
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


class ProviderKeys:
    """The keys behind one URL."""

    __slots__ = ("_keys", "_now", "_read_at", "_tried_at", "_url", "_web")

    def __init__(self, url: str, web: Web, now: Callable[[], float]) -> None:
        self._url, self._web, self._now = url, web, now
        self._keys: tuple[Key, ...] = ()
        self._read_at = self._tried_at = float("-inf")

    def find(self, kid: str | None, alg: str) -> Key | None:
        """The one key of this id (or, without one, of all) that fits the algorithm; None where there is none, or more than one."""
        if self._now() > self._read_at + _KEPT_SECONDS:
            return None
        fitting = [key for key in self._keys if _fits(key, alg) and kid in (None, key.get("kid"))]
        return fitting[0] if len(fitting) == 1 else None

    async def refresh(self) -> None:
        """Asks again, unless that was done just now; raises `NetError`, `UrlError` or `ProviderError`."""
        now = self._now()
        if now < self._tried_at + _PAUSE_SECONDS:
            return
        self._tried_at = now
        answer = await self._web.get(self._url, (("Accept", "application/json"),))
        if answer.status != 200:
            raise ProviderError(f"the provider's keys were answered with {answer.status}")
        self._keys, self._read_at = read_keys(answer.body), now


def read_keys(raw: bytes) -> tuple[Key, ...]:
    """The public signature keys of a JWKS; what is of another kind is passed over. Raises `ProviderError`."""
    try:
        listed = json_object(raw).get("keys")
    except ValueError as error:
        raise ProviderError(f"the provider's keys cannot be read: {error}") from error
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ProviderError(f"expected a JWKS with a list of at most {_MOST_KEYS} keys")
    return tuple(key for one in listed if (key := _read_key(one)) is not None)


def _read_key(one: object) -> Key | None:
    # Symmetric keys are none of a provider's: a public key taken for one is how `alg` confusion begins.
    if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC", "OKP") or one.get("use", "sig") != "sig":
        return None
    if one["kty"] == "RSA" and len(str(one.get("n"))) * 6 < _RSA_BITS:
        return None
    try:
        return import_key({name: value for name, value in one.items() if name in _MEMBERS})
    except (JoseError, ValueError, TypeError):
        return None


_MEMBERS = frozenset({"kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"})
"""Of a key, what is public and is read."""


def _fits(key: Key, alg: str) -> bool:
    if key.get("alg", alg) != alg:
        return False
    match key:
        case RSAKey():
            return alg[:2] in ("RS", "PS")
        case ECKey() | OKPKey():
            return _CURVES.get(alg) == key.get("crv")
        case _:
            return False
