"""Honest work, of people and of programs: none of it is refused, and none of it raises an alarm."""

from collections.abc import Iterable, Iterator
from itertools import chain

import pytest

from tests.admission.runaway.trail import Made, Trail, failed, listed, read, step


def polled(jobs: int, every: float, seconds: float) -> Iterator[Made]:
    """Jobs that run on unchanged, each looked at every so many seconds."""
    for _ in range(int(seconds / every)):
        for job in range(jobs):
            yield step("get_job", "running", job=job)


def edits(rounds: int) -> Iterator[Made]:
    for number in range(rounds):
        yield step("edit_file", "edited", path="a.py", old=f"v{number}", new=f"v{number + 1}")
        yield step("run_tests", "1 failed", suite="all")


def retries() -> Iterator[Made]:
    for number in range(100):
        for _ in range(3):
            yield step("get_page", failed("503"), url=f"https://example.com/{number}")
        yield step("get_page", f"page {number}", url=f"https://example.com/{number}")


def fixes(rounds: int) -> Iterator[Made]:
    """Tests that fail in the same way, though something is changed before each."""
    for number in range(rounds):
        yield step("edit_file", "edited", path="a.py", old=f"v{number}", new=f"v{number + 1}")
        yield step("run_tests", failed("1 failed"), suite="all")


def talk() -> Iterator[Made]:
    """Many people's tasks over one key: each begins alike, and goes its own way."""
    for person in range(300):
        yield read("get_menu", "soup", day="monday")
        yield from (read("find_order", f"order {person}/{number}", order=person * 10 + number) for number in range(3))


HONEST = {
    "300 pages": ((read("list_items", f"page {page}", page=page) for page in range(300)), 0.1),
    "300 pages of one cursor after another": ((read("list_items", f"{page}", cursor=f"c{page}") for page in range(300)), 0.2),
    "a job that runs for 10 minutes, asked for every 5 s": (polled(1, 5, 600), 5.0),
    "a job that tells how far it is, every 2 s": ((step("get_job", f"{n} of 300", job=1) for n in range(300)), 2.0),
    "four jobs, each asked for every 5 s": (polled(4, 5, 600), 1.25),
    "200 files as fast as they come": ((read("read_file", f"text {number}", path=f"{number}.py") for number in range(200)), 0.06),
    "50 searches at once": ((read("search", "[]", query=f"q{number}") for number in range(50)), 0.0),
    "three tries of each of 100 pages": (retries(), 0.5),
    "one file edited 40 times, with a test run in between": (edits(40), 1.0),
    "one file edited 400 times, with a test run in between": (edits(400), 3.0),
    "tests that fail the same way after each of 100 edits": (fixes(100), 2.5),
    "something that is not there for a minute, looked for every 2 s": (
        (step("get_pod", failed("not found"), pod="a") for _ in range(30)),
        2.0,
    ),
    "a server that fails for an hour, tried again every 20 s": ((read("report", failed("503")) for _ in range(180)), 20.0),
    "500 letters that are all sent": ((step("send", "sent", to=f"{number}@example.com") for number in range(500)), 0.5),
    "20 calls at once, the same": ((read("get_menu", "soup") for _ in range(20)), 0.0),
    "the tasks of 300 people over one key": (talk(), 0.3),
    "an inbox that is empty all day, looked at every 10 s": ((read("inbox", "[]") for _ in range(8_640)), 10.0),
    "guesses that sometimes hit": (
        chain.from_iterable(
            (*(step("get", failed("no"), id=f"{n}.{k}") for k in range(20)), step("get", "yes", id=f"{n}")) for n in range(50)
        ),
        0.5,
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_is_neither_refused_nor_told_of(name: str) -> None:
    steps, pause = HONEST[name]
    trail = Trail().go(steps, pause)
    assert (trail.refused, trail.alerts) == ([], [])


def lists(count: int, every: float, calls: Iterable[Made] = ()) -> Trail:
    trail, called = Trail(), iter(calls)
    for _ in range(count):
        trail.watch.show(listed(), 1)
        for made in [made for made in [next(called, None)] if made is not None]:
            trail.make(*made)
        trail.clock.at += every
    return trail


def test_a_probe_that_lists_every_5_seconds_goes_on_for_ever() -> None:
    assert lists(2_000, 5.0).alerts == []


def test_a_client_that_lists_before_each_call_goes_on_for_ever() -> None:
    assert lists(1_000, 0.5, (read("read_file", str(number), path=str(number)) for number in range(1_000))).alerts == []
