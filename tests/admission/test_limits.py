"""Declared limits: which concern a call, all or none, what is left, and counters that cannot be had."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission.limits import KNOWN, Counter, Declared, Flow, Share, Taken, compiled, counter_of
from doorward.admission.rates import CounterError, Key, Rates
from doorward.config.limits import Limit, Rate
from doorward.config.selection import Selection
from doorward.domain.calls import Call
from doorward.domain.reasons import Reason, Refused
from doorward.wire.limits import LIMITS_KEY
from tests.made import call, principal, target

CLAUDE, OTHER = call(by=principal("claude")), call(by=principal("other"))
PUSH = call(by=principal("claude"), to=target(name="push"))
LIST = call(to=replace(target("*", "*"), parents=frozenset({"read"})), method="tools/list")


def rate(calls: int, seconds: int = 60, burst: int | None = None, of: Selection | None = None, per: Iterable[str] = ("agent",)) -> Limit:
    return Limit.model_validate({"of": of or Selection(), "per": tuple(per), "rate": Rate(calls=calls, seconds=seconds, burst=burst)})


def share(most: int, of: Selection | None = None, per: Iterable[str] = ("agent",)) -> Limit:
    return Limit.model_validate({"of": of or Selection(), "per": tuple(per), "concurrent": most})


def declared(**rules: Limit) -> Declared:
    return Declared(compiled(rules))


def refused(at: Declared, what: Call, now: float = 0.0) -> Refused:
    with pytest.raises(Refused) as caught:
        at.take(what, now)
    return caught.value


def take(at: Declared, what: Call, now: float = 0.0) -> Taken | None:
    try:
        return at.take(what, now)
    except Refused:
        return None


def passes(at: Declared, what: Call, now: float) -> bool:
    return take(at, what, now) is not None


def used(at: Declared, now: float = 0.0) -> dict[str, list[tuple[Key, int]]]:
    return {row.limit.name: row.counter.busiest(now, 9) for row in at.rows}


def test_a_call_takes_from_every_limit_that_concerns_it_and_from_no_other() -> None:
    at = declared(
        agents=rate(9),
        pushes=rate(9, of=Selection(tools=("git/push",)), per=("agent", "tool")),
        running=share(9, per=()),
        lists=rate(9, of=Selection(methods=("lists",))),
    )
    at.take(CLAUDE, 0.0)
    at.take(PUSH, 0.0)
    assert used(at) == {
        "agents": [(("claude",), 2)],
        "pushes": [(("claude", "git/push"), 1)],
        "running": [((), 2)],
        "lists": [],
    }
    at.take(LIST, 0.0)
    assert used(at)["lists"] == [(("claude",), 1)]


def test_what_one_limit_refuses_is_taken_from_none() -> None:
    at = declared(a=rate(5), b=share(1), c=rate(5, per=()))
    at.take(CLAUDE, 0.0)
    assert [refused(at, CLAUDE).reason for _ in range(3)] == [Reason.OVER_CONCURRENCY] * 3
    assert used(at) == {"a": [(("claude",), 1)], "b": [(("claude",), 1)], "c": [((), 1)]}


def test_a_refusal_names_the_limit_what_to_do_and_when() -> None:
    at = declared(payments=rate(2, seconds=60, burst=1))
    at.take(CLAUDE, 0.0)
    found = refused(at, CLAUDE, 0.5)
    assert (found.reason, found.public, found.detail) == (
        Reason.OVER_RATE,
        "The limit `payments` is reached: at most 2 in 60 s. Wait 30 s, then try again.",
        "the limit 'payments' is reached",
    )
    assert found.extra == {
        "limit": "payments",
        "retryAfterSeconds": 30,
        LIMITS_KEY: ({"name": "payments", "quota": 1, "windowSeconds": 30, "left": 0, "resetSeconds": 30},),
    }
    assert passes(at, CLAUDE, 30.0)


def test_a_refusal_for_running_calls_says_that_one_must_end() -> None:
    at = declared(few=share(1))
    taken = at.take(CLAUDE, 0.0)
    found = refused(at, CLAUDE)
    assert (found.reason, found.public, found.extra["limit"], found.extra["retryAfterSeconds"]) == (
        Reason.OVER_CONCURRENCY,
        "The limit `few` is reached: at most 1 at once. Wait until one of them ends, then try again.",
        "few",
        1,
    )
    taken.leave()
    assert (passes(at, CLAUDE, 0.0), used(at)) == (True, {"few": [(("claude",), 1)]})


def test_of_several_limits_that_are_reached_the_one_that_lasts_longest_is_told() -> None:
    at = declared(a=rate(1, seconds=10), b=rate(1, seconds=3600), c=rate(1, seconds=100))
    at.take(CLAUDE, 0.0)
    assert refused(at, CLAUDE).extra["limit"] == "b"


def test_what_is_left_is_told_of_each_limit_that_concerns_the_call() -> None:
    at = declared(agents=rate(10, seconds=10, burst=4), running=share(3), other=rate(9, of=Selection(agents=("nobody",))))
    at.take(CLAUDE, 0.0)
    taken = at.take(CLAUDE, 0.5)
    running = {"name": "running", "quota": 3, "unit": "concurrent-requests"}
    agents = {"name": "agents", "quota": 4, "windowSeconds": 4}
    assert taken.left(0.5) == ({**agents, "left": 2, "resetSeconds": 1}, {**running, "left": 1})
    assert taken.left(60.0) == ({**agents, "left": 4}, {**running, "left": 1})


def test_nothing_is_told_where_no_limit_concerns_a_call() -> None:
    assert declared(other=rate(9, of=Selection(agents=("nobody",)))).take(CLAUDE, 0.0).left(0.0) == ()


def test_64_callers_at_the_edge_of_two_limits_get_exactly_what_there_is() -> None:
    at = declared(everybody=rate(40, seconds=3600, per=()), each=rate(30, seconds=3600))
    callers = [call(by=principal(f"agent{number % 2}")) for number in range(64)]
    assert sum(passes(at, one, 0.0) for one in callers) == 40
    assert used(at)["everybody"] == [((), 40)]


@given(
    st.lists(st.tuples(st.floats(0, 30, allow_nan=False), st.sampled_from([CLAUDE, OTHER, PUSH, LIST])), max_size=150).map(
        lambda found: sorted(found, key=lambda one: one[0])
    ),
    st.integers(1, 20),
    st.integers(1, 8),
)
def test_no_interleaving_gets_more_than_burst_and_rate_out_of_any_limit(asked: list[tuple[float, Call]], calls: int, burst: int) -> None:
    """For each limit and key, in each window: at most the burst and what has come in meanwhile; and a refused call has taken nothing."""
    at = declared(
        agents=rate(calls, seconds=10, burst=burst),
        all=rate(calls * 2, seconds=10, burst=burst, per=()),
        tools=rate(calls, seconds=20, burst=burst, of=Selection(methods=("tools/call",)), per=("tool",)),
    )
    passed: dict[tuple[str, Key], list[float]] = {}
    for now, one in asked:
        if passes(at, one, now):
            for row in at.rows:
                key = row.limit.chosen.of(one)
                if key is not None:
                    passed.setdefault((row.limit.name, key), []).append(now)
    per_second = {"agents": calls / 10, "all": calls / 5, "tools": calls / 20}
    for (name, _), times in passed.items():
        for first, start in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= burst + (times[last] - start) * per_second[name] + 1e-3


@given(st.lists(st.sampled_from(["take", "push", "leave", "adopt"]), max_size=60))
def test_running_calls_are_counted_whatever_comes_between(steps: list[str]) -> None:
    at = declared(a=share(3), b=share(2, of=Selection(tools=("git/push",)), per=("tool",)), c=rate(1_000_000))
    held: list[tuple[Call, Taken]] = []
    for step in steps:
        wanted = PUSH if step == "push" else CLAUDE
        if step == "leave" and held:
            held.pop(0)[1].leave()
        elif step == "adopt":
            at.adopt(compiled({row.limit.name: row.limit.rule for row in at.rows}))
        elif step != "leave":
            fits = len(held) < 3 and (step == "take" or sum(one is PUSH for one, _ in held) < 2)
            taken = take(at, wanted)
            assert (taken is not None) is fits
            held += [] if taken is None else [(wanted, taken)]
    pushes = sum(one is PUSH for one, _ in held)
    expected = {"a": [(("claude",), len(held))] if held else [], "b": [(("git/push",), pushes)] if pushes else []}
    assert {name: keys for name, keys in used(at).items() if name != "c"} == expected


def test_a_reload_keeps_what_was_used_and_what_runs_and_nobody_owes_more_than_a_bucket() -> None:
    at = declared(slow=rate(10, seconds=3600, burst=10), few=share(2))
    running = [at.take(CLAUDE, 0.0) for _ in range(2)]
    at.adopt(compiled({"slow": rate(60, seconds=60, burst=1), "few": share(1)}))
    running.pop().leave()
    assert refused(at, CLAUDE).reason is Reason.OVER_CONCURRENCY
    running.pop().leave()
    assert refused(at, CLAUDE).reason is Reason.OVER_RATE
    assert (passes(at, CLAUDE, 1.0), used(at, 1.0)) == (True, {"slow": [(("claude",), 1)], "few": [(("claude",), 1)]})


def test_a_limit_that_counts_apart_otherwise_or_otherwise_bound_begins_anew_and_calls_that_run_end_well() -> None:
    at = declared(a=share(1), b=share(1), c=share(1))
    taken = at.take(CLAUDE, 0.0)
    at.adopt(compiled({"a": share(1, per=("tool",)), "b": rate(9)}))
    assert used(at) == {"a": [], "b": []}
    taken.leave()
    assert (passes(at, CLAUDE, 0.0), used(at)) == (True, {"a": [(("git/commit",), 1)], "b": [(("claude",), 1)]})


def test_what_a_limit_is_about_follows_a_reload_and_the_groups_of_a_target() -> None:
    at = declared(writes=rate(1, of=Selection(groups=("write",))))
    read = replace(CLAUDE, target=replace(CLAUDE.target, parents=frozenset({"read"})))
    at.take(CLAUDE, 0.0)
    assert (passes(at, read, 0.0), passes(at, CLAUDE, 0.0)) == (True, False)
    at.adopt(compiled({"writes": rate(1, of=Selection(groups=("read",)))}))
    assert passes(at, CLAUDE, 0.0)


def test_keys_that_come_and_go_leave_a_bounded_number_of_counters() -> None:
    at = Declared(
        compiled({"a": rate(60), "b": share(9)}), lambda bound: counter_of(bound) if isinstance(bound, Share) else Rates(bound, most=3)
    )
    for number in range(10_000):
        at.take(call(by=principal(f"agent{number}")), float(number)).leave()
    assert all(len(row.counter) <= 3 for row in at.rows)  # type: ignore[arg-type]
    assert len(at._known) <= KNOWN


class Gone:
    """A counter that cannot be had; or of which only some calls know."""

    def wait(self, key: Key, now: float) -> float:
        raise CounterError("the store is away")

    def put(self, key: Key, now: float) -> None:
        raise AssertionError("what could not be asked is not taken from")

    def leave(self, key: Key) -> None:
        raise AssertionError("nothing was taken")

    def left(self, key: Key, now: float) -> tuple[int, int | None]:
        raise CounterError("the store is away")

    def busiest(self, now: float, most: int) -> list[tuple[Key, int]]:
        return []


def failing(*, when_unavailable: str) -> Declared:
    """Two limits, of which the shared one's counter is away."""
    rules = {"shared": share(9).model_copy(update={"when_unavailable": when_unavailable}), "own": rate(2)}

    def make(bound: Flow | Share) -> Counter:
        return Gone() if isinstance(bound, Share) else counter_of(bound)

    return Declared(compiled(rules), make)


