"""The keys our access tokens are signed with (ES256): a new one every so often, known to verifiers before it signs and after it has.

A key signs from `signs_from` until its successor does; the successor is published (RFC 7517) for a while before that, and the
predecessor for as long as its last token may live.
"""

from base64 import urlsafe_b64encode
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
DAY_SECONDS = 86_400.0
AHEAD_SECONDS = DAY_SECONDS
"""Published so long before it signs: longer than anybody caches a JWKS. Half a key's life where that is shorter."""
BEHIND_SECONDS = 7_200.0
"""Published so long after it has signed last: longer than a token can live (an hour), with the clocks' difference."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-5)."""
_SEED_BYTES = 40
"""64 bits more than the order has, so that the remainder is as good as uniform (FIPS 186-5 A.2.1)."""
_KID_BYTES = 12


@dataclass(frozen=True, slots=True, repr=False)
class StoredKey:
    """A private key as it is kept. Its `repr` says nothing."""

    kid: str
    scalar: int
    signs_from: float
    """Unix seconds."""


class Vault(Protocol):
    """Where private keys are kept, readable by nobody else."""

    def read(self) -> tuple[StoredKey, ...]:
        """Every key that was written last; none if there never were any. Raises a `DoorwardError` where that cannot be told."""
        ...

    def write(self, keys: tuple[StoredKey, ...]) -> None:
        """Replaces all keys, durably, all or none; raises a `DoorwardError`."""
        ...


class SigningKeys:
    """The keys of one authority. Also the `Keys` of a verifier in the same process, which asks nobody."""

    __slots__ = ("_draw", "_keys", "_life_seconds", "_loaded", "_now", "_vault", "version")

    def __init__(self, vault: Vault, draw: Callable[[int], bytes], now: Callable[[], float], key_days: float) -> None:
        self._vault = vault
        self._draw = draw
        self._now = now
        self._life_seconds = key_days * DAY_SECONDS
        self._keys: list[StoredKey] = []
        self._loaded: dict[str, ECKey] = {}
        self.version = 0
        """Rises with each key that is dropped: what was verified before must be verified again."""

    def load(self) -> None:
        """Reads the keys, and makes the first; raises a `DoorwardError`."""
        self._take(self._vault.read())
        self._turn()

    def adopt(self, key_days: float) -> None:
        """Goes on with another life of keys."""
        self._life_seconds = key_days * DAY_SECONDS

    def signer(self) -> tuple[str, ECKey]:
        """Id and private key that sign now."""
        self._turn()
        now = self._now()
        current = next(key for key in reversed(self._keys) if key.signs_from <= now)
        return current.kid, self._loaded[current.kid]

    def jwks(self) -> dict[str, object]:
        """The public halves of all that verify, newest first (RFC 7517)."""
        self._turn()
        return {"keys": [self._loaded[key.kid].as_dict(private=False) for key in reversed(self._keys)]}

    def find(self, kid: str | None, alg: str) -> ECKey | None:
        """The key of an id; None for any other algorithm than ours, and for tokens that name no key."""
        return self._loaded.get(kid) if kid is not None and alg == ALGORITHM else None

    async def refresh(self) -> None:
        """Nothing: what is known is all there is."""

    def _turn(self) -> None:
        """Makes the key that is due, and drops those that are over. Writes to the vault once in months, so it may as well wait for it."""
        now = self._now()
        kept = [key for key, successor in zip(self._keys, self._keys[1:], strict=False) if successor.signs_from + BEHIND_SECONDS > now]
        kept += self._keys[-1:]
        ahead = min(AHEAD_SECONDS, self._life_seconds / 2)
        if not kept:
            insort(kept, self._made(now), key=_start)
        elif kept[-1].signs_from + self._life_seconds - ahead <= now:
            # Never at once, however late it is: verifiers must have seen it first.
            insort(kept, self._made(now + ahead), key=_start)
        if kept != self._keys:
            self._vault.write(tuple(kept))
            self._take(tuple(kept))

    def _made(self, signs_from: float) -> StoredKey:
        scalar = int.from_bytes(self._draw(_SEED_BYTES), "big") % (_ORDER - 1) + 1
        return StoredKey(_base64(self._draw(_KID_BYTES)), scalar, signs_from)

    def _take(self, keys: tuple[StoredKey, ...]) -> None:
        self._keys = sorted(keys, key=_start)
        self._loaded = {key.kid: self._loaded.get(key.kid) or _loaded(key) for key in self._keys}
        self.version += 1


def _start(key: StoredKey) -> float:
    return key.signs_from


def _loaded(key: StoredKey) -> ECKey:
    public = ec.derive_private_key(key.scalar, ec.SECP256R1()).public_key().public_numbers()
    x, y, d = (_base64(number.to_bytes(32, "big")) for number in (public.x, public.y, key.scalar))
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y, "d": d, "kid": key.kid, "use": "sig", "alg": ALGORITHM})


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
