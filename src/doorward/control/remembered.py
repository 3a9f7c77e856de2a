"""Answers to messages that may come twice: the same message has its effect once, and is told the same again.

INVARIANT: nothing is forgotten that could come again. Where there is no more room, further messages are refused instead.
"""

from collections.abc import Callable
from hashlib import sha256

import msgspec

from doorward.control.routes import ControlError

Key = tuple[str, str]
"""Who sends, and the id that it has given the message."""


class Answer(msgspec.Struct, frozen=True):
    """What a message was told."""

    status: int
    body: str


class _Held(msgspec.Struct, frozen=True):
    until: float
    content: bytes
    """SHA-256 of the message."""
    answer: Answer | None
    """None while it is being worked on."""


class Remembered:
    """What was said to the messages of the last `seconds`, which must be longer than a message is taken."""

    __slots__ = ("_held", "_most", "_now", "_seconds")

    def __init__(self, seconds: float, most: int, now: Callable[[], float]) -> None:
        self._seconds, self._most, self._now = seconds, most, now
        self._held: dict[Key, _Held] = {}

    def begin(self, key: Key, message: bytes) -> Answer | None:
        """What was said to this message before; None where it is new, and is being worked on from now on.

        Raises `ControlError` for another message of the same id, for one that is being worked on, and where there is no more room.
        """
        now, content = self._now(), sha256(message).digest()
        if len(self._held) >= self._most:
            self._held = {one: held for one, held in self._held.items() if now < held.until}
        held = self._held.get(key)
        if held is not None and now < held.until:
            return _said(held, content)
        if held is None and len(self._held) >= self._most:
            raise ControlError(503, "busy", "too many messages have come in the last minutes; send it again later")
        self._held[key] = _Held(now + self._seconds, content, None)
        return None

    def done(self, key: Key, answer: Answer) -> None:
        """The answer to a message that was begun."""
        held = self._held[key]
        self._held[key] = _Held(self._now() + self._seconds, held.content, answer)

    def forget(self, key: Key) -> None:
        """Nothing has come of a message that was begun, so that it may come again."""
        self._held.pop(key, None)


def _said(held: _Held, content: bytes) -> Answer:
    if held.content != content:
        raise ControlError(409, "used_id", "this webhook-id was used for another message")
    if held.answer is None:
        raise ControlError(409, "in_progress", "this message is being worked on")
    return held.answer
