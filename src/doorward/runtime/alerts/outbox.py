"""The letters of one sink, in their order: tried again and again for a while, and counted where they are given up.

INVARIANT: `put` never waits, and never fails; a sink that is slow or gone holds its own letters alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from doorward.domain.alerts import Alert, AlertKind
from doorward.runtime.alerts.letter import Letter
from doorward.runtime.alerts.sink import Sink, SinkError

WAITING: Final = 200
"""Letters that one sink keeps; those that come later are counted, for the first ones tell of the cause."""
KEPT_SECONDS: Final = 3600.0
"""How old a letter may get before it is given up, tried once at least."""
FIRST_REST_SECONDS: Final = 1.0
LAST_REST_SECONDS: Final = 60.0
DELIVER_SECONDS: Final = 75.0
"""For a sink that does not bound itself."""
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Means:
    """What every outbox works with."""

    letter: Callable[[Alert, int], Letter]
    told: Callable[[str, str], None]
    """Tells whoever runs the process of a sink: its name, and what is wrong (empty: it works again)."""
    now: Callable[[], float]
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one sink does."""

    name: str
    failure: str
    """Why the last attempt failed; empty where it did not."""
    waiting: int
    dropped: int
    """Letters that were given up since the start."""
    delivered: int
    last: float | None
    """Unix seconds at which it took the last one."""


class Outbox:
    """One sink with what it is to be sent."""

    __slots__ = (
        "_again",
        "_delivered",
        "_dropped",
        "_failure",
        "_last",
        "_letters",
        "_means",
        "_scope",
        "_settled",
        "_sink",
        "_undelivered",
        "_woken",
    )

    def __init__(self, sink: Sink, means: Means) -> None:
        self._sink = sink
        self._means = means
        self._letters: deque[Letter] = deque()
        self._woken, self._again, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._settled.set()
        self._scope = anyio.CancelScope()
        self._failure = ""
        self._dropped = self._undelivered = self._delivered = 0
        self._last: float | None = None

    @property
    def waiting(self) -> int:
        """How many letters are not delivered yet."""
        return len(self._letters)

    async def settled(self) -> None:
        """Returns once everything is delivered, or the sink fails."""
        await self._settled.wait()

    def standing(self) -> Standing:
        """How it does now."""
        return Standing(self._sink.name, self._failure, len(self._letters), self._dropped, self._delivered, self._last)

    def put(self, letter: Letter) -> None:
        """Has a letter sent, soon."""
        if len(self._letters) >= WAITING:
            self._give_up()
            return
        self._letters.append(letter)
        self._woken.set()
        if not self._failure:
            self._settled.clear()

    def adopt(self, sink: Sink) -> None:
        """Goes on with a sink of the same name, which may have been mended: what waits is tried at once."""
        self._sink = sink
        self._again.set()

    def close(self) -> None:
        """Sends nothing more."""
        self._scope.cancel()

    async def run(self) -> None:
        """Sends what there is; endless until `close`."""
        with self._scope:
            while True:
                while self._letters:
                    await self._carried(self._letters[0])
                    self._letters.popleft()
                    self._tell_dropped()
                self._settled.set()
                self._woken.clear()
                await self._woken.wait()

    async def tried(self, letter: Letter) -> tuple[str, bool]:
        """What the sink answers to one attempt, and whether it took the letter."""
        try:
            async with asyncio.timeout(DELIVER_SECONDS):
                return await self._sink.deliver(letter), True
        except SinkError as error:
            return str(error)[:_SHOWN], False
        except TimeoutError:
            return f"no end within {DELIVER_SECONDS:g} s", False
        except Exception as error:  # noqa: BLE001 -- the root of a task: a sink that fails in its own way fails, and holds no other
            return f"it failed with {type(error).__name__}", False

    async def _carried(self, letter: Letter) -> None:
        """Returns once the letter is delivered, or given up."""
        rest = FIRST_REST_SECONDS
        while True:
            answer, was_taken = await self.tried(letter)
            if was_taken:
                self._took()
                return
            self._failure = answer
            self._settled.set()
            self._means.told(self._sink.name, answer)
            if self._means.now() - letter.at >= KEPT_SECONDS:
                self._give_up()
                return
            with anyio.move_on_after(rest):
                await self._again.wait()
            self._again.clear()
            rest = min(rest * 2, LAST_REST_SECONDS)

    def _took(self) -> None:
        if self._failure:
            self._means.told(self._sink.name, "")
        self._failure = ""
        self._delivered += 1
        self._last = self._means.now()

    def _give_up(self) -> None:
        self._dropped += 1
        self._undelivered += 1

    def _tell_dropped(self) -> None:
        """Once a sink is back it hears how many it has missed, before anything newer."""
        if self._failure or not self._undelivered:
            return
        missed, self._undelivered = self._undelivered, 0
        sentence = f"{missed} alerts could not be sent to {self._sink.name} while it failed; the journal has them"
        self._letters.appendleft(self._means.letter(Alert(AlertKind.LOG, sentence, {"missed": missed}, key=self._sink.name), 1))
