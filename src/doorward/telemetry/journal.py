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
    """Writes lines to a stream; text from outside is escaped as JSON, and cut.

    LAW: a stream that cannot be written (a full disk, a reader that has gone) fails nobody who speaks; how many lines it has cost is told
    by the first one that can be written again.
    """

    __slots__ = ("_least", "_lost", "_now", "_stream")

    def __init__(self, stream: TextIO, now: Callable[[], float], least: Level = Level.INFO) -> None:
        self._stream = stream
        self._now = now
        self._least = _RANK[least]
        self._lost = 0

    def say(self, event: str, level: Level = Level.INFO, **fields: object) -> None:
        """One line: when, how much it matters, what happened (`snake_case`), and its facts."""
        if _RANK[level] < self._least:
            return
        at = rfc3339_millis(self._now())
        shown = {name: _cut(value) for name, value in fields.items()}
        try:
            if self._lost:
                self._write({"ts": at, "level": Level.WARNING, "event": "journal_lines_lost", "lines": self._lost})
                self._lost = 0
            self._write({"ts": at, "level": level, "event": event, **shown})
        except OSError:
            self._lost += 1

    def _write(self, line: dict[str, object]) -> None:
        self._stream.write(msgspec.json.encode(line).decode() + "\n")
        self._stream.flush()


def _cut(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = str(value)
    return text if len(text) <= 1000 else text[:1000] + "…"
