"""What an auditor can have of the log: leaves by question, contents beside them, and a proof file to take away."""

import base64
import json
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from doorward.audit import checkpoint, proofs
from doorward.audit.checkpoint import Vkey
from doorward.audit.query import Located, Page, Query
from doorward.audit.sides import Contents, Opened, Wrapper
from doorward.audit.store import LogStore
from doorward.audit.veil import Veil
from doorward.domain.errors import StoreError
from doorward.domain.ids import CallId

RECEIPT = "doorward-receipt/1"
"""What a proof file says it is."""

_PARTS = {"intent": "arguments", "refusal": "arguments", "list": "arguments", "outcome": "result"}


class Auditor(msgspec.Struct, frozen=True):
    """Reads one log with its keys."""

    store: LogStore
    veil: Veil
    wrapper: Wrapper
    vkey: Vkey

    async def find(self, query: Query) -> Page:
        """The leaves of a query that names subjects and values in clear."""
        subject = self.veil.pseudonym(query.subject) if query.subject is not None else None
        touched = self.veil.value(query.touched) if query.touched is not None else None
        return await self.store.find(replace(query, subject=subject, touched=touched))

    async def of_call(self, call: CallId) -> tuple[Located, ...]:
        """Every leaf of one call, in order."""
        return await self.store.of_call(call)

    async def side(self, index: int) -> Opened | None:
        """The contents beside a leaf, which the leaf commits to; None where none are kept. Raises StoreError where they were altered."""
        box = await self.store.box(index)
        wrapped = await self.store.data_key(box.key) if box is not None else None
        if box is None or wrapped is None:
            return None
        (located,) = await self.store.leaves(index, index + 1)
        leaf = msgspec.json.decode(located.leaf)
        part = _PARTS[leaf["type"]]
        opened = self.wrapper.open(wrapped, box, f"{leaf['call']}/{part}")
        if opened.commitment is not None and opened.commitment != leaf[part]["commitment"]:
            raise StoreError(f"the side record of leaf {index} is not what the leaf commits to")
        return opened

    async def contents(self, indexes: Sequence[int]) -> Contents:
        """The contents beside many leaves at once, still sealed: whoever opens one compares it with what its leaf commits to."""
        return Contents(self.wrapper, await self.store.boxes(indexes))

    async def receipt(self, call: CallId) -> bytes | None:
        """One self-contained proof file: the leaves of a call, and for each the way to the root of a signed checkpoint; None for an unknown call."""
        leaves = await self.store.of_call(call)
        if not leaves:
            return None
        note = self.store.checkpoint()
        if note is None or checkpoint.parse(note)[1].size <= leaves[-1].index:
            note = await self.store.seal()
        assert note is not None
        size = checkpoint.parse(note)[1].size
        proven = [
            {
                "index": located.index,
                "leaf": located.leaf.decode(),
                "proof": [base64.b64encode(step).decode() for step in await proofs.inclusion(self.store, located.index, size)],
            }
            for located in leaves
        ]
        receipt = {"format": RECEIPT, "call": call, "vkey": str(self.vkey), "checkpoint": note.decode(), "leaves": proven}
        return json.dumps(receipt, ensure_ascii=False, indent=2).encode() + b"\n"
