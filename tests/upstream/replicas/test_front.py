"""One upstream at several addresses: where calls go, what is left out, what goes elsewhere, and what comes and goes."""

import asyncio
from types import CoroutineType

import pytest

from doorward.domain.alerts import AlertKind
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.health import AddressState, Condition, Duty
from doorward.upstream.port import unheard
from tests.loops import JumpingLoop
from tests.upstream.kit import order
from tests.upstream.replicas.yard import FakeSpeaker, Yard, broke_off, config, settled

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


async def test_equals_take_turns_and_the_busy_one_is_spared() -> None:
    yard = await Yard("a", "b", "c").seen()
    assert await yard.calls(6) == "abcabc"
    yard.speakers["a"].holds = True
    going = yard.begin()
    await settled()
    assert await yard.calls(4) == "bcbc"
    yard.speakers["a"].release()
    await going
    assert await yard.calls(3) == "abc"
    await yard.front.close()


async def test_the_only_address_is_called_without_anything_between() -> None:
    yard = await Yard("a").seen()
    speaker = yard.speakers["a"]
    call = yard.front.forward(order(), unheard)
    assert isinstance(call, CoroutineType)
    assert call.cr_code is FakeSpeaker.forward.__code__, "it is the driver's own coroutine"
    await call
    await asyncio.sleep(3600)
    assert speaker.probes == 0
    await yard.front.close()


async def test_a_call_that_was_not_sent_goes_to_one_other_and_what_was_sent_does_not() -> None:
    yard = await Yard("a", "b", "c").seen()
    a, b = yard.speakers["a"], yard.speakers["b"]
    a.is_up = b.is_up = False
    with pytest.raises(Refused) as caught:
        await yard.call()
    assert ([name for name, _ in yard.sends], caught.value.ran) == (["a", "b"], Ran.NO)
    yard.sends.clear()
    yard.speakers["c"].fails_with, yard.speakers["c"].is_up = broke_off, False
    with pytest.raises(Refused) as caught:
        await yard.call()
    assert ([name for name, _ in yard.sends], caught.value.ran) == (["c"], Ran.MAYBE)
    assert yard.front.moved == 1
    await yard.front.close()


async def test_an_address_that_fails_is_left_out_ever_longer_told_of_and_probed_until_it_is_back() -> None:
    yard = await Yard("a", "b", "c").seen()
    yard.speakers["a"].is_up = False
    assert set(await yard.calls(60)) == {"b", "c"}
    assert sum(name == "a" for name, _ in yard.sends) == 1, "calls go where there are no failures"
    await asyncio.sleep(2.5)
    assert yard.duties() == {"a": "ejected", "b": "serving", "c": "serving"}
    assert yard.events == ["a is left out for 1.0 s after 3 failures in a row: unreachable: no connection"]
    assert [(alert.kind, alert.key, dict(alert.fields)) for alert in yard.alerts] == [
        (AlertKind.BREAKER, "demo a", {"upstream": "demo", "address": "a"})
    ]
    await asyncio.sleep(20)
    assert yard.speakers["a"].probes == 6, "twice before it was left out, and after 1, 2, 4 and 8 seconds"
    assert all(name != "a" for name, _ in yard.sends[-10:])
    yard.speakers["a"].is_up = True
    await asyncio.sleep(8)
    assert (yard.events[1:], yard.changes, yard.duties()["a"]) == (["a is back"], 1, "serving")
    assert sorted(await yard.calls(3)) == ["a", "b", "c"]
    await yard.front.close()


async def test_no_more_than_half_is_left_out_for_what_calls_may_have_brought_about() -> None:
    yard = await Yard("a", "b", "c", "d").seen()
    for speaker in yard.speakers.values():
        speaker.fails_with, speaker.is_up, speaker.era = broke_off, False, None
    assert await yard.calls(200) == "!" * 200
    assert len(yard.sends) == 200, "nothing that may have run is sent again"
    assert sorted(yard.duties().values()) == ["ejected", "ejected", "serving", "serving"]
    await yard.front.close()


async def test_where_all_are_down_the_least_bad_is_tried_one_call_at_a_time_and_the_rest_is_refused_at_once() -> None:
    yard = await Yard("a", "b").seen()
    for speaker in yard.speakers.values():
        speaker.is_up = False
    await yard.calls(20)
    assert yard.duties() == {"a": "ejected", "b": "ejected"}
    for speaker in yard.speakers.values():
        speaker.holds = True
    going = [yard.begin() for _ in range(5)]
    await settled()
    assert sorted(len(speaker.held) for speaker in yard.speakers.values()) == [1, 1]
    refused = [task.exception() for task in going if task.done()]
    assert [(error.reason, error.ran, error.extra) for error in refused if isinstance(error, Refused)] == [
        (Reason.UPSTREAM_UNREACHABLE, Ran.NO, {"retryAfterSeconds": 1})
    ] * 3
    for speaker in yard.speakers.values():
        speaker.release()
    await asyncio.gather(*going, return_exceptions=True)
    assert yard.duties() == {"a": "serving", "b": "serving"}
    await yard.front.close()


