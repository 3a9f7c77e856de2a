"""Whatever happens around the spine: nothing goes upstream without a durable intent before it, and every intent has exactly one outcome."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.admission import stops
from doorward.admission.matters import FOR_GOOD, parse
from doorward.admission.stops import Effect, Matter
from doorward.approval.desk import Approver
from doorward.approval.question import State
from doorward.domain.actors import ALL_SCOPES, Actor, Agent, Proof, Subject
from doorward.domain.findings import Direction, Disposition
from doorward.domain.ids import AgentId, SessionId, SubjectId, TeamId, UpstreamId
from doorward.domain.reasons import Ran, Reason
from doorward.inspection.view import Carrier
from doorward.policy.dispose import DEFAULT, Row
from doorward.testing.guards import Faulty, Spotter
from doorward.testing.house import House, Plan
from doorward.testing.playbook import Playbook, Running, leaves, playbook, tool_call
from doorward.testing.trace import Leaf, Sent, Trace
from doorward.testing.upstream import Act, breaks, fails, says, text, waits
from doorward.upstream.order import Order
from tests.call.steps import GIT, PERMIT, policy

ASKING = policy('forbid (principal, action == Action::"git/push", resource);', "asks", approval="finance")
REDACTING = {**DEFAULT, ("redact", Direction.REQUEST): Row(*[Disposition.REDACT] * 3)}
RESPONSES = frozenset({Carrier.RESPONSE})
GUARDS = (Spotter("secret", name="redact"), Spotter("blocked", name="links"), Faulty(ValueError("broken"), frozenset()))
PLAN = Plan({"git": GIT}, policies=PERMIT + ASKING, guards=GUARDS, table=REDACTING)
AT_ONCE = {"approvals": {"wait_seconds": 0}}
MATTERS = (
    stops.EVERYTHING,
    stops.agent(AgentId("claude")),
    stops.tool(UpstreamId("git"), "commit"),
    parse("user:corp:ann"),
    parse("issuer:corp"),
    stops.family("fam1"),
    stops.agent(AgentId("planner")),
    stops.session(SessionId("s1")),
)
WORDS = ("plain", "a secret", "blocked")


@dataclass
class World:
    """One house, what runs in it, and what an upstream waits for."""

    book: Playbook
    running: list[Running] = field(default_factory=list)
    gates: list[asyncio.Event] = field(default_factory=list)

    @property
    def house(self) -> House:
        return self.book.house

    def act(self, kind: str) -> Act:
        """What the upstream will do with a call; each waits until it is let go."""
        gate = asyncio.Event()
        self.gates.append(gate)
        acts: Mapping[str, Act] = {
            "answers": text("ok"),
            "blocked": text("blocked"),
            "asks": says({"resultType": "input_required", "inputRequests": {}}),
            "unreachable": breaks(Reason.UPSTREAM_UNREACHABLE, Ran.NO),
            "times out": breaks(Reason.UPSTREAM_TIMEOUT, Ran.MAYBE),
            "fails": fails(RuntimeError("driver")),
        }
        return waits(gate, acts[kind])

    def let_go(self) -> None:
        for gate in self.gates:
            gate.set()


@dataclass(frozen=True)
class Begin:
    """A call, what it says, and what its upstream will do."""

    tool: str
    words: str
    act: str
    agent: str

    async def __call__(self, world: World) -> None:
        world.house.upstream("git").will(world.act(self.act))
        call = replace(tool_call(f"git__{self.tool}", {"words": self.words}, self.agent), session="s1" if self.agent == "claude" else None)
        world.running.append(await world.book.begin(call))


@dataclass(frozen=True)
class LetGo:
    """The oldest call upstream goes on."""

    async def __call__(self, world: World) -> None:
        closed = [gate for gate in world.gates if not gate.is_set()]
        for gate in closed[:1]:
            gate.set()
        await world.book.idle()


@dataclass(frozen=True)
class HangUp:
    """A caller goes away: the last one, or one before."""

    which: int

    async def __call__(self, world: World) -> None:
        if world.running:
            await world.book.hang_up(world.running[-1 - self.which % len(world.running)])


@dataclass(frozen=True)
class Log:
    """The log is held, goes on, breaks or is mended."""

    what: str

    async def __call__(self, world: World) -> None:
        log = world.house.evidence.log
        match self.what:
            case "held":
                log.hold()
            case "released":
                log.release()
            case "broken":
                log.fail("disk full")
            case _:
                log.fail(None)
                await world.house.evidence.recorder.tick()
        await world.book.idle()


@dataclass(frozen=True)
class Stop:
    """Something is stopped, or is not any more."""

    matter: Matter

    async def __call__(self, world: World) -> None:
        switch = world.house.watchmen.switch
        standing = [stop.matter for stop in switch.standing() if stop.effect is Effect.STOPPED]
        await (switch.resume(self.matter) if self.matter in standing else switch.stop(self.matter, "fire", "ann"))
        await world.book.idle()


@dataclass(frozen=True)
class Revoke:
    """Something is withdrawn, or restored where that can be."""

    matter: Matter

    async def __call__(self, world: World) -> None:
        switch = world.house.watchmen.switch
        if self.matter == stops.EVERYTHING:
            return
        if switch.effect(self.matter) is not Effect.REVOKED:
            await switch.revoke(self.matter, "fire", "ann")
        elif self.matter.kind not in FOR_GOOD:
            await switch.restore(self.matter)
        await world.book.idle()


@dataclass(frozen=True)
class Approve:
    """A person says yes to whatever waits."""

    async def __call__(self, world: World) -> None:
        desk = world.house.watchmen.desk
        for question in desk.questions():
            if question.state is State.PENDING:
                await desk.approve(question.id, Approver("bob", frozenset({"finance"})))


@dataclass(frozen=True)
class Recall:
    """The desk knows no more than what its store holds, as after a restart."""

    async def __call__(self, world: World) -> None:
        await world.house.watchmen.desk.load()


ACTS = ("answers", "blocked", "asks", "unreachable", "times out", "fails")
AGENTS = ("claude", "gpt")
BEGIN = st.builds(Begin, st.sampled_from(("commit", "push")), st.sampled_from(WORDS), st.sampled_from(ACTS), st.sampled_from(AGENTS))
PUSH = st.builds(Begin, st.just("push"), st.just("plain"), st.sampled_from(ACTS), st.just("claude"))
HANG_UP = st.builds(HangUp, st.integers(0, 3))
STOP = st.one_of(*[st.builds(kind, st.sampled_from(MATTERS)) for kind in (Stop, Stop, Revoke)])
ANY = st.one_of(
    BEGIN,
    st.just(LetGo()),
    HANG_UP,
    st.builds(Log, st.sampled_from(("held", "released", "broken", "mended"))),
    STOP,
    st.just(Approve()),
)


def during(what: str, then: str) -> st.SearchStrategy[tuple[object, ...]]:
    """A call or two that begin while the log is not well, and what happens meanwhile."""
    return st.tuples(st.just(Log(what)), BEGIN, st.one_of(HANG_UP, STOP, BEGIN, st.just(LetGo())), HANG_UP, st.just(Log(then)))


SCENE = st.one_of(
    st.tuples(ANY),
    during("held", "released"),
    during("broken", "mended"),
    st.tuples(BEGIN, HANG_UP),
    st.tuples(
        PUSH,
        st.just(Approve()),
        st.just(Log("held")),
        PUSH,
        PUSH,
        HANG_UP,
        st.just(Log("released")),
        st.just(LetGo()),
        st.just(Recall()),
        PUSH,
    ),
    st.tuples(BEGIN, st.just(Log("broken")), st.just(LetGo()), HANG_UP, st.just(Log("mended"))),
)
SCRIPTS = st.tuples(
    st.sampled_from(("queued", "strict")),
    st.lists(SCENE, max_size=4).map(lambda scenes: [stimulus for scene in scenes for stimulus in scene]),
)


async def bearing(world: World) -> None:
    """One of the agents acts for Ann by the rights of another, with a token."""
    who = await world.book.principal("claude")
    planner = Agent(AgentId("planner"), "ada", TeamId("support"), "client")
    proof = Proof(ALL_SCOPES, "self", "c1", "fam1")
    subject = Subject(SubjectId("corp:ann"), frozenset())
    world.book.knows(replace(who, subject=subject, actors=(Actor("planner", "self", planner),), proof=proof))
    await world.book.principal("gpt")


def watched(world: World) -> list[object]:
    """What goes upstream from here on although something that it touches stands still."""
    slipped: list[object] = []
    upstream, switch = world.house.upstream("git"), world.house.watchmen.switch
    before = upstream.on_order

    async def look(order: Order) -> None:
        of_claude = order.principal.startswith("claude")
        tool = order.params["name"]
        touched = {stop.matter for stop in switch.standing()} & set(MATTERS)
        free = {matter for matter in touched if not of_claude and matter not in (stops.EVERYTHING, MATTERS[2])}
        free |= {matter for matter in touched if matter == MATTERS[2] and tool != "commit"}
        slipped.extend(touched - free)
        await before(order)

    upstream.on_order = look
    return slipped


async def played(world: World, script: list) -> Trace:
    """Everything that became of a script, once all that it held up has gone on."""
    for stimulus in script:
        await stimulus(world)
    await Log("released")(world)
    await Log("mended")(world)
    world.let_go()
    await world.book.idle()
    await Log("mended")(world)
    return await world.book.rest()


async def intended(book: Playbook, found: Leaf) -> object:
    """The arguments that an intent commits to, in clear."""
    side = await book.house.evidence.auditor.side(found.body["seq"])
    assert side is not None
    return msgspec.json.decode(side.text)["arguments"]


@pytest.mark.anyio
@given(SCRIPTS)
@settings(max_examples=60)
async def test_nothing_goes_upstream_without_its_intent_and_every_intent_has_one_outcome(script: tuple[str, list]) -> None:
    receipts, stimuli = script
    async with playbook(replace(PLAN, document={**AT_ONCE, "audit": {"receipts": receipts}})) as book:
        world = World(book)
        await bearing(world)
        slipped = watched(world)
        trace = await played(world, stimuli)
        # INVARIANT: nothing goes upstream while anything that it touches is stopped or revoked.
        assert slipped == []
        assert all(running.done() for running in world.running)

        open_intents: list[object] = []
        for step in trace:
            match step:
                case Leaf(type="intent"):
                    open_intents.append(await intended(book, step))
                case Sent(params=params):
                    # INVARIANT: for each that goes out there is an intent of its own, durable before it.
                    open_intents.remove(params["arguments"])
                case _:
                    pass

        intents = Counter(step.call for step in leaves(trace) if step.type == "intent")
        outcomes = Counter(step.call for step in leaves(trace) if step.type == "outcome" and step.call in intents)
        assert outcomes == intents == Counter(dict.fromkeys(intents, 1))
        in_order = [step.call for step in leaves(trace) if step.type in ("intent", "outcome")]
        assert all(in_order.index(call) < len(in_order) - 1 - in_order[::-1].index(call) for call in intents)
        # No yes was used twice: what one granted was forwarded at most once, or given back.
        granted = Counter(step.body["approval"]["id"] for step in leaves(trace) if step.type == "intent" and "approval" in step.body)
        ran = {step.call for step in leaves(trace) if step.type == "outcome" and step.said != "not_forwarded"}
        used = Counter(step.body["approval"]["id"] for step in leaves(trace) if "approval" in step.body and step.call in ran)
        assert all(count == 1 for count in used.values()), granted
        assert (book.house.flight.count(), book.house.watchmen.gate.inside, book.house.evidence.recorder.owed) == (0, 0, 0)
        assert await book.house.evidence.log.open_intents() == ()
