"""What is withdrawn ends where it runs: at the door, in calls that are upstream, and in streams that wait for changes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from doorward.admission import matters
from doorward.admission.matters import Matter, parse
from doorward.domain.actors import ALL_SCOPES, Actor, Bound, Principal, Proof, Subject
from doorward.domain.calls import Era, Notice
from doorward.domain.ids import SessionId, SubjectId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.identity.chain import Presented
from doorward.testing.playbook import Playbook, Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import GotRefusal
from doorward.testing.upstream import text, waits
from tests import made
from tests.call.steps import PLAN

THUMBPRINT = "q" * 43
PROVEN = ("user:corp:ann", "client:self:cli", "issuer:self", "issuer:corp", "family:fam1", f"certificate:{THUMBPRINT}", "agent:planner")
"""Everything that `bearer` is verified by, and who stands behind it."""
HELLO = Presented("Bearer x", "10.0.0.1", loopback=False)


def bearer(who: Principal) -> Principal:
    """The agent with a token that another one handed on to it, for Ann."""
    return replace(
        who,
        subject=Subject(SubjectId("corp:ann"), frozenset()),
        actors=(Actor("planner", "self", made.principal("planner").agent),),
        proof=Proof(ALL_SCOPES, "self", "cli", "fam1", THUMBPRINT, Bound.CERTIFICATE),
    )


class Only:
    """A source that knows one principal, whatever is presented: one that remembers would do the same."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def identify(self, presented: Presented) -> Principal:
        return self._principal


async def known(book: Playbook) -> Principal:
    """The agent of the playbook with its token, also where somebody knocks; another one has its key."""
    await book.principal("gpt")
    who = bearer(await book.principal())
    book.knows(who)
    book.house.parts.chain.adopt([Only(who)])
    return who


def refused_at_the_door(book: Playbook) -> Reason | None:
    try:
        book.house.dispatch.identify(HELLO)
    except Refused as refused:
        return refused.reason
    return None


@pytest.mark.anyio
@pytest.mark.parametrize("named", PROVEN)
async def test_whoever_is_verified_by_what_is_withdrawn_is_nobody_at_once(named: str) -> None:
    async with playbook(PLAN) as book:
        await known(book)
        assert refused_at_the_door(book) is None
        await book.house.watchmen.switch.revoke(parse(named), "stolen", "bob")
        assert refused_at_the_door(book) is Reason.REVOKED
        with pytest.raises(Refused) as caught:
            await book.house.dispatch.identified(HELLO)
        assert (caught.value.reason, caught.value.public) == (Reason.REVOKED, "A valid credential is needed.")
        assert [step.reason for step in await book.play(tool_call("git__commit")) if isinstance(step, GotRefusal)] == [Reason.REVOKED]


@pytest.mark.anyio
@pytest.mark.parametrize("named", PROVEN)
async def test_whoever_is_stopped_is_still_known_and_makes_no_call(named: str) -> None:
    async with playbook(PLAN) as book:
        await known(book)
        await book.house.watchmen.switch.stop(parse(named), "a look", "bob")
        assert refused_at_the_door(book) is None
        assert [step.reason for step in await book.play(tool_call("git__commit")) if isinstance(step, GotRefusal)] == [Reason.STOPPED]
        await book.house.watchmen.switch.resume(parse(named))
        assert [step for step in await book.play(tool_call("git__commit")) if isinstance(step, GotRefusal)] == []


@pytest.mark.anyio
@pytest.mark.parametrize("named", PROVEN)
async def test_a_call_in_flight_is_cut_off(named: str) -> None:
    async with playbook(PLAN) as book:
        await known(book)
        other = Stimulus("tools/call", {"name": "git__commit"}, agent="gpt")
        gate = asyncio.Event()
        book.house.upstream("git").will(waits(gate, text("ok")), waits(gate, text("ok")))
        cut, kept = await book.begin(tool_call("git__commit")), await book.begin(other)
        await book.house.watchmen.switch.revoke(parse(named), "stolen", "bob")
        await book.idle()
        assert (cut.done(), kept.done()) == (True, False)
        gate.set()
        await kept
        refusals = [step for step in await book.rest() if isinstance(step, GotRefusal)]
        assert [(step.reason, step.ran) for step in refusals] == [(Reason.REVOKED_MEANWHILE, Ran.MAYBE)]


@pytest.mark.anyio
async def test_no_leaf_names_the_person_that_was_withdrawn() -> None:
    async with playbook(PLAN) as book:
        await known(book)
        gate = asyncio.Event()
        book.house.upstream("git").will(waits(gate, text("ok")))
        running = await book.begin(tool_call("git__commit"))
        await book.house.watchmen.switch.revoke(parse("user:corp:ann"), "left", "bob")
        await running
        refused_at_the_door(book)
        trace = await book.play(tool_call("git__commit"))
        book.house.clock.pass_seconds(61)
        await book.house.evidence.recorder.tick()
        told = leaves([*trace, *await book.rest()])
        assert {leaf.type for leaf in told} >= {"intent", "outcome", "refusal"}
        assert "the user was revoked by bob: left" in str([leaf.body for leaf in told])
        assert "corp:ann" not in str([leaf.body for leaf in told])


