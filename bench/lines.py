"""Connections that ask, and check what they are answered; who of them asks next; and how long right answers took."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from math import inf

import httptools

from bench.speech import FIRST, Asking

ANSWER_SECONDS = 5.0
"""How long an answer may take to come once nothing more is asked."""
_TOLD = 5
"""Wrong answers that are told in full; the others are counted."""


class Load:
    """What all connections share: who asks next, and what is counted."""

    __slots__ = (
        "_due",
        "_free",
        "ended",
        "first",
        "is_asking",
        "is_open",
        "last",
        "late",
        "latencies",
        "numbers",
        "told",
        "under_way",
        "wrong",
    )

    def __init__(self) -> None:
        self.is_asking = True
        """Whether whoever was answered asks again."""
        self.is_open = False
        """Whether what counts is when a call was due, not when it was answered."""
        self.first, self.last = inf, inf
        """What counts lies between them."""
        self.latencies = array("d")
        self.late = array("d")
        self.numbers = count(FIRST)
        self.wrong = 0
        self.told: list[str] = []
        self.under_way = 0
        """Requests without an answer."""
        self.ended = asyncio.Event()
        self._free: list[Line] = []
        self._due: deque[float] = deque()

    def refuse(self, why: str) -> None:
        """Notes a wrong answer."""
        self.wrong += 1
        if len(self.told) < _TOLD:
            self.told.append(why)

    def took(self, since: float) -> None:
        """Counts a right answer to a call of that moment."""
        now = time.perf_counter()
        if self.first <= (since if self.is_open else now) < self.last:
            self.latencies.append(now - since)

    def goes_on(self, line: Line) -> bool:
        """Lets a connection that was answered ask again, if there is anything to ask."""
        if self._due:
            line.ask(self._due.popleft())
        elif self.is_asking:
            line.ask()
        else:
            self._free.append(line)
            return False
        return True

    def closed(self) -> None:
        """One request less is under way."""
        self.under_way -= 1
        if not self.under_way:
            self.ended.set()

    def opened(self, lines: Sequence[Line]) -> None:
        """These connections wait for arrivals from now on."""
        self.is_open, self.is_asking = True, False
        self._free.extend(lines)

    def arrive(self, due: float) -> None:
        """A call is due: on a free connection, or on the next one."""
        self.late.append(time.perf_counter() - due)
        if self._free:
            self._free.pop().ask(due)
        else:
            self._due.append(due)

    async def answered(self, seconds: float = ANSWER_SECONDS) -> None:
        """Waits until every request was answered; those that are not in this time are wrong."""
        self.ended.clear()
        try:
            async with asyncio.timeout(seconds):
                await (self.ended.wait() if self.under_way else asyncio.sleep(0))
        except TimeoutError:
            for _ in range(self.under_way + len(self._due)):
                self.refuse("no answer came")


Judge = Callable[[bytes, int], str | None]
"""What is wrong with the body of an answer to the request of this number."""


class Line(asyncio.Protocol):
    """One connection: asks, checks the answer, and asks again if there is anything to ask."""

    __slots__ = (
        "_asking",
        "_is_between",
        "_is_busy",
        "_judge",
        "_load",
        "_number",
        "_parser",
        "_pattern",
        "_pieces",
        "_raw",
        "_since",
        "_transport",
    )

    def __init__(self, load: Load, asking: Asking, judge: Judge) -> None:
        self._load = load
        self._asking = asking
        self._judge = judge
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._is_busy = False
        self._is_between = True
        """Nothing of the next answer has come yet."""
        self._raw = b""
        """The answer, if it came as a whole."""
        self._pattern = Pattern(b"", b"")
        self._number = 0
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Connected; nothing is asked yet."""
        self._transport = transport

    def ask(self, due: float = 0.0) -> None:
        """Sends the next request, due since then; 0: since now."""
        assert self._transport is not None
        if not self._is_busy:
            self._is_busy = True
            self._load.under_way += 1
        self._number = next(self._load.numbers)
        self._since = due or time.perf_counter()
        self._transport.write(self._asking.request(self._number))

    def close(self) -> None:
        """Ends the connection, on which nothing is under way."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some of an answer; one that is word for word a checked one, but for the numbers of its request, needs no parser."""
        if self._is_between and self._is_busy and self._pattern.fits(data, self._number):
            self._done(None)
            return
        self._raw = data if self._is_between else b""
        self._is_between = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._end(f"an answer was expected, not {data[:300]!r} ({error})")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody else ends a connection while a request is under way."""
        if self._is_busy:
            self._end("the connection was lost")

    def on_body(self, piece: bytes) -> None:
        """Some of a body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._is_between = True
        status = self._parser.get_status_code()
        fault = self._judge(body, self._number) if status == 200 else f"status 200 was expected, not {status} {body[:300]!r}"
        if not self._is_busy:
            fault = f"no answer was expected, {body[:300]!r} came"
        if fault is None:
            self._pattern = Pattern(self._raw, b"%d" % self._number)
        self._done(fault)

    def _done(self, fault: str | None) -> None:
        load = self._load
        if fault is None:
            load.took(self._since)
        else:
            load.refuse(fault)
        if not (self._is_busy and load.goes_on(self)):
            self._idle()

    def _end(self, why: str) -> None:
        self._load.refuse(why)
        self._idle()
        self.close()

    def _idle(self) -> None:
        if self._is_busy:
            self._is_busy = False
            self._load.closed()


class Pattern:
    """A whole answer that was found right, with places for the number of its request: once as its id, once in its text. Pure."""

    __slots__ = ("_length", "_text")

    def __init__(self, raw: bytes, digits: bytes) -> None:
        self._text = raw.replace(b"%", b"%%").replace(digits, b"%d") if digits and raw.count(digits) == 2 else b""
        self._length = len(raw) if self._text else -1

    def fits(self, data: bytes, number: int) -> bool:
        """Whether this is that answer with another number in both places."""
        return len(data) == self._length and data == self._text % (number, number)
