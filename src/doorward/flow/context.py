"""One context: what has flowed into one authenticated instance of an agent. Labels only rise, but for what an endorsed answer takes back."""

from typing import Final

from doorward.domain.flow import CLEAN, Counts, Held, Integrity, Label
from doorward.domain.ids import CallId
from doorward.flow.index import Index

MOST_FINDINGS: Final = 256
"""Names of findings that are kept of one context."""
MORE_FINDINGS: Final = "flow/more"
"""Stands for those beyond."""


class Context:
    """Label, counters, findings and taint of one instance. INVARIANT: `label` holds everything in `settled` and `out`."""

    __slots__ = (
        "_tick",
        "agent",
        "at",
        "began",
        "calls",
        "externals",
        "findings",
        "index",
        "instance",
        "joined",
        "label",
        "number",
        "out",
        "settled",
        "stored",
        "version",
        "writes",
    )

    def __init__(self, number: int, instance: str, agent: str, at: float) -> None:
        self.number, self.instance, self.agent = number, instance, agent
        self.began = int(at)
        self.at = at
        """Of its last call, Unix seconds."""
        self.calls = self.writes = self.externals = 0
        self.findings: frozenset[str] = frozenset()
        self.label: Label = CLEAN
        """What may be in the context now."""
        self.settled: Label = CLEAN
        """The same without what answers may yet take back that are still out."""
        self.joined: Label | None = None
        """The label that was joined last: most calls bring the very one that the call before brought, and `settled` is never lowered."""
        self.out: dict[CallId, Label] = {}
        """What those bring if they are not endorsed."""
        self.index: Index | None = Index()
        """None where it is not known any more what was seen: then everything counts as tainted."""
        self.version, self.stored, self._tick = 1, 0, 0
        """Of its label and findings, and of those that the store has: where that is less, it may not have them as they are."""

    @property
    def remembered(self) -> int:
        """How many names it remembers."""
        return 0 if self.index is None else len(self.index)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost by forgetting it but its counters."""
        return self.label == CLEAN and not self.findings

    @property
    def is_untrusted(self) -> bool:
        """Whether it may have taken in something untrusted."""
        return self.label.integrity is Integrity.UNTRUSTED

    def raised(self, label: Label) -> None:
        """Joins a label for good."""
        if label is self.joined:
            return
        self.joined = label
        settled = self.settled.joined(label)
        if settled != self.settled:
            self.settled = settled
            self._relabel()

    def lent(self, call: CallId, label: Label) -> None:
        """Joins a label that the answer of a call may take back."""
        self.out[call] = label
        self._relabel()

    def kept(self, call: CallId) -> None:
        """What a call was lent stays."""
        label = self.out.pop(call, None)
        if label is not None:
            self.raised(label)

    def returned(self, call: CallId) -> None:
        """What a call was lent is taken back."""
        if self.out.pop(call, None) is not None:
            self._relabel()

    def found(self, names: frozenset[str]) -> None:
        """Adds findings."""
        if names <= self.findings:
            return
        every = self.findings | names
        if len(every) > MOST_FINDINGS:
            every = self.findings | {MORE_FINDINGS}
        if every != self.findings:
            self.findings = every
            self.version += 1

    def inherits(self, other: "Context") -> None:
        """Takes over what another context held, for good."""
        self.raised(other.label)
        self.found(other.findings)

    def lasts(self, at: float) -> None:
        """Holds what it holds at least as long as if it had been called then."""
        self.at = max(self.at, at)
        self.version += 1

    def counts(self) -> Counts:
        """Its counters as they stand."""
        self._tick = tick = self._tick + 1
        # Not by the class, on the way of every call: a named tuple's own way in is a function of Python.
        return tuple.__new__(Counts, (self.number, self.calls, self.writes, self.externals, int(self.at), tick))

    @property
    def owes(self) -> bool:
        """Whether the store may not have its label and findings as they are."""
        return self.stored < self.version

    def held(self) -> Held:
        """What of it outlives the process."""
        return Held(self.number, self.instance, self.agent, self.label, self.findings, self.began, int(self.at), self.version)

    def written(self, version: int) -> None:
        """The store has it as it was then."""
        self.stored = max(self.stored, version)

    def restored(self, held: Held, counts: Counts) -> None:
        """Goes on from what outlived another process. What it was shown is not known any more."""
        self.began, self.at = held.began, float(max(held.at, counts.at))
        self.calls, self.writes, self.externals, self._tick = counts.calls, counts.writes, counts.externals, counts.tick
        self.label = self.settled = held.label
        self.joined = None
        self.findings = held.findings
        self.version = self.stored = held.version
        self.index = None if self.is_untrusted else Index()

    def _relabel(self) -> None:
        label = self.settled
        for one in self.out.values():
            label = label.joined(one)
        if label != self.label:
            self.label = label
            self.version += 1
