"""What the log is told, and what becomes of it when it cannot be."""

import asyncio
import json
from dataclasses import replace

import pytest

from doorward.approval.question import State
from doorward.audit import checkpoint
from doorward.audit.flood import SOURCES
from doorward.audit.recorder import SideRules
from doorward.domain.calls import Fault, Reply
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import CallId, Generation, GrantId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event, Intent, Place, Refusal, Status
from doorward.testing.stores.rooms import NOW, grant, question
from tests import made
from tests.audit.recorders import DAY_SECONDS, Bench, bench
from tests.stores.told import BODY, intent, numbered, outcome


def refusal(reason: Reason | None, agent: str = "claude", number: str = "call-1") -> Refusal:
    call = replace(numbered(number), principal=made.principal(agent))
    return Refusal(CallId(number), call.principal, "tools/call", "git", "tool", "commit", call, reason, "why", (), (), Generation(3), "")


async def started(of: Bench) -> Bench:
    await of.recorder.start({"version": "1"})
    return of


@pytest.mark.anyio
async def test_a_call_leaves_an_intent_and_an_outcome_that_commit_to_what_was_said() -> None:
    at = await started(bench())
    call = numbered("call-1")
    place = await at.recorder.intend(intent(call))
    ended = await at.recorder.conclude(outcome(call))
    leaves = await at.leaves()
    assert [(leaf["type"], leaf.get("call")) for leaf in leaves] == [("gateway_started", None), ("intent", "call-1"), ("outcome", "call-1")]
    assert (place.seq, ended.seq, place.ts) == (1, 2, leaves[1]["ts"])
    arguments, result = await at.auditor.side(1), await at.auditor.side(2)
    assert arguments is not None
    assert result is not None
    assert (arguments.text, arguments.commitment) == (call.canonical, leaves[1]["arguments"]["commitment"])
    assert (json.loads(result.text), result.commitment) == (BODY, leaves[2]["result"]["commitment"])


@pytest.mark.anyio
async def test_equal_arguments_leave_different_commitments() -> None:
    at = await started(bench())
    for number in range(600):
        await at.recorder.intend(intent(numbered(f"call-{number}")))
    commitments = {leaf["arguments"]["commitment"] for leaf in await at.leaves() if leaf["type"] == "intent"}
    assert len(commitments) == 600


@pytest.mark.anyio
async def test_a_fault_is_kept_as_its_json_says_it() -> None:
    at = await started(bench())
    call = numbered("call-1")
    await at.recorder.conclude(replace(outcome(call), reply=Reply(Fault(-32602, "no such thing", {"a": 1}))))
    side = await at.auditor.side(1)
    assert side is not None
    assert json.loads(side.text) == {"error": {"code": -32602, "message": "no such thing", "data": {"a": 1}}}


@pytest.mark.anyio
async def test_a_withheld_result_is_neither_kept_nor_committed_to() -> None:
    at = await started(bench())
    await at.recorder.conclude(replace(outcome(numbered("call-1"), Status.WITHHELD), reply=None))
    assert await at.auditor.side(1) is None
    assert "commitment" not in (await at.leaves())[1]["result"]


@pytest.mark.anyio
@pytest.mark.parametrize("body", [{"text": "\ud800"}, {"value": object()}])
async def test_an_outcome_is_told_whatever_its_reply_holds(body: dict) -> None:
    at = await started(bench())
    await at.recorder.conclude(replace(outcome(numbered("call-1")), reply=Reply(body)))
    assert [(leaf["type"], leaf["result"]["status"]) for leaf in (await at.leaves())[1:]] == [("outcome", "delivered")]


@pytest.mark.anyio
async def test_long_contents_are_cut_and_the_commitment_is_to_all_of_them() -> None:
    at = await started(bench(SideRules(90, 50)))
    call = numbered("call-1")
    await at.recorder.intend(intent(call))
    side = await at.auditor.side(1)
    assert side is not None
    assert (side.text, side.size_bytes, side.commitment) == (call.canonical[:50], len(call.canonical), None)


@pytest.mark.anyio
async def test_where_nothing_is_to_be_kept_nothing_is() -> None:
    at = await started(bench(SideRules(0, 4096)))
    await at.recorder.intend(intent(numbered("call-1")))
    assert (await at.log.box(1), await at.log.data_key(1), "side" in (await at.leaves())[1]) == (None, None, False)


@pytest.mark.anyio
async def test_a_request_that_may_hold_a_secret_is_not_kept() -> None:
    at = await started(bench())
    await at.recorder.refuse(refusal(Reason.UNSAFE_REQUEST))
    await at.recorder.refuse(refusal(Reason.FORBIDDEN))
    assert (await at.auditor.side(1), await at.auditor.side(2) is not None) == (None, True)


