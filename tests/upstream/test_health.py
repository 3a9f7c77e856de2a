"""Health follows what an upstream's own exchanges tell."""

from doorward.upstream.circuit import Blame, Circuit, Terms
from doorward.upstream.health import Condition, Health, Vitals

CIRCUIT = Terms(failures=2)


def test_failures_are_counted_until_the_next_answer() -> None:
    times = iter([1.0, 2.0, 3.0])
    vitals = Vitals(lambda: next(times), Circuit(CIRCUIT, lambda: 0.0, lambda: 0.0))
    assert vitals.health == Health(Condition.UNKNOWN, 1.0, "", 0)
    vitals.failed("first", Blame.CALL)
    vitals.failed("second", Blame.CALL)
    assert vitals.health == Health(Condition.DOWN, 2.0, "second", 2)
    vitals.well()
    vitals.well()
    assert vitals.health == Health(Condition.UP, 3.0, "second", 0)


def test_failure_text_is_cut() -> None:
    vitals = Vitals(lambda: 0.0, Circuit(CIRCUIT, lambda: 0.0, lambda: 0.0))
    vitals.failed("x" * 1000, Blame.CALL)
    assert vitals.health.error == "x" * 500
