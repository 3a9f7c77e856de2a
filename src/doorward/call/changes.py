"""List changes: tells whoever listens when their own view of an endpoint is no longer what it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from doorward.domain.calls import Notice

NOTICES = {
    "tools/list": "notifications/tools/list_changed",
    "prompts/list": "notifications/prompts/list_changed",
    "resources/list": "notifications/resources/list_changed",
}

View = Callable[[], Mapping[str, object]]
"""A fingerprint per list method of what one listener may see now."""


class Changes:
    """Wakes listeners at each new generation; each compares its own view, so that nobody learns of what is hidden from them."""

    __slots__ = ("_closed", "_turn")

    def __init__(self) -> None:
        self._turn = asyncio.Event()
        self._closed = False

    def wake(self) -> None:
        """Says that there is a new generation."""
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    def close(self) -> None:
        """Ends every listener's stream: the gateway drains."""
        self._closed = True
        self.wake()

    async def listen(self, view: View) -> AsyncIterator[Notice]:
        """A notice per list that changed in this view, until drain."""
        seen = view()
        while not self._closed:
            turn = self._turn
            now = view()
            for notice in _changed(seen, now):
                yield notice
            seen = now
            await turn.wait()


def _changed(seen: Mapping[str, object], now: Mapping[str, object]) -> list[Notice]:
    return [Notice(notice, {}) for method, notice in NOTICES.items() if now.get(method) != seen.get(method)]