@pytest.mark.anyio
async def test_what_the_last_process_left_open_is_closed_as_unknown() -> None:
    at = await started(bench())
    for number in ("call-1", "call-2"):
        await at.recorder.intend(intent(numbered(number)))
    await at.recorder.conclude(outcome(numbered("call-1")))
    after = at.again()
    assert await after.start({"version": "2"}) == 1
    leaves = await at.leaves()
    assert [(leaf["type"], leaf.get("call"), leaf.get("result", {}).get("status")) for leaf in leaves[4:]] == [
        ("outcome", "call-2", "unknown"),
        ("gateway_started", None, None),
    ]
    assert await at.log.open_intents() == ()


@pytest.mark.anyio
async def test_without_a_store_nothing_is_intended_and_readiness_knows_why() -> None:
    at = await started(bench())
    at.log.broken = "no space"
    with pytest.raises(UnrecordedError, match="no space"):
        await at.recorder.intend(intent(numbered("call-1")))
    assert at.recorder.failure == "the store cannot write: no space"
    at.log.broken = None
    await at.recorder.intend(intent(numbered("call-1")))
    assert at.recorder.failure is None


@pytest.mark.anyio
async def test_an_outcome_that_could_not_be_written_is_owed_until_it_is() -> None:
    at = await started(bench())
    calls = [numbered(f"call-{number}") for number in range(3)]
    for call in calls:
        await at.recorder.intend(intent(call))
    at.log.broken = "no space"
    at.recorder.conclude_soon(outcome(calls[0]))
    waiting = [at.recorder.conclude(outcome(call)) for call in calls[1:]]
    await asyncio.wait(waiting)
    await at.recorder.tick()
    await asyncio.sleep(0)
    assert (at.recorder.owed, len(await at.log.open_intents())) == (3, 3)
    at.log.broken = None
    await at.recorder.tick()
    await asyncio.sleep(0)
    assert (at.recorder.owed, await at.log.open_intents(), at.recorder.failure) == (0, (), None)
    assert [leaf["call"] for leaf in await at.leaves() if leaf["type"] == "outcome"] == ["call-0", "call-1", "call-2"]


@pytest.mark.anyio
async def test_a_grant_is_used_with_its_intent_and_given_back_when_nothing_was_forwarded() -> None:
    at = await started(bench())
    at.clock.at = replace(at.clock.at, wall_micros=int(NOW * 1_000_000))
    await at.approvals.add(question("g1"))

    def with_grant(number: str) -> Intent:
        return replace(intent(numbered(number)), grant=grant("g1"))

    await at.recorder.intend(with_grant("call-1"))
    with pytest.raises(Refused) as refused:
        await at.recorder.intend(with_grant("call-2"))
    assert refused.value.reason is Reason.GRANT_GONE
    await at.recorder.conclude(outcome(numbered("call-2"), Status.NOT_FORWARDED))
    assert await at.approvals.load(NOW) == ()
    await at.recorder.conclude(outcome(numbered("call-1"), Status.NOT_FORWARDED))
    assert [(one.id, one.state) for one in await at.approvals.load(NOW)] == [(GrantId("g1"), State.APPROVED)]
    await at.recorder.intend(with_grant("call-3"))
    await at.recorder.conclude(outcome(numbered("call-3"), Status.DELIVERED))
    assert await at.approvals.load(NOW) == ()


@pytest.mark.anyio
@pytest.mark.parametrize("reason", [Reason.OVER_RATE, Reason.OVER_BUDGET])
async def test_refusals_over_a_limit_are_told_once_and_then_counted(reason: Reason) -> None:
    at = await started(bench())
    places = [await at.recorder.refuse(refusal(reason)) for _ in range(1000)]
    await at.recorder.refuse(refusal(reason, agent="other"))
    assert (places[0] is not None, set(places[1:])) == (True, {None})
    at.clock.pass_seconds(60)
    await at.recorder.tick()
    leaves = (await at.leaves())[1:]
    assert [leaf["type"] for leaf in leaves] == ["refusal", "refusal", "refusals_counted"]
    assert leaves[2]["fields"] == {"source": "claude", "reason": reason.value, "more": 999, "minute": 1_699_999_980}


@pytest.mark.anyio
async def test_every_other_refusal_is_told_each_time() -> None:
    at = await started(bench())
    for _ in range(3):
        assert await at.recorder.refuse(refusal(Reason.FORBIDDEN)) is not None
    assert [leaf["decision"]["effect"] for leaf in (await at.leaves())[1:]] == ["deny"] * 3


