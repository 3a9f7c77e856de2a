"""What the log asks of the store that keeps it.

The store owns the order: it takes entries from any task, gives each batch to a `Committer` in its one writing thread, makes
what comes back durable in one transaction, and only then says so. It decides nothing about contents.
"""

import asyncio
import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from doorward.audit.merkle import Span
from doorward.audit.query import Located, Page, Query
from doorward.domain.approvals import Grant
from doorward.domain.budgets import Draw
from doorward.domain.flow import Rise
from doorward.domain.ids import CallId, GrantId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Place

HEAD = struct.Struct(">QQ")
"""Number and size of a box, as its digest begins."""


class Box(msgspec.Struct, frozen=True, gc=False):
    """A side record as it is stored: encrypted, cut to the cap."""

    key: int
    """Which data key; the store gave the number."""
    nonce: bytes
    size_bytes: int
    """Of the whole text, before the cap."""
    sealed: bytes

    @property
    def digest(self) -> str:
        """What the leaf says of it, in hexadecimal: SHA-256 over number and size (64 bits, big-endian), nonce and contents."""
        return hashlib.sha256(HEAD.pack(self.key, self.size_bytes) + self.nonce + self.sealed).hexdigest()


class Boxes(msgspec.Struct, frozen=True):
    """The side records beside some leaves, by index, and the wrapped data keys they were sealed under; what was swept is in neither."""

    boxes: Mapping[int, Box]
    keys: Mapping[int, bytes]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One leaf on its way into the log, and what is written with it. A struct: a frozen dataclass takes fifteen times as long."""

    body: bytes
    """All that the leaf says but its place, as one JSON object."""
    box: Box | None = None
    opens: CallId | None = None
    """The call whose intent this is: it stands open until an entry closes it."""
    closes: CallId | None = None
    uses: Grant | None = None
    """The grant that is consumed with it: where it is gone, the entry is not written (RULINGS 22)."""
    releases: GrantId | None = None
    """The grant that may be used again, as the call it was for was not made. Only while the intent that `closes` names stands open:
    one that was never written has used nothing."""
    draws: tuple[Draw, ...] = ()
    """What it takes of budgets: all of it or, where one does not hold it, nothing, and the entry is not written."""
    returns: tuple[Draw, ...] = ()
    """Corrections of what the intent that `closes` names took; only while that stands open."""
    rise: Rise | None = None
    """What it does to the context of its call. The later one of a context counts, whichever is written first."""


Told = Callable[[Entry, BaseException | None], None]
"""Hears, on the event loop that has queued an entry, that it is durable, or why it could not be written. Raises nothing."""


def grant_gone() -> Refused:
    """What an entry meets whose grant was used or has expired meanwhile."""
    return Refused(Reason.GRANT_GONE, "the grant was used, taken back or has expired since it was looked up")


class Head(msgspec.Struct, frozen=True):
    """Where a log stands: what the committer goes on from."""

    size: int
    ts_micros: int
    """Of the last leaf, Unix microseconds; 0 in an empty log."""
    roots: tuple[bytes, ...]
    """Of the complete subtrees, largest first."""
    signed_size: int
    """Of the last checkpoint; 0 where there is none."""


class LogStore(Protocol):
    """Where leaves, tree nodes, checkpoints and side records are kept.

    Owes: what is acknowledged is durable; indexes have no gap; a batch is written whole or not at all; a store that could not
    write (disk full) writes again as soon as it can, without a restart. Raises `UnrecordedError` from `append` (and `Refused`
    GRANT_GONE for an entry whose grant is gone, `OverdrawnError` for one that a budget does not hold), `StoreError` from everything else.
    """

    def append(self, entry: Entry) -> asyncio.Future[Place]:
        """Queues an entry, in the order of calls; done once durable. Dropping or cancelling the future does not unqueue it."""
        ...

    def append_soon(self, entry: Entry, told: Told) -> None:
        """As `append`, for an entry that nobody waits for: it may stay in memory for a few milliseconds, to be written with others."""
        ...

    def seal(self) -> asyncio.Future[bytes | None]:
        """A checkpoint that covers every entry queued before; None for an empty log."""
        ...

    def checkpoint(self) -> bytes | None:
        """The last durable checkpoint, from memory."""
        ...

    async def checkpoints(self, after: int, limit: int) -> tuple[bytes, ...]:
        """Checkpoints of sizes above `after`, smallest first."""
        ...

    async def size(self) -> int:
        """How many leaves are durable."""
        ...

    async def leaves(self, first: int, stop: int) -> tuple[Located, ...]:
        """The leaves of a range, in order; fewer where the log ends."""
        ...

    async def hashes(self, spans: Sequence[Span]) -> tuple[tuple[bytes, ...], ...]:
        """The tree hashes of each span; all must be complete in the durable tree."""
        ...

    async def find(self, query: Query) -> Page:
        """The leaves a query asks for, newest first; sees everything that was durable when it was asked."""
        ...

    async def of_call(self, call: CallId) -> tuple[Located, ...]:
        """Every leaf of one call, in order."""
        ...

    async def open_intents(self) -> tuple[Located, ...]:
        """The intents that stand open, oldest first."""
        ...

    async def add_data_key(self, wrapped: bytes) -> int:
        """Keeps a wrapped data key and gives its number, greater than any before; durable on return."""
        ...

    async def data_key(self, number: int) -> bytes | None:
        """A wrapped data key; None once it was swept."""
        ...

    async def box(self, index: int) -> Box | None:
        """The side record beside a leaf; None where there is none or it was swept."""
        ...

    async def boxes(self, indexes: Sequence[int]) -> Boxes:
        """The side records beside some leaves (at most 1,000), as far as they are kept."""
        ...

    async def sweep(self, before_micros: int) -> int:
        """Deletes side records of leaves older than this, and data keys that none uses any more; gives how many records."""
        ...
