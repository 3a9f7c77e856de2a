"""When a circuit opens, for how long, and what closes it."""

from dataclasses import dataclass, field

import pytest

from doorward.upstream.circuit import Blame, Circuit, Terms


@dataclass
class Bench:
    """A circuit on a clock of the test, and how often it turned."""

    now: float = 100.0
    turns: int = 0
    circuit: Circuit = field(init=False)

    def __post_init__(self) -> None:
        self.circuit = Circuit(Terms(3, 1.0, 8.0), lambda: self.now, lambda: 1.0)
        self.circuit.on_turn = self._turned

    def fail(self, times: int = 1, blame: Blame = Blame.ADDRESS) -> None:
        for _ in range(times):
            self.circuit.failed(blame)

    def fail_try(self) -> None:
        self.now = max(self.now, self.circuit.until)
        self.circuit.begin_try()
        self.circuit.failed(Blame.CALL)
        self.circuit.end_try()

    def _turned(self) -> None:
        self.turns += 1


def test_failures_in_a_row_open_it_and_an_answer_between_them_does_not() -> None:
    bench = Bench()
    bench.fail(2)
    bench.circuit.well()
    bench.fail(2)
    assert (bench.circuit.is_closed, bench.turns) == (True, 0)
    bench.fail()
    assert (bench.circuit.is_closed, bench.turns, bench.circuit.rests_seconds, bench.circuit.admits_try) == (False, 1, 1.0, False)


def test_each_try_that_fails_lets_it_rest_twice_as_long_up_to_the_most() -> None:
    bench = Bench()
    bench.fail(3)
    rests = []
    for _ in range(5):
        rests.append(bench.circuit.rests_seconds)
        bench.fail_try()
    assert (rests, bench.turns) == ([1.0, 2.0, 4.0, 8.0, 8.0], 1)


def test_an_answer_closes_it_and_soon_after_it_rests_longer_than_the_first_time() -> None:
    bench = Bench()
    bench.fail(3)
    bench.circuit.well()
    assert (bench.circuit.is_closed, bench.circuit.failures, bench.turns) == (True, 0, 2)
    bench.fail(3)
    assert bench.circuit.rests_seconds == 2.0
    bench.circuit.well()
    bench.now += 9
    bench.fail(3)
    assert bench.circuit.rests_seconds == 1.0, "it has been closed for longer than the longest rest"


def test_one_try_at_a_time_is_admitted_and_what_was_sent_before_changes_nothing() -> None:
    bench = Bench()
    bench.fail(3)
    bench.fail(5)
    assert bench.circuit.rests_seconds == 1.0
    bench.now += 1
    admits = [bench.circuit.admits_try]
    bench.circuit.begin_try()
    admits.append(bench.circuit.admits_try)
    bench.circuit.end_try()
    admits.append(bench.circuit.admits_try)
    assert admits == [True, False, True], "whoever tried may have been cancelled"


@pytest.mark.parametrize(
    ("blame", "is_closed", "is_doubted"), [(Blame.NOBODY, True, False), (Blame.CALL, True, True), (Blame.ADDRESS, False, False)]
)
def test_alone_it_opens_for_what_no_call_can_bring_about(blame: Blame, is_closed: bool, is_doubted: bool) -> None:
    bench = Bench()
    bench.fail(3, blame)
    assert (bench.circuit.is_closed, bench.circuit.is_doubted) == (is_closed, is_doubted)


def test_what_is_doubted_is_decided_by_a_probe_and_doubted_anew_only_after_as_many_failures() -> None:
    bench = Bench()
    bench.fail(3, Blame.CALL)
    bench.circuit.acquit()
    bench.fail(2, Blame.CALL)
    assert (bench.circuit.is_closed, bench.circuit.is_doubted) == (True, False)
    bench.fail(1, Blame.CALL)
    assert bench.circuit.is_doubted
    bench.circuit.condemn()
    assert (bench.circuit.is_closed, bench.circuit.is_doubted) == (False, False)


def test_what_is_known_to_be_gone_is_left_out_at_once() -> None:
    bench = Bench()
    bench.circuit.trip(0.5)
    assert (bench.circuit.is_closed, bench.circuit.rests_seconds, bench.circuit.is_failing, bench.turns) == (False, 0.5, True, 1)
