"""Envelope encryption at rest: each record under a fresh key of its own, which a key of the store wraps (AES-256-GCM, NIST SP 800-38D).

LAW: a record opens only where it was sealed. Table, row and purpose are associated data of both layers, so that one which is moved to
another row or table, or was altered by a bit, does not open. Version 1, in bytes:

    0    4   `dwe1`: the format and its version
    4    8   the id of the store key that wraps the record key
    12  12   the nonce of the wrapping, random
    24  48   the record key, wrapped: 32 bytes and a tag
    72  12   the nonce of the contents, random
    84  16…  the contents, encrypted, and a tag

What wraps the store keys themselves is `credentials/wrapping.py`. Thread-safe.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from doorward.domain.errors import StoreError

MAGIC = b"dwe1"
KEY_BYTES = 32
ID_BYTES = 8
ID_AT = len(MAGIC)
"""Where the id of the store key begins."""
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAP_AT = ID_AT + ID_BYTES
_WRAPPED_AT = _WRAP_AT + _NONCE_BYTES
_NONCE_AT = _WRAPPED_AT + KEY_BYTES + _TAG_BYTES
_CONTENTS_AT = _NONCE_AT + _NONCE_BYTES
OVERHEAD_BYTES = _CONTENTS_AT + _TAG_BYTES
"""How much longer a sealed record is than what it holds."""
MARK_CHARACTERS = 32
_MOST_HIDDEN = 4096
"""Names whose hidden form is remembered: those that calls bring again and again."""


class EnvelopeError(StoreError):
    """A sealed record does not open."""


class NotSealedError(EnvelopeError):
    """It is in no format that this version knows."""


class UnknownKeyError(EnvelopeError):
    """The store key that it was sealed under is not held."""


class AlteredError(EnvelopeError):
    """It, or its place, is another than when it was sealed."""


class Context(msgspec.Struct, frozen=True):
    """Where a record belongs, and so where alone it opens."""

    table: str
    row: tuple[str, ...]
    """What identifies it: the columns of the primary key."""
    purpose: str = "record"
    """The column: what else is sealed in the same row has another one."""

    def __str__(self) -> str:
        return f"{self.purpose} of {self.table} {'/'.join(self.row)[:80]!r}"

    def associated(self, layer: bytes) -> bytes:
        """The associated data of a layer; each part after its length, so that no two contexts read the same."""
        return MAGIC + layer + joined((self.table, self.purpose, *self.row))


class Envelope:
    """Seals and opens records under the keys of one store, and gives names the marks that they are found by."""

    __slots__ = ("_draw", "_hidden", "_index", "_ring", "_siv")

    def __init__(self, keys: Mapping[bytes, bytes], current: bytes, index: bytes, draw: Callable[[int], bytes]) -> None:
        """`keys`: store keys by id, of which `current` seals; `index`: the key of marks and hidden names; `draw`: bytes fit for keys."""
        self._ring = _Ring.of(keys, current)
        self._index = index
        self._siv = AESSIV(hmac.digest(index, b"hidden names", hashlib.sha512))
        self._hidden: dict[tuple[str, str], str] = {}
        self._draw = draw

    def __repr__(self) -> str:
        return "Envelope(…)"

    @property
    def current(self) -> bytes:
        """The id of the store key that seals now."""
        return self._ring.current

    def add(self, name: bytes, key: bytes) -> None:
        """Goes on with a newer store key; those before go on opening."""
        newer = _Ring.of({name: key}, name)
        self._ring = _Ring({**self._ring.ciphers, **newer.ciphers}, name)

    def seal(self, plain: bytes, context: Context) -> bytes:
        """The record as it is stored."""
        drawn = self._draw(KEY_BYTES + 2 * _NONCE_BYTES)
        key, nonces = drawn[:KEY_BYTES], drawn[KEY_BYTES:]
        nonce = nonces[_NONCE_BYTES:]
        contents = AESGCM(key).encrypt(nonce, plain, context.associated(b"record"))
        return self._ring.wrap(key, nonces[:_NONCE_BYTES], context) + nonce + contents

    def open(self, sealed: bytes, context: Context) -> bytes:
        """What was sealed; raises `EnvelopeError`."""
        key = self._ring.unwrap(sealed, context)
        try:
            return AESGCM(key).decrypt(sealed[_NONCE_AT:_CONTENTS_AT], sealed[_CONTENTS_AT:], context.associated(b"record"))
        except InvalidTag as error:
            raise _altered(context) from error

    def rewrap(self, sealed: bytes, context: Context) -> bytes:
        """The same record, its key wrapped by the store key of now; the contents are not touched. Raises `EnvelopeError`."""
        key = self._ring.unwrap(sealed, context)
        return self._ring.wrap(key, self._draw(_NONCE_BYTES), context) + sealed[_NONCE_AT:]

    def mark(self, purpose: str, text: str) -> str:
        """What stands in a column in place of a name: the same for the same text and purpose, and nothing to who has not the key.

        INVARIANT: `purpose` names table and column, unless two columns are compared: one person cannot be followed through tables.
        """
        return hmac.digest(self._index, joined((purpose, text)), hashlib.sha256).hex()[:MARK_CHARACTERS]

    def hide(self, purpose: str, text: str) -> str:
        """A mark that can be read again with the key (AES-SIV, RFC 5297): for a name that rows are both found and listed by."""
        known = self._hidden.get((purpose, text))
        if known is None:
            if len(self._hidden) >= _MOST_HIDDEN:
                self._hidden = {}
            raw = self._siv.encrypt(text.encode("utf-8", "surrogatepass"), [purpose.encode()])
            known = self._hidden[purpose, text] = urlsafe_b64encode(raw).decode()
        return known

    def shown(self, purpose: str, hidden: str) -> str:
        """The name that was hidden; raises `EnvelopeError`."""
        try:
            return self._siv.decrypt(urlsafe_b64decode(hidden), [purpose.encode()]).decode("utf-8", "surrogatepass")
        except (InvalidTag, Error, ValueError) as error:
            raise AlteredError(f"a hidden name of {purpose} was expected: it was altered, or hidden under another key") from error


@dataclass(frozen=True, slots=True, repr=False)
class _Ring:
    """Store keys, ready for use."""

    ciphers: Mapping[bytes, AESGCM]
    current: bytes

    @classmethod
    def of(cls, keys: Mapping[bytes, bytes], current: bytes) -> "_Ring":
        if current not in keys or any(len(name) != ID_BYTES or len(key) != KEY_BYTES for name, key in keys.items()):
            raise ValueError(f"store keys of {KEY_BYTES} bytes were expected under ids of {ID_BYTES}, the current one among them")
        return cls({name: AESGCM(key) for name, key in keys.items()}, current)

    def wrap(self, key: bytes, nonce: bytes, context: Context) -> bytes:
        wrapped = self.ciphers[self.current].encrypt(nonce, key, context.associated(b"key" + self.current))
        return MAGIC + self.current + nonce + wrapped

    def unwrap(self, sealed: bytes, context: Context) -> bytes:
        name = key_of(sealed)
        if name is None or len(sealed) < OVERHEAD_BYTES:
            raise NotSealedError(f"a sealed record was expected as {context}, this is none or of a newer version")
        cipher = self.ciphers.get(name)
        if cipher is None:
            raise UnknownKeyError(f"the {context} was sealed under the store key {name.hex()}, which is not held")
        try:
            return cipher.decrypt(sealed[_WRAP_AT:_WRAPPED_AT], sealed[_WRAPPED_AT:_NONCE_AT], context.associated(b"key" + name))
        except InvalidTag as error:
            raise _altered(context) from error


def key_of(sealed: bytes) -> bytes | None:
    """The id of the store key that a sealed record needs; None for what is none."""
    return sealed[ID_AT:_WRAP_AT] if sealed.startswith(MAGIC) and len(sealed) >= _WRAP_AT else None


def joined(parts: Iterable[str]) -> bytes:
    """Texts as one, from which each could be read again."""
    raw = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join([len(part).to_bytes(4, "big") + part for part in raw])


def _altered(context: Context) -> AlteredError:
    return AlteredError(f"the {context} does not open: it was altered, or belongs to another row")
