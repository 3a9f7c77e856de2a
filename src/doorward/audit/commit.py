"""The committer: gives each leaf its place in the tree and each moment its order. Runs in the store's one writing thread.

It holds the right edge of the tree in memory and changes nothing until the store says that a batch is durable, so a failed
write leaves no trace: the same places are given again.
"""

from collections.abc import Sequence
from enum import Enum

from doorward.audit import checkpoint, leaf
from doorward.audit.checkpoint import Signer
from doorward.audit.leaf import Bodies
from doorward.audit.merkle import Frontier, Node, Tree, leaf_hashes
from doorward.audit.store import Entry, Head
from doorward.domain.receipts import Event, Place
from doorward.domain.record import record

BATCH = 256
"""Leaves in one transaction, at most (AUDIT.md, point 4)."""

STEP_MICROS = 1_000_000
"""The wall clock and the steady one may drift apart this much between two batches; more is a step, and a leaf says so."""


class Sealing(Enum):
    """Whether a batch ends with a checkpoint."""

    WHEN_DUE = "when_due"
    NOW = "now"


@record(frozen=True, slots=True)
class Moment:
    """One reading of both clocks."""

    wall_micros: int
    steady: float
    """Seconds of a clock that never steps."""


@record(frozen=True, slots=True)
class Batch:
    """What one transaction writes."""

    rows: list[tuple[int, bytes, bytes]]
    """Index, hash and bytes of each leaf; one of the committer's own may stand before those of the entries."""
    places: list[Place]
    """One for each entry, in order."""
    nodes: list[Node]
    ts_micros: int
    note: bytes | None
    """A checkpoint over everything up to and with this batch, where one is due."""
    frontier: Frontier
    """The tree once the batch is durable."""
    at: Moment


class Committer:
    """The state of one log between two batches."""

    __slots__ = ("_bodies", "_frontier", "_last", "_signed_at", "_signed_size", "_signer", "_ts_micros")

    def __init__(self, signer: Signer, bodies: Bodies) -> None:
        self._signer = signer
        self._bodies = bodies
        self._frontier = Frontier(0, ())
        self._ts_micros = 0
        self._signed_size = 0
        self._signed_at = float("-inf")
        self._last: Moment | None = None

    def resume(self, head: Head) -> None:
        """Goes on from what the store holds: at the start, and after a failed write of which nobody knows how far it got."""
        self._frontier = Frontier(head.size, head.roots)
        self._ts_micros = head.ts_micros
        self._signed_size = head.signed_size

    @property
    def size(self) -> int:
        """How many leaves are durable."""
        return self._frontier.size

    def due_in(self, steady: float) -> float | None:
        """Seconds until a checkpoint is due for what is written already; None where everything is signed."""
        if self._frontier.size == self._signed_size:
            return None
        return max(0.0, self._signed_at + checkpoint.SECONDS - steady)

    def prepare(self, entries: Sequence[Entry], at: Moment, sealing: Sealing) -> Batch:
        """Rows, nodes and perhaps a checkpoint for these entries; the committer stays as it was until `accept`."""
        ts_micros = max(at.wall_micros, self._ts_micros)
        ts = leaf.moment(ts_micros)
        frontier = self._frontier.copy()
        step = self._step(at) if entries else None
        bodies = [entry.body for entry in entries]
        if step is not None:
            bodies.insert(0, leaf.encoded(self._bodies.event(step)))
        first = frontier.size
        raws = leaf.frames(bodies, first, ts)
        hashes = leaf_hashes(raws)
        nodes = frontier.extend(hashes)
        places = [Place(seq, ts) for seq in range(frontier.size - len(entries), frontier.size)]
        rows = list(zip(range(first, frontier.size), hashes, raws, strict=True))
        return Batch(rows, places, nodes, ts_micros, self._note(frontier, at, sealing), frontier, at)

    def accept(self, batch: Batch) -> None:
        """The batch is durable."""
        self._frontier = batch.frontier
        self._ts_micros = batch.ts_micros
        if batch.rows:
            self._last = batch.at
        if batch.note is not None:
            self._signed_size, self._signed_at = batch.frontier.size, batch.at.steady

    def _note(self, frontier: Frontier, at: Moment, sealing: Sealing) -> bytes | None:
        fresh = frontier.size - self._signed_size
        due = fresh >= checkpoint.LEAVES or at.steady - self._signed_at >= checkpoint.SECONDS
        if fresh and (due or sealing is Sealing.NOW):
            return self._signer.sign(Tree(frontier.size, frontier.root()))
        return None

    def _step(self, at: Moment) -> Event | None:
        """A leaf about the wall clock, where it moved otherwise than the steady one, or stands before the last leaf."""
        if self._last is None:
            expected = max(self._ts_micros, at.wall_micros)
        else:
            expected = self._last.wall_micros + round((at.steady - self._last.steady) * 1_000_000)
        jump = at.wall_micros - expected
        if abs(jump) < STEP_MICROS:
            return None
        return Event("clock_step", "doorward", {"microseconds": jump})