@pytest.mark.anyio
async def test_nobody_can_flood_the_log_from_outside_nor_hide_in_it() -> None:
    at = await started(bench())
    for number in range(3 * SOURCES):
        at.recorder.turn_away(f"10.{number // 250}.{number % 250}.7", Reason.UNAUTHENTICATED, "no such key")
    await at.recorder.stop({})
    leaves = (await at.leaves())[1:]
    counted = [leaf["fields"] for leaf in leaves if leaf["type"] == "refusals_counted"]
    assert len([leaf for leaf in leaves if leaf["type"] == "turned_away"]) == SOURCES
    assert [(fields["source"], fields["more"]) for fields in counted] == [("other", 2 * SOURCES)]


@pytest.mark.anyio
async def test_addresses_of_one_network_are_one_source() -> None:
    at = await started(bench())
    for network in ("192.0.2.1", "192.0.2.200", "::ffff:192.0.2.3", "2001:db8:1:2::3", "2001:db8:1:ffff::4", "local"):
        at.recorder.turn_away(network, Reason.UNAUTHENTICATED, "no such key")
    assert [leaf["fields"]["source"] for leaf in (await at.leaves())[1:]] == ["192.0.2.0/24", "2001:db8:1::/48", "local"]


class Ear:
    """Hears what the log is told."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def noted(self, event: Event, place: Place | None) -> None:
        self.heard.append((event.type, None if place is None else place.seq))

    def refused(self, refusal: Refusal) -> None:
        self.heard.append((refusal.id, refusal.reason))

    def turned_away(self, network: str, reason: Reason) -> None:
        self.heard.append((network, reason))


@pytest.mark.anyio
async def test_followers_hear_of_events_with_their_place_of_every_refusal_and_of_everybody_turned_away() -> None:
    at = await started(bench())
    ear = Ear()
    at.recorder.follow(ear)
    await at.recorder.note(Event("stop_set", "ann", {"matter": "agent:claude"}))
    await at.recorder.refuse(refusal(Reason.FORBIDDEN))
    await at.recorder.refuse(refusal(None))
    for _ in range(2):
        at.recorder.turn_away("192.0.2.1", Reason.UNAUTHENTICATED, "no such key")
        await at.recorder.refuse(refusal(Reason.OVER_RATE, number="call-2"))
    at.log.broken = "no space"
    with pytest.raises(UnrecordedError):
        await at.recorder.note(Event("revoked", "ann", {"matter": "agent:claude"}))
    knocked, limited = ("192.0.2.1", Reason.UNAUTHENTICATED), ("call-2", Reason.OVER_RATE)
    assert ear.heard == [("stop_set", 1), ("call-1", Reason.FORBIDDEN), knocked, limited, knocked, limited, ("revoked", None)]


@pytest.mark.anyio
async def test_each_day_has_a_key_of_its_own_for_what_is_kept() -> None:
    at = await started(bench())
    await at.recorder.intend(intent(numbered("call-1")))
    at.clock.pass_seconds(DAY_SECONDS)
    await at.recorder.tick()
    await at.recorder.tick()
    await at.recorder.intend(intent(numbered("call-2")))
    boxes = [await at.log.box(1), await at.log.box(2)]
    assert [box.key for box in boxes if box] == [1, 2]


@pytest.mark.anyio
async def test_contents_are_deleted_when_their_time_is_over_and_proofs_still_hold() -> None:
    at = await started(bench(SideRules(30, 4096)))
    await at.recorder.intend(intent(numbered("call-1")))
    at.clock.pass_seconds(31 * DAY_SECONDS)
    await at.recorder.tick()
    await at.recorder.intend(intent(numbered("call-2")))
    before = await at.auditor.receipt(CallId("call-1"))
    assert await at.recorder.retain() == 1
    assert (await at.auditor.side(1), await at.auditor.side(2) is not None) == (None, True)
    assert await at.log.data_key(1) is None
    assert await at.auditor.receipt(CallId("call-1")) == before


@pytest.mark.anyio
async def test_the_last_thing_in_a_log_is_a_checkpoint_over_all_of_it() -> None:
    at = await started(bench())
    await at.recorder.note(Event("agent_added", "ann", {"agent": "claude"}))
    await at.recorder.stop({"version": "1"})
    note = at.log.checkpoint()
    assert note is not None
    assert checkpoint.parse(note)[1].size == len(await at.leaves()) == 3
