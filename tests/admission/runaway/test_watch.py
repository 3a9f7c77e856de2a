"""The watch: what it says, when what it caught may try again, what it never refuses, and how much it remembers."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.admission.runaway.course import CALLS, TOOLS
from doorward.admission.runaway.rules import compiled
from doorward.admission.runaway.watch import INSTANCES, Standing
from doorward.config.runaway import Runaway
from doorward.domain.actors import AuthnMethod
from doorward.domain.alerts import Alert, AlertKind
from doorward.domain.reasons import Ran, Reason, Refused
from tests.admission.runaway.trail import Made, Trail, again, failed, listed, read, step, text
from tests.made import call, principal

EMPTY, _ = STUCK = read("search", "[]", query="runbook")
OFF = {"mode": "off", "calls": 2, "seconds": 1}


def caught(document: Mapping[str, object] | None = None) -> Trail:
    """A trail whose one call has just been refused."""
    trail = Trail(document or {})
    while not trail.refused:
        trail.make(*STUCK)
        trail.clock.at += 1
    return trail


def cap(calls: int, mode: str = "refuse", seconds: float = 600) -> dict[str, object]:
    return {"write": {"mode": mode, "calls": calls, "seconds": seconds}}


def test_a_model_is_told_what_it_did_and_what_to_do() -> None:
    (refused,) = caught().refused
    assert (refused.reason, refused.public, refused.extra) == (
        Reason.RUNAWAY,
        (
            "This exact call was made 200 times in 3 minutes and gave the same answer. Stop repeating it: use the answer you have, "
            "change the arguments, or tell the user what is missing. If you wait for something to change, look again in 59 s."
        ),
        {"limit": "runaway.repeated", "retryAfterSeconds": 59},
    )


def test_a_person_is_told_once_in_a_window() -> None:
    trail = caught()
    for _ in range(100):
        trail.make(*STUCK)
    assert trail.alerts == [
        Alert(
            AlertKind.RUNAWAY,
            "the agent claude may have run away (repeated): 200 calls in 3 minutes, the last of git/search. It is told to stop.",
            {"agent": "claude", "rule": "repeated", "target": "git/search", "calls": 200},
            EMPTY.id,
            "claude repeated",
        )
    ]


def test_other_calls_go_on_while_one_rests() -> None:
    trail = caught()
    assert trail.make(*read("search", "[]", query="another"))
    assert trail.make(*read("fetch", "[]", query="runbook"))


def test_another_instance_goes_on() -> None:
    trail = caught()
    assert trail.make(replace(EMPTY, principal=principal(key="key2")))


def test_what_rests_may_be_tried_once_and_rests_for_twice_as_long_if_it_is_in_vain() -> None:
    trail = caught()
    trail.clock.at += 59
    assert trail.make(*STUCK)
    assert not trail.make(*STUCK)
    trail.clock.at += 119
    assert not trail.make(*STUCK)
    trail.clock.at += 1
    assert trail.make(*STUCK)


def test_only_one_tries_at_a_time() -> None:
    trail = caught()
    trail.clock.at += 60
    with trail.watch.admit(EMPTY, Standing.FREE) as trying:
        assert not trail.make(*STUCK)
        trying.answered(text("found"))
    assert trail.make(*STUCK)


def test_what_was_on_its_way_when_a_call_was_caught_makes_its_rest_no_longer() -> None:
    trail = Trail()
    for _ in range(149):
        trail.make(*STUCK)
    together = [trail.watch.admit(EMPTY, Standing.FREE) for _ in range(8)]
    for step_ in together:
        with step_:
            step_.answered(text("[]"))
    assert not trail.make(*STUCK)
    assert trail.refused[-1].extra["retryAfterSeconds"] == 60


def test_many_that_ask_the_same_at_once_do_not_know_the_answer_yet() -> None:
    trail = Trail()
    for _ in range(2):
        together = [trail.watch.admit(EMPTY, Standing.FREE) for _ in range(140)]
        for step_ in together:
            with step_:
                step_.answered(text("[]"))
    assert trail.alerts == []
    while not trail.refused:
        trail.make(*STUCK)
    assert trail.made < 50


def test_two_that_take_turns_at_the_same_call_are_caught_as_one_would_be() -> None:
    trail, begun = Trail(), 0
    pending = trail.watch.admit(EMPTY, Standing.FREE)
    with suppress(Refused):
        for begun in range(1_000):  # noqa: B007 - counted
            following = trail.watch.admit(EMPTY, Standing.FREE)
            with pending:
                pending.answered(text("[]"))
            pending = following
    assert begun == 151


def test_another_answer_ends_a_rest() -> None:
    trail = caught()
    trail.clock.at += 60
    assert trail.make(EMPTY, text("found"))
    assert all(trail.make(*STUCK) for _ in range(25))


def test_what_people_have_said_yes_to_is_never_refused() -> None:
    trail = caught(cap(1))
    assert trail.make(EMPTY, standing=Standing.PROMISED)
    written, _ = step("pay", "paid")
    assert [trail.make(written, standing=standing) for standing in (Standing.FREE, Standing.PROMISED, Standing.FREE)] == [True, True, False]


def test_the_gateways_own_calls_are_not_watched() -> None:
    trail, own = Trail(), replace(EMPTY, principal=principal(method=AuthnMethod.OWN))
    assert all(trail.make(own, text("[]")) for _ in range(1_000))
    for _ in range(1_000):
        trail.watch.show(replace(listed(), principal=own.principal), 1)
    assert (len(trail.watch), trail.alerts) == (0, [])


def test_a_rule_that_observes_refuses_nothing() -> None:
    trail = Trail({"repeated": {"mode": "observe", "calls": 5, "seconds": 60}})
    assert all(trail.make(*STUCK) for _ in range(100))
    assert [alert.fields["rule"] for alert in trail.alerts] == ["repeated"]


def test_a_rule_that_is_off_sees_nothing() -> None:
    trail = Trail(
        dict.fromkeys(("repeated", "cycles", "polling", "no_progress", "fan_out", "lists", "write", "destructive", "external"), OFF)
    )
    assert all(trail.make(*STUCK) for _ in range(1_000))
    assert trail.alerts == []


def test_other_rules_free_what_rests() -> None:
    trail = caught()
    trail.watch.adopt(compiled(Runaway.model_validate({"repeated": OFF})))
    assert trail.make(*STUCK)


@pytest.mark.parametrize("reason", [Reason.OVER_BUDGET, Reason.REVOKED_MEANWHILE, Reason.UNRECORDED])
def test_what_the_gateway_refuses_is_no_answer(reason: Reason) -> None:
    trail = Trail()
    for _ in range(100):
        with pytest.raises(Refused), trail.watch.admit(EMPTY, Standing.FREE):
            raise Refused(reason)
    assert trail.make(*STUCK)


def test_an_upstream_that_does_not_answer_is_an_answer_of_its_own() -> None:
    trail = Trail()
    for _ in range(151):
        with pytest.raises(Refused), trail.watch.admit(EMPTY, Standing.FREE):
            raise Refused(Reason.UPSTREAM_TIMEOUT, ran=Ran.MAYBE)
    assert not trail.make(*STUCK)


def test_an_upstream_that_is_down_makes_no_circle_of_the_calls_that_wait_for_it() -> None:
    trail = Trail()
    for _ in range(1_000):
        with pytest.raises(Refused), trail.watch.admit(EMPTY, Standing.FREE):
            raise Refused(Reason.UPSTREAM_UNREACHABLE, ran=Ran.NO)
        trail.clock.at += 0.1
    assert trail.make(*STUCK)
    assert trail.alerts == []


def test_a_caller_is_told_how_often_it_may_still_repeat_itself_before_it_is_refused() -> None:
    trail = Trail({"repeated": {"calls": 20, "seconds": 60}, "cycles": OFF})
    left = []
    for _ in range(5):
        with trail.watch.admit(EMPTY, Standing.FREE) as made:
            made.answered(failed("no"))
        left.append(made.left())
    assert not trail.make(*STUCK)
    told = {"name": "runaway.repeated", "quota": 20, "unit": "repetitions", "windowSeconds": 60}
    # The first counts as one, those that repeat an error as five: 1, 6, 11, 16, 21.
    assert left == [(), ({**told, "left": 3},), ({**told, "left": 2},), ({**told, "left": 1},), ()]


def test_an_exchange_that_is_open_is_no_answer_and_counts_for_a_cap() -> None:
    trail, (written, _) = Trail(cap(2)), step("pay", "paid")
    for expected in (True, True, False):
        assert trail.make(written, {"resultType": "input_required", "inputRequests": {}}) is expected


def test_a_cap_refuses_the_next_write_and_says_when_there_is_room() -> None:
    trail = Trail(cap(20))
    written = [trail.make(*step("write", "ok", path=str(number))) for number in range(25)]
    assert written == [True] * 20 + [False] * 5
    assert (trail.refused[0].public, trail.refused[0].extra["limit"]) == (
        (
            "At most 20 calls of the group `write` may be made in 10 minutes, and they are used up. "
            "Stop here and tell the user what is done and what is not. There is room again in 610 s."
        ),
        "runaway.write",
    )
    assert trail.make(*read("read", "text"))
    trail.clock.at += 610
    assert trail.make(*step("write", "ok", path="25"))


def test_a_write_that_was_not_made_does_not_count() -> None:
    trail, (written, _) = Trail(cap(1)), step("pay", "paid")
    for _ in range(5):
        with pytest.raises(Refused), trail.watch.admit(written, Standing.FREE):
            raise Refused(Reason.UPSTREAM_UNREACHABLE)
    with pytest.raises(Refused), trail.watch.admit(written, Standing.FREE):
        raise Refused(Reason.UPSTREAM_TIMEOUT, ran=Ran.MAYBE)
    assert not trail.make(written)


def test_a_storm_is_refused_until_its_window_ends_and_not_where_it_is_usual() -> None:
    trail = Trail({"fan_out": {"mode": "refuse", "calls": 20, "seconds": 10}})
    stormed = [trail.make(*read("get", str(number), id=number)) for number in range(30)]
    assert stormed == [True] * 20 + [False] * 10
    trail.clock.at += 10
    assert all(trail.make(*read("get", str(number), id=number)) for number in range(100, 135))


def test_guesses_are_refused_until_one_hits() -> None:
    trail = Trail({"no_progress": {"mode": "refuse", "calls": 10, "seconds": 60}})
    guessed = [trail.make(*step("get", failed("no"), id=number)) for number in range(15)]
    assert guessed == [True] * 10 + [False] * 5
    trail.clock.at += 60
    assert trail.make(*step("get", "yes", id=100))
    assert trail.make(*step("get", failed("no"), id=101))


def test_a_list_is_refused_until_it_may_have_changed_or_something_is_called() -> None:
    trail = Trail({"lists": {"mode": "refuse", "calls": 5, "seconds": 60}})
    for _ in range(5):
        trail.watch.show(listed(), 1)
    with pytest.raises(Refused, match="runaway"):
        trail.watch.show(listed(), 1)
    trail.watch.show(listed(cursor="next"), 1)
    trail.watch.show(listed("prompts/list"), 1)
    trail.watch.show(listed(), 2)
    for _ in range(4):
        trail.watch.show(listed(), 2)
    with pytest.raises(Refused, match="runaway"):
        trail.watch.show(listed(), 2)
    trail.make(*STUCK)
    trail.watch.show(listed(), 2)


def test_as_many_instances_calls_tools_and_lists_are_remembered_as_there_is_room_for() -> None:
    trail = Trail()
    for number in range(INSTANCES + 10):
        trail.make(call(by=principal(key=str(number))))
    assert len(trail.watch) == INSTANCES
    course = trail.watch._course(principal(key="big"))
    for number in range(500):
        trail.make(replace(call({"n": number}, to=step(f"tool{number}", "x")[0].target), principal=principal(key="big")))
        trail.watch.show(again(listed(), {"cursor": str(number)}), 1)
    assert (len(course.seen), len(course.tools)) == (CALLS, TOOLS)
    for number in range(500):
        trail.watch.show(replace(listed(cursor=str(number)), principal=principal(key="big")), 1)
    assert len(course.lists) == TOOLS


def test_nobody_is_forgotten_because_another_agent_comes_from_ever_new_instances() -> None:
    trail = caught()
    for number in range(INSTANCES + 10):
        trail.make(call(by=principal("mallory", key=f"m{number}")))
    assert (trail.make(*STUCK), len(trail.watch)) == (False, INSTANCES)


MADE = st.tuples(st.integers(0, 4), st.integers(0, 2), st.floats(0, 30))


@given(st.lists(MADE, max_size=150))
@settings(max_examples=60)
def test_the_same_history_is_told_the_same_and_no_call_is_refused_that_was_not_made_and_answered_often(
    history: list[tuple[int, int, float]],
) -> None:
    tight = {
        "repeated": {"mode": "refuse", "calls": 5, "seconds": 60},
        "cycles": {"mode": "refuse", "calls": 4, "seconds": 60},
        "polling": {"mode": "refuse", "calls": 8, "seconds": 60},
    }
    one, two = Trail(tight), Trail(tight)
    made: dict[int, int] = {}
    for which, answer, pause in history:
        step_: Made = step("tool", str(answer), n=which)
        told = one.make(*step_)
        assert told is two.make(*step_)
        assert told or made[which] >= 4
        made[which] = made.get(which, 0) + told
        one.clock.at += pause
        two.clock.at += pause
    assert [refused.public for refused in one.refused] == [refused.public for refused in two.refused]


@given(st.lists(st.floats(0, 40), max_size=80), st.integers(1, 5))
@settings(max_examples=60)
def test_no_window_ever_holds_more_writes_than_its_cap(pauses: list[float], most: int) -> None:
    trail = Trail(cap(most, seconds=60))
    at: list[float] = []
    for number, pause in enumerate(pauses):
        if trail.make(*step("write", "ok", n=number)):
            at.append(trail.clock.at)
        trail.clock.at += pause
    assert all(sum(1 for later in at if when <= later < when + 60) <= most for when in at)
