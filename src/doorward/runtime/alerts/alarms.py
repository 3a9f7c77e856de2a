"""Where every alert comes in: written to the journal, folded, and put before each sink.

LAW: an alert never waits for anything and never fails whoever raises it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import anyio
import msgspec

from doorward.domain.alerts import Alert, AlertKind
from doorward.runtime.alerts.fold import Fold, Folded, Pace, of_count
from doorward.runtime.alerts.letter import Letter, letter, trial
from doorward.runtime.alerts.outbox import Means as SinkMeans
from doorward.runtime.alerts.outbox import Outbox, Standing
from doorward.runtime.alerts.sink import Sink
from doorward.telemetry.journal import Journal, Level

GRACE_SECONDS: Final = 2.0
"""How long the last letters may take once the gateway was told to end."""


class Means(msgspec.Struct, frozen=True):
    """What alarms work with."""

    journal: Journal
    mask: Callable[[str], str]
    """Takes our secrets out of a text."""
    new_id: Callable[[], str]
    now: Callable[[], float]
    """Unix seconds."""
    steady: Callable[[], float]
    """Seconds of a clock that never steps."""


class Rules(msgspec.Struct, frozen=True):
    """What goes out, and how often."""

    pace: Pace
    kinds: frozenset[AlertKind]


class Tried(msgspec.Struct, frozen=True):
    """What a sink answered to a test."""

    sink: str
    answer: str
    was_taken: bool


class Alarms:
    """Takes alerts (it is an `Alarm`), and sends them while `run` runs. For one event loop."""

    __slots__ = ("_boxes", "_changed", "_fold", "_means", "_rules")

    def __init__(self, means: Means, rules: Rules, sinks: Sequence[Sink] = ()) -> None:
        self._means = means
        self._rules = rules
        self._fold = Fold(rules.pace)
        self._changed = asyncio.Event()
        self._boxes: dict[str, Outbox] = {}
        self.adopt(rules, sinks)

    def __call__(self, alert: Alert) -> None:
        """Tells of an alert; raises nothing."""
        told = tuple(self._fold.take(alert, self._means.steady()))
        if told:
            self._send(told)
            self._changed.set()

    def adopt(self, rules: Rules, sinks: Sequence[Sink]) -> None:
        """Goes on with other rules and sinks; one that keeps its name keeps what waits for it."""
        self._rules = rules
        self._fold.adopt(rules.pace)
        wanted = {sink.name: sink for sink in sinks}
        for name in [name for name in self._boxes if name not in wanted]:
            self._end(self._boxes.pop(name), "it is declared no more")
        for name, sink in wanted.items():
            held = self._boxes.get(name)
            if held is None:
                self._boxes[name] = Outbox(sink, SinkMeans(self._letter, self._told, self._means.now, self._means.steady))
            else:
                held.adopt(sink)
        self._changed.set()

    async def run(self) -> None:
        """Sends what there is, and tells of what was folded once its interval is over; endless."""
        running: set[Outbox] = set()
        async with anyio.create_task_group() as group:
            while True:
                boxes = set(self._boxes.values())
                for box in boxes - running:
                    group.start_soon(box.run)
                running = boxes
                self._send(self._fold.due(self._means.steady()))
                await self._change()

    async def close(self) -> None:
        """Sends what was folded, gives sinks that answer a little time for it, and tells how much was not sent. While `run` still runs."""
        self._send(self._fold.rest(self._means.steady()))
        with anyio.move_on_after(GRACE_SECONDS):
            await asyncio.gather(*[box.settled() for box in self._boxes.values()])
        for box in self._boxes.values():
            self._end(box, "the gateway ends")
        self._boxes.clear()

    def standing(self) -> tuple[Standing, ...]:
        """How each sink does, in the order of the configuration."""
        return tuple(box.standing() for box in self._boxes.values())

    async def test(self) -> tuple[Tried, ...]:
        """Sends a test to every sink at once, beside what waits, and gives what each answered."""
        one = trial(self._stamp())
        boxes = dict(self._boxes)
        answers = await asyncio.gather(*[box.tried(one) for box in boxes.values()])
        return tuple(Tried(name, answer, was_taken) for name, (answer, was_taken) in zip(boxes, answers, strict=True))

    def _send(self, told: Iterable[Folded]) -> None:
        for folded in told:
            made = self._letter(of_count(folded), folded.count)
            is_sent = folded.goes_out and folded.alert.kind in self._rules.kinds
            self._journal(made, is_sent)
            for box in self._boxes.values() if is_sent else ():
                box.put(made)

    def _journal(self, made: Letter, is_sent: bool) -> None:
        self._means.journal.say(
            "alert",
            Level.WARNING,
            kind=made.kind,
            sentence=made.sentence,
            about=made.key,
            count=made.count,
            reference=made.reference,
            sent=is_sent,
            facts=", ".join(f"{name}={value}" for name, value in made.fields.items()),
        )

    def _letter(self, alert: Alert, count: int) -> Letter:
        return letter(alert, count, self._stamp(), self._means.mask)

    def _stamp(self) -> tuple[str, float]:
        return self._means.new_id(), self._means.now()

    def _told(self, sink: str, why: str) -> None:
        if why:
            self._means.journal.say("alert_sink_failed", Level.WARNING, sink=sink, why=self._means.mask(why))
        else:
            self._means.journal.say("alert_sink_works", sink=sink)

    def _end(self, box: Outbox, why: str) -> None:
        box.close()
        if box.waiting:
            self._means.journal.say("alerts_not_sent", Level.WARNING, sink=box.standing().name, alerts=box.waiting, why=why)

    async def _change(self) -> None:
        """Waits until something came or changed, or an interval has ended."""
        self._changed.clear()
        due = self._fold.next_due()
        with anyio.move_on_after(None if due is None else max(0.0, due - self._means.steady())):
            await self._changed.wait()
