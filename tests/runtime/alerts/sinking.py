"""Letters, a journal that is kept, and sinks that do what a test says."""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from doorward.domain.alerts import Alert, AlertKind
from doorward.runtime.alerts.alarms import Alarms, Means, Rules
from doorward.runtime.alerts.fold import Pace
from doorward.runtime.alerts.letter import Letter, letter
from doorward.runtime.alerts.sink import SinkError
from doorward.telemetry.journal import Journal
from doorward.testing.clocks import Ids

NOW = 1_795_003_200.0
SECRET = "hunter2-hunter2"
RULES = Rules(Pace(60, 100), frozenset(AlertKind))


def mask(text: str) -> str:
    return text.replace(SECRET, "***")


def alert(key: str = "claude", kind: AlertKind = AlertKind.STOP, **fields: str | int) -> Alert:
    return Alert(kind, f"{key} was stopped", fields, "leaf/7", key)


def made(one: Alert | None = None, count: int = 1, number: str = "n-1", at: float = NOW) -> Letter:
    return letter(one or alert(), count, (number, at), mask)


def loop_time() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class FakeSink:
    """Takes letters while it is well; `hangs` for ever where that is said."""

    name: str = "chat"
    failure: str = ""
    hangs: bool = False
    took: list[Letter] = field(default_factory=list)
    attempts: list[float] = field(default_factory=list)

    async def deliver(self, one: Letter) -> str:
        self.attempts.append(loop_time())
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise SinkError(self.failure)
        self.took.append(one)
        return "204"


@dataclass(slots=True)
class Told:
    """A journal's lines."""

    stream: io.StringIO = field(default_factory=io.StringIO)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Of one event."""
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line["event"] == event]


def alarms(told: Told, *sinks: FakeSink, rules: Rules = RULES, now: Callable[[], float] = loop_time) -> Alarms:
    return Alarms(Means(Journal(told.stream, lambda: NOW), mask, Ids("n"), now, now), rules, sinks)
