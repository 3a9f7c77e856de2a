"""Verifies a Doorward log, export or receipt without a line of the gateway's code (RFC 6962 tree, C2SP checkpoints).

Needs Python 3.11 and `cryptography`, nothing else; copy this file wherever it is trusted and run it alone:

    python verifier.py STATE/doorward.db|EXPORT_DIRECTORY|receipt.json --key VKEY [--trusted ANCHOR_FILE]...

VKEY is the log's public key (`name+id+base64`) or a file that holds it; give it several times after a key rotation. The
checkpoints trusted besides (an anchor file, a syslog extract, a single checkpoint) are what shows a rewritten or cut log.

Exit codes: 0 verified; 1 tampered: the first bad index is said; 2 wrong usage or unreadable; 3 no checkpoint covers anything.
"""

import argparse
import base64
import hashlib
import json
import re
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OK, TAMPERED, UNREADABLE, NOTHING = 0, 1, 2, 3

_TS = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_HEAD = re.compile(rb'\{"v":1,"seq":(0|[1-9]\d{0,15}),"ts":"(%b)",' % _TS.pattern)  # to read each leaf whole takes most of the time
_WIDTH = 256


class TamperedError(Exception):
    """The first damage: its kind, and where: at `first` exactly, or from there to below `stop`; None where it is no leaf's."""

    def __init__(self, kind: str, text: str, first: int | None = None, stop: int | None = None) -> None:
        super().__init__(text)
        self.kind, self.first, self.stop = kind, first, stop

    @property
    def where(self) -> str:
        """The place, in words; empty where it is no leaf's."""
        first = "" if self.first is None else f" first bad index {self.first}"
        return first if self.stop in (None, (self.first or 0) + 1) else f"{first} or later, below {self.stop}"


class UnreadableError(Exception):
    """What was given is no log or no key."""


@dataclass(frozen=True)
class Key:
    """A log's public key."""

    name: str
    id: bytes
    raw: bytes

    @classmethod
    def parse(cls, line: str) -> "Key":
        """The key of a `vkey` line; raises UnreadableError."""
        name, _, rest = line.strip().partition("+")
        identity, _, encoded = rest.partition("+")
        raw = _unbase64(encoded)
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if len(raw) != 33 or raw[0] != 1 or identity != expected.hex():
            raise UnreadableError(f"an Ed25519 vkey (name+id+base64) was expected, not {line[:80]!r}")
        return cls(name, expected, raw[1:])


Tree = tuple[int, bytes]
"""What a checkpoint commits to: size and root hash."""

Row = tuple[int, bytes, bytes, str | None]
"""A leaf as it is stored: its index, the hash kept beside it, its bytes, and the digest of its side record; None where none is kept."""


@dataclass(frozen=True)
class Log:
    """A log to verify, wherever it comes from."""

    rows: Iterable[Row]
    notes: Sequence[bytes]
    node: Callable[[int, int], bytes | None] = lambda level, index: None
    """The stored root of a complete subtree of 256 ** level leaves, if it is there."""
    strays: Callable[[int], int] = lambda size: 0
    """How many side records stand beside none of the first `size` leaves."""


@dataclass(frozen=True)
class Verdict:
    """That all is well, and how far: leaves seen, under the log's own newest checkpoint, and under the newest trusted one."""

    size: int
    signed: int
    trusted: int
    remarks: tuple[str, ...] = ()


def _unbase64(text: str) -> bytes:
    """The bytes of a text in the one form that encodes them; nothing for any other text."""
    try:
        raw = base64.b64decode(text, validate=True)
        return raw if base64.b64encode(raw).decode() == text else b""
    except ValueError:
        return b""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def open_note(note: bytes, keys: Sequence[Key]) -> Tree:
    """The tree of a checkpoint that one of the keys signed; raises TamperedError."""
    text, signatures = _divided(note, keys)
    origin, size, root = (*text.split("\n"), "", "", "")[:3]
    is_shaped = re.fullmatch(r"0|[1-9][0-9]{0,15}", size, re.ASCII) and len(_unbase64(root)) == 32
    if not is_shaped or not any(origin == key.name and _holds(key, signature, text) for key, signature in signatures):
        raise TamperedError("signature", f"a checkpoint signed by a key that was given was expected, not {text[:100]!r}")
    return int(size), _unbase64(root)


