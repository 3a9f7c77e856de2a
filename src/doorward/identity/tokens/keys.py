"""The public keys of an issuer: found by its metadata (RFC 8414, OpenID Connect Discovery), kept and renewed (RFC 7517).

LAW: a key comes from where the configured issuer says, and from nowhere else. While the issuer cannot be asked its last good keys go
on for a bounded time; after that there are none.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import anyio
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from doorward.domain.errors import DoorwardError
from doorward.identity.tokens.issuer import Issuer
from doorward.net.errors import NetError
from doorward.net.fetch import Fetched, Web, json_object
from doorward.net.oauth.jose import fits
from doorward.net.oauth.metadata import MetadataError, endpoint, metadata

KEPT_SECONDS: Final = 86_400.0
"""How old keys may be: an issuer that cannot be asked for a day is trusted no more."""
_FRESH_SECONDS = (300.0, 43_200.0)
"""How long keys count as fresh, whatever the issuer's `Cache-Control` says: the least and the most."""
_USUAL_SECONDS = 3600.0
"""The same where it says nothing."""
_AHEAD = 0.8
"""They are renewed after this part of that time, so that no call waits for it."""
_PAUSE_SECONDS = 15.0
"""Between two attempts: neither invented key ids nor an outage make us ask without end."""
_SECONDS = 8.0
"""For metadata and keys together: callers with a token wait for it."""
_MOST_KEYS = 64
_MOST_KID = 256
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PUBLIC = frozenset({"kty", "alg", "kid", "n", "e", "crv", "x", "y"})

Slot = tuple[str | None, str]
"""Key id and algorithm; None: the only key for this algorithm, for tokens that name none."""


class KeysError(DoorwardError):
    """Keys that cannot be had or used."""


class Keys(Protocol):
    """The public keys of one issuer."""

    def find(self, kid: str | None, alg: str) -> Key | None:
        """The key for an algorithm as it may be used at this moment, the same object while it stays the same."""
        ...

    async def refresh(self) -> None:
        """Asks for the keys anew, unless that was done just now; bounded in time. Raises nothing of its own: `find` says what came of it."""
        ...


class _Held(msgspec.Struct, frozen=True):
    """What was fetched at once."""

    keys: Mapping[Slot, Key]
    at: float
    due: float


class RemoteKeys:
    """The keys of an issuer that is elsewhere."""

    __slots__ = ("_flight", "_held", "_issuer", "_now", "_tried_at", "_web", "trouble")

    def __init__(self, issuer: Issuer, web: Web, now: Callable[[], float]) -> None:
        self._issuer, self._web, self._now = issuer, web, now
        self._held = _Held({}, float("-inf"), float("-inf"))
        self._tried_at = float("-inf")
        self._flight: anyio.Event | None = None
        self.trouble = ""
        """Why the last attempt failed; empty where it did not."""

    def find(self, kid: str | None, alg: str) -> Key | None:
        """The key, unless what is known is too old."""
        held = self._held
        return held.keys.get((kid, alg)) if self._now() - held.at < KEPT_SECONDS else None

    async def refresh(self) -> None:
        """Fetches metadata and keys. Whoever comes meanwhile waits for the same."""
        if self._flight is not None:
            await self._flight.wait()
            return
        now = self._now()
        if 0 <= now - self._tried_at < _PAUSE_SECONDS:
            return
        self._tried_at = now
        self._flight = anyio.Event()
        try:
            # Shielded: others wait for the same answer.
            with anyio.move_on_after(_SECONDS, shield=True) as bound:
                await self._renew(now)
            if bound.cancelled_caught:
                self.trouble = f"no keys were had within {_SECONDS:g} seconds"
        finally:
            self._flight.set()
            self._flight = None

    def due_in(self) -> float:
        """Seconds until the keys should be renewed."""
        now = self._now()
        return max(self._held.due - now, self._tried_at + _PAUSE_SECONDS - now, 0.0)

    async def _renew(self, now: float) -> None:
        try:
            fetched = await self._web.get(self._issuer.jwks_url or await self._jwks_url())
            keys = public_keys(_document(fetched), self._issuer.algorithms)
        except (NetError, KeysError, MetadataError) as error:
            self.trouble = str(error)
            return
        # What has not changed stays the same object: tokens that it has verified need not be verified again.
        before = self._held.keys
        same = {slot: before[slot] if slot in before and before[slot] == key else key for slot, key in keys.items()}
        self._held = _Held(same, now, now + _AHEAD * fresh_seconds(fetched.headers.get("cache-control", "")))
        self.trouble = ""

    async def _jwks_url(self) -> str:
        return endpoint(await metadata(self._issuer, self._web), "jwks_uri", self._issuer)


def public_keys(document: Mapping[str, object], algorithms: frozenset[str]) -> dict[Slot, Key]:
    """What of a JWKS can verify signatures of these algorithms; raises `KeysError` where that is nothing.

    Passed over: symmetric and private keys, keys for encryption, of other curves or sizes, and two that answer to one name.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise KeysError(f"expected a list of at most {_MOST_KEYS} keys")
    found: dict[Slot, list[Key]] = {}
    for key in [key for one in listed if (key := public_key(one)) is not None]:
        for slot in _slots(key, algorithms):
            found.setdefault(slot, []).append(key)
    keys = {slot: same[0] for slot, same in found.items() if all(key == same[0] for key in same)}
    if not keys:
        raise KeysError(f"expected public keys for {', '.join(sorted(algorithms))}, there are none")
    return keys


def _slots(key: Key, algorithms: frozenset[str]) -> list[Slot]:
    """By what a token may name a key."""
    kid = key.get("kid")
    names = (None, kid) if isinstance(kid, str) else (None,)
    return [(name, alg) for name in names for alg in algorithms if fits(key, alg)]


def public_key(jwk: object) -> Key | None:
    """The public signature key that a JWK is; None where it is none."""
    if not isinstance(jwk, dict) or jwk.get("kty") not in ("RSA", "EC", "OKP") or not _PRIVATE.isdisjoint(jwk):
        return None
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    if len(str(jwk.get("kid", ""))) > _MOST_KID:
        return None
    try:
        return import_key({name: value for name, value in jwk.items() if name in _PUBLIC})
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None


def fresh_seconds(cache_control: str) -> float:
    """For how long an answer with this `Cache-Control` (RFC 9111) counts as fresh, within our bounds."""
    least, most = _FRESH_SECONDS
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in ("no-store", "no-cache"):
            return least
        if name == "max-age" and value.strip('"').isdecimal():
            return min(max(float(value.strip('"')[:12]), least), most)
    return _USUAL_SECONDS


def _document(fetched: Fetched) -> dict[str, object]:
    if fetched.status != 200:
        raise KeysError(f"the keys were answered with status {fetched.status}")
    return json_object(fetched)
