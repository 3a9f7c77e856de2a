"""Sealed text: what a client holds for us, unreadable and unchangeable, good only in the context it was sealed for (AES-256-GCM).

Used for session ids, list cursors and request state. The context is associated data: whoever presents a text with another
principal, endpoint or target gets nothing. Nonces come in as arguments (law 4).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_TAG_BYTES = 16
_LONGEST = 1 << 20
"""Characters of a text that is worth opening."""


class Seal:
    """A ring of keys: the first seals, all open, so that a key can be replaced without voiding what is out there."""

    __slots__ = ("_ciphers",)

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"expected keys of {KEY_BYTES} bytes, at least one")
        self._ciphers = tuple(AESGCM(key) for key in keys)

    def seal(self, plain: bytes, context: bytes, nonce: bytes) -> str:
        """Visible ASCII (base64url, no padding). `nonce`: 12 random bytes, never used twice."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"expected a nonce of {NONCE_BYTES} bytes, got {len(nonce)}")
        return urlsafe_b64encode(nonce + self._ciphers[0].encrypt(nonce, plain, context)).rstrip(b"=").decode()

    def open(self, text: str, context: bytes) -> bytes | None:
        """What was sealed, or None for anything that is not exactly that text in exactly that context."""
        raw = _decoded(text)
        if raw is None or len(raw) < NONCE_BYTES + _TAG_BYTES:
            return None
        nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, sealed, context)
            except InvalidTag:
                continue
        return None


def _decoded(text: str) -> bytes | None:
    if len(text) > _LONGEST or not text.isascii() or "=" in text:
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError):
        return None
    # One text for one sealing: unused bits and stray characters that a lenient decoder passes over make another text.
    return raw if urlsafe_b64encode(raw).rstrip(b"=").decode() == text else None
