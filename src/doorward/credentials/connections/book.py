"""Every connection in memory, as the store has it: found without waiting, changed only after the store has the change.

INVARIANT: what a place leads to was made by the holder of that place. A look-up names the holder, and gives that holder's or nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import msgspec

from doorward.credentials.connections.connection import (
    EVERY_AGENT,
    Connection,
    ConnectionId,
    Holder,
    Place,
    Status,
)
from doorward.credentials.connections.store import ConnectionStore, Kept
from doorward.domain.ids import AgentId, CallId, UpstreamId
from doorward.domain.secret import Secret
from doorward.net.single import Single

_USED_SECONDS = 3600.0
"""How far the stored time of the last use may be behind."""


class Live(msgspec.Struct):
    """One connection with what moves in it. INVARIANT: `kept` changes in its own flight alone, so that no older one is written over a newer."""

    kept: Kept
    holds_until: float | None
    """Until when the access token holds (monotonic); None where nobody says."""
    used_at: float | None
    stored_use: float = 0.0
    """The last use that the store knows of."""
    is_gone: bool = False
    is_refused: bool = False
    """The upstream does not take the access token: the next one who asks refreshes it first."""
    is_hopeless: bool = False
    """The upstream does not take it though it was refreshed for that very reason: the next one who asks breaks the connection."""
    refused_at: float = float("-inf")
    """When the access token was last refreshed for that reason (monotonic)."""
    stepping: OrderedDict[CallId, None] = msgspec.field(default_factory=OrderedDict)
    """Calls that need more scopes than were granted."""
    unsaved: Kept | None = None
    """Tokens that were given and that the store could not take: the old ones may be void already."""
    retry_at: float = float("-inf")
    """When a refresh that failed is tried again (monotonic)."""
    flight: Single[None] = msgspec.field(default_factory=Single)

    @property
    def id(self) -> ConnectionId:
        """The connection's name."""
        return ConnectionId(self.kept.id)

    @property
    def place(self) -> Place:
        """Where it is found."""
        return _place(self.kept)

    @property
    def access(self) -> Secret:
        """The access token that is good now."""
        return Secret(self.kept.access)

    def shown(self) -> Connection:
        """The connection without its tokens."""
        kept = self.kept
        status = Status.REVOKED if self.is_gone else Status.BROKEN if kept.broken else Status.WORKING
        return Connection(
            id=self.id,
            place=self.place,
            account=kept.account,
            issuer=kept.issuer,
            scopes=kept.scopes,
            status=status,
            why=kept.broken,
            created_at=kept.created_at,
            refreshed_at=kept.refreshed_at,
            used_at=self.used_at,
        )


class Book:
    """The connections of everybody."""

    __slots__ = ("_by_id", "_by_place", "_monotonic", "_now", "_store")

    def __init__(self, store: ConnectionStore, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._store, self._now, self._monotonic = store, now, monotonic
        # By the parts of their place: plain tuples are looked up on each call.
        self._by_place: dict[tuple[str, str, str], Live] = {}
        self._by_id: dict[ConnectionId, Live] = {}

    async def load(self) -> None:
        """Reads what is stored; once, before anything is asked. Raises `StoreError`."""
        for kept, used_at in await self._store.load():
            self._take(kept, used_at)

    def find(self, holder: Holder, upstream: UpstreamId, agent: AgentId) -> Live | None:
        """What an agent uses of a holder: its own connection if there is one, else the one for every agent. Waits for nothing."""
        found = self._by_place.get((holder, upstream, agent))
        return found if found is not None else self._by_place.get((holder, upstream, EVERY_AGENT))

    def at(self, place: Place) -> Live | None:
        """The connection of exactly this place."""
        return self._by_place.get((place.holder, place.upstream, place.agent))

    def get(self, connection: ConnectionId) -> Live | None:
        """The connection of this name."""
        return self._by_id.get(connection)

    def all(self) -> Iterable[Live]:
        """Every connection, in the order in which they were made."""
        return sorted(self._by_id.values(), key=lambda live: (live.kept.created_at, live.kept.id))

    async def add(self, kept: Kept) -> tuple[Live, Live | None]:
        """A new connection, durable, and the one that it takes the place of. Raises `StoreError`."""
        await self._store.put(kept)
        before = self._by_place.get(_key(kept))
        if before is not None:
            self._forget(before)
        return self._take(kept, None), before

    async def change(self, live: Live, kept: Kept) -> bool:
        """Writes a connection anew, then goes on with that; False where it is gone meanwhile. Raises `StoreError`."""
        if not await self._store.update(kept) or live.is_gone:
            return False
        live.kept, live.holds_until = kept, self._holds_until(kept)
        return True

    async def drop(self, live: Live) -> bool:
        """Forgets a connection: from this moment it is not found, then it is not stored. Whether it was there. Raises `StoreError`."""
        self._forget(live)
        return await self._store.drop(live.id)

    async def keep_times(self) -> None:
        """Stores when connections were last used, where that is long behind. Raises `StoreError`."""
        behind = [live for live in self._by_id.values() if live.used_at is not None and live.used_at - live.stored_use >= _USED_SECONDS]
        used = {live.kept.id: live.used_at for live in behind if live.used_at is not None}
        if used:
            await self._store.touch(used)
        for live in behind:
            live.stored_use = used[live.kept.id]

    def _take(self, kept: Kept, used_at: float | None) -> Live:
        live = Live(kept, self._holds_until(kept), used_at, used_at or 0.0)
        self._by_place[_key(kept)] = self._by_id[live.id] = live
        return live

    def _forget(self, live: Live) -> None:
        live.is_gone = True
        self._by_id.pop(live.id, None)
        if self._by_place.get(_key(live.kept)) is live:
            del self._by_place[_key(live.kept)]

    def _holds_until(self, kept: Kept) -> float | None:
        """The end by our monotonic clock. A wall clock that was set back or ahead never makes a token's life longer than it was."""
        if kept.lifetime_seconds is None:
            return None
        age = self._now() - kept.obtained_at
        left = kept.lifetime_seconds - age if age >= 0 else 0.0
        return self._monotonic() + left


def _key(kept: Kept) -> tuple[str, str, str]:
    return kept.holder, kept.upstream, kept.agent


def _place(kept: Kept) -> Place:
    return Place(Holder(kept.holder), UpstreamId(kept.upstream), AgentId(kept.agent))
