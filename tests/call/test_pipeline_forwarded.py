"""Stages 8 and 9: a credential and a last look before the first byte, and what cuts a call off on its way."""

import asyncio
from dataclasses import replace

import pytest

from doorward.admission import stops
from doorward.credentials.broker import PAUSE_SECONDS
from doorward.credentials.port import EVERYBODY, Mint, Minted, Use
from doorward.domain.actors import AuthnMethod
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.testing.house import Plan
from doorward.testing.playbook import Running, leaves, playbook, tool_call
from doorward.testing.trace import Counted, Gone, GotRefusal, Leaf
from doorward.testing.upstream import breaks, text, waits
from tests.call.steps import GIT, PLAN, got, sent

CALL = tool_call("git__commit", {"n": 1})
INTENT = Leaf("intent", "allow", ("all",))
GIT_ID = UpstreamId("git")
KEYED = {"git": {"credential": {"value": "Bearer ${env:TOKEN}"}}}


@pytest.mark.anyio
async def test_a_call_without_its_credential_is_not_made() -> None:
    async with playbook(replace(PLAN, upstreams=KEYED, environment={"TOKEN": "one"})) as book:
        assert leaves(await book.play(CALL))[0].body["credential"] == {"kind": "static"}
        book.house.clock.pass_seconds(61)
        environment = book.house.environment
        environment.clear()
        assert await book.play(CALL) == [
            INTENT,
            Leaf("outcome", "not_forwarded", ("no_credential",)),
            GotRefusal(Reason.NO_CREDENTIAL),
            Counted("git", "no_credential"),
        ]
        environment["TOKEN"] = "two"
        book.house.clock.pass_seconds(PAUSE_SECONDS)
        trace = await book.play(CALL)
        assert leaves(trace)[-1].body["credential"] == {
            "kind": "static",
            "id": "lease-2",
            "audience": "https://git.example.com",
            "scope": "",
        }


@pytest.mark.anyio
@pytest.mark.parametrize("matter", [stops.agent(AgentId("claude")), stops.upstream(GIT_ID), stops.tool(GIT_ID, "commit")], ids=str)
async def test_a_stop_between_admission_and_the_first_byte_is_heeded(matter: stops.Matter) -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.hold()
        running = await book.begin(CALL)
        await book.house.watchmen.switch.stop(matter, "fire", "ann")
        book.house.evidence.log.release()
        await running
        assert await book.rest() == [
            INTENT,
            Leaf("outcome", "not_forwarded", ("revoked_meanwhile",)),
            GotRefusal(Reason.REVOKED_MEANWHILE),
            Counted("git", "revoked_meanwhile"),
        ]


@pytest.mark.anyio
async def test_a_key_that_is_revoked_between_admission_and_the_first_byte_is_heeded() -> None:
    async with playbook(PLAN) as book:
        (key,) = book.house.watchmen.registry.keys(AgentId("claude"))
        book.house.evidence.log.hold()
        running = await book.begin(CALL)
        await book.house.watchmen.registry.revoke_key(key.id)
        book.house.evidence.log.release()
        await running
        assert leaves(await book.rest())[-1] == Leaf("outcome", "not_forwarded", ("revoked_meanwhile",))


@pytest.mark.anyio
async def test_a_stop_of_something_else_changes_nothing() -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.hold()
        running = await book.begin(CALL)
        await book.house.watchmen.switch.stop(stops.tool(GIT_ID, "push"), "fire", "ann")
        book.house.evidence.log.release()
        await running
        assert await book.rest() == [INTENT, sent(n=1), Leaf("outcome", "delivered"), got(), Counted("git", "delivered")]


@pytest.mark.anyio
async def test_a_stop_cuts_off_what_runs_and_spares_the_rest() -> None:
    async with playbook(PLAN) as book:
        released = asyncio.Event()
        book.house.upstream("git").will(waits(released, text("ok")), waits(released, text("ok")))
        cut, spared = await book.begin(CALL), await book.begin(tool_call("git__push", {"n": 2}))
        await book.house.watchmen.switch.stop(stops.tool(GIT_ID, "commit"), "fire", "ann")
        await book.idle()
        assert (cut.done(), spared.done()) == (True, False)
        released.set()
        await spared
        trace = await book.rest()
        assert [step for step in trace if isinstance(step, Leaf) and step.call == "call-1"] == [
            INTENT,
            Leaf("outcome", "failed", ("revoked_meanwhile",)),
        ]
        refusals = [step for step in trace if isinstance(step, GotRefusal)]
        assert refusals == [GotRefusal(Reason.REVOKED_MEANWHILE, Ran.MAYBE)]
        assert refusals[0].sentence == "This was stopped while it ran; it may have run."
        assert leaves(trace)[-1] == Leaf("outcome", "delivered")


