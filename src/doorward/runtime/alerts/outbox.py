"""The letters of one sink, in their order: tried again and again for a while, and counted where they are given up.

INVARIANT: `put` never waits, and never fails; a sink that is slow or gone holds its own letters alone, and a letter that a sink turns
down holds none of the others: what stands in it may be somebody else's choice, and must not hide what comes after it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

import anyio
import msgspec

from doorward.domain.alerts import Alert, AlertKind
from doorward.runtime.alerts.letter import Letter
from doorward.runtime.alerts.sink import Sink, SinkError, TurnedDownError

WAITING: Final = 200
"""Letters that one sink keeps; those that come later are counted, for the first ones tell of the cause."""
KEPT_SECONDS: Final = 3600.0
"""How old a letter may get before it is given up, tried once at least."""
FIRST_REST_SECONDS: Final = 1.0
LAST_REST_SECONDS: Final = 60.0
DELIVER_SECONDS: Final = 75.0
"""For a sink that does not bound itself."""
_SHOWN: Final = 300


class Means(msgspec.Struct, frozen=True):
    """What every outbox works with."""

    letter: Callable[[Alert, int], Letter]
    told: Callable[[str, str], None]
    """Tells whoever runs the process of a sink: its name, and what is wrong (empty: it works again)."""
    now: Callable[[], float]
    """Unix seconds."""
    steady: Callable[[], float]
    """Seconds of a clock that never steps, by which letters get old."""


class _End(Enum):
    """What became of an attempt."""

    TAKEN = auto()
    TURNED_DOWN = auto()
    """The sink is there; it may take another one."""
    UNANSWERED = auto()


class _Held(msgspec.Struct):
    letter: Letter
    since: float
    was_tried: bool = False


class Standing(msgspec.Struct, frozen=True):
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
        "_is_choosy",
        "_last",
        "_letters",
        "_means",
        "_rest",
        "_scope",
        "_settled",
        "_sink",
        "_undelivered",
        "_woken",
    )

    def __init__(self, sink: Sink, means: Means) -> None:
        self._sink = sink
        self._means = means
        self._letters: deque[_Held] = deque()
        self._rest = FIRST_REST_SECONDS
        self._woken, self._again, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._settled.set()
        self._scope = anyio.CancelScope()
        self._failure = ""
        self._is_choosy = False
        """Whether the last letter was turned down by a sink that is there."""
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
        self._letters.append(_Held(letter, self._means.steady()))
        self._woken.set()
        if self._is_choosy:
            self._again.set()
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
                    await self._carry(self._next())
                self._settled.set()
                self._woken.clear()
                await self._woken.wait()

    async def tried(self, letter: Letter) -> tuple[str, bool]:
        """What the sink answers to one attempt, and whether it took the letter."""
        answer, end = await self._attempt(letter)
        return answer, end is _End.TAKEN

    async def _attempt(self, letter: Letter) -> tuple[str, _End]:
        try:
            async with asyncio.timeout(DELIVER_SECONDS):
                return await self._sink.deliver(letter), _End.TAKEN
        except TurnedDownError as error:
            return str(error)[:_SHOWN], _End.TURNED_DOWN
        except SinkError as error:
            return str(error)[:_SHOWN], _End.UNANSWERED
        except TimeoutError:
            return f"no end within {DELIVER_SECONDS:g} s", _End.UNANSWERED
        except Exception as error:  # noqa: BLE001 -- the root of a task: a sink that fails in its own way fails, and holds no other
            return f"it failed with {type(error).__name__}", _End.TURNED_DOWN

    def _next(self) -> _Held:
        """The first letter; of a sink that turned one down the first that it was not shown yet, which is put first."""
        if self._is_choosy:
            self._letters.rotate(-next((place for place, held in enumerate(self._letters) if not held.was_tried), 0))
        return self._letters[0]

    async def _carry(self, held: _Held) -> None:
        """One attempt with the first letter; where it is not taken, a rest before the next one."""
        held.was_tried = True
        answer, end = await self._attempt(held.letter)
        self._is_choosy = end is _End.TURNED_DOWN
        if end is _End.TAKEN:
            self._letters.popleft()
            self._took()
            self._tell_dropped()
            return
        self._failure = answer
        self._settled.set()
        self._means.told(self._sink.name, answer)
        if self._means.steady() - held.since >= KEPT_SECONDS:
            self._letters.popleft()
            self._give_up()
            return
        if self._is_choosy:
            self._letters.rotate(-1)
        with anyio.move_on_after(self._rest):
            await self._again.wait()
        self._again.clear()
        self._rest = min(self._rest * 2, LAST_REST_SECONDS)

    def _took(self) -> None:
        if self._failure:
            self._means.told(self._sink.name, "")
        self._failure = ""
        self._rest = FIRST_REST_SECONDS
        self._delivered += 1
        self._last = self._means.now()

    def _give_up(self) -> None:
        self._dropped += 1
        self._undelivered += 1

    def _tell_dropped(self) -> None:
        """Once a sink is back it hears how many it has missed, before anything newer."""
        if not self._undelivered:
            return
        missed, self._undelivered = self._undelivered, 0
        sentence = f"{missed} alerts could not be sent to {self._sink.name} while it failed; the journal has them"
        told = self._means.letter(Alert(AlertKind.LOG, sentence, {"missed": missed}, key=self._sink.name), 1)
        self._letters.appendleft(_Held(told, self._means.steady()))
