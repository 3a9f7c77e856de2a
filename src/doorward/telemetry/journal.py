"""The journal: one JSON object a line, for whoever runs the process; receipts are elsewhere."""

from collections.abc import Callable
from enum import StrEnum
from typing import TextIO

import msgspec

from doorward.domain.moments import rfc3339_millis


class Level(StrEnum):
    """How much a line matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_RANK = {level: rank for rank, level in enumerate(Level)}


class Journal:
    """Writes lines to a stream; text from outside is escaped as JSON, and cut."""

    __slots__ = ("_least", "_now", "_stream")

    def __init__(self, stream: TextIO, now: Callable[[], float], least: Level = Level.INFO) -> None:
        self._stream = stream
        self._now = now
        self._least = _RANK[least]

    def say(self, event: str, level: Level = Level.INFO, **fields: object) -> None:
        """One line: when, how much it matters, what happened (`snake_case`), and its facts."""
        if _RANK[level] < self._least:
            return
        at = rfc3339_millis(self._now())
        shown = {name: _cut(value) for name, value in fields.items()}
        line = msgspec.json.encode({"ts": at, "level": level, "event": event, **shown}).decode()
        self._stream.write(line + "\n")
        self._stream.flush()


def _cut(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = str(value)
    return text if len(text) <= 1000 else text[:1000] + "…"
