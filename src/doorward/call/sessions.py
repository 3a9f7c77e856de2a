"""Session-era sessions: the id is sealed and authenticates, the row is the truth (RULINGS 9)."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec
from msgspec.structs import replace

from doorward.config.model import Sessions as Bounds
from doorward.domain.actors import Principal
from doorward.domain.ids import SessionId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.wire.sealed import Seal

_SEEN_STEP_SECONDS = 60
"""How coarse `seen` is written: a row is stored anew at most once a minute."""


class SessionRow(msgspec.Struct, frozen=True):
    """One session as it is stored."""

    id: SessionId
    principal: str
    endpoint: str
    """An upstream's id, or empty for all."""
    version: str
    capabilities: Mapping[str, object]
    client_info: Mapping[str, object]
    created: float
    seen: float
    """Unix seconds, both."""


class End(StrEnum):
    """Why a session is no more."""

    CLOSED = "closed"
    """By its client."""
    EXPIRED = "expired"
    CROWDED_OUT = "crowded_out"
    """Its principal began more than it may have."""
    KILLED = "killed"
    """By an operator, with all that runs in it."""


class SessionStore(Protocol):
    """Where session rows are kept across restarts."""

    def all(self) -> tuple[SessionRow, ...]:
        """Every row that was put and not dropped."""
        ...

    async def put(self, row: SessionRow) -> None:
        """Writes or overwrites one row; idempotent; durable on return."""
        ...

    async def drop(self, ids: tuple[SessionId, ...]) -> None:
        """Removes rows; unknown ids are ignored; durable on return."""
        ...


@dataclass(slots=True)
class LiveSession:
    """A session in use: its row, and what lives only as long as the process."""

    row: SessionRow
    seen: float
    log_level: str | None = "info"
    """Until the client sets one, the server chooses (2025-11-25, utilities/logging): what is worth a person's look."""
    id: SessionId = field(init=False)
    version: str = field(init=False)
    capabilities: Mapping[str, object] = field(init=False)
    client_info: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.id, self.version = self.row.id, self.row.version
        self.capabilities, self.client_info = self.row.capabilities, self.row.client_info


