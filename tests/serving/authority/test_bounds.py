"""What browsers make us remember is bounded, and the oldest of it goes first."""

from itertools import count

import pytest

from doorward.identity.authority.port import Asked
from doorward.identity.sign_in import Begun
from doorward.serving.authority.browser import Browsers, BusyError, Departed, Jar, Sealing
from doorward.serving.authority.visits import VISIT_SECONDS, Visits
from doorward.wire.sealed import Seal
from tests.made import Clock
from tests.serving.authority.made import ASKED, PUBLIC, person


def visits(clock: Clock, most: int = 1000) -> Visits:
    numbers = count(1)
    return Visits(lambda size: next(numbers).to_bytes(size, "big"), clock, most)


def test_person_has_sixteen_visits_at_most() -> None:
    known = visits(Clock())
    tokens = [known.open(person("alice"), "") for _ in range(17)]
    other = known.open(person("bob"), "")
    assert [known.find(token) is None for token in tokens] == [True] + [False] * 16
    assert known.find(other) is not None


def test_visits_are_bounded_overall() -> None:
    known = visits(Clock(), most=3)
    tokens = [known.open(person(f"p{number}"), "") for number in range(5)]
    assert [known.find(token) is None for token in tokens] == [True, True, False, False, False]


def test_visit_that_is_over_makes_room_first() -> None:
    clock = Clock()
    known = visits(clock)
    old = known.open(person("alice"), "")
    clock.at += VISIT_SECONDS
    known.open(person("alice"), "")
    clock.at -= VISIT_SECONDS
    assert known.find(old) is None


def test_browser_is_asked_sixteen_questions_at_most() -> None:
    known = visits(Clock())
    visit = known.find(known.open(person("alice"), ""))
    assert visit is not None
    tokens = [known.ask(visit, ASKED) for _ in range(17)]
    assert [known.answered(visit, token, Asked) for token in tokens] == [None] + [ASKED] * 16


def test_all_visits_of_a_person_can_be_ended() -> None:
    known = visits(Clock())
    tokens = [known.open(person("alice"), ""), known.open(person("alice"), ""), known.open(person("bob"), "")]
    known.end_person(person("alice").subject.id)
    assert [known.find(token) is None for token in tokens] == [True, True, False]


def browsers(clock: Clock, key: bytes = bytes(32)) -> Browsers[Departed]:
    return Browsers(Jar(PUBLIC), Sealing(Seal((key,)), bytes, clock), Departed, most=2)


def carried(found: Browsers[Departed], state: str, clock: Clock) -> dict[str, str]:
    cookie, *_ = found.depart(Departed(Begun("r", state, "n", "v", clock(), names_itself=True), "q"), {})
    name, _, value = cookie.partition(";")[0].partition("=")
    return {name: value}


def test_sign_ins_that_came_back_are_bounded_and_beyond_it_nobody_comes_back() -> None:
    clock = Clock()
    found = browsers(clock)
    for state in ("a", "b"):
        assert found.came_back(carried(found, state, clock), state) is not None
    with pytest.raises(BusyError):
        found.came_back(carried(found, "s", clock), "s")
    clock.at += 600
    assert found.came_back(carried(found, "s", clock), "s") is not None


def test_what_came_back_stays_known_when_the_public_url_changes() -> None:
    clock = Clock()
    found = browsers(clock)
    cookies = carried(found, "s", clock)
    assert found.came_back(cookies, "s") is not None
    found.adopt(Jar("https://other.example"))
    assert found.came_back(cookies, "s") is None
    found.adopt(Jar(PUBLIC))
    assert found.came_back(cookies, "s") is None


def test_sign_in_sealed_with_another_key_is_nothing() -> None:
    clock = Clock()
    cookies = carried(browsers(clock, b"k" * 32), "s", clock)
    assert browsers(clock).came_back(cookies, "s") is None


@pytest.mark.parametrize(
    "url", ["https://mcp.example.com", "http://localhost:8420", "http://127.0.0.1", "http://127.0.0.2:8", "http://[::1]:1"]
)
def test_people_sign_in_over_tls_or_on_loopback(url: str) -> None:
    assert Jar(url).person.startswith("__Host-") is url.startswith("https")


@pytest.mark.parametrize("url", ["http://mcp.example.com", "http://127.0.0.1.evil.example", "ftp://localhost", ""])
def test_people_sign_in_nowhere_else(url: str) -> None:
    with pytest.raises(ValueError):
        Jar(url)
