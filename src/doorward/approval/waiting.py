"""Those who wait for an answer: woken by it, by its end, or by the end of their patience; nobody asks a store meanwhile."""

import asyncio

from doorward.domain.ids import GrantId


class Waiting:
    """Everybody who waits, by question. Used from the tasks of one event loop."""

    __slots__ = ("_by_question", "_count", "_is_closed")

    def __init__(self) -> None:
        self._by_question: dict[GrantId, set[asyncio.Event]] = {}
        self._count = 0
        self._is_closed = False

    @property
    def count(self) -> int:
        """How many wait now."""
        return self._count

    async def on(self, reference: GrantId, seconds: float, most: int) -> None:
        """Returns when this question is answered or `seconds` are over; at once where `most` wait already, or after `close`."""
        if self._is_closed or self._count >= most or seconds <= 0:
            return
        woken = asyncio.Event()
        waiting = self._by_question.setdefault(reference, set())
        waiting.add(woken)
        self._count += 1
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return
        finally:
            self._count -= 1
            waiting.discard(woken)
            if not waiting and self._by_question.get(reference) is waiting:
                del self._by_question[reference]

    def wake(self, reference: GrantId) -> None:
        """Lets everybody go who waits for this question."""
        for woken in self._by_question.get(reference, ()):
            woken.set()

    def close(self) -> None:
        """Lets everybody go, and nobody wait from now on."""
        self._is_closed = True
        for reference in self._by_question:
            self.wake(reference)
