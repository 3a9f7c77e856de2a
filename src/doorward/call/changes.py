"""List changes: tells whoever listens when their own view of an endpoint is no longer what it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from doorward.domain.calls import Notice

NOTICES = {
    "tools/list": "notifications/tools/list_changed",
    "prompts/list": "notifications/prompts/list_changed",
    "resources/list": "notifications/resources/list_changed",
    "resources/templates/list": "notifications/resources/list_changed",
}
"""There is no notice of templates alone: what they name are resources."""

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

    def listen(self, view: View) -> AsyncIterator[Notice]:
        """A notice per list that changed in this view since now, until drain."""
        return self._told(view, view())

    async def _told(self, view: View, seen: Mapping[str, object]) -> AsyncIterator[Notice]:
        while not self._closed:
            turn = self._turn
            now = view()
            for notice in _changed(seen, now):
                yield notice
            seen = now
            await turn.wait()


def _changed(seen: Mapping[str, object], now: Mapping[str, object]) -> list[Notice]:
    changed = [notice for method, notice in NOTICES.items() if now.get(method) != seen.get(method)]
    return [Notice(notice, {}) for notice in dict.fromkeys(changed)]