async def ends(listening: AsyncIterator[Notice]) -> bool:
    """Whether a stream is over, rather than waiting."""
    waiting = asyncio.ensure_future(anext(listening, None))
    for _ in range(5):
        await asyncio.sleep(0)
    if waiting.done():
        return waiting.result() is None
    waiting.cancel()
    return False


@pytest.mark.anyio
@pytest.mark.parametrize("named", [*PROVEN, "agent:claude", "session:s1"])
async def test_streams_of_whoever_is_withdrawn_end_at_once_and_no_others(named: str) -> None:
    async with playbook(PLAN) as book:
        who, other = await known(book), await book.principal("gpt")
        mine = book.house.dispatch.changes(who, None, SessionId("s1"))
        others = book.house.dispatch.changes(other, None, SessionId("s2"))
        await book.house.watchmen.switch.revoke(parse(named), "stolen", "bob")
        assert (await ends(mine), await ends(others)) == (True, False)


@pytest.mark.anyio
@pytest.mark.parametrize("matter", [matters.upstream(UpstreamId("git")), matters.tool(UpstreamId("git"), "commit")])
async def test_a_stop_of_a_target_ends_no_stream(matter: Matter) -> None:
    async with playbook(PLAN) as book:
        listening = book.house.dispatch.changes(await book.principal(), None)
        await book.house.watchmen.switch.stop(matter, "broken", "bob")
        assert not await ends(listening)


@pytest.mark.anyio
async def test_a_suspended_agent_loses_its_streams_too() -> None:
    async with playbook(PLAN) as book:
        who = await book.principal()
        listening = book.house.dispatch.changes(who, None)
        await book.house.watchmen.registry.suspend(who.agent.id)
        assert await ends(listening)


INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c"}}


@pytest.mark.anyio
async def test_a_killed_session_takes_its_calls_and_streams_with_it_and_leaves_the_agents_others() -> None:
    async with playbook(PLAN) as book:
        dispatch, who = book.house.dispatch, await book.principal()
        texts = [(await dispatch.initialize(who, None, INITIALIZE))[0] for _ in range(2)]
        killed, kept = (dispatch.session(one, who, None).id for one in texts)
        streams = [dispatch.changes(who, None, session) for session in (killed, kept)]
        gate = asyncio.Event()
        book.house.upstream("git").will(waits(gate, text("ok")), waits(gate, text("ok")))
        call = replace(tool_call("git__commit"), era=Era.SESSION)
        running = [await book.begin(replace(call, session=session)) for session in (killed, kept)]
        await book.house.parts.sessions.kill(killed)
        await book.idle()
        assert [one.done() for one in running] == [True, False]
        assert [await ends(stream) for stream in streams] == [True, False]
        with pytest.raises(Refused) as caught:
            dispatch.session(texts[0], who, None)
        assert (caught.value.reason, dispatch.session(texts[1], who, None).id) == (Reason.UNKNOWN_SESSION, kept)
        gate.set()
        await asyncio.gather(*running)


@pytest.mark.anyio
async def test_a_session_that_expires_ends_its_stream_and_lets_its_calls_finish() -> None:
    async with playbook(PLAN) as book:
        dispatch, who = book.house.dispatch, await book.principal()
        opened, _ = await dispatch.initialize(who, None, INITIALIZE)
        session = dispatch.session(opened, who, None).id
        stream = dispatch.changes(who, None, session)
        gate = asyncio.Event()
        book.house.upstream("git").will(waits(gate, text("ok")))
        running = await book.begin(replace(tool_call("git__commit"), era=Era.SESSION, session=session))
        book.house.clock.pass_seconds(1801)
        await book.house.parts.sessions.expire()
        assert (await ends(stream), running.done()) == (True, False)
        gate.set()
        await running


@pytest.mark.anyio
async def test_a_withdrawn_session_is_unknown_and_a_stopped_one_makes_no_calls() -> None:
    async with playbook(PLAN) as book:
        dispatch, who, switch = book.house.dispatch, await book.principal(), book.house.watchmen.switch
        opened, _ = await dispatch.initialize(who, None, INITIALIZE)
        session = dispatch.session(opened, who, None).id
        call = replace(tool_call("git__commit"), era=Era.SESSION, session=session)
        await switch.stop(matters.session(session), "a look", "bob")
        assert dispatch.session(opened, who, None).id == session
        assert [step.reason for step in await book.play(call) if isinstance(step, GotRefusal)] == [Reason.STOPPED]
        await switch.revoke(matters.session(session), "stolen", "bob")
        with pytest.raises(Refused) as caught:
            dispatch.session(opened, who, None)
        assert caught.value.reason is Reason.UNKNOWN_SESSION
        assert [step.reason for step in await book.play(call) if isinstance(step, GotRefusal)] == [Reason.UNKNOWN_SESSION]
        assert [step for step in await book.play(tool_call("git__commit")) if isinstance(step, GotRefusal)] == []
