"""Side records: what a call's arguments and result were, encrypted beside the leaf that commits to them.

Each process run and each day has a data key of its own, wrapped by the key file: deleting a side record, its data key or the
key file takes the contents away for good, and every proof still holds. The leaf names the digest of the sealed record,
so an edit of it shows without any key.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count, repeat
from struct import Struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.audit.store import HEAD, Box, Boxes
from doorward.audit.veil import SALT_BYTES, commitment
from doorward.domain.errors import StoreError

_WRAPPING = b"doorward side data key"
_NONCE = Struct(">IQ")
"""A counter."""
_NONCE_BYTES = _NONCE.size
_SALTS = Struct(f"{SALT_BYTES}s" * 256)


class Opened(msgspec.Struct, frozen=True):
    """A side record in clear."""

    text: bytes
    """JSON, cut to the cap: whole if `size_bytes` says so."""
    size_bytes: int
    commitment: str | None
    """What the leaf must commit to; None where the text was cut, so that nothing can be compared."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """What a leaf says of a text."""

    commitment: str
    box: Box | None = None
    """What is kept of it beside the leaf."""
    side: str = ""
    """The digest of that."""


def salts(draw: Callable[[int], bytes]) -> Iterator[bytes]:
    """Random bytes that nobody was given before.

    They are drawn many at a time: asking the kernel gives up Python's lock, and waiting for it again costs more than the bytes.
    """
    while True:
        yield from _SALTS.unpack(draw(_SALTS.size))


class Unkept:
    """Commits to texts of which nothing is kept."""

    __slots__ = ("_salts",)

    def __init__(self, salts: Iterator[bytes]) -> None:
        self._salts = salts

    def said(self, context: str, text: bytes) -> Said:
        """What is said of a text, whatever its context."""
        del context
        return Said(commitment(next(self._salts), text))


class Sealer:
    """Encrypts side records under one data key. INVARIANT: the key is of this object alone, so that a counter is a nonce never used twice."""

    __slots__ = ("_encrypt", "_most", "_nonces", "_number", "_salts")

    def __init__(self, number: int, key: bytes, cap_bytes: int, salts: Iterator[bytes]) -> None:
        self._encrypt = AESGCM(key).encrypt
        self._number = number
        self._most = SALT_BYTES + cap_bytes
        self._salts = salts
        self._nonces = map(_NONCE.pack, repeat(0), count(1))

    def said(self, context: str, text: bytes) -> Said:
        """What is said of a text that is kept, behind the salt of its commitment; `context` names call and part."""
        salted, nonce, number, size = next(self._salts) + text, next(self._nonces), self._number, len(text)
        sealed = self._encrypt(nonce, salted[: self._most], context.encode())
        # As `veil.commitment` and `Box.digest`, without a call: there is one of each for each leaf.
        side = sha256(HEAD.pack(number, size) + nonce + sealed).hexdigest()
        return Said(sha256(salted).hexdigest(), Box(number, nonce, size, sealed), side)


class Wrapper:
    """The key file's key: wraps data keys, and opens what was sealed under them."""

    __slots__ = ("_aead", "_draw")

    def __init__(self, key: bytes, draw: Callable[[int], bytes]) -> None:
        self._aead = AESGCM(key)
        self._draw = draw

    def fresh(self) -> tuple[bytes, bytes]:
        """A new data key, in clear and wrapped."""
        key, nonce = self._draw(32), self._draw(_NONCE_BYTES)
        return key, nonce + self._aead.encrypt(nonce, key, _WRAPPING)

    def open(self, wrapped: bytes, box: Box, context: str) -> Opened:
        """The contents of a side record; raises StoreError where it or its key was altered, or belongs to another leaf."""
        try:
            key = self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _WRAPPING)
            plain = AESGCM(key).decrypt(box.nonce, box.sealed, context.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreError(f"the side record of {context} cannot be opened: altered, or sealed under another key file") from error
        salt, text = plain[:SALT_BYTES], plain[SALT_BYTES:]
        return Opened(text, box.size_bytes, commitment(salt, text) if len(text) == box.size_bytes else None)


class Contents(msgspec.Struct, frozen=True):
    """The contents beside some leaves, to be opened one by one."""

    wrapper: Wrapper
    sealed: Boxes

    def of(self, index: int, context: str) -> Opened | None:
        """Those beside a leaf; None where none are kept. Raises StoreError where they were altered.

        INVARIANT: whoever asks compares the commitment with the leaf's.
        """
        box = self.sealed.boxes.get(index)
        wrapped = self.sealed.keys.get(box.key) if box is not None else None
        return None if box is None or wrapped is None else self.wrapper.open(wrapped, box, context)