async def test_the_only_address_fails_fast_and_a_probe_finds_it_back() -> None:
    yard = await Yard("a").seen()
    speaker = yard.speakers["a"]
    speaker.is_up = False
    assert await yard.calls(10) == "!" * 10
    assert len(yard.sends) == 3, "the others were refused before anything was sent"
    with pytest.raises(Refused) as caught:
        await yard.call()
    assert (caught.value.ran, caught.value.extra) == (Ran.NO, {"retryAfterSeconds": 1})
    assert "unreachable: no connection" in caught.value.detail
    speaker.is_up = True
    await asyncio.sleep(1.1)
    assert (await yard.calls(2), speaker.probes, yard.changes) == ("aa", 1, 1)
    await yard.front.close()


async def test_the_only_address_is_not_left_out_for_a_tool_that_fails_as_long_as_a_probe_is_answered() -> None:
    yard = await Yard("a").seen()
    speaker = yard.speakers["a"]
    for _ in range(12):
        speaker.holds = True
        going = yard.begin()
        await settled()
        speaker.release(broke_off())
        with pytest.raises(Refused):
            await going
    await settled()
    assert (len(yard.sends), speaker.probes, yard.duties(), yard.events) == (12, 4, {"a": "serving"}, [])
    await yard.front.close()


async def test_the_only_address_that_hangs_is_left_out_once_a_probe_hangs_too() -> None:
    yard = await Yard("a").seen()
    speaker = yard.speakers["a"]
    speaker.fails_with, speaker.is_up = broke_off, False
    assert await yard.calls(3) == "!!!"
    speaker.hangs = True
    await asyncio.sleep(2.5)
    assert yard.duties() == {"a": "ejected"}
    assert yard.events[0].startswith("a is left out for 1.0 s after 4 failures in a row: a probe was not answered within 2 s")
    speaker.hangs, speaker.is_up = False, True
    await asyncio.sleep(5)
    assert yard.duties() == {"a": "serving"}
    await yard.front.close()


async def test_quiet_addresses_among_several_are_probed_and_busy_ones_are_not() -> None:
    yard = await Yard("a", "b").seen()
    yard.speakers["a"].keeps_sessions = True
    await yard.call()
    for _ in range(10):
        await asyncio.sleep(5)
        await yard.call()
    assert (yard.speakers["a"].probes, yard.speakers["b"].probes) == (0, 5)
    yard.speakers["b"].is_up = False
    await asyncio.sleep(15)
    assert yard.duties()["b"] == "ejected", "nobody had to find out by a call"
    await yard.front.close()


async def test_a_principal_stays_where_its_session_is_until_that_address_is_gone() -> None:
    yard = await Yard("a", "b").seen()
    for speaker in yard.speakers.values():
        speaker.keeps_sessions = True
    where = {name: await yard.call(name) for name in ("ann", "bob", "cid", "dan")}
    assert sorted(where.values()) == ["a", "a", "b", "b"]
    for _ in range(3):
        assert {name: await yard.call(name) for name in where} == where
    gone, left = yard.speakers[where["ann"]], next(name for name in "ab" if name != where["ann"])
    gone.is_up = False
    assert [await yard.call("ann") for _ in range(5)] == [left] * 5
    gone.is_up = True
    await asyncio.sleep(30)
    assert (yard.duties(), await yard.call("ann")) == ({"a": "serving", "b": "serving"}, left), "its new session is there"
    await yard.front.close()


async def test_what_was_taken_away_is_closed_also_when_the_upstream_ends_before_its_calls() -> None:
    yard = await Yard("a", "b").seen()
    b = yard.speakers["b"]
    b.holds = True
    going = [yard.begin() for _ in range(2)]
    await settled()
    assert yard.front.adapt(config("a"))
    await yard.front.close()
    assert b.closed == 1
    b.release()
    await asyncio.gather(*going)


async def test_what_was_taken_away_is_shown_no_credential_any_more_and_alerts_of_nothing() -> None:
    yard = await Yard("a", "b").seen()
    b = yard.speakers["b"]
    b.holds = True
    going = [yard.begin() for _ in range(12)]
    await settled()
    assert yard.front.adapt(config("a"))
    b.is_up = False
    b.release(broke_off())
    await asyncio.gather(*going, return_exceptions=True)
    await asyncio.sleep(100)
    assert (b.probes, yard.alerts) == (0, [])
    await yard.front.close()


async def test_of_one_that_stands_alone_its_state_tells_and_the_journal_but_no_alert_of_its_own() -> None:
    yard = await Yard("a").seen()
    yard.speakers["a"].is_up = False
    await yard.calls(3)
    assert (yard.front.state().is_shut, len(yard.events), yard.alerts) == (True, 1, [])
    yard.speakers["a"].is_up = True
    await asyncio.sleep(2)
    assert (yard.front.state().is_shut, len(yard.events), yard.alerts) == (False, 2, [])
    await yard.front.close()