class Sessions:
    """Opens, finds and ends sessions; bounded per principal and overall; idle ones expire, and old ones whatever they say.

    A session belongs to a principal, not to a credential: it goes on with a refreshed token or a new key of the same agent for the
    same person, and is unknown to everybody else.
    """

    __slots__ = ("_bounds", "_count", "_followers", "_live", "_nonce", "_now", "_seal", "_store")

    def __init__(
        self,
        store: SessionStore,
        seal: Seal,
        bounds: Callable[[], Bounds],
        now: Callable[[], float],
        nonce: Callable[[], bytes],
    ) -> None:
        self._store, self._seal, self._bounds, self._now, self._nonce = store, seal, bounds, now, nonce
        self._followers: list[Callable[[SessionId, End], None]] = []
        self._live = {row.id: LiveSession(row, row.seen) for row in store.all()}
        self._count: Counter[str] = Counter([live.row.principal for live in self._live.values()])
        """How many each principal has, so that nobody who opens one has all of them looked at."""

    def follow(self, follower: Callable[[SessionId, End], None]) -> None:
        """Calls back with each session that is no more, and why, before its end is written: whoever streams to it must stop."""
        self._followers.append(follower)

    async def open(self, row: SessionRow) -> str:
        """Keeps a new session and gives its sealed id; the oldest of a principal over its cap makes room; raises `Refused` OVERLOADED."""
        surplus = await self._surplus(row.principal)
        if len(self._live) - len(surplus) >= self._bounds().overall:
            raise Refused(Reason.OVERLOADED, "the cap of sessions is reached")
        # It takes its room before anything is waited for: of any number that are opened at once no more than the cap are there.
        self._live[row.id] = LiveSession(row, row.seen)
        self._count[row.principal] += 1
        try:
            await self._drop(surplus, End.CROWDED_OUT)
            await self._store.put(row)
        except BaseException:
            self._forget(row.id)
            raise
        if row.id not in self._live:
            # Ended while it was being written: the row must not come back with the next start.
            await self._store.drop((row.id,))
        return self._seal.seal(row.id.encode(), _context(row.principal, row.endpoint), self._nonce())

    async def _surplus(self, principal: str) -> tuple[SessionId, ...]:
        """Those of a principal that have to make room for another one; where any cap is reached, what is over goes first."""
        bounds = self._bounds()
        if self._count[principal] >= bounds.per_principal or len(self._live) >= bounds.overall:
            await self.expire()
        excess = self._count[principal] + 1 - bounds.per_principal
        if excess <= 0:
            return ()
        mine = sorted([live for live in self._live.values() if live.row.principal == principal], key=lambda live: live.seen)
        return tuple([live.id for live in mine[:excess]])

    def _forget(self, session_id: SessionId) -> bool:
        """Takes one away; whether it was there."""
        live = self._live.pop(session_id, None)
        if live is None:
            return False
        self._count[live.row.principal] -= 1
        if not self._count[live.row.principal]:
            del self._count[live.row.principal]
        return True

    def find(self, text: str, principal: Principal, endpoint: UpstreamId | None) -> LiveSession:
        """The session of a sealed id; raises `Refused` UNKNOWN_SESSION alike for a forged, foreign, ended or expired one."""
        plain = self._seal.open(text, _context(principal.id, endpoint or ""))
        live = self._live.get(SessionId(plain.decode())) if plain is not None else None
        now = self._now()
        if live is None or _is_over(live, now, self._bounds()):
            raise Refused(Reason.UNKNOWN_SESSION)
        live.seen = now
        return live

    def set_level(self, session_id: SessionId, level: str) -> None:
        """Sends a session's client log messages of this level and graver ones only, until it sets another or the process ends."""
        live = self._live.get(session_id)
        if live is not None:
            live.log_level = level

    async def end(self, live: LiveSession) -> None:
        """Ends a session for its client: unknown from now on, also after a restart."""
        await self._drop((live.id,), End.CLOSED)

    async def kill(self, session_id: SessionId) -> None:
        """Ends a session whatever runs in it; nothing if it is not there."""
        await self._drop((session_id,), End.KILLED)

    async def expire(self) -> None:
        """Drops what has idled too long or is too old, and stores when the others were last seen."""
        now, bounds = self._now(), self._bounds()
        await self._drop(tuple(live.id for live in self._live.values() if _is_over(live, now, bounds)), End.EXPIRED)
        for live in tuple(self._live.values()):
            if live.seen - live.row.seen > _SEEN_STEP_SECONDS:
                live.row = replace(live.row, seen=live.seen)
                await self._store.put(live.row)

    def rows(self) -> tuple[SessionRow, ...]:
        """Every session that could be used now, for operators; `seen` as it is stored, to the minute."""
        now, bounds = self._now(), self._bounds()
        return tuple(live.row for live in self._live.values() if not _is_over(live, now, bounds))

    def ends(self, row: SessionRow) -> float:
        """When a session ends at the latest if it says nothing more, in Unix seconds."""
        bounds, live = self._bounds(), self._live.get(row.id)
        return min((live.seen if live is not None else row.seen) + bounds.idle_seconds, row.created + bounds.absolute_seconds)

    async def _drop(self, ids: tuple[SessionId, ...], why: End) -> None:
        if not ids:
            return
        gone = [session_id for session_id in ids if self._forget(session_id)]
        for follower in self._followers:
            for session_id in gone:
                follower(session_id, why)
        await self._store.drop(ids)


def _is_over(live: LiveSession, now: float, bounds: Bounds) -> bool:
    return now - live.seen > bounds.idle_seconds or now - live.row.created > bounds.absolute_seconds


def _context(principal: str, endpoint: str) -> bytes:
    return f"session\0{principal}\0{endpoint}".encode()
