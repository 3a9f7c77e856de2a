"""The sessions we hold with one session-era upstream: one for each credential, principal and set of capabilities (RULINGS 10), bounded."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.secret import Secret
from doorward.net.single import Single
from doorward.upstream.order import Order
from doorward.upstream.side import Side
from doorward.upstream.sight import Introduction
from doorward.wire.jsonrpc import dump

Headers = tuple[tuple[str, Secret], ...]


class Key(NamedTuple):
    """Whose session it is; nobody else's calls go through it. (A tuple: one is made and looked up on each call.)"""

    account: str
    """Of the credential: a renewed token goes on with the session, another account never does."""
    principal: str
    capabilities: bytes


class Session(msgspec.Struct):
    """One session with an upstream, as `initialize` made it."""

    key: Key
    id: str | None
    """None where the upstream assigned none: then every request stands alone, under the same version."""
    version: str
    introduction: Introduction
    headers: tuple[tuple[str, str], ...]
    """What each request in it carries besides the credential: version and id."""
    credential: Headers
    """What was shown last: for what is said beside calls, such as its end."""
    level: int | None = None
    """The least severe log level that was set in it."""
    side: Side = msgspec.field(default_factory=Side)
    users: int = 0
    used_at: float = 0.0


class _Slot(msgspec.Struct):
    opening: Single[Session] = msgspec.field(default_factory=Single)
    session: Session | None = None


class LostError(DoorwardError):
    """The upstream does not know the session (any more); it did not process the request."""


class Sessions:
    """A bounded map. A session that nobody uses is ended after a while, the one unused longest when room is needed."""

    def __init__(
        self,
        most: int,
        idle_seconds: float,
        open_session: Callable[[Key, Order], Awaitable[Session]],
        end_session: Callable[[Session], None],
        clock: Callable[[], float],
    ) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._open = open_session
        self._end = end_session
        self._clock = clock
        self._slots: dict[Key, _Slot] = {}

    async def enter(self, key: Key, order: Order) -> Session:
        """The session of a key, opened if there is none; whoever enters must `leave`. Raises what opening raises."""
        slot = self._slots.get(key)
        if slot is None:
            slot = self._new_slot(key)
        session = slot.session
        if session is None:
            session = await self._opened(slot, key, order)
        session.users += 1
        session.credential = order.lease.headers
        return session

    def leave(self, session: Session) -> None:
        """A request in it has ended."""
        session.users -= 1
        session.used_at = self._clock()

    def lose(self, session: Session) -> None:
        """The upstream has forgotten it; the next to enter opens another. Harmless if that has happened already."""
        slot = self._slots.get(session.key)
        if slot is not None and slot.session is session:
            del self._slots[session.key]

    def take_all(self) -> Iterator[Session]:
        """Every session, which is forgotten here by this."""
        slots, self._slots = self._slots, {}
        for slot in slots.values():
            if slot.session is not None:
                yield slot.session

    def sweep(self) -> None:
        """Ends the sessions that nobody has used for long."""
        limit = self._clock() - self._idle_seconds
        for key, slot in tuple(self._slots.items()):
            session = slot.session
            if session is None and not slot.opening.is_running:
                del self._slots[key]
            elif session is not None and session.users == 0 and session.used_at < limit:
                self._evict(session)

    def __contains__(self, key: Key) -> bool:
        return key in self._slots

    def __len__(self) -> int:
        return len(self._slots)

    async def _opened(self, slot: _Slot, key: Key, order: Order) -> Session:
        async def opening() -> Session:
            session = await self._open(key, order)
            session.used_at = self._clock()
            slot.session = session
            return session

        try:
            return await slot.opening.run(opening)
        except (DoorwardError, Refused):
            if self._slots.get(key) is slot:
                del self._slots[key]
            raise

    def _new_slot(self, key: Key) -> _Slot:
        self.sweep()
        if len(self._slots) >= self._most:
            self._evict(self._oldest())
        slot = self._slots[key] = _Slot()
        return slot

    def _oldest(self) -> Session:
        idle = [slot.session for slot in self._slots.values() if slot.session is not None and slot.session.users == 0]
        if not idle:
            raise Refused(Reason.OVERLOADED, "every session with the upstream is in use", ran=Ran.NO)
        return min(idle, key=attrgetter("used_at"))

    def _evict(self, session: Session) -> None:
        self.lose(session)
        self._end(session)


CARRIED: Final = ("experimental", "extensions")
"""Client capabilities that may be declared: any other would bring requests that we answer with `method not found`."""


def own_key(order: Order) -> Key:
    """The key of a session that belongs to one principal."""
    declared = declared_capabilities(order)
    return Key(order.lease.account, order.principal, dump(declared) if declared else b"")


def declared_capabilities(order: Order) -> Mapping[str, object]:
    """What of the caller's capabilities is declared in its session."""
    return {name: order.capabilities[name] for name in CARRIED if name in order.capabilities} if order.capabilities else {}


def shared_key(order: Order) -> Key:
    """The key of the one session of an upstream that is declared stateless; a credential still has one of its own."""
    return Key(order.lease.account, "", b"")
