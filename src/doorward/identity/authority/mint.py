"""Making tokens: access tokens as signed JWTs for one endpoint (RFC 9068), refresh tokens and codes as texts that say nothing.

A refresh token is sealed, so that one we never made is known at once, and one that was used before is known for what it is without
keeping it: its family still stands, and another token of it is the good one.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import msgspec
from joserfc import jws

from doorward.identity.authority.binding import Held
from doorward.identity.authority.families import Family
from doorward.identity.authority.keys import ALGORITHM, SigningKeys
from doorward.wire.jsonrpc import dump
from doorward.wire.sealed import NONCE_BYTES, Seal

TYPE = "at+jwt"
CODE_PREFIX = "dwc_"
REFRESH_PREFIX = "dwr_"
"""What secret scanners recognise them by."""

_SECRET_BYTES = 32
_ID_BYTES = 16
_GROUPS_BYTES = 2_400
"""With all that a token can say besides, within the 8 KiB that an `Authorization` header may have."""
_CONTEXT = b"doorward refresh token 1"


class Bearing(msgspec.Struct, frozen=True):
    """What one access token says besides what its family does."""

    client: str
    """Who asked for it, and speaks with it."""
    scopes: tuple[str, ...]
    held: Held
    act: dict[str, object] | None = None
    """The chain of those it was handed on by, who speaks now first (RFC 8693 §4.1)."""
    ends_at: float = float("inf")
    """At the latest."""


class Sources(msgspec.Struct, frozen=True):
    """Where a mint has its keys, randomness and time from."""

    keys: SigningKeys
    seal: Seal
    draw: Callable[[int], bytes]
    now: Callable[[], float]


class Mint:
    """Makes the tokens of one issuer."""

    __slots__ = ("_issuer", "_sources", "_token_seconds")

    def __init__(self, issuer: str, token_seconds: float, sources: Sources) -> None:
        self._issuer = issuer
        self._token_seconds = token_seconds
        self._sources = sources

    def identifier(self) -> str:
        """A new name that nobody can guess."""
        return self._sources.draw(_ID_BYTES).hex()

    def code(self) -> str:
        """A new authorization code."""
        return CODE_PREFIX + _base64(self._sources.draw(_SECRET_BYTES))

    def refresh(self, family: str) -> str:
        """A new refresh token of a family."""
        draw = self._sources.draw
        return REFRESH_PREFIX + self._sources.seal.seal(bytes.fromhex(family) + draw(_SECRET_BYTES), _CONTEXT, draw(NONCE_BYTES))

    def family(self, refresh: str) -> str | None:
        """The family that a refresh token was once made for; None where it was not made here."""
        if not refresh.startswith(REFRESH_PREFIX):
            return None
        plain = self._sources.seal.open(refresh.removeprefix(REFRESH_PREFIX), _CONTEXT)
        return plain[:_ID_BYTES].hex() if plain is not None and len(plain) == _ID_BYTES + _SECRET_BYTES else None

    def access(self, family: Family, bearing: Bearing) -> tuple[str, int]:
        """A new access token, and the seconds that it is good for."""
        now = int(self._sources.now())
        ends = int(min(now + self._token_seconds, family.expires_at, bearing.ends_at))
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": family.resource,
            "sub": family.subject or bearing.client,
            "client_id": bearing.client,
            "scope": " ".join(bearing.scopes),
            "jti": self.identifier(),
            "iat": now,
            "exp": ends,
            "fam": family.id,
        }
        if family.groups:
            claims.update(_groups(family.groups))
        if bearing.act is not None:
            claims["act"] = bearing.act
        if bearing.held.confirmation is not None:
            claims["cnf"] = bearing.held.confirmation
        kid, key = self._sources.keys.signer()
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": kid}
        return jws.serialize_compact(header, dump(claims), key, algorithms=[ALGORITHM]), max(0, ends - now)


def digest(secret: str) -> str:
    """The form in which a code or refresh token is kept and looked for: 256 random bits need no slower hash."""
    return sha256(secret.encode()).hexdigest()


def _groups(groups: tuple[str, ...]) -> dict[str, object]:
    """The person's groups; or that there are more than a token holds, so that whoever reads it asks for them (`groups.py`)."""
    return {"groups": list(groups)} if len(dump(list(groups))) <= _GROUPS_BYTES else {"hasgroups": True}


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
