"""Proof Key for Code Exchange, the one method that is any good (RFC 7636, S256)."""

from base64 import urlsafe_b64encode
from hashlib import sha256

METHOD = "S256"


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
