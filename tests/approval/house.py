"""A desk, its store and its clocks, and people who answer."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import pytest

from doorward.approval.desk import Approver, Desk, Terms
from doorward.approval.question import Question
from doorward.domain.actors import Actor, Agent, Subject
from doorward.domain.approvals import Grant
from doorward.domain.calls import Call
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import AgentId, Digest, GrantId, PolicyId, SubjectId, TeamId
from doorward.domain.reasons import Reason, Refused
from tests.approval.stores import Memory, MemoryUse
from tests.made import Clock, call, principal

ASK = Ask((PolicyId("p1"),), (Need("finance"),), "payments need a yes", Digest("b1"))
BOB = Approver("bob", frozenset({"finance", "ops"}))
CAROL = Approver("carol", frozenset({"finance"}))
DAN = Approver("dan", frozenset({"ops", "legal"}))
CALL = call({"amount": 7}, by=principal("claude", owner="ada"))


def asking(*needs: Need) -> Ask:
    """A decision with these needs."""
    return replace(ASK, needs=needs)


def call_for(subject: str, *owners: str, arguments: Mapping[str, object] | None = None) -> Call:
    """A call of an agent that acts for somebody, handed on by agents with these owners."""
    actors = tuple(
        Actor(f"a{at}", "corp", Agent(AgentId(f"actor{at}"), owner, TeamId("support"), "client")) for at, owner in enumerate(owners)
    )
    by = replace(principal("claude", owner="ada"), subject=Subject(SubjectId(subject), frozenset()) if subject else None, actors=actors)
    return call(arguments or {"amount": 7}, by=by)


class House:
    """A desk, its store and its clocks."""

    def __init__(self, terms: Terms | None = None, store: Memory | None = None, clock: Clock | None = None) -> None:
        self.store = store or Memory()
        self.clock = clock or Clock()
        self.passed = Clock(0.0)
        """Monotonic seconds."""
        self._numbers = count(len(self.store.rows) + 1)
        self._terms = terms or Terms()
        self.desk = self.opened()

    async def restart(self) -> None:
        """Another process takes over what the store holds."""
        self.desk = self.opened()
        await self.desk.load()

    def pass_by(self, seconds: float) -> None:
        """Time passes, as every clock sees it."""
        self.clock.at += seconds
        self.passed.at += seconds

    def row(self, reference: str) -> Question:
        """What the store holds."""
        return self.store.rows[GrantId(reference)]

    async def refusal(self, what: Call = CALL, ask: Ask = ASK) -> Refused:
        with pytest.raises(Refused) as caught:
            await self.desk.clear(what, ask)
        return caught.value

    async def asked(self, what: Call = CALL, ask: Ask = ASK) -> GrantId:
        refused = await self.refusal(what, ask)
        assert refused.reason is Reason.PENDING
        return GrantId(str(refused.extra["approval"]))

    async def granted(self, what: Call = CALL) -> Grant:
        await self.desk.approve(await self.asked(what), BOB)
        return await self.desk.clear(what, ASK)

    def consumed(self, grant: Grant) -> bool:
        return MemoryUse().consume(self.store.rows, grant, self.clock.at)

    def opened(self) -> Desk:
        return Desk(self.store, self._terms, self.clock, lambda: f"q{next(self._numbers)}", self.passed)
