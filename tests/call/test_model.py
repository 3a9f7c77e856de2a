"""The spine against a small reference model of policy, pins, approvals, waivers and stops: whatever happens, both say the same.

INVARIANT: no byte goes upstream without a durable leaf that allows it, and none that the model would not let go.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from doorward.admission import stops
from doorward.approval.desk import Approver, DeskError
from doorward.approval.waivers import Kept
from doorward.catalog.pins import Approval
from doorward.domain.actors import Subject
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId, PolicyId, SubjectId, UpstreamId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.stores.memory_waivers import MemoryWaivers
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, leaves, playbook, tool_call
from doorward.testing.trace import GotRefusal, Leaf, Sent
from doorward.testing.upstream import SHOWN, tool
from tests.call.model import (
    NO,
    OF_FINANCE,
    OWNER_OF,
    PENDING,
    POLICIES,
    REJECTED,
    RUNS,
    SPEAKS_FOR,
    SUBJECT_OF,
    TEAM_OF,
    Asked,
    Model,
    Question,
)

T = TypeVar("T")

TOOLS = ("git/read", "git/push", "bank/pay")
CALLS = st.one_of(
    st.builds(Asked, st.sampled_from(tuple(TEAM_OF)), st.just("git/read")),
    st.builds(Asked, st.sampled_from(tuple(TEAM_OF)), st.just("git/push"), to=st.sampled_from(("main", "topic"))),
    st.builds(
        Asked,
        st.sampled_from(tuple(TEAM_OF)),
        st.just("bank/pay"),
        st.sampled_from((99, 100, 1001)),
        st.sampled_from(("acme", "abroad", "evil")),
    ),
)
MATTERS = {
    "all": stops.EVERYTHING,
    "claude": stops.agent(AgentId("claude")),
    "gpt": stops.agent(AgentId("gpt")),
    "git": stops.upstream(UpstreamId("git")),
    "bank/pay": stops.tool(UpstreamId("bank"), "pay"),
}
DOCUMENT = {"approvals": {"wait_seconds": 0, "answer_minutes": 60, "use_minutes": 10, "pending_per_principal": 1000},
            "admission": {"calls_per_minute": 1_000_000, "burst": 1_000_000}}  # fmt: skip


def shown(name: str, version: int) -> Any:
    """A tool as its upstream shows it in one version."""
    properties = {"branch": {"type": "string"}} if name == "push" else {"amount": {"type": "integer"}, "to": {"type": "string"}}
    schema = {"type": "object", "properties": {} if name == "read" else properties, "required": [] if name == "read" else [*properties]}
    return {**tool(name), "description": f"Version {version}.", "inputSchema": schema}


def written(policies: dict[str, str]) -> str:
    """Policies with ids and reasons."""
    return "".join(f'@id("{name}")\n@reason("{name} says so")\n{text}\n' for name, text in policies.items())


class Spine(RuleBasedStateMachine):
    """Does the same to a house in memory and to the model, and compares what becomes of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.model = Model()
        self.references: dict[int, str] = {}
        self.given = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        sights = {
            "git": msgspec.structs.replace(SHOWN, tools=(shown("read", 1), shown("push", 1))),
            "bank": msgspec.structs.replace(SHOWN, tools=(shown("pay", 1),)),
        }
        upstreams: dict[str, dict[str, object]] = {"git": {"tools": {"read": {"groups": ["read"]}}}, "bank": {"team": "finance"}}
        plan = Plan(
            sights,
            written(POLICIES),
            {"finance": written(OF_FINANCE)},
            DOCUMENT,
            upstreams,
            waivers=self._waived,
        )
        self.book: Playbook = await self.stack.enter_async_context(playbook(plan))
        clock = self.book.house.clock
        self.kept = Kept(MemoryWaivers(), clock.now, clock.monotonic)
        await self.kept.load()
        self.model.now = clock.now()
        claude = await self.book.principal("claude")
        self.book.knows(replace(claude, subject=Subject(SubjectId(SUBJECT_OF["claude"]), frozenset())))
        self.book.knows(await self.book.house.agent("gpt", TEAM_OF["gpt"], OWNER_OF["gpt"]))

    def _waived(self, agent: AgentId) -> Sequence[Waiver]:
        return self.kept.of(agent)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    @rule(asked=CALLS)
    def call(self, asked: Asked) -> None:
        """An agent calls."""
        self._call(asked)

    @rule(agent=st.sampled_from(tuple(TEAM_OF)), amount=st.sampled_from((100, 1001)), to=st.sampled_from(("acme", "abroad")))
    def pay(self, agent: str, amount: int, to: str) -> None:
        """An agent wants to pay what somebody should see, or what makes a rule fail."""
        self._call(Asked(agent, "bank/pay", amount, to))

    @precondition(lambda self: self.model.questions)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """An agent makes a call again that people were asked about."""
        self._call(data.draw(st.sampled_from(self.model.questions), label="question").asked)

    def _call(self, asked: Asked) -> None:
        """What becomes of it is what the model says, and the log said so before anything went upstream."""
        questions = len(self.model.questions)
        expected = self.model.call(asked)
        trace = self.run(self.book.play(self.request(asked)))
        (refusal, *_) = [*[step for step in trace if isinstance(step, GotRefusal)], None]
        said = refusal.reason.value if isinstance(refusal, GotRefusal) else RUNS
        assert expected == {RUNS: RUNS, "pending": PENDING, "rejected": REJECTED}.get(said, NO), (asked, said, trace)
        sent = [place for place, step in enumerate(trace) if isinstance(step, Sent)]
        assert len(sent) == (expected == RUNS)
        # INVARIANT: before it goes upstream there is a durable leaf that allows it, or names the yes to it.
        allowing = [step for step in trace[: sent[0]] if isinstance(step, Leaf) and step.type == "intent"] if sent else []
        assert len(allowing) == len(sent)
        assert all(step.said in ("allow", "ask", "observe") for step in allowing)
        assert all(("approval" in step.body) == (step.said == "ask") for step in allowing)
        assert len([step for step in leaves(trace) if step.type in ("intent", "refusal")]) == 1
        if len(self.model.questions) > questions:
            waiting = {question.id for question in self.book.house.watchmen.desk.questions()}
            (new,) = waiting - set(self.references.values())
            self.references[questions] = new

    def request(self, asked: Asked) -> Any:
        upstream, _, name = asked.tool.partition("/")
        arguments: dict[str, object] = {}
        if name == "push":
            arguments = {"branch": asked.to}
        elif name == "pay":
            arguments = {"amount": asked.amount, "to": asked.to}
        return tool_call(f"{upstream}__{name}", arguments, asked.agent)

    @precondition(lambda self: self.model.waiting())
    @rule(people=st.permutations(tuple(SPEAKS_FOR)).map(lambda people: people[:3]), data=st.data())
    def say_yes(self, people: list[str], data: st.DataObject) -> None:
        """Some people say yes to what waits, and the agent tries again at once."""
        question = data.draw(st.sampled_from(self.model.waiting()), label="question")
        for person in people:
            taken = self.model.yes(question, person)
            assert taken == self.run(self._tried(self.book.house.watchmen.desk.approve, question, person))
        self._call(question.asked)

    @precondition(lambda self: self.model.waiting())
    @rule(person=st.sampled_from(tuple(SPEAKS_FOR)), data=st.data())
    def say_no(self, person: str, data: st.DataObject) -> None:
        """Somebody says no, or takes a yes back."""
        question = data.draw(st.sampled_from(self.model.waiting()), label="question")
        taken = self.model.no(question, person)
        assert taken == self.run(self._tried(self.book.house.watchmen.desk.reject, question, person))

    async def _tried(self, answer: Any, question: Question, person: str) -> bool:
        reference = self.references[self.model.questions.index(question)]
        try:
            await answer(reference, Approver(person, frozenset(SPEAKS_FOR[person])))
        except DeskError:
            return False
        return True

    @rule(matter=st.sampled_from(tuple(MATTERS)), asked=CALLS)
    def stop_for_a_call(self, matter: str, asked: Asked) -> None:
        """Something is stopped, or goes on, for as long as one call takes."""
        self.stop_or_resume(matter)
        self._call(asked)
        self.stop_or_resume(matter)

    @precondition(lambda self: len(self.model.questions) > 1)
    @rule(matter=st.sampled_from(tuple(MATTERS)))
    def stop_or_resume(self, matter: str) -> None:
        """Something is stopped, or goes on."""
        switch = self.book.house.watchmen.switch
        if matter in self.model.stopped:
            self.run(switch.resume(MATTERS[matter]))
        else:
            self.run(switch.stop(MATTERS[matter], "fire", "eve"))
        self.model.stopped ^= {matter}

    @precondition(lambda self: self.model.questions)
    @rule(name=st.sampled_from(TOOLS), version=st.sampled_from((1, 1, 2)))
    def drift(self, name: str, version: int) -> None:
        """An upstream shows another version of a tool, or the one that was accepted again."""
        upstream = name.partition("/")[0]
        if self.model.stopped & {"all", upstream}:
            # The gateway's own looks are stopped as well: nobody would see it.
            return
        self.model.offered[name] = version
        tools = [one.partition("/")[2] for one in TOOLS if one.startswith(upstream)]
        fake = self.book.house.upstream(upstream)
        fake.sight = msgspec.structs.replace(SHOWN, tools=tuple(shown(one, self.model.offered[f"{upstream}/{one}"]) for one in tools))
        self.run(self.book.house.discovery.look(UpstreamId(upstream)))
        self.run(self.book.rest())

    @rule(name=st.sampled_from(TOOLS))
    def accept(self, name: str) -> None:
        """A person accepts what is offered now."""
        self.model.pinned[name] = self.model.offered[name]
        upstream, _, own = name.partition("/")
        workbench = self.book.house.workbench
        definition = workbench.offers[UpstreamId(upstream)].definitions[Kind.TOOL, own]
        self.run(workbench.approve((Approval(UpstreamId(upstream), Kind.TOOL, own, definition.digest),), "eve"))
        self.run(self.book.rest())

    @rule(agent=st.sampled_from(tuple(TEAM_OF)), kind=st.sampled_from(tuple(WaiverKind)), seconds=st.sampled_from((20.0, 700.0)))
    def waive(self, agent: str, kind: WaiverKind, seconds: float) -> None:
        """An agent is let past the rule about main, or past all of them, for a while."""
        ends = self.model.now + seconds
        lifts = {}
        if kind is WaiverKind.EXCEPTION:
            found = self.book.house.generations.current.policies.liftable(PolicyId("no-main"))
            assert found is not None
            lifts = {found.id: found.text_digest}
        held = self.model.exceptions if kind is WaiverKind.EXCEPTION else self.model.glasses
        if held.get(agent, -1.0) > self.model.now or (kind is WaiverKind.BREAK_GLASS and seconds > 100):
            return
        self.given += 1
        action = "git/push" if kind is WaiverKind.EXCEPTION else ""
        waiver = Waiver(WaiverId(f"w{self.given}"), kind, AgentId(agent), action, lifts, "a good reason", "eve", self.model.now, ends)
        self.run(self.kept.grant(waiver))
        held[agent] = ends

    @precondition(lambda self: self.kept.all())
    @rule()
    def end_waivers(self) -> None:
        """Every waiver is ended by hand."""
        for waiver in self.kept.all():
            self.run(self.kept.end(waiver.id, "eve"))
        self.model.exceptions.clear()
        self.model.glasses.clear()

    @rule(seconds=st.sampled_from((30.0, 599.0, 601.0, 3601.0)))
    def pass_seconds(self, seconds: float) -> None:
        """Time goes by."""
        self.book.house.clock.pass_seconds(seconds)
        self.model.now = self.book.house.clock.now()

    @rule()
    def forget(self) -> None:
        """The desk knows no more than what its store holds, as after a restart."""
        self.run(self.book.house.watchmen.desk.load())


QUICK = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=500, stateful_step_count=100)
"""50,000 steps."""


def test_a_spine_does_what_the_model_says() -> None:
    run_state_machine_as_test(Spine, settings=QUICK)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_spine_does_what_the_model_says_for_50_000_steps() -> None:
    run_state_machine_as_test(Spine, settings=LONG)
