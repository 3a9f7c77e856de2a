"""The agents we know and their keys: a mirror in memory of what the store holds, so that a look costs no wait.

INVARIANT: what takes rights away is true in memory at once and written after; what gives rights is written first. A change
that failed to be written can therefore leave an agent out, never in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import anyio

from doorward.domain.actors import Agent
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId
from doorward.identity.keys import KeyRecord, issue
from doorward.identity.names import RegistryError as RegistryError
from doorward.identity.names import check

NEVER = float("inf")
"""The end of an agent that has none: said, not left out."""

SEEN_EVERY_SECONDS = 60.0
"""How coarse `seen_at` is: a minute tells whether an agent is in use, and costs one note a minute."""

MOST_LIVE_KEYS = 8
"""Keys of one agent that are valid at the same time: enough to rotate, few enough to know."""


class State(StrEnum):
    """Whether an agent may act. Revoked is for good: its name is not given out again."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent and how it stands. Times are Unix seconds."""

    agent: Agent
    state: State
    created_at: float
    expires_at: float
    seen_at: float | None = None
    """When it last acted, to the minute; None if it has not."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has just become of an agent, or of one key of it: for whoever must cut off what is running."""

    agent: AgentId
    key: KeyId | None
    is_narrower: bool


class AgentStore(Protocol):
    """Where agents and keys outlive the process. Raises `StoreError` when it cannot answer."""

    async def load(self) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
        """Everything that was put, in any order."""
        ...

    async def put(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """Adds or replaces by id, all in one transaction, durable on return; the same put again changes nothing."""
        ...

    async def touch(self, seen: Mapping[AgentId, float]) -> None:
        """Notes when agents were last seen; need not be durable; unknown agents are passed over."""
        ...


class Registry:
    """Agents and keys, written through to a store. `version` grows with each change: what was derived from an older one is void."""

    __slots__ = ("_agents", "_followers", "_keys", "_lock", "_now", "_random_bytes", "_seen", "_store", "_unsaved", "version")

    def __init__(self, store: AgentStore, random_bytes: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._store = store
        self._random_bytes = random_bytes
        self._now = now
        self._agents: dict[AgentId, AgentRecord] = {}
        self._keys: dict[KeyId, KeyRecord] = {}
        self._seen: dict[AgentId, float] = {}
        self._unsaved: set[AgentId] = set()
        self._followers: list[Callable[[Change], None]] = []
        self._lock = anyio.Lock()
        self.version = 0

    async def load(self) -> None:
        """Takes over what the store holds; until then nobody is known. Raises `StoreError`."""
        agents, keys = await self._store.load()
        self._agents = {record.agent.id: record for record in agents}
        self._keys = {record.id: record for record in keys}
        self.version += 1

    def follow(self, follower: Callable[[Change], None]) -> None:
        """Calls back at each change, before it is written where it takes rights away."""
        self._followers.append(follower)

    def agent(self, agent: AgentId) -> AgentRecord | None:
        """One agent as it stands."""
        record = self._agents.get(agent)
        seen = self._seen.get(agent)
        return record if record is None or seen is None else replace(record, seen_at=seen)

    def agents(self) -> tuple[AgentRecord, ...]:
        """Every agent, by id."""
        return tuple(record for agent in sorted(self._agents) if (record := self.agent(agent)))

    def key(self, key: KeyId) -> KeyRecord | None:
        """One key as it stands."""
        return self._keys.get(key)

    def keys(self, agent: AgentId) -> tuple[KeyRecord, ...]:
        """The keys of one agent, oldest first."""
        return tuple(sorted((key for key in self._keys.values() if key.agent == agent), key=lambda key: (key.created_at, key.id)))

    async def add(self, agent: Agent, expires_at: float, key_ttl_seconds: float) -> tuple[str, KeyRecord]:
        """Makes an agent known with its first key, whose text is given here and never again; raises `RegistryError` if the name
        cannot be one or was ever taken."""
        check(agent)
        async with self._lock:
            if agent.id in self._agents:
                raise RegistryError(f"expected a new name, {agent.id!r} is {self._agents[agent.id].state}")
            now = self._now()
            _in_future(expires_at - now, "agent")
            _in_future(key_ttl_seconds, "key")
            text, key = issue(agent.id, self._random_bytes, now, key_ttl_seconds)
            await self._widen((AgentRecord(agent, State.ACTIVE, now, expires_at),), (key,))
            return text, key

    async def rotate(self, agent: AgentId, key_ttl_seconds: float, overlap_seconds: float) -> tuple[str, KeyRecord]:
        """A new key for an active agent; its other keys end after the overlap. Raises `RegistryError`."""
        async with self._lock:
            record, now = self._known(agent), self._now()
            _in_future(key_ttl_seconds, "key")
            if record.state is not State.ACTIVE:
                raise RegistryError(f"expected an active agent, {agent!r} is {record.state}")
            live = [key for key in self.keys(agent) if key.revoked_at is None and key.expires_at > now]
            if len(live) >= MOST_LIVE_KEYS:
                raise RegistryError(f"expected at most {MOST_LIVE_KEYS - 1} live keys before one is added, {agent!r} has {len(live)}")
            text, key = issue(agent, self._random_bytes, now, key_ttl_seconds)
            ending = (replace(old, expires_at=min(old.expires_at, now + overlap_seconds)) for old in live)
            await self._widen((), (*ending, key))
            return text, key

    async def suspend(self, agent: AgentId) -> None:
        """Keeps an agent out until it is resumed; raises `RegistryError`."""
        record = self._known(agent)
        if record.state is State.REVOKED:
            raise RegistryError(f"expected an agent that is not revoked, got {agent!r}")
        await self._narrow(replace(record, state=State.SUSPENDED))

    async def resume(self, agent: AgentId) -> None:
        """Lets a suspended agent act again; raises `RegistryError`."""
        async with self._lock:
            record = self._known(agent)
            if record.state is State.REVOKED:
                raise RegistryError(f"expected an agent that is not revoked, got {agent!r}")
            await self._widen((replace(record, state=State.ACTIVE),), ())

    async def revoke(self, agent: AgentId) -> None:
        """Keeps an agent out for good, with all its keys; raises `RegistryError`."""
        await self._narrow(replace(self._known(agent), state=State.REVOKED))

    async def revoke_key(self, key: KeyId) -> None:
        """Ends one key for good; raises `RegistryError`."""
        record = self._keys.get(key)
        if record is None:
            raise RegistryError(f"expected the id of a key, got {key[:32]!r}")
        if record.revoked_at is None:
            record = replace(record, revoked_at=self._now())
        await self._narrow(record)

    def seen(self, agent: AgentId, now: float) -> None:
        """Notes that an agent acted; called at most once in `SEEN_EVERY_SECONDS` by whoever verifies it."""
        if agent in self._agents:
            self._seen[agent] = now
            self._unsaved.add(agent)

    async def flush(self) -> None:
        """Hands the noted `seen_at` to the store; raises `StoreError`, and keeps them for the next time then."""
        unsaved, self._unsaved = self._unsaved, set()
        if not unsaved:
            return
        try:
            await self._store.touch({agent: self._seen[agent] for agent in unsaved})
        except StoreError:
            self._unsaved |= unsaved
            raise

    def _known(self, agent: AgentId) -> AgentRecord:
        record = self.agent(agent)
        if record is None:
            raise RegistryError(f"expected the id of an agent, got {agent[:64]!r}")
        return record

    async def _narrow(self, record: AgentRecord | KeyRecord) -> None:
        """At once in memory, then in the store, in the order of the lock: a wider write that was on its way is overwritten."""
        if isinstance(record, KeyRecord):
            self._keys[record.id] = record
            change = Change(record.agent, record.id, is_narrower=True)
        else:
            self._agents[record.agent.id] = record
            change = Change(record.agent.id, None, is_narrower=True)
        self._changed(change)
        async with self._lock:
            if change.key is None:
                await self._store.put((self._agents[change.agent],), ())
            else:
                await self._store.put((), (self._keys[change.key],))

    async def _widen(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """First in the store, then in memory; raises `RegistryError` if somebody narrowed the same record meanwhile."""
        before = [self._agents.get(record.agent.id) for record in agents], [self._keys.get(record.id) for record in keys]
        await self._store.put(agents, keys)
        after = [self._agents.get(record.agent.id) for record in agents], [self._keys.get(record.id) for record in keys]
        if before != after:
            raise RegistryError("expected nobody else to change this agent meanwhile, somebody did")
        self._agents.update((record.agent.id, record) for record in agents)
        self._keys.update((record.id, record) for record in keys)
        for agent in {record.agent.id for record in agents} | {record.agent for record in keys}:
            self._changed(Change(agent, None, is_narrower=False))

    def _changed(self, change: Change) -> None:
        self.version += 1
        for follower in self._followers:
            follower(change)


def _in_future(seconds: float, what: str) -> None:
    if not seconds > 0:
        raise RegistryError(f"expected the {what} to end after now, got {seconds:g} seconds from now")
