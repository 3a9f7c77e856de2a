"""List changes: tells whoever listens when their own view of an endpoint is no longer what it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from weakref import WeakSet

import msgspec

from doorward.domain.actors import Principal
from doorward.domain.calls import Notice
from doorward.domain.ids import SessionId

NOTICES = {
    "tools/list": "notifications/tools/list_changed",
    "prompts/list": "notifications/prompts/list_changed",
    "resources/list": "notifications/resources/list_changed",
    "resources/templates/list": "notifications/resources/list_changed",
}
"""There is no notice of templates alone: what they name are resources."""

View = Callable[[], Mapping[str, object]]
"""A fingerprint per list method of what one listener may see now."""


class Listener(msgspec.Struct, frozen=True):
    """Who listens, and in which session if it is of that era."""

    principal: Principal
    session: SessionId | None


class _Ear:
    """One view, what was in it last, and the notices that are owed since.

    It looks at every generation, also while its client is slow: what changed and changed back meanwhile may have been fetched in between.
    """

    __slots__ = ("__weakref__", "_seen", "_view", "has_ended", "listener", "owed", "turn")

    def __init__(self, listener: Listener, view: View) -> None:
        self.listener = listener
        self.has_ended = False
        self._view = view
        self._seen = view()
        self.owed: dict[str, None] = {}
        self.turn = asyncio.Event()

    def listens(self) -> bool:
        """Whether it may still be told anything."""
        return not self.has_ended

    def look(self) -> None:
        """Compares the view with what it was."""
        seen, now = self._seen, self._view()
        self._seen = now
        self.owed.update((notice, None) for method, notice in NOTICES.items() if now.get(method) != seen.get(method))
        if self.owed:
            self.turn.set()


class Changes:
    """Has listeners look at each new generation; each compares its own view, so that nobody learns of what is hidden from them."""

    __slots__ = ("_closed", "_ears")

    def __init__(self) -> None:
        # Weakly: a stream that nobody reads any more is no listener, however it ended.
        self._ears: WeakSet[_Ear] = WeakSet()
        self._closed = False

    def wake(self) -> None:
        """Says that there is a new generation."""
        for ear in self._ears:
            # Each by itself: a view that fails ends neither this nor another's.
            asyncio.get_running_loop().call_soon(ear.look)

    def close(self) -> None:
        """Ends every listener's stream: the gateway drains."""
        self._closed = True
        for ear in self._ears:
            ear.turn.set()

    def end(self, matches: Callable[[Listener], bool]) -> int:
        """Ends the streams of the listeners that match, before they are told anything more; gives how many."""
        ended = [ear for ear in self._ears if not ear.has_ended and matches(ear.listener)]
        for ear in ended:
            ear.has_ended = True
            ear.turn.set()
        return len(ended)

    def listen(self, listener: Listener, view: View) -> AsyncIterator[Notice]:
        """A notice per list that changed in this view since now, until drain or `end`."""
        ear = _Ear(listener, view)
        self._ears.add(ear)
        return self._told(ear)

    async def _told(self, ear: _Ear) -> AsyncIterator[Notice]:
        while not (self._closed or ear.has_ended):
            await ear.turn.wait()
            ear.turn.clear()
            owed, ear.owed = ear.owed, {}
            while owed and ear.listens():
                yield Notice(owed.popitem()[0], {})