@pytest.mark.parametrize(("when_unavailable", "what"), [("deny", CLAUDE), ("allow", CLAUDE), ("deny", LIST)])
def test_a_call_that_cannot_be_counted_is_refused_and_takes_nothing(when_unavailable: str, what: Call) -> None:
    at = failing(when_unavailable=when_unavailable)
    found = refused(at, what)
    assert (found.reason, found.public, found.extra) == (
        Reason.OVERLOADED,
        "The limit `shared` cannot be counted now, so this was not done. Try again shortly.",
        {"limit": "shared", "retryAfterSeconds": 1},
    )
    assert found.detail == "the limit 'shared' cannot be counted: the store is away"
    assert [row.counter.busiest(0.0, 9) for row in at.rows if row.limit.name == "own"] == [[]]


def test_a_call_that_only_reads_may_pass_uncounted_where_the_limit_says_so_and_is_counted_in_the_others() -> None:
    at = failing(when_unavailable="allow")
    taken = at.take(LIST, 0.0)
    assert taken.left(0.0) == ({"name": "own", "quota": 2, "windowSeconds": 60, "left": 1, "resetSeconds": 30},)
    taken.leave()
    at.take(LIST, 0.0)
    assert refused(at, LIST).extra["limit"] == "own"


def test_a_clock_that_steps_back_gives_nothing() -> None:
    at = declared(a=rate(1))
    at.take(CLAUDE, 1000.0)
    assert [passes(at, CLAUDE, now) for now in (0.0, -1e9, 999.0, 1059.0, 1060.0, 0.0)] == [False] * 4 + [True, False]
