"""Anchors: copies of checkpoints where the owner of the database cannot rewrite them (AUDIT.md, point 7).

Without one, whoever owns database and signing key can rewrite the log and nobody can tell; `NO_ANCHOR` says so.
"""

import asyncio
import base64
import os
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from doorward.audit import checkpoint, proofs
from doorward.audit.checkpoint import CheckpointError, Vkey
from doorward.audit.leaf import moment
from doorward.audit.merkle import Tree
from doorward.audit.store import LogStore

NO_ANCHOR = (
    "no anchor is configured: whoever owns both the database and the signing key can rewrite the log unnoticed; "
    "set audit.anchor_file to a path on another host, or audit.anchor_syslog"
)

SYSLOG_SECONDS = 5.0
SYSLOG_WORD = "doorward-checkpoint"
_PRIORITY = 13 * 8 + 5
"""Facility *log audit*, severity *notice* (RFC 5424 section 6.2.1)."""
_TAIL_BYTES = 1 << 16


class Anchor(Protocol):
    """One outside place for checkpoints."""

    @property
    def name(self) -> str:
        """What operators call it."""
        ...

    def append(self, note: bytes) -> None:
        """Adds a checkpoint after all others; may block; raises OSError."""
        ...


class FileAnchor(msgspec.Struct, frozen=True):
    """An append-only file: each note with an empty line after it."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def append(self, note: bytes) -> None:
        """One write, flushed to the disk; apart from what a write before it may have left half done."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            is_whole = size == 0 or os.pread(descriptor, 2, max(0, size - 2)) == b"\n\n"
            text = note + b"\n" if is_whole else b"\n\n" + note + b"\n"
            written = os.write(descriptor, text)
            os.fsync(descriptor)
            if written < len(text):
                raise OSError(f"{len(text)} bytes were to be written, {written} were")
        finally:
            os.close(descriptor)

    def last(self) -> bytes | None:
        """The newest whole note in the file; raises OSError."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            found = list(notes(file.read()))
        return found[-1] if found else None


class SyslogAnchor(msgspec.Struct, frozen=True):
    """A syslog server (RFC 5424; over TCP with octet counting, RFC 6587)."""

    host: str
    port: int
    protocol: Literal["udp", "tcp"]
    now: Callable[[], float]

    @property
    def name(self) -> str:
        """Protocol and address."""
        return f"syslog {self.protocol} {self.host}:{self.port}"

    def append(self, note: bytes) -> None:
        """One message; the note in base64, as it has line breaks."""
        message = self._message(note)
        if self.protocol == "tcp":
            with socket.create_connection((self.host, self.port), SYSLOG_SECONDS) as stream:
                stream.sendall(b"%d %s" % (len(message), message))
            return
        family, kind, number, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, number) as datagrams:
            datagrams.settimeout(SYSLOG_SECONDS)
            datagrams.sendto(message, address)

    def _message(self, note: bytes) -> bytes:
        ts = moment(int(self.now() * 1_000_000))
        return f"<{_PRIORITY}>1 {ts} {socket.gethostname()} doorward {os.getpid()} checkpoint - {SYSLOG_WORD} ".encode() + base64.b64encode(
            note
        )


def notes(text: bytes) -> Iterator[bytes]:
    """The whole notes of an anchor file, or of its end, in order; what was cut off is left out."""
    parts = text.split(b"\n\n")
    for body, signatures in pairwise(parts):
        note = body.lstrip(b"\n") + b"\n\n" + signatures.rstrip(b"\n") + b"\n"
        try:
            checkpoint.parse(note)
        except CheckpointError:
            continue
        yield note


class Standing(msgspec.Struct):
    """How one anchor does."""

    anchor: Anchor
    size: int = 0
    """Of the last checkpoint it took."""
    failure: str | None = None


class Anchors(msgspec.Struct, frozen=True):
    """Every anchor of a log."""

    standings: tuple[Standing, ...] = msgspec.field(default_factory=tuple)

    @property
    def warning(self) -> str | None:
        """What to tell an operator loudly; None when all is well."""
        if not self.standings:
            return NO_ANCHOR
        failures = [f"{standing.anchor.name}: {standing.failure}" for standing in self.standings if standing.failure is not None]
        return f"anchors fail: {'; '.join(failures)}" if failures else None

    async def offer(self, note: bytes | None) -> None:
        """Gives a checkpoint to every anchor that has not taken it; to be called every second or so, and after the last one."""
        if note is None:
            return
        _, tree = checkpoint.parse(note)
        await asyncio.gather(*[_offer(standing, note, tree.size) for standing in self.standings if standing.size < tree.size])


def anchors(*chosen: Anchor) -> Anchors:
    """The anchors of a log, none of which has taken anything yet."""
    return Anchors(tuple(Standing(anchor) for anchor in chosen))


async def _offer(standing: Standing, note: bytes, size: int) -> None:
    try:
        await asyncio.to_thread(standing.anchor.append, note)
    except OSError as error:
        standing.failure = str(error)
    else:
        standing.size, standing.failure = size, None


async def contradiction(store: LogStore, note: bytes, vkey: Vkey) -> str | None:
    """Why a log cannot be the one that an anchored checkpoint tells of; None where it grew from it. To be asked at each start."""
    try:
        tree = checkpoint.verify(note, vkey)
    except CheckpointError as error:
        return f"the anchored checkpoint is not of this log: {error}"
    return await outgrown(store, tree)


async def outgrown(store: LogStore, tree: Tree) -> str | None:
    """Why a log did not grow from a tree, whoever signed for it; None where it did. An anchor holds by where it stands, not by its key."""
    size = await store.size()
    if size < tree.size:
        return f"the log has {size} leaves, its anchor {tree.size}: an older copy was put back, or the end was cut off"
    if await proofs.root(store, tree.size) != tree.root:
        return f"the first {tree.size} leaves are not those that were anchored: the log was rewritten"
    return None
