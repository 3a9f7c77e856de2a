"""Checkpoints: the size and root of the tree in a signed note (C2SP tlog-checkpoint, signed-note; Ed25519)."""

import base64
import binascii
import hashlib
import re

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.audit.merkle import Tree
from doorward.domain.receipts import Event

LEAVES = 1000
"""So many leaves after the last checkpoint there is another, however fast they come."""
SECONDS = 1.0
"""So long after the last one there is another, if anything has been written."""

ED25519 = b"\x01"
_DASH = "— "
_NOTE_BYTES = 1 << 16
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}")


class CheckpointError(ValueError):
    """A note or key is not of its form, or its signature does not hold."""


class Vkey(msgspec.Struct, frozen=True):
    """The public key that a log's checkpoints are verified with, as C2SP writes it: `name+id+base64`."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that signature lines carry."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"

    @classmethod
    def parse(cls, line: str) -> "Vkey":
        """The key of a `vkey` line; raises CheckpointError."""
        name, _, rest = line.strip().partition("+")
        identity, _, encoded = rest.partition("+")
        raw = _unbase64(encoded)
        if not _NAME.fullmatch(name) or len(raw) != 33 or raw[:1] != ED25519:
            raise CheckpointError("an Ed25519 vkey was expected: name+id+base64")
        vkey = cls(name, raw[1:])
        if vkey.id.hex() != identity:
            raise CheckpointError(f"the key's id is {vkey.id.hex()}, the line says {identity[:16]!r}")
        return vkey


class Signer:
    """Signs checkpoints under one origin with one key."""

    __slots__ = ("_key", "origin", "vkey")

    def __init__(self, origin: str, seed: bytes) -> None:
        if not _NAME.fullmatch(origin):
            raise CheckpointError(f"an origin without spaces and plus signs was expected, not {origin[:80]!r}")
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = Vkey(origin, self._key.public_key().public_bytes_raw())

    def sign(self, tree: Tree) -> bytes:
        """The signed note for a tree. INVARIANT: asked only for trees that grow from each other, and shown only once they are durable."""
        text = f"{self.origin}\n{tree.size}\n{base64.b64encode(tree.root).decode()}\n"
        signature = base64.b64encode(self.vkey.id + self._key.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.origin} {signature}\n".encode()


def parse(note: bytes) -> tuple[str, Tree]:
    """Origin and tree of a note, unverified; raises CheckpointError."""
    text, _ = _divided(note)
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]):
        raise CheckpointError("an origin, a size and a root were expected")
    root = _unbase64(lines[2])
    if len(root) != 32:
        raise CheckpointError(f"a root of 32 bytes was expected, not {len(root)}")
    return lines[0], Tree(int(lines[1]), root)


def rotation(note: bytes | None, vkey: Vkey) -> Event | None:
    """What the log is told at a start with another key than its last checkpoint was signed with; None where it is the same."""
    if note is None:
        return None
    ids = [signature[:4].hex() for _, signature in _divided(note)[1]]
    if vkey.id.hex() in ids:
        return None
    return Event("log_key_rotated", "doorward", {"from": ids[0], "to": str(vkey)})


def verify(note: bytes, vkey: Vkey) -> Tree:
    """The tree that a note signed with this key commits to; raises CheckpointError."""
    origin, tree = parse(note)
    if origin != vkey.name:
        raise CheckpointError(f"the origin {vkey.name!r} was expected, not {origin[:80]!r}")
    text, signatures = _divided(note)
    ours = [signature[4:] for name, signature in signatures if (name, signature[:4]) == (vkey.name, vkey.id)]
    if not ours:
        raise CheckpointError(f"no signature of {vkey.name} with key id {vkey.id.hex()} was found")
    try:
        Ed25519PublicKey.from_public_bytes(vkey.key).verify(ours[0], text.encode())
    except InvalidSignature as error:
        raise CheckpointError("the signature does not hold") from error
    return tree


def _divided(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, with its last newline, and each signature under its name."""
    if len(note) > _NOTE_BYTES:
        raise CheckpointError(f"at most {_NOTE_BYTES} bytes were expected in a note, not {len(note)}")
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise CheckpointError("a note in UTF-8 was expected") from error
    text, blank, rest = whole.rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or lines.pop() or not lines or not all(line.startswith(_DASH) for line in lines):
        raise CheckpointError("a text, an empty line and signature lines were expected")
    parted = [line.removeprefix(_DASH).partition(" ") for line in lines]
    return text + "\n", [(name, _unbase64(encoded)) for name, _, encoded in parted]


def _unbase64(text: str) -> bytes:
    """The bytes of a text in the one form that encodes them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointError("base64 was expected") from error
    if base64.b64encode(raw).decode() != text:
        raise CheckpointError("base64 without stray bits was expected")
    return raw
