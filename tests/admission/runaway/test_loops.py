"""Recorded loops, written after those that were made public: each is caught, within so many calls."""

from collections.abc import Iterable
from itertools import cycle, islice

import pytest

from tests.admission.runaway.trail import Made, Trail, again, failed, listed, read, step


def turns(*steps: Made, calls: int = 8_910) -> Iterable[Made]:
    """The same calls in turn."""
    return islice(cycle(steps), calls)


def guesses(calls: int = 2_000) -> Iterable[Made]:
    return (step("get_user", failed(f"no such user: {number}"), user_id=number) for number in range(calls))


EMPTY = read("search", "[]", query="runbook")
READ, WRITE = read("read_file", "def main(): ...", path="a.py"), step("edit_file", failed("the text was not found"), path="a.py", old="x")
TEST, BUILD = step("run_tests", "1 failed", suite="all"), step("build", "ok")

LOOPS = {
    "one call of 8,910 in a task, a turn of a small model each": (turns(EMPTY), 1.3, 225),
    "one call of 8,910, as fast as the wire goes": (turns(EMPTY), 0.01, 152),
    "one call of 8,910, three seconds each": (turns(EMPTY), 3.0, 520),
    "one call that fails, at once again": (turns(step("pay", failed("busy"), amount=3)), 0.05, 32),
    "one call that fails, a turn of a model each": (turns(step("pay", failed("busy"), amount=3)), 5.0, 42),
    "one call that fails, a slow turn each": (turns(step("pay", failed("busy"), amount=3)), 10.0, 61),
    "six calls in turn": (turns(*(read("read_file", f"{n}", path=str(n)) for n in range(6))), 0.5, 906),
    "two calls in turn, of which one fails": (turns(READ, WRITE), 1.3, 52),
    "two calls in turn, at once": (turns(READ, TEST), 0.02, 125),
    "two calls in turn": (turns(READ, TEST), 1.3, 255),
    "three calls in turn": (turns(READ, WRITE, TEST), 1.0, 111),
    "four calls in turn": (turns(READ, WRITE, TEST, BUILD), 0.5, 160),
    "one call with one that always differs in between": (
        (made for number in range(400) for made in (EMPTY, read("think", f"thought {number}", thought=number))),
        1.0,
        600,
    ),
    "two calls in turn that answer with the time": (
        (step(("a", "b")[number % 2], f"done at {number}") for number in range(8_910)),
        1.0,
        900,
    ),
    "one call that answers with the time": ((step("status", f"{number} s up") for number in range(8_910)), 2.0, 460),
    "one tool with guessed arguments": (guesses(), 1.0, 125),
    "a search that finds nothing in other words": ((read("search", "[]", query=f"try {number}") for number in range(2_000)), 1.3, 135),
    "a storm of different calls": ((step(f"tool{number % 7}", f"{number}", n=number) for number in range(3_000)), 0.01, 601),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_caught_within_so_many_calls(name: str) -> None:
    steps, pause, most = LOOPS[name]
    caught = Trail().until_caught(steps, pause)
    assert caught is not None
    assert caught <= most


def test_of_8910_repeated_calls_few_are_made() -> None:
    trail = Trail().go(turns(EMPTY), 1.3)
    assert (trail.made, len(trail.refused)) == (237, 8_673)


def test_of_8910_calls_in_turn_few_are_made() -> None:
    trail = Trail().go(turns(READ, TEST), 1.3)
    assert (trail.made, len(trail.refused)) == (281, 8_629)


def test_of_8910_calls_in_turn_of_which_one_fails_fewer_are_made() -> None:
    trail = Trail().go(turns(READ, WRITE), 1.3)
    assert (trail.made, len(trail.refused)) == (81, 8_829)


def test_of_277_lists_the_sixtieth_raises_an_alarm() -> None:
    trail = Trail()
    shown = 0
    for _ in range(277):
        trail.watch.show(listed(), 1)
        shown += 1
        if trail.alerts:
            break
        trail.clock.at += 0.2
    assert shown == 63


def test_an_id_that_a_client_puts_into_each_call_makes_no_other_call_of_it() -> None:
    trail = Trail()
    called, answer = EMPTY
    for number in range(400):
        trail.make(again(called, {"_meta": {"example.com/turn": number}}), {**answer, "_meta": {"example.com/took": number}})
        trail.clock.at += 1.0
    assert trail.refused
    assert trail.made < 300