def _divided(note: bytes, keys: Sequence[Key]) -> tuple[str, list[tuple[Key, bytes]]]:
    """The text of a note, and the signatures that say they are made with one of the keys."""
    text, _, rest = note.decode("utf-8", "replace").rpartition("\n\n")
    lines = [line.removeprefix("— ").partition(" ") for line in rest.splitlines()]
    read = [(name, _unbase64(encoded)) for name, _, encoded in lines]
    return text + "\n", [(key, raw[4:]) for name, raw in read for key in keys if (name, raw[:4], len(raw)) == (key.name, key.id, 68)]


def _holds(key: Key, signature: bytes, text: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def split_notes(text: bytes) -> list[bytes]:
    """Every checkpoint of a file: one, many with an empty line after each, or lines of syslog."""
    logged = re.findall(rb"doorward-checkpoint ([A-Za-z0-9+/=]+)", text)
    if logged:
        return [_unbase64(found.decode()) for found in logged]
    pairs = [(body.strip(b"\n"), rest.strip(b"\n")) for body, rest in pairwise(text.strip(b"\n").split(b"\n\n"))]
    return [body + b"\n\n" + signatures + b"\n" for body, signatures in pairs if signatures.startswith("— ".encode())]


@dataclass
class Walk:
    """The tree as far as it has been read."""

    log: Log
    expected: dict[int, list[bytes]]  # size → roots that signed checkpoints give
    size: int = 0
    sound: int = 0  # the size of the last checkpoint that was met
    ts: bytes = b""
    roots: list[bytes] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """The next leaf; raises TamperedError where it cannot be the one that was written there."""
        index, (stored, kept, leaf, side) = self.size, row
        if stored != index:
            raise TamperedError("missing", f"leaf {index} is not there: {stored} follows", index)
        hashed = hashlib.sha256(b"\x00" + leaf).digest()
        if hashed != kept:
            raise TamperedError("altered", f"leaf {index} is not what its hash says", index)
        self._read(index, leaf)
        if side is not None and b'"side":"%b"' % side.encode() not in leaf and _said(leaf)[2] != side:
            raise TamperedError("side", f"the side record of leaf {index} is not the one that was written with it", index)
        self._grow(index, hashed)
        if self.size in self.expected:
            self._meet(set(self.expected[self.size]))

    def _meet(self, expected: set[bytes]) -> None:
        """A signed checkpoint of the tree as it stands."""
        if {self._root()} != expected:
            kind = "fork" if len(expected) > 1 else "altered"
            text = f"leaves {self.sound} to {self.size - 1} are not those of the signed checkpoint of size {self.size}"
            raise TamperedError(kind, text, self.sound, self.size)
        self.sound = self.size

    def _read(self, index: int, leaf: bytes) -> None:
        head = _HEAD.match(leaf)
        seq, ts = (int(head[1]), head[2]) if head else _said(leaf)[:2]
        if seq != index:
            raise TamperedError("gap", f"leaf {index} says that it is {seq}", index)
        if not head and not _TS.fullmatch(ts):
            raise TamperedError("time", f"leaf {index} says no moment", index)
        if ts < self.ts:  # one of the two was altered, or one between the last checkpoint and here
            raise TamperedError("time", f"leaf {index} says {ts.decode()}, after {self.ts.decode()}", self.sound, index + 1)
        self.ts = ts

    def _grow(self, index: int, root: bytes) -> None:
        height = 0
        while index >> height & 1:
            root = hashlib.sha256(b"\x01" + self.roots.pop() + root).digest()
            height += 1
            if height % 8 == 0 and self.log.node(height // 8, index >> height) not in (None, root):
                first = index >> height << height
                raise TamperedError("altered", f"leaves {first} to {index} are not what their common hash says", first, index + 1)
        self.roots.append(root)
        self.size = index + 1

    def _root(self) -> bytes:
        return reduce(lambda right, left: node_hash(left, right), reversed(self.roots))


def _said(leaf: bytes) -> tuple[Any, bytes, Any]:
    """What a leaf says of its index, its moment and its side record."""
    try:
        body = json.loads(leaf)
    except (ValueError, RecursionError):
        return None, b"", None
    body = body if isinstance(body, dict) else {}
    return body.get("seq"), str(body.get("ts")).encode("utf-8", "replace"), body.get("side")


def verify(log: Log, keys: Sequence[Key], trusted: Sequence[bytes]) -> Verdict | None:
    """That every leaf is where and what it was when its checkpoint was signed; None where no checkpoint covers anything. Raises TamperedError."""
    own = [open_note(note, keys) for note in log.notes]
    given = [open_note(note, keys) for note in trusted]
    expected: dict[int, list[bytes]] = {}
    for size, root in [*own, *given]:
        expected.setdefault(size, []).append(root)
    walk = Walk(log, expected)
    for row in log.rows:
        walk.add(row)
    promised = max(expected, default=0)
    if walk.size < promised:
        raise TamperedError("truncated", f"the log ends before leaf {walk.size}, a signed checkpoint has {promised}", walk.size, promised)
    if strays := log.strays(walk.size):
        raise TamperedError("side", f"{strays} side records stand beside no leaf")
    if not promised:
        return None
    signed, anchored = (max((size for size, _ in trees), default=0) for trees in (own, given))
    tail = (f"{walk.size - promised} leaves after the last checkpoint are not signed yet",) if walk.size > promised else ()
    return Verdict(walk.size, signed, anchored, tail)


def verify_receipt(text: bytes, keys: Sequence[Key], trusted: Sequence[bytes]) -> Verdict:
    """That each leaf of a proof file is in the tree of its checkpoint. Raises TamperedError, UnreadableError."""
    try:
        receipt = json.loads(text)
        call, note = str(receipt["call"]), receipt["checkpoint"].encode()
        proven = [(int(part["index"]), part["leaf"].encode(), [*map(_unbase64, part["proof"])]) for part in receipt["leaves"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(f"a receipt was expected: {error!r}") from error
    size, root = open_note(note, keys)
    given = dict(open_note(other, keys) for other in trusted)
    if given.get(size, root) != root:
        raise TamperedError("fork", f"the receipt's checkpoint of size {size} is not the trusted one")
    if not proven:
        raise TamperedError("missing", "the receipt holds no leaf")
    for index, leaf, proof in proven:
        body = json.loads(leaf) if _said(leaf)[0] == index else {}
        if root_of(leaf_hash(leaf), index, size, proof) != root or body.get("call") != call:
            raise TamperedError("altered", f"leaf {index} is not the one of call {call} under the checkpoint", index)
    types = [json.loads(leaf)["type"] for _, leaf, _ in proven]
    remarks = ("the call has no outcome yet",) if "intent" in types and "outcome" not in types else ()
    return Verdict(len(proven), size, size if size in given else 0, remarks)


def root_of(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); None where it has the wrong length."""
    node, last, root = index, size - 1, leaf
    for step in proof:
        if last <= 0:
            return None
        if node & 1 or node == last:
            root = node_hash(step, root)
            ended = max((node & -node).bit_length() - 1, 0)  # where it is the last of its level, levels without a partner are skipped
        else:
            root = node_hash(root, step)
            ended = 0
        node, last = node >> ended + 1, last >> ended + 1
    return root if last == 0 <= index < size else None


def verify_database(path: Path, keys: Sequence[Key], trusted: Sequence[bytes]) -> Verdict | None:
    """The log of a gateway's database, also while it runs."""
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")
        notes = [bytes(note) for (note,) in db.execute("SELECT note FROM checkpoint ORDER BY size")]

        def node(level: int, index: int) -> bytes:
            row = db.execute("SELECT hash FROM node WHERE level = ? AND idx = ?", (level, index)).fetchone()
            return bytes(row[0]) if row else b""

        # Beside no leaf, or what no join with leaves shows: whoever edits a database need not keep to its schema.
        strays = "SELECT count(*) FROM side WHERE seq < 0 OR seq >= ? OR typeof(seq) <> 'integer' OR key IS NULL"
        return verify(Log(_stored(db), notes, node, lambda size: int(db.execute(strays, (size,)).fetchone()[0])), keys, trusted)


def _stored(db: sqlite3.Connection) -> Iterator[Row]:
    sql = "SELECT seq, hash, body, key, size, nonce, sealed FROM leaf LEFT JOIN side USING (seq) ORDER BY seq"
    for seq, kept, leaf, key, size, nonce, sealed in db.execute(sql):
        yield seq, kept, leaf, None if key is None else hashlib.sha256(struct.pack(">QQ", key, size) + nonce + sealed).hexdigest()


def verify_export(path: Path, keys: Sequence[Key], trusted: Sequence[bytes]) -> Verdict | None:
    """An export directory: exactly what its checkpoint covers."""
    newest = (path / "checkpoint").read_bytes()
    size, _ = open_note(newest, keys)
    notes = [newest, *[note for older in path.glob("checkpoints") for note in split_notes(older.read_bytes())]]

    def node(level: int, index: int) -> bytes:
        tile = path / "tile" / str(level) / tile_path(index // _WIDTH, (size >> 8 * level) - index // _WIDTH * _WIDTH)
        return tile.read_bytes()[index % _WIDTH * 32 :][:32] if tile.exists() else b""

    verdict = verify(Log(_exported(path / "tile", size), notes, node), keys, trusted)
    if verdict is None or verdict.size == size:
        return verdict
    raise TamperedError("altered", f"the export goes on after the {size} leaves of its checkpoint", size)


def _exported(tiles: Path, size: int) -> Iterator[Row]:
    for number in range(-(-size // _WIDTH)):
        first = number * _WIDTH
        tile = tile_path(number, size - first)
        try:
            hashes, entries = (tiles / "0" / tile).read_bytes(), (tiles / "entries" / tile).read_bytes()
        except FileNotFoundError as error:
            raise TamperedError("missing", f"{error.filename} is not there", first, min(size, first + _WIDTH)) from error
        for offset, leaf in enumerate(_entries(entries)):
            yield first + offset, hashes[offset * 32 :][:32], leaf, None


def _entries(bundle: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        yield bundle[at + 2 : at + 2 + length]
        at += 2 + length


def tile_path(number: int, width: int) -> str:
    """C2SP tlog-tiles: three digits a part, all but the last with an `x`; the width where the tile is not full."""
    digits = f"{number:03d}"
    digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return name if width >= _WIDTH else f"{name}.p/{width}"


def _key(text: str) -> Key:
    """A key given as such, or in a file."""
    path = Path(text)
    return Key.parse(path.read_text("utf-8", "replace") if len(text) < 1024 and path.is_file() else text)


def _verdict(arguments: argparse.Namespace) -> Verdict | None:
    path, keys = Path(arguments.path), [_key(text) for text in arguments.key]
    found = [note for name in arguments.trusted for note in split_notes(Path(name).read_bytes())]
    trusted = [note for note in found if _divided(note, keys)[1]]  # other logs' may stand among them, or one that was cut off
    if arguments.trusted and not trusted:
        raise UnreadableError("no checkpoint of this log was found in what was given as trusted")
    if path.is_dir():
        return verify_export(path, keys, trusted)
    with path.open("rb") as file:
        is_database = file.read(16) == b"SQLite format 3\0"
    return verify_database(path, keys, trusted) if is_database else verify_receipt(path.read_bytes(), keys, trusted)


def main(argv: Sequence[str] | None = None) -> int:
    """Verifies what the command line names; gives the exit code."""
    parser = argparse.ArgumentParser("verifier", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", help="a database file, an export directory, or a receipt")
    parser.add_argument("--key", action="append", required=True, help="the log's public key (vkey), or a file that holds it")
    parser.add_argument("--trusted", action="append", default=[], help="a file of checkpoints trusted besides: an anchor")
    try:
        verdict = _verdict(parser.parse_args(argv))
    except TamperedError as error:
        sys.stdout.write(f"TAMPERED ({error.kind}){error.where}: {error}\n")
        return TAMPERED
    except (UnreadableError, OSError, sqlite3.Error) as error:
        sys.stdout.write(f"UNREADABLE: {error}\n")
        return UNREADABLE
    if verdict is None:
        sys.stdout.write("NOTHING: no checkpoint covers any leaf\n")
        return NOTHING
    covered = f"{verdict.size} leaves, {verdict.signed} under the log's own checkpoint, {verdict.trusted} under a trusted one"
    sys.stdout.write(f"OK: {'; '.join([covered, *verdict.remarks])}\n")
    return OK


if __name__ == "__main__":
    sys.exit(main())
