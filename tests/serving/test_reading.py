"""Messages that take long to read: their agent has a share of the time, and waits once it has used it."""

import pytest

from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.serving.reading import AT_ONCE_SECONDS, LARGE_BYTES, LIMIT, SHARE, Reading
from doorward.wire.jsonrpc import Limits, Notification

MALLORY, EVE = AgentId("mallory"), AgentId("eve")
LARGE = b'{"jsonrpc":"2.0","method":"x","params":{"a":"' + b"x" * LARGE_BYTES + b'"}}'
SMALL = b'{"jsonrpc":"2.0","method":"x"}'


class Slow:
    """A clock by which reading a message takes so long: it is looked at before and after."""

    def __init__(self, seconds: float) -> None:
        self.at = 1_000.0
        self.seconds = seconds
        self._is_reading = False

    def __call__(self) -> float:
        if self._is_reading:
            self.at += self.seconds
        self._is_reading = not self._is_reading
        return self.at

    def rest(self, seconds: float) -> None:
        """Lets time pass; also after a refusal, which looks once."""
        self.at += seconds
        self._is_reading = False


def test_who_has_used_its_share_waits_and_others_are_read() -> None:
    clock = Slow(0.2)
    reading = Reading(Limits(), clock)
    # What is left after a rest is used, and then once more: how long a message takes is known only afterwards.
    assert [isinstance(reading.read(MALLORY, LARGE), Notification) for _ in range(3)] == [True] * 3
    with pytest.raises(Refused) as refused:
        reading.read(MALLORY, LARGE)
    assert (refused.value.reason, refused.value.extra["limit"]) == (Reason.OVER_RATE, LIMIT)
    wait = refused.value.extra["retryAfterSeconds"]
    assert isinstance(wait, int)
    clock.rest(0)
    assert isinstance(reading.read(EVE, LARGE), Notification)
    assert isinstance(reading.read(MALLORY, SMALL), Notification)
    clock.rest(wait)
    assert isinstance(reading.read(MALLORY, LARGE), Notification)


def test_what_is_refused_while_it_is_read_has_taken_its_time_too() -> None:
    clock = Slow(AT_ONCE_SECONDS + 0.1)
    reading = Reading(Limits(), clock)
    with pytest.raises(Refused, match="malformed"):
        reading.read(MALLORY, LARGE[:-1])
    with pytest.raises(Refused, match="over_rate"):
        reading.read(MALLORY, LARGE)


def test_what_is_read_quickly_may_come_for_ever() -> None:
    clock = Slow(0.002)
    reading = Reading(Limits(), clock)
    for _ in range(1_000):
        reading.read(MALLORY, LARGE)
        clock.rest(0.002 / SHARE)


def test_who_owes_nothing_is_forgotten() -> None:
    clock = Slow(0.001)
    reading = Reading(Limits(), clock)
    for number in range(3_000):
        reading.read(AgentId(f"agent{number}"), LARGE)
    assert len(reading) <= 1_024
