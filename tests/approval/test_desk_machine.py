"""The desk over a store in memory against a small model: whatever people, callers, clocks and restarts do, both say the same."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from doorward.approval.desk import Approver, Desk, DeskError, Terms
from doorward.domain.approvals import Grant
from doorward.domain.decisions import Need
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Reason, Refused
from doorward.stores.memory import MemoryApprovals
from doorward.wire.canonical import canonical
from tests.approval.house import asking, call_for
from tests.made import Clock

T = TypeVar("T")

ASK = asking(Need("finance", 2), Need("ops", owner_may=True))
NEEDED = {"finance": 2, "ops": 1}
CALLS = tuple(call_for("corp:alice", arguments={"amount": amount}) for amount in range(2))
EDITS: tuple[dict[str, object] | None, ...] = (None, None, None, {"amount": 0}, {"amount": 1}, {"amount": "less"})
PEOPLE: dict[str, tuple[Approver, frozenset[str]]] = {
    # A person under each name, and the teams that their yes counts for.
    "alice": (Approver("Alice", frozenset({"finance", "ops"})), frozenset()),
    "ada": (Approver("corp:ada", frozenset({"finance", "ops"})), frozenset({"ops"})),
    "bob": (Approver("bob", frozenset({"finance"})), frozenset({"finance"})),
    "bob at his browser": (Approver("corp:bob", frozenset({"finance"})), frozenset({"finance"})),
    "carol": (Approver("carol", frozenset({"finance", "ops"})), frozenset({"finance", "ops"})),
    "dan": (Approver("dan", frozenset({"ops", "legal"})), frozenset({"ops"})),
    "eve": (Approver("eve", frozenset({"legal"})), frozenset()),
}
MAY_REJECT = frozenset(PEOPLE) - {"eve"}
TERMS = Terms(answer_seconds=60, use_seconds=40)


@dataclass(slots=True)
class Asked:
    """A question as the model has it."""

    call: int
    ends: float
    state: str = "pending"
    yeses: dict[str, frozenset[str]] = field(default_factory=dict)
    content: bytes = b""
    grant: Grant | None = None


class DeskMachine(RuleBasedStateMachine):
    """Everything that can happen to the questions about two calls."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize()
    def begin(self) -> None:
        self.store, self.wall, self.passed = MemoryApprovals(), Clock(1_000.0), Clock(0.0)
        self.now = 1_000.0
        self.asked: dict[str, Asked] = {}
        self.latest: dict[int, str] = {}
        self.desk = self.opened()

    def teardown(self) -> None:
        self.runner.close()

    def opened(self) -> Desk:
        return Desk(self.store, TERMS, self.wall, lambda: f"q{len(self.asked) + 1}", self.passed)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def standing(self, call: int) -> tuple[str, Asked] | None:
        """The question about a call that counts, if its time is not over."""
        reference = self.latest.get(call)
        if reference is None or self.now >= self.asked[reference].ends or self.asked[reference].state == "used":
            return None
        return reference, self.asked[reference]

    @rule(call=st.sampled_from(range(len(CALLS))))
    def ask(self, call: int) -> None:
        found = self.standing(call)
        told = self.run(self.cleared(call))
        if found is None:
            reference = f"q{len(self.asked) + 1}"
            self.asked[reference] = Asked(call, self.now + 60, content=canonical(CALLS[call].arguments))
            self.latest[call] = reference
            assert told == (Reason.PENDING, reference)
        elif isinstance(told, tuple):
            assert told == ({"pending": Reason.PENDING, "rejected": Reason.REJECTED}[found[1].state], found[0])
        else:
            assert (found[1].state, told.id) == ("approved", found[0])
            original = canonical(CALLS[call].arguments)
            assert (told.edited or original, told.edited == original) == (found[1].content, False)
            found[1].grant = told

    async def cleared(self, call: int) -> Grant | tuple[Reason, object]:
        """The grant for a call, or why there is none."""
        try:
            return await self.desk.clear(CALLS[call], ASK)
        except Refused as refused:
            return refused.reason, refused.extra["approval"]

    @rule(call=st.sampled_from(range(len(CALLS))), name=st.sampled_from(sorted(PEOPLE)), edited=st.sampled_from(EDITS))
    def approve(self, call: int, name: str, edited: dict[str, object] | None) -> None:
        found = self.standing(call)
        person, (by, counting) = name.partition(" ")[0], PEOPLE[name]
        content = canonical(edited) if edited is not None else b""
        is_edit = found is not None and edited is not None and content != found[1].content
        earlier = {} if is_edit or found is None else found[1].yeses
        fresh = counting - earlier.get(person, frozenset())
        may = found is not None and found[1].state == "pending" and bool(fresh)
        try:
            self.run(self.desk.approve(self.reference(call), by, edited))
        except DeskError:
            assert not may
            return
        assert may
        assert found is not None
        asked = found[1]
        asked.yeses = {**earlier, person: earlier.get(person, frozenset()) | fresh}
        asked.content = content if is_edit else asked.content
        if all(sum(team in teams for teams in asked.yeses.values()) >= people for team, people in NEEDED.items()):
            asked.state, asked.ends = "approved", self.now + 40

    @rule(call=st.sampled_from(range(len(CALLS))), name=st.sampled_from(sorted(PEOPLE)))
    def reject(self, call: int, name: str) -> None:
        found = self.standing(call)
        may = found is not None and found[1].state in ("pending", "approved") and name in MAY_REJECT
        try:
            self.run(self.desk.reject(self.reference(call), PEOPLE[name][0]))
        except DeskError:
            assert not may
            return
        assert may
        assert found is not None
        found[1].state, found[1].ends = "rejected", max(found[1].ends, self.now + 40)

    @rule(call=st.sampled_from(range(len(CALLS))))
    def use(self, call: int) -> None:
        """The call is made with the grant that was last found, and once more: whoever found it before an answer was taken back has it still."""
        reference = self.latest.get(call)
        grant = self.asked[reference].grant if reference else None
        if reference is None or grant is None:
            return
        asked = self.asked[reference]
        may = asked.state == "approved" and self.wall.at < asked.ends
        assert self.store.consume(self.store, grant, self.wall.at) is may
        if may:
            self.desk.used(grant)
            asked.state = "used"
        assert not self.store.consume(self.store, grant, self.wall.at)

    @rule(call=st.sampled_from(range(len(CALLS))))
    def make(self, call: int) -> None:
        """Two people say yes, and the call is made."""
        for name in ("bob", "carol"):
            self.approve(call, name, None)
        self.ask(call)
        self.use(call)

    @rule(call=st.sampled_from(range(len(CALLS))))
    def release(self, call: int) -> None:
        """The call was not forwarded after all."""
        reference = self.latest.get(call)
        asked = self.asked[reference] if reference else None
        if asked is None or asked.grant is None or asked.state != "used" or self.now >= asked.ends:
            return
        self.store.release(self.store, asked.grant.id)
        self.desk.released(asked.grant)
        asked.state = "approved"

    @rule(seconds=st.sampled_from([1, 39, 40, 61, 100]))
    def wait(self, seconds: int) -> None:
        self.wall.at += seconds
        self.passed.at += seconds
        self.tick(seconds)

    @rule(seconds=st.sampled_from([-500, -40, -1, 1, 40]))
    def set_clock(self, seconds: int) -> None:
        self.wall.at += seconds
        self.tick(0)

    @rule()
    def sweep(self) -> None:
        ended = {question.id for question in self.run(self.desk.sweep())}
        assert all(self.asked[reference].state == "expired" or self.now >= self.asked[reference].ends for reference in ended)
        self.expire()

    @rule()
    def restart(self) -> None:
        self.desk = self.opened()
        self.run(self.desk.load(since=self.now))
        # Whoever held a grant is gone; an intent that stands open is closed as unknown, so that what it used stays used.
        for asked in self.asked.values():
            asked.grant = None

    def tick(self, seconds: float) -> None:
        self.now = max(self.wall.at, self.now + seconds)

    def expire(self) -> None:
        for asked in self.asked.values():
            if asked.state in ("pending", "approved") and self.now >= asked.ends:
                asked.state = "expired"

    def reference(self, call: int) -> GrantId:
        return GrantId(self.latest.get(call, "none"))

    @invariant()
    def what_waits_is_the_same(self) -> None:
        if not hasattr(self, "asked"):
            return
        waiting = {
            reference: (asked.state, len(asked.yeses))
            for reference, asked in self.asked.items()
            if asked.state in ("pending", "approved") and self.now < asked.ends
        }
        assert {question.id: (question.state.value, len(question.yeses)) for question in self.desk.questions()} == waiting


TestDeskMachine = DeskMachine.TestCase
TestDeskMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
