"""JSON-RPC over the lines of one process: requests of many callers at the same time, each with an id of ours, told apart when they end."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

import msgspec

from doorward.domain.calls import Answer, Era, Notice
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.net.connection import Timeouts
from doorward.net.deadline import Deadline
from doorward.upstream.faults import broken, cut, late, unreachable
from doorward.upstream.messages import Tongue, answer, exchange_params, notification, read, reply, request, session_params
from doorward.upstream.order import Order
from doorward.upstream.port import Notices
from doorward.upstream.relay import CHANGES, Relay
from doorward.wire.jsonrpc import Notification, Request, Response

MOST_NOTICES: Final = 1000
"""Notifications that wait for one caller; further ones are dropped, for they only tell of progress."""
MOST_NOTICE_BYTES: Final = 2**20
"""Bytes of lines whose notifications wait for one caller: of long ones fewer may wait."""
MOST_NOISE: Final = 1000
"""Lines in a row that are no messages before the process is given up. Some are borne: banners and stray prints are common."""


class _Gist(msgspec.Struct):
    """What can be told of a line that is not strict: whose answer it was meant to be."""

    id: int | None = None
    method: str | None = None


class _Waiting:
    """One request that waits for its answer: what has come for it, and how long it may still take."""

    __slots__ = (
        "_deadline",
        "_error",
        "_held_bytes",
        "_items",
        "_loop",
        "_sizes",
        "_timeouts",
        "_tongue",
        "_total_at",
        "_wake",
        "era",
        "relay",
    )

    def __init__(self, tongue: Tongue, era: Era, relay: Relay, timeouts: Timeouts) -> None:
        self._tongue = tongue
        self._timeouts = timeouts
        self.era = era
        self.relay = relay
        self._loop = asyncio.get_running_loop()
        self._items: deque[Notice | Answer] = deque()
        self._sizes: deque[int] = deque()
        self._held_bytes = 0
        self._error: Refused | None = None
        self._wake: asyncio.Future[None] | None = None
        now = self._loop.time()
        self._total_at = now + timeouts.total
        self._deadline = Deadline(self._loop, self._on_late)
        self._deadline.move(min(now + timeouts.first_byte, self._total_at))

    def notify(self, notice: Notice, size_bytes: int) -> None:
        """A notification on the way, and how long its line was; it shows that the upstream is at work."""
        self._deadline.move(min(self._loop.time() + self._timeouts.idle, self._total_at))
        if len(self._items) < MOST_NOTICES and self._held_bytes + size_bytes <= MOST_NOTICE_BYTES:
            self._items.append(notice)
            self._sizes.append(size_bytes)
            self._held_bytes += size_bytes
            self._rouse()

    def settle(self, found: Answer) -> None:
        """The answer has come."""
        self._deadline.stop()
        self._items.append(found)
        self._rouse()

    def fail(self, refused: Refused) -> None:
        """There will be no answer."""
        self._deadline.stop()
        self._error = self._error or refused
        self._rouse()

    async def next(self) -> Notice | Answer:
        """What came next; raises Refused."""
        while not self._items:
            if self._error is not None:
                raise self._error
            self._wake = self._loop.create_future()
            await self._wake
        if self._sizes:
            self._held_bytes -= self._sizes.popleft()
        return self._items.popleft()

    def stop(self) -> None:
        """Nobody waits any more."""
        self._deadline.stop()

    def _on_late(self) -> None:
        seconds = self._timeouts.total if self._deadline.when >= self._total_at else self._timeouts.idle
        self.fail(late(self._tongue.upstream, f"no answer, and nothing within {seconds:g} s"))

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class Link:
    """The requests under way with one process."""

    def __init__(self, tongue: Tongue, on_change: Callable[[], None]) -> None:
        self._tongue = tongue
        self._on_change = on_change
        self._write: Callable[[bytes], bool] | None = None
        self._give_up: Callable[[str], None] | None = None
        self._numbers = count(1)
        self._last = 0
        self._waiting: dict[int, _Waiting] = {}
        self._noise = 0
        self.is_greeted = False
        """Whether the process has introduced itself on it."""

    def attach(self, write: Callable[[bytes], bool], give_up: Callable[[str], None]) -> None:
        """The process is there. `write` gives False where nothing was written; `give_up` ends a process that makes no sense."""
        self._write = write
        self._give_up = give_up

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not self._waiting

    async def ask(self, order: Order, era: Era, version: str, notices: Notices, timeouts: Timeouts) -> Answer:
        """Asks once; raises Refused. Cancelling it, or running late, tells the upstream that the answer is not wanted any more."""
        number = self._last = next(self._numbers)
        token = number if order.wants_progress else None
        params = self._params(order, era, version, token)
        if not self._say(request(number, order.method, params)):
            raise unreachable(self._tongue.upstream, "the process is gone or does not read its input")
        waiting = self._waiting[number] = _Waiting(self._tongue, era, Relay.of(token, order.log_level), timeouts)
        try:
            return await self._answered(waiting, notices)
        except asyncio.CancelledError:
            self._tell_cancelled(number)
            raise
        except Refused as refused:
            if refused.reason is Reason.UPSTREAM_TIMEOUT:
                self._tell_cancelled(number)
            raise
        finally:
            waiting.stop()
            del self._waiting[number]

    def _params(self, order: Order, era: Era, version: str, token: int | None) -> Mapping[str, object]:
        if era is Era.SESSION:
            return session_params(order, token)
        return exchange_params(order, token, version, self._tongue.client_info)

    def tell(self, method: str) -> None:
        """Sends a notification without parameters."""
        self._say(notification(method))

    def receive(self, line: bytes) -> None:
        """One line of the process's standard output."""
        try:
            message = read(self._tongue, line)
        except Refused as refused:
            self._not_strict(line, refused)
            return
        match message:
            case Response():
                self._answer(message, len(line))
            case Notification():
                self._noise = 0
                self._notify(message, len(line))
            case Request():
                self._noise = 0
                self._say(reply(message))

    def end(self, cause: str) -> None:
        """The process is gone: every request under way may have run."""
        for waiting in self._waiting.values():
            waiting.fail(cut(self._tongue.upstream, cause))

    async def _answered(self, waiting: _Waiting, notices: Notices) -> Answer:
        while isinstance(item := await waiting.next(), Notice):
            await notices(item)
        return item

    def _answer(self, message: Response, size_bytes: int) -> None:
        waiting = self._waiting.get(message.id) if type(message.id) is int else None
        if waiting is None or not isinstance(message.id, int):
            self._unasked(message)
            return
        self._noise = 0
        try:
            waiting.settle(answer(self._tongue, message, message.id, waiting.era, size_bytes))
        except Refused as refused:
            waiting.fail(refused)

    def _unasked(self, message: Response) -> None:
        """An answer to nothing under way: one that was given up comes late, which is no fault; any other is noise."""
        if not isinstance(message.id, int) or not 0 < message.id <= self._last:
            self._hear_noise()

    def _notify(self, message: Notification, size_bytes: int) -> None:
        if message.method in CHANGES:
            self._on_change()
        elif message.method == "notifications/progress":
            token = message.params.get("progressToken")
            self._pass_on(self._waiting.get(token) if type(token) is int else None, message, size_bytes)
        elif len(self._waiting) == 1:
            # A log message names no request here. With one under way it is that one's; with more, telling would be telling others.
            self._pass_on(next(iter(self._waiting.values())), message, size_bytes)

    def _pass_on(self, waiting: _Waiting | None, message: Notification, size_bytes: int) -> None:
        notice = waiting.relay.pick(message) if waiting is not None else None
        if waiting is not None and notice is not None:
            waiting.notify(notice, size_bytes)

    def _not_strict(self, line: bytes, refused: Refused) -> None:
        """A line that is no strict message: the request it was meant for fails, if that can be told; all others go on."""
        try:
            gist = msgspec.json.decode(line, type=_Gist)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            gist = _Gist()
        waiting = self._waiting.get(gist.id) if gist.id is not None and gist.method is None else None
        if waiting is None:
            self._hear_noise()
        else:
            waiting.fail(broken(self._tongue.upstream, refused.detail, Ran.MAYBE))

    def _hear_noise(self) -> None:
        self._noise += 1
        if self._noise > MOST_NOISE and self._give_up is not None:
            self._give_up(f"more than {MOST_NOISE} lines in a row were no messages")

    def _tell_cancelled(self, number: int) -> None:
        self._say(notification("notifications/cancelled", {"requestId": number, "reason": "the answer is not wanted any more"}))

    def _say(self, line: bytes) -> bool:
        return self._write is not None and self._write(line)