async def test_an_address_that_is_left_out_is_not_chosen_however_busy_the_others_are() -> None:
    yard = await Yard("a", "b").seen()
    yard.speakers["a"].is_up = False
    await asyncio.sleep(25)
    assert yard.duties() == {"a": "ejected", "b": "serving"}
    yard.speakers["b"].holds = True
    going = [yard.begin(f"agent {number}") for number in range(20)]
    await settled()
    assert [name for name, _ in yard.sends] == ["b"] * 20
    yard.speakers["b"].release()
    await asyncio.gather(*going)
    await yard.front.close()


async def test_a_session_at_an_address_that_is_left_out_is_not_gone_to() -> None:
    yard = await Yard("a", "b").seen()
    for speaker in yard.speakers.values():
        speaker.keeps_sessions = True
    where = await yard.call("ann")
    yard.speakers[where].is_up = False
    await asyncio.sleep(25)
    assert yard.duties()[where] == "ejected"
    yard.sends.clear()
    await yard.call("ann")
    assert [name for name, _ in yard.sends] == ["b" if where == "a" else "a"], "it is not even tried there"
    await yard.front.close()


async def test_a_drained_address_ends_what_runs_and_takes_nothing_new() -> None:
    yard = await Yard("a", "b").seen()
    yard.speakers["a"].holds = True
    going = yard.begin()
    await settled()
    assert yard.front.drain("a")
    assert await yard.calls(4) == "bbbb"
    yard.speakers["a"].release()
    assert (await going).size_bytes == 0
    assert yard.front.drain("b")
    with pytest.raises(Refused, match="drained"):
        await yard.call()
    assert (yard.front.restore("a"), yard.front.restore("c"), yard.duties()) == (True, False, {"a": "serving", "b": "drained"})
    yard.speakers["a"].holds = False
    assert await yard.calls(2) == "aa"
    assert yard.events == ["a is drained: it gets no calls", "b is drained: it gets no calls", "a is restored"]
    await yard.front.close()


async def test_the_only_address_can_be_drained() -> None:
    yard = await Yard("a").seen()
    assert (yard.front.drain("a"), await yard.calls(1), yard.front.restore("a"), await yard.calls(1)) == (True, "!", True, "a")
    await yard.front.close()


async def test_addresses_come_and_go_and_the_others_keep_what_they_have() -> None:
    yard = await Yard("a").seen()
    a = yard.speakers["a"]
    assert yard.front.adapt(config("a", "b"))
    assert (yard.duties(), await yard.calls(2)) == ({"a": "serving", "b": "unseen"}, "aa")
    await yard.seen()
    b = yard.speakers["b"]
    assert sorted(await yard.calls(2)) == ["a", "b"]
    b.holds = True
    going = [yard.begin() for _ in range(2)]
    await settled()
    assert yard.front.adapt(config("c", "a"))
    await yard.seen()
    assert [speaker.name for speaker in yard.opened] == ["a", "b", "c"]
    assert set(await yard.calls(6)) == {"a", "c"}
    await asyncio.sleep(5)
    assert (b.closed, a.closed) == (0, 0)
    b.release()
    await asyncio.gather(*going)
    await asyncio.sleep(1)
    assert b.closed == 1
    assert (yard.front.adapt(config("x", "y")), yard.front.adapt(config("a", "c").model_copy(update={"team": "else"}))) == (False, False)
    await yard.front.close()
    assert (a.closed, yard.speakers["c"].closed) == (1, 1)


async def test_a_principal_whose_session_began_when_there_was_one_address_stays_there() -> None:
    yard = await Yard("a").seen()
    yard.speakers["a"].keeps_sessions = True
    await yard.call("ann")
    yard.front.adapt(config("a", "b"))
    yard.speakers["b"].keeps_sessions = True
    await yard.seen()
    assert [await yard.call("ann") for _ in range(4)] == ["a"] * 4
    await yard.front.close()


async def test_a_withdrawn_account_is_dropped_at_each_address() -> None:
    yard = Yard("a", "b")
    yard.front.drop("ada")
    assert [speaker.dropped for speaker in yard.opened] == [["ada"], ["ada"]]
    await yard.front.close()


async def test_the_state_is_that_of_the_best_address_and_each_is_shown() -> None:
    yard = await Yard("a", "b").seen()
    yard.speakers["a"].is_up = False
    await yard.calls(12)
    await asyncio.sleep(2.5)
    state = yard.front.state()
    assert (state.condition, state.error) == (Condition.UP, "unreachable: no connection")
    assert yard.front.addresses() == (
        AddressState("a", Duty.EJECTED, 0, 3, 0.5, "unreachable: no connection", ""),
        AddressState("b", Duty.SERVING, 0, 0, 0.0, "", ""),
    )
    await yard.front.close()
