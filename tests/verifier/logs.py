"""Small logs to tamper with, as the verifier reads them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from doorward import verifier
from doorward.audit.checkpoint import Signer
from doorward.audit.commit import Committer, Moment, Sealing
from doorward.audit.leaf import Bodies, encoded
from doorward.audit.merkle import Tree
from doorward.audit.store import Box, Entry
from doorward.audit.veil import Veil

OWNER = Signer("log.test/verified", bytes(range(32)))
STRANGER = Signer("log.test/verified", bytes(range(1, 33)))
KEYS = [verifier.Key.parse(str(OWNER.vkey))]


@dataclass
class Case:
    """A log that somebody may have changed, and the last checkpoint that was seen outside before."""

    rows: list[tuple[int, bytes, bytes]]
    notes: list[bytes]
    boxes: dict[int, Box]
    trusted: list[bytes]
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def copy(self) -> "Case":
        return replace(self, rows=list(self.rows), notes=list(self.notes), boxes=dict(self.boxes), nodes=dict(self.nodes))

    def verdict(self) -> verifier.Verdict | None:
        rows = [(seq, kept, leaf, self.boxes[seq].digest if seq in self.boxes else None) for seq, kept, leaf in self.rows]
        log = verifier.Log(rows, self.notes, lambda level, index: self.nodes.get((level, index)), self._strays)
        return verifier.verify(log, KEYS, self.trusted)

    def _strays(self, size: int) -> int:
        return sum(1 for index in self.boxes if not 0 <= index < size)

    def write(self, index: int, leaf: bytes) -> None:
        """Another leaf in its place, with a hash that fits."""
        self.rows[index] = (index, verifier.leaf_hash(leaf), leaf)

    def say(self, index: int, **fields: object) -> None:
        """The same leaf with other fields."""
        body = {**json.loads(self.rows[index][2]), **fields}
        self.write(index, json.dumps(body, separators=(",", ":")).encode())


def signed(signer: Signer, leaves: Sequence[bytes]) -> bytes:
    """A checkpoint over leaves, whoever they are from."""
    walk = verifier.Walk(verifier.Log((), ()), {})
    for index, leaf in enumerate(leaves):
        walk._grow(index, verifier.leaf_hash(leaf))
    return signer.sign(Tree(len(leaves), walk._root()))


def sound(size: int) -> Case:
    """A log of so many leaves, every other with a side record, a checkpoint every second leaf; all of it anchored."""
    committer = Committer(OWNER, Bodies("node", Veil(bytes(32))))
    case = Case([], [], {}, [])
    for number in range(size):
        box = Box(1, number.to_bytes(12, "big"), 5, b"sealed %d" % number) if number % 2 else None
        fields: dict[str, object] = {"type": "intent", "call": f"call-{number}"}
        entry = Entry(encoded({**fields, "side": box.digest} if box else fields), box)
        batch = committer.prepare([entry], Moment(1_700_000_000_000_000 + number * 1_000_000, number * 0.5), Sealing.WHEN_DUE)
        committer.accept(batch)
        case.rows += batch.rows
        case.nodes.update({(node.level, node.index): node.hash for node in batch.nodes})
        if box is not None:
            case.boxes[number] = box
        if batch.note is not None:
            case.notes.append(batch.note)
    sealed = committer.prepare([], Moment(1_800_000_000_000_000, 1e9), Sealing.NOW)
    if sealed.note is not None:
        case.notes.append(sealed.note)
    return replace(case, trusted=[case.notes[-1]])