@pytest.mark.anyio
async def test_suspending_an_agent_cuts_off_what_it_has_running() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(waits(asyncio.Event(), text("never")))
        await book.begin(CALL)
        await book.house.watchmen.registry.suspend(AgentId("claude"))
        await book.idle()
        assert leaves(await book.rest())[-1] == Leaf("outcome", "failed", ("revoked_meanwhile",))


@pytest.mark.anyio
async def test_whoever_hangs_up_in_the_moment_of_a_stop_is_gone() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(waits(asyncio.Event(), text("never")))
        running: Running = await book.begin(CALL)
        book.house.watchmen.switch.cut(stops.EVERYTHING, "fire")
        await book.hang_up(running)
        assert await book.rest() == [INTENT, sent(n=1), Leaf("outcome", "cancelled", ("cancelled",)), Gone(), Counted("git", "cancelled")]


@pytest.mark.anyio
async def test_an_upstream_that_was_removed_meanwhile_was_not_reached() -> None:
    async with playbook(Plan({"git": GIT, "hg": GIT})) as book:
        book.house.evidence.log.hold()
        running = await book.begin(CALL)
        document = book.house.generations.current.document
        book.house.parts.fleet.match(document.model_copy(update={"upstreams": {"hg": document.upstreams["hg"]}}))
        book.house.evidence.log.release()
        await running
        assert await book.rest() == [
            INTENT,
            Leaf("outcome", "not_forwarded", ("upstream_unreachable",)),
            GotRefusal(Reason.UPSTREAM_UNREACHABLE),
            Counted("git", "upstream_unreachable"),
        ]


TURNED_DOWN = breaks(Reason.CREDENTIAL_REFUSED, Ran.NO)


@pytest.mark.anyio
async def test_an_upstream_that_turns_a_credential_down_is_shown_another_one_once() -> None:
    async with playbook(replace(PLAN, upstreams=KEYED, environment={"TOKEN": "one"})) as book:
        await book.play(CALL)
        book.house.clock.pass_seconds(PAUSE_SECONDS)
        book.house.environment["TOKEN"] = "two"
        book.house.upstreams[GIT_ID].will(TURNED_DOWN, text("done"))
        trace = await book.play(CALL)
        shown = [[secret.reveal() for _, secret in order.lease.headers] for order in book.house.upstreams[GIT_ID].orders]
        assert shown == [["Bearer one"], ["Bearer one"], ["Bearer two"]]
        assert [leaf.body["type"] for leaf in leaves(trace)] == ["intent", "outcome"]
        assert leaves(trace)[-1].body["credential"]["id"] == "lease-2"


@pytest.mark.anyio
async def test_without_another_credential_the_call_is_refused_and_was_not_made() -> None:
    async with playbook(replace(PLAN, upstreams=KEYED, environment={"TOKEN": "one"})) as book:
        book.house.upstreams[GIT_ID].will(TURNED_DOWN)
        await book.play(CALL)
        assert len(book.house.upstreams[GIT_ID].orders) == 1
        book.house.clock.pass_seconds(PAUSE_SECONDS)
        book.house.upstreams[GIT_ID].will(TURNED_DOWN)
        trace = await book.play(CALL)
        assert trace[2:4] == [Leaf("outcome", "not_forwarded", ("credential_refused",)), GotRefusal(Reason.CREDENTIAL_REFUSED)]
        assert len(book.house.upstreams[GIT_ID].orders) == 2


@pytest.mark.anyio
async def test_a_person_who_has_to_connect_first_is_asked_before_any_other_is() -> None:
    """Nobody is asked to approve a call that cannot be made."""

    class Unconnected(Mint):
        def holder(self, use: Use) -> str | None:
            if use.call.principal.method is AuthnMethod.OWN:
                return EVERYBODY
            raise Refused(Reason.CONSENT_NEEDED, "no connection", extra={"connect": "c1"})

        async def mint(self, use: Use) -> Minted:
            assert use.call.principal.method is AuthnMethod.OWN
            return Minted()

    plan = replace(PLAN, policies=f'{PLAN.policies} @id("asked") @reason("Ask.") @approval("ops") forbid (principal, action, resource);')
    async with playbook(replace(plan, mints=lambda upstream, of: Unconnected())) as book:
        trace = await book.play(CALL)
        assert [leaf.body["type"] for leaf in leaves(trace)] == ["refusal"]
        assert GotRefusal(Reason.CONSENT_NEEDED) in trace
        assert book.house.watchmen.desk.questions() == ()
