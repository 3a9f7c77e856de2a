"""What every `PinStore`, `AgentStore`, `StopStore`, `SessionStore` and `ApprovalStore` must do.

Each suite is a tuple of checks that take a function which opens the store: what was put is there the next time it is opened.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

from msgspec.structs import replace

from doorward.admission.stops import Effect, Matter, MatterKind, Stop, StopStore
from doorward.approval.binding import Binding
from doorward.approval.question import Question, State, Yes
from doorward.approval.store import ApprovalStore
from doorward.audit.leaf import encoded
from doorward.audit.store import Entry, LogStore
from doorward.call.sessions import SessionRow, SessionStore
from doorward.catalog.pins import PinStore
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.approvals import Grant
from doorward.domain.catalog import Kind, Pin
from doorward.domain.ids import AgentId, CallId, Digest, GrantId, KeyId, PolicyId, SessionId, TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.identities import Identity, IdentityKind
from doorward.identity.keys import KeyRecord
from doorward.identity.records import Why
from doorward.identity.registry import NEVER, AgentRecord, AgentStore
from doorward.identity.registry import State as AgentState

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Opening(Protocol, Generic[S_co]):
    """Opens one store; the next time it holds what it held."""

    def __call__(self) -> AbstractAsyncContextManager[S_co]:
        """The store, open."""
        ...


Check = Callable[[Opening[S]], Awaitable[None]]


def pin(name: str, digest: str = "d1", upstream: str = "git") -> Pin:
    """A pin of a tool."""
    return Pin(UpstreamId(upstream), Kind.TOOL, name, Digest(digest), b'{"name": "\xc3\xa9"}', "ann", "2026-01-02T03:04:05Z")


async def pins_are_kept_whole_and_replaced_by_key(opening: Opening[PinStore]) -> None:
    """The last one put for a key is the one."""
    async with opening() as store:
        assert store.all() == ()
        await store.put([pin("a"), pin("b"), pin("a", upstream="other")])
        await store.put([pin("a", "d2")])
        assert set(store.all()) == {pin("a", "d2"), pin("b"), pin("a", upstream="other")}
    async with opening() as store:
        assert set(store.all()) == {pin("a", "d2"), pin("b"), pin("a", upstream="other")}


async def dropped_pins_are_gone(opening: Opening[PinStore]) -> None:
    """For good; dropping what is not there is no error."""
    async with opening() as store:
        await store.put([pin("a"), pin("b")])
        await store.drop([(UpstreamId("git"), Kind.TOOL, "a"), (UpstreamId("git"), Kind.PROMPT, "b")])
        assert store.all() == (pin("b"),)
    async with opening() as store:
        assert store.all() == (pin("b"),)


PINS: tuple[Check[PinStore], ...] = (pins_are_kept_whole_and_replaced_by_key, dropped_pins_are_gone)


def agent(name: str, state: AgentState = AgentState.ACTIVE) -> AgentRecord:
    """An agent that does not expire."""
    return AgentRecord(Agent(AgentId(name), "ann", TeamId("support"), "client"), state, 1.5, NEVER)


def key(name: str, of: str = "a", revoked_at: float | None = None) -> KeyRecord:
    """A key."""
    return KeyRecord(KeyId(name), AgentId(of), Digest("ab" * 32), 1.25, 99.75, revoked_at)


async def agents_and_keys_are_replaced_by_id(opening: Opening[AgentStore]) -> None:
    """Everything that was put is loaded, in its last form."""
    async with opening() as store:
        await store.put((agent("a"), agent("b")), (key("k1"), key("k2")))
        await store.put((agent("a", AgentState.REVOKED),), (key("k1", revoked_at=7.5),))
    async with opening() as store:
        agents, keys = await store.load()
    assert set(agents) == {agent("a", AgentState.REVOKED), agent("b")}
    assert set(keys) == {key("k1", revoked_at=7.5), key("k2")}


async def when_agents_were_seen_outlives_their_changes(opening: Opening[AgentStore]) -> None:
    """A change that does not know of it leaves it; unknown agents are passed over."""
    async with opening() as store:
        await store.put((agent("a"),), ())
        await store.touch({AgentId("a"): 42.5, AgentId("nobody"): 1.0})
        await store.put((agent("a", AgentState.SUSPENDED),), ())
    async with opening() as store:
        assert await store.load() == ((replace(agent("a", AgentState.SUSPENDED), seen_at=42.5),), ())


async def agents_are_kept_whole(opening: Opening[AgentStore]) -> None:
    """Purpose, methods, identities, who enrolled them and why they are kept out come back as they were."""
    names = (Identity(IdentityKind.CLIENT, "corp", "https://example.org/é"), Identity(IdentityKind.SPIFFE, "", "spiffe://example.org/a"))
    whole = replace(
        agent("a", AgentState.SUSPENDED),
        expires_at=99.5,
        purpose="Répond.",
        methods=frozenset({AuthnMethod.CERTIFICATE, AuthnMethod.ANONYMOUS}),
        identities=names,
        enrolled_by="rule client:corp:* as {name}",
        why=Why.OWNER_LEFT,
    )
    async with opening() as store:
        await store.put((whole,), ())
    async with opening() as store:
        assert await store.load() == ((whole,), ())


AGENTS: tuple[Check[AgentStore], ...] = (
    agents_and_keys_are_replaced_by_id,
    when_agents_were_seen_outlives_their_changes,
    agents_are_kept_whole,
)


def stop(name: str, effect: Effect = Effect.STOPPED, reason: str = "because", epoch: int = 1) -> Stop:
    """A stop of an agent."""
    return Stop(Matter(MatterKind.AGENT, name), effect, reason, "ann", 12.5, epoch)


async def stops_are_replaced_by_matter_and_effect(opening: Opening[StopStore]) -> None:
    """A stop and a revocation of one matter stand side by side."""
    everything = Stop(Matter(MatterKind.ALL), Effect.STOPPED, "all", "ann", 1.0, 9)
    async with opening() as store:
        for one in (stop("a"), stop("a", reason="again", epoch=2), stop("a", Effect.REVOKED, epoch=3), everything):
            await store.put(one)
    async with opening() as store:
        assert set(await store.load()) == {stop("a", reason="again", epoch=2), stop("a", Effect.REVOKED, epoch=3), everything}


async def dropped_stops_are_gone(opening: Opening[StopStore]) -> None:
    """Only the effect that was named; what is not there is no error."""
    async with opening() as store:
        await store.put(stop("a"))
        await store.put(stop("a", Effect.REVOKED))
        await store.drop(Matter(MatterKind.AGENT, "a"), Effect.STOPPED)
        await store.drop(Matter(MatterKind.KEY, "a"), Effect.STOPPED)
    async with opening() as store:
        assert await store.load() == (stop("a", Effect.REVOKED),)


STOPS: tuple[Check[StopStore], ...] = (stops_are_replaced_by_matter_and_effect, dropped_stops_are_gone)


def session(name: str, seen: float = 2.5) -> SessionRow:
    """A session with capabilities of some depth."""
    capabilities = {"sampling": {}, "roots": {"listChanged": True}}
    return SessionRow(SessionId(name), "claude", "git", "2025-11-25", capabilities, {"name": "c", "version": "1"}, 1.5, seen)


async def sessions_are_overwritten_by_id(opening: Opening[SessionStore]) -> None:
    """Everything of a row comes back."""
    async with opening() as store:
        assert store.all() == ()
        await store.put(session("s1"))
        await store.put(session("s2"))
        await store.put(session("s1", 9.5))
    async with opening() as store:
        assert sorted(store.all(), key=lambda row: row.id) == [session("s1", 9.5), session("s2")]


async def dropped_sessions_are_gone(opening: Opening[SessionStore]) -> None:
    """For good; unknown ids and none at all are no error."""
    async with opening() as store:
        for name in ("s1", "s2", "s3"):
            await store.put(session(name))
        await store.drop(())
        await store.drop((SessionId("s1"), SessionId("nobody"), SessionId("s3")))
        assert store.all() == (session("s2"),)
    async with opening() as store:
        assert store.all() == (session("s2"),)


SESSIONS: tuple[Check[SessionStore], ...] = (sessions_are_overwritten_by_id, dropped_sessions_are_gone)

NOW = 1_700_000_000.0
"""When the logs of the approval suite stand."""


def question(name: str, state: State = State.APPROVED, expires_at: float = NOW + 60) -> Question:
    """A question about one call."""
    binding = Binding(Digest("c1"), Digest("d1"), "claude", Digest("b1"))
    return Question(
        GrantId(name),
        binding,
        AgentId("claude"),
        "ann",
        UpstreamId("git"),
        "tool",
        "commit",
        b'{"a": 1}',
        (PolicyId("p1"),),
        frozenset({"finance"}),
        "large",
        NOW - 5,
        state,
        expires_at,
    )


def grant(name: str, digest: str = "c1") -> Grant:
    """The grant of such a question."""
    return Grant(GrantId(name), Digest(digest), Digest("d1"), "claude", "bob", "2026-01-01T00:00:00Z")


async def questions_that_matter_are_loaded(opening: Opening[tuple[ApprovalStore, LogStore]]) -> None:
    """Pending, approved and rejected ones whose time has not run out."""
    async with opening() as (store, _):
        for name, state in (("p", State.PENDING), ("a", State.APPROVED), ("r", State.REJECTED), ("e", State.EXPIRED), ("u", State.USED)):
            await store.add(question(name, state))
        await store.add(question("late", State.PENDING, NOW))
    async with opening() as (store, _):
        loaded = await store.load(NOW)
    assert {one.id: one for one in loaded} == {
        GrantId("p"): question("p", State.PENDING),
        GrantId("a"): question("a"),
        GrantId("r"): question("r", State.REJECTED),
    }


async def a_question_moves_only_from_where_it_stands(opening: Opening[tuple[ApprovalStore, LogStore]]) -> None:
    """Of two moves from one state and revision, one happens."""
    async with opening() as (store, _):
        asked, rejected = question("q", State.PENDING), question("q", State.REJECTED)
        await store.add(asked)
        once = replace(asked, yeses=(Yes("bob", frozenset({"finance"}), NOW, frozenset({"corp:bob"})),), revision=1)
        assert await store.find(GrantId("q")) == asked
        assert await store.move(once, asked)
        assert not await store.move(replace(asked, yeses=(), revision=1), asked)
        assert not await store.move(rejected, replace(once, state=State.APPROVED))
        assert not await store.move(question("nobody"), asked)
        edited = replace(once, yeses=(), edited=b'{"amount":1}', edited_digest=Digest("e1"), facts=(("host", "a"),), revision=2)
        assert await store.move(edited, once)
        assert (await store.find(GrantId("q")), await store.find(GrantId("nobody"))) == (edited, None)
    async with opening() as (store, _):
        assert await store.load(NOW) == (edited,)


async def a_grant_is_used_by_one_intent(opening: Opening[tuple[ApprovalStore, LogStore]]) -> None:
    """The second intent is refused, and leaves no leaf."""
    async with opening() as (store, log):
        await store.add(question("q"))
        first, second = log.append(_using(grant("q"))), log.append(_using(grant("q")))
        place = await first
        assert await _reason(second) is Reason.GRANT_GONE
        assert (place.seq, await log.size(), await store.load(NOW)) == (0, 1, ())


async def a_grant_is_of_no_use_for_anything_else(opening: Opening[tuple[ApprovalStore, LogStore]]) -> None:
    """Another digest, an end that has passed, a question that nobody has answered."""
    async with opening() as (store, log):
        await store.add(question("q"))
        await store.add(question("late", expires_at=NOW))
        await store.add(question("pending", State.PENDING))
        unusable = [grant("q", "c2"), grant("late"), grant("pending"), grant("nobody")]
        assert [await _reason(log.append(_using(one))) for one in unusable] == [Reason.GRANT_GONE] * 4
        assert await log.size() == 0


async def a_released_grant_can_be_used_again(opening: Opening[tuple[ApprovalStore, LogStore]]) -> None:
    """Once: a grant that is not used is not released."""
    async with opening() as (store, log):
        await store.add(question("q"))
        await store.add(question("rejected", State.REJECTED))
        await log.append(_using(grant("q")))
        await log.append(_releasing("q"))
        await log.append(_using(grant("q"), "call-2"))
        # In one batch, where the store gathers them.
        closing = log.append(_releasing("q", "call-2")), log.append(_using(grant("q"), "call-3")), log.append(_releasing("q", "call-3"))
        assert [(await place).seq for place in closing] == [3, 4, 5]
        await log.append(_releasing("rejected"))
    async with opening() as (store, log):
        assert {(one.id, one.state) for one in await store.load(NOW)} == {("q", State.APPROVED), ("rejected", State.REJECTED)}
        assert (await log.append(_using(grant("q")))).seq == 7


async def a_grant_is_not_released_by_a_call_that_never_had_it(opening: Opening[tuple[ApprovalStore, LogStore]]) -> None:
    """Its intent was refused, for another one had used the grant; whoever waited for it may have hung up before it was told."""
    async with opening() as (store, log):
        await store.add(question("q"))
        first, second, closed = (
            log.append(_using(grant("q"))),
            log.append(_using(grant("q"), "call-2")),
            log.append(_releasing("q", "call-2")),
        )
        assert ((await first).seq, await _reason(second), (await closed).seq) == (0, Reason.GRANT_GONE, 1)
        await log.append(_releasing("q", "call-2"))
        assert await _reason(log.append(_using(grant("q"), "call-3"))) is Reason.GRANT_GONE


APPROVALS: tuple[Check[tuple[ApprovalStore, LogStore]], ...] = (
    questions_that_matter_are_loaded,
    a_question_moves_only_from_where_it_stands,
    a_grant_is_used_by_one_intent,
    a_grant_is_of_no_use_for_anything_else,
    a_released_grant_can_be_used_again,
    a_grant_is_not_released_by_a_call_that_never_had_it,
)


def _using(used: Grant, call: str = "call-1") -> Entry:
    return Entry(encoded({"type": "intent"}), opens=CallId(call), uses=used)


def _releasing(grant_id: str, call: str = "call-1") -> Entry:
    return Entry(encoded({"type": "outcome"}), closes=CallId(call), releases=GrantId(grant_id))


async def _reason(written: Awaitable[object]) -> Reason | None:
    try:
        await written
    except Refused as refused:
        return refused.reason
    return None
