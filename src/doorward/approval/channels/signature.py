"""Signatures of webhooks (Standard Webhooks 1.0, symmetric): HMAC-SHA256 over id, time and body. Pure: the time is an argument."""

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

import msgspec

from doorward.domain.errors import DoorwardError

PREFIX: Final = "whsec_"
KEY_BYTES: Final = (24, 64)
"""The least and the most."""
TOLERANCE_SECONDS: Final = 300
"""How far the clocks of both sides may lie apart, and how old a message may be."""
MOST_SIGNATURES: Final = 16
_VERSION: Final = "v1,"
_ID: Final = re.compile(r"[A-Za-z0-9_:-]{1,256}")
"""No full stop: it parts the id from what follows."""
_TIME: Final = re.compile(r"[0-9]{1,12}")


class KeyFormError(DoorwardError):
    """A secret that is none of Standard Webhooks; the message never repeats it."""


class SignatureError(DoorwardError):
    """A message that is not signed as it should be; the message is for operators."""


class Message(msgspec.Struct, frozen=True):
    """One message as it is signed."""

    id: str
    timestamp: str
    """Unix seconds, as the header has them."""
    body: bytes


def key_of(secret: str) -> bytes:
    """The key that a secret (`whsec_` and base64) holds; raises `KeyFormError`."""
    least, most = KEY_BYTES
    wanted = f"expected {PREFIX} and {least} to {most} bytes in base64"
    if not secret.startswith(PREFIX):
        raise KeyFormError(wanted)
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        # `from None`: the error could show what it has read.
        raise KeyFormError(wanted) from None
    if not least <= len(key) <= most:
        raise KeyFormError(f"{wanted}, got {len(key)}")
    return key


def sign(key: bytes, message: Message) -> str:
    """One signature as `webhook-signature` holds it."""
    content = b".".join((message.id.encode(), message.timestamp.encode(), message.body))
    return _VERSION + b64encode(hmac.digest(key, content, "sha256")).decode()


def verify(key: bytes, message: Message, signatures: str, now: float) -> None:
    """Raises `SignatureError` unless one of the signatures (parted by spaces) is ours, and the message is of about now."""
    if not _ID.fullmatch(message.id):
        raise SignatureError("expected letters, digits, - _ and : in webhook-id")
    if not _TIME.fullmatch(message.timestamp) or abs(now - int(message.timestamp)) > TOLERANCE_SECONDS:
        raise SignatureError(f"expected a webhook-timestamp that is at most {TOLERANCE_SECONDS} s off")
    given = signatures.split(" ", MOST_SIGNATURES)[:MOST_SIGNATURES]
    wanted = sign(key, message).encode()
    # Each is compared whole, so that time tells nothing of which one fits, nor how far.
    fits = [hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given]
    if not any(fits):
        raise SignatureError("expected a signature of the secret of this webhook")
