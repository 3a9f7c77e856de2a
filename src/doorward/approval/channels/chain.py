"""The chain of channels: a question goes to the first one that takes it, beside the call that asked.

LAW: nothing here answers a question, and nothing here holds up a call: `tell` and `answered` only write down what is to be done. What fails
is told, falls to the next channel, and is tried again a few times while the question lives.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import anyio
import msgspec

from doorward.approval.channels.port import Channel, ChannelError
from doorward.approval.question import Question, State
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import Digest, GrantId
from doorward.domain.receipts import Event, Scalar

TOLD: Final = "approval_told"
UNTOLD: Final = "approval_untold"
_SHOWN: Final = 300
"""Characters of a channel's complaint that are kept."""
_BY: Final = "doorward"


class Bounds(msgspec.Struct, frozen=True):
    """How much is done, and how long it is tried."""

    waiting: int = 20_000
    """Far more than a desk keeps questions; beyond, nobody is told, which is told."""
    at_once: int = 8
    channel_seconds: float = 75.0
    """For a channel that does not bound itself."""
    again_after: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0)
    """Seconds from one round in which every channel failed to the next."""
    remembered: int = 10_000
    """Questions of which is known who was told."""


class Means(msgspec.Struct, frozen=True):
    """What a chain works with."""

    look: Callable[[GrantId], Question | None]
    """A question as it stands."""
    link: Callable[[GrantId], str | None]
    """The page of a question; None where there is none."""
    note: Callable[[Event], Awaitable[object]]
    """Tells the log; may raise a `DoorwardError`."""
    journal: Callable[[str, str, str], None]
    """Tells whoever runs the process: channel (or empty), approval, why."""
    now: Callable[[], float]
    """Unix seconds."""


@dataclass(frozen=True, slots=True, order=True)
class _Job:
    due: float
    number: int
    carry_out: Callable[[], Awaitable[None]] = field(compare=False)


class _Told(msgspec.Struct, frozen=True):
    channel: str
    digest: Digest


class Channels:
    """Tells people of questions while `run` runs; cancelling it ends everything that is under way."""

    __slots__ = ("_bounds", "_channels", "_jobs", "_means", "_numbers", "_room", "_told", "_woken")

    def __init__(self, means: Means, channels: Sequence[Channel] = (), bounds: Bounds | None = None) -> None:
        self._means = means
        self._channels = tuple(channels)
        self._bounds = bounds or Bounds()
        self._jobs: list[_Job] = []
        self._numbers = count()
        self._told: dict[GrantId, _Told] = {}
        self._woken = asyncio.Event()
        self._room = asyncio.Semaphore(self._bounds.at_once)

    def adopt(self, channels: Sequence[Channel]) -> None:
        """Goes on with other channels, in their order; what is under way ends with those before."""
        self._channels = tuple(channels)

    def tell(self, question: Question) -> None:
        """Has people told of a question, soon (`Desk.on_asked`, and for each that still waits after a restart). Raises nothing."""
        if self._channels:
            self._later(question.id, 0.0, lambda: self._round(question.id, 0))

    def answered(self, question: Question) -> None:
        """Hears of each answer (`Desk.on_answered`): whoever was told hears that it is over, or what is asked since an edit. Raises nothing."""
        told = self._told.get(question.id)
        if question.state is State.PENDING:
            if told is not None and told.digest != question.shown_digest:
                self.tell(question)
            return
        self._told.pop(question.id, None)
        channel = next((channel for channel in self._channels if told is not None and channel.name == told.channel), None)
        if channel is not None:
            self._later(question.id, 0.0, lambda: self._notify(channel, question))

    async def run(self) -> None:
        """Does what is due, so many at once; endless."""
        async with anyio.create_task_group() as group:
            while True:
                job = await self._next()
                await self._room.acquire()
                group.start_soon(self._carried_out, job)

    def _later(self, reference: GrantId, seconds: float, carry_out: Callable[[], Awaitable[None]]) -> None:
        if len(self._jobs) >= self._bounds.waiting:
            self._means.journal("", reference, f"{self._bounds.waiting} messages wait to be sent, which is the most")
            return
        heapq.heappush(self._jobs, _Job(_clock() + seconds, next(self._numbers), carry_out))
        self._woken.set()

    async def _next(self) -> _Job:
        while True:
            due = self._jobs[0].due if self._jobs else None
            if due is not None and due <= _clock():
                return heapq.heappop(self._jobs)
            self._woken.clear()
            with anyio.move_on_after(None if due is None else due - _clock()):
                await self._woken.wait()

    async def _carried_out(self, job: _Job) -> None:
        try:
            await job.carry_out()
        finally:
            self._room.release()

    async def _round(self, reference: GrantId, number: int) -> None:
        """Tries each channel once, and writes down when to try again where all of them failed."""
        question = self._means.look(reference)
        if question is None or not self._is_due(question):
            return
        link, failed = self._means.link(reference) or "", list[str]()
        for channel in self._channels:
            why = await self._tried(channel.tell(question, link))
            if why is None:
                self._remember(question, channel.name)
                await self._note(TOLD, reference, {"channel": channel.name, "failed": "; ".join(failed)})
                return
            failed.append(f"{channel.name}: {why}")
            self._means.journal(channel.name, reference, why)
        await self._all_failed(reference, number, failed)

    def _is_due(self, question: Question) -> bool:
        """Whether it still waits for somebody, and nobody has been told of the call as it is asked now."""
        told = self._told.get(question.id)
        is_open = question.state is State.PENDING and not question.is_over(self._means.now())
        return is_open and (told is None or told.digest != question.shown_digest)

    async def _all_failed(self, reference: GrantId, number: int, failed: list[str]) -> None:
        if number == 0:
            await self._note(UNTOLD, reference, {"failed": "; ".join(failed)})
        if number < len(self._bounds.again_after):
            self._later(reference, self._bounds.again_after[number], lambda: self._round(reference, number + 1))
        else:
            self._means.journal("", reference, f"no channel took it in {number + 1} rounds; it is not tried again")

    async def _notify(self, channel: Channel, question: Question) -> None:
        why = await self._tried(channel.settled(question))
        if why is not None:
            self._means.journal(channel.name, question.id, why)

    async def _tried(self, attempt: Awaitable[None]) -> str | None:
        """Why something failed; None where it did not."""
        try:
            async with asyncio.timeout(self._bounds.channel_seconds):
                await attempt
        except ChannelError as error:
            return str(error)[:_SHOWN]
        except TimeoutError:
            return f"no end within {self._bounds.channel_seconds:g} s"
        except Exception as error:  # noqa: BLE001 -- the root of a task: a channel of somebody else's that fails in its own way fails, and the next is tried
            return f"it failed with {type(error).__name__}"
        return None

    async def _note(self, event: str, reference: GrantId, fields: dict[str, Scalar]) -> None:
        try:
            await self._means.note(Event(event, _BY, {"approval": reference, **fields}))
        except DoorwardError as error:
            self._means.journal("", reference, f"the log could not be told: {error}"[:_SHOWN])

    def _remember(self, question: Question, channel: str) -> None:
        while len(self._told) >= self._bounds.remembered:
            del self._told[next(iter(self._told))]
        self._told[question.id] = _Told(channel, question.shown_digest)


def _clock() -> float:
    return asyncio.get_running_loop().time()
