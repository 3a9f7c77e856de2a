"""Messages that come twice: told the same, worked on once, and never forgotten while they could come again."""

import pytest

from doorward.control.remembered import Answer, Remembered
from doorward.control.routes import ControlError
from tests.made import Clock

KEY = ("chat", "m1")
DONE = Answer(200, "{}")


def reason(remembered: Remembered, key: tuple[str, str] = KEY, message: bytes = b"a") -> str:
    with pytest.raises(ControlError) as raised:
        remembered.begin(key, message)
    return raised.value.reason


def test_a_message_is_new_once_then_being_worked_on_then_told_the_same() -> None:
    remembered = Remembered(60, 10, Clock())
    assert remembered.begin(KEY, b"a") is None
    assert reason(remembered) == "in_progress"
    remembered.done(KEY, DONE)
    assert remembered.begin(KEY, b"a") == DONE
    assert reason(remembered, message=b"b") == "used_id"
    assert remembered.begin(("mail", "m1"), b"b") is None


def test_one_of_which_nothing_came_may_come_again() -> None:
    remembered = Remembered(60, 10, Clock())
    remembered.begin(KEY, b"a")
    remembered.forget(KEY)
    assert remembered.begin(KEY, b"b") is None


def test_where_there_is_no_room_others_are_refused_until_what_is_held_has_ended() -> None:
    clock = Clock()
    remembered = Remembered(60, 2, clock)
    for number in range(2):
        remembered.begin(("chat", f"m{number}"), b"a")
        remembered.done(("chat", f"m{number}"), DONE)
    assert reason(remembered, ("chat", "m2")) == "busy"
    assert remembered.begin(("chat", "m0"), b"a") == DONE
    clock.at += 61
    assert remembered.begin(("chat", "m2"), b"a") is None
    assert remembered.begin(("chat", "m0"), b"a") is None
