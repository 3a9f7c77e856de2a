"""List changes: tells whoever listens when their own view of an endpoint is no longer what it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from weakref import WeakSet

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


class _Listener:
    """One view, what was in it last, and the notices that are owed since.

    It looks at every generation, also while its client is slow: what changed and changed back meanwhile may have been fetched in between.
    """

    __slots__ = ("__weakref__", "_seen", "_view", "owed", "turn")

    def __init__(self, view: View) -> None:
        self._view = view
        self._seen = view()
        self.owed: dict[str, None] = {}
        self.turn = asyncio.Event()

    def look(self) -> None:
        """Compares the view with what it was."""
        seen, now = self._seen, self._view()
        self._seen = now
        self.owed.update((notice, None) for method, notice in NOTICES.items() if now.get(method) != seen.get(method))
        if self.owed:
            self.turn.set()


class Changes:
    """Has listeners look at each new generation; each compares its own view, so that nobody learns of what is hidden from them."""

    __slots__ = ("_closed", "_listeners")

    def __init__(self) -> None:
        # Weakly: a stream that nobody reads any more is no listener, however it ended.
        self._listeners: WeakSet[_Listener] = WeakSet()
        self._closed = False

    def wake(self) -> None:
        """Says that there is a new generation."""
        for listener in self._listeners:
            # Each by itself: a view that fails ends neither this nor another's.
            asyncio.get_running_loop().call_soon(listener.look)

    def close(self) -> None:
        """Ends every listener's stream: the gateway drains."""
        self._closed = True
        for listener in self._listeners:
            listener.turn.set()

    def listen(self, view: View) -> AsyncIterator[Notice]:
        """A notice per list that changed in this view since now, until drain."""
        listener = _Listener(view)
        self._listeners.add(listener)
        return self._told(listener)

    async def _told(self, listener: _Listener) -> AsyncIterator[Notice]:
        while not self._closed:
            await listener.turn.wait()
            listener.turn.clear()
            owed, listener.owed = listener.owed, {}
            for notice in owed:
                yield Notice(notice, {})
