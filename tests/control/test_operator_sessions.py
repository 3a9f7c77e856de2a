"""Sessions of operators: known by a text of which nothing is kept, held by one kind of door, and bounded."""

from doorward.control.operator_sessions import MOST, MOST_OF_ONE, Door, OperatorSessions
from doorward.domain.actors import Subject
from doorward.domain.ids import SubjectId
from doorward.identity.people import Person
from tests.control.plane import Draws
from tests.made import Clock

CORP = ("corp", "https://corp.example.com")


def person(name: str) -> Person:
    return Person(Subject(SubjectId(f"corp:{name}"), frozenset()), name, {})


def test_a_session_is_found_by_its_text_at_its_door_within_its_time() -> None:
    clock = Clock()
    sessions = OperatorSessions(Draws(), clock)
    text, session = sessions.open(person("ann"), CORP, Door.BROWSER)
    assert sessions.find(text, Door.BROWSER, 60) is session
    assert sessions.find(text, Door.COMMAND, 60) is None
    assert sessions.find(text + "x", Door.BROWSER, 60) is None
    assert sessions.find(session.id, Door.BROWSER, 60) is None
    clock.at += 60
    assert sessions.find(text, Door.BROWSER, 60) is None
    assert sessions.find(text, Door.BROWSER, 61) is session
    assert sessions.all(60) == ()


def test_nothing_that_is_kept_opens_anything() -> None:
    sessions = OperatorSessions(Draws(), Clock())
    text, session = sessions.open(person("ann"), CORP, Door.COMMAND)
    kept = repr((session, sessions._sessions))
    assert text not in kept
    assert text.removeprefix("dwo_") not in kept


def test_one_person_has_so_many_and_everybody_together_so_many() -> None:
    sessions = OperatorSessions(Draws(), Clock())
    first, _ = sessions.open(person("ann"), CORP, Door.BROWSER)
    others = [sessions.open(person("ann"), CORP, Door.BROWSER)[0] for _ in range(MOST_OF_ONE)]
    assert sessions.find(first, Door.BROWSER, 60) is None
    assert all(sessions.find(text, Door.BROWSER, 60) for text in others)
    for number in range(MOST):
        sessions.open(person(f"p{number}"), CORP, Door.BROWSER)
    assert len(sessions.all(60)) == MOST


def test_an_ended_session_is_gone() -> None:
    sessions = OperatorSessions(Draws(), Clock())
    text, session = sessions.open(person("ann"), CORP, Door.BROWSER)
    assert sessions.end(session.id) is session
    assert sessions.end(session.id) is None
    assert sessions.find(text, Door.BROWSER, 60) is None
