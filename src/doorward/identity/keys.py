"""Agent keys: 256 random bits in a text that secret scanners recognise, kept only as its SHA-256 (RULINGS 13).

The text is `dw_<key id>_<secret>_<checksum>`: 11, 43 and 6 characters of base 62, so 65 in all. The checksum is the CRC-32 of
what stands before it, so that a scanner (and we) can tell a key from a look-alike without asking anybody.
"""

import hmac
import zlib
from collections.abc import Callable
from hashlib import sha256

import msgspec

from doorward.domain.ids import AgentId, Digest, KeyId

PREFIX = "dw_"

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_BYTES, _ID_LENGTH = 8, 11
_SECRET_BYTES, _SECRET_LENGTH = 32, 43
_SUM_LENGTH = 6
_LENGTH = len(PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH + 1 + _SUM_LENGTH
_ID_END = len(PREFIX) + _ID_LENGTH
_SECRET_END = _ID_END + 1 + _SECRET_LENGTH

_NOBODY = Digest("0" * 64)


class KeyRecord(msgspec.Struct, frozen=True):
    """What is kept of a key: never the key."""

    id: KeyId
    agent: AgentId
    sha256: Digest
    """Of the whole text."""
    created_at: float
    """Unix seconds, as are the two below."""
    expires_at: float
    revoked_at: float | None = None


def issue(agent: AgentId, random_bytes: Callable[[int], bytes], now: float, ttl_seconds: float) -> tuple[str, KeyRecord]:
    """A new key: the text, to be shown once, and what is kept of it. `random_bytes` must be fit for secrets."""
    key_id = _base62(random_bytes(_ID_BYTES), _ID_LENGTH)
    head = f"{PREFIX}{key_id}_{_base62(random_bytes(_SECRET_BYTES), _SECRET_LENGTH)}"
    text = f"{head}_{_checksum(head)}"
    return text, KeyRecord(KeyId(key_id), agent, digest(text), now, now + ttl_seconds)


def key_id(text: str) -> KeyId | None:
    """The public half of a well-formed key; None for everything else."""
    if len(text) != _LENGTH or not text.isascii() or not text.startswith(PREFIX):
        return None
    head, tail = text[:_SECRET_END], text[_SECRET_END:]
    parts = (text[len(PREFIX) : _ID_END], head[_ID_END + 1 :], tail[1:])
    is_shaped = text[_ID_END] == "_" and tail[0] == "_" and all(part.isalnum() for part in parts)
    return KeyId(parts[0]) if is_shaped and parts[2] == _checksum(head) else None


def digest(text: str) -> Digest:
    """The form in which a key is kept and compared."""
    return Digest(sha256(text.encode()).hexdigest())


def matches(text: str, record: KeyRecord | None) -> bool:
    """Whether a text is the key of a record, in constant time; a record that is not there takes as long, and matches nothing."""
    is_same = hmac.compare_digest(digest(text), record.sha256 if record else _NOBODY)
    return is_same and record is not None


def _checksum(head: str) -> str:
    return _base62(zlib.crc32(head.encode()).to_bytes(4, "big"), _SUM_LENGTH)


def _base62(raw: bytes, length: int) -> str:
    number, text = int.from_bytes(raw, "big"), ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text
