"""The agents we know and their keys: a mirror in memory of what the store holds, so that a look costs no wait.

INVARIANT: what takes rights away is true in memory at once and written after; what gives rights is written first. A change
that failed to be written can therefore leave an agent out, never in.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import anyio
import msgspec
from msgspec.structs import replace

from doorward.domain.actors import Agent
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId
from doorward.identity import changes
from doorward.identity.identities import Identity
from doorward.identity.keys import KeyRecord, issue
from doorward.identity.names import RegistryError as RegistryError
from doorward.identity.records import NEVER as NEVER
from doorward.identity.records import AgentRecord as AgentRecord
from doorward.identity.records import Edit, Terms, Why, narrowed
from doorward.identity.records import State as State
from doorward.identity.roster import Roster

SEEN_EVERY_SECONDS = 60.0
"""How coarse `seen_at` is: a minute tells whether an agent is in use, and costs one note a minute."""

MOST_LIVE_KEYS = 8
"""Keys of one agent that are valid at the same time: enough to rotate, few enough to know."""

PLAIN = Terms()
"""Nothing else is said: every method, no identity."""


class Change(msgspec.Struct, frozen=True):
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

    __slots__ = ("_followers", "_lock", "_random_bytes", "_seen", "_store", "_unsaved", "now", "roster", "version")

    def __init__(self, store: AgentStore, random_bytes: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._store = store
        self._random_bytes = random_bytes
        self.now = now
        """The clock that agents and keys end by."""
        self.roster = Roster()
        """What is known at this moment; changed by the verbs below alone."""
        self._seen: dict[AgentId, float] = {}
        self._unsaved: set[AgentId] = set()
        self._followers: list[Callable[[Change], None]] = []
        self._lock = anyio.Lock()
        self.version = 0

    async def load(self) -> None:
        """Takes over what the store holds; until then nobody is known. Raises `StoreError`."""
        self.roster = Roster(*await self._store.load())
        self.version += 1

    def follow(self, follower: Callable[[Change], None]) -> None:
        """Calls back at each change, before it is written where it takes rights away."""
        self._followers.append(follower)

    def standing(self, agent: AgentId) -> AgentRecord | None:
        """One agent as it stands, in one look; when it was last seen may be behind."""
        return self.roster.agents.get(agent)

    def by_identity(self, identity: Identity) -> AgentRecord | None:
        """The agent that an identity is bound to, in one look; when it was last seen may be behind."""
        return self.roster.holder(identity)

    def agent(self, agent: AgentId) -> AgentRecord | None:
        """One agent as it stands, and when it was last seen."""
        record = self.roster.agents.get(agent)
        return None if record is None else self._last_seen(record)

    def agents(self) -> tuple[AgentRecord, ...]:
        """Every agent, by id."""
        return tuple(self._last_seen(self.roster.agents[agent]) for agent in sorted(self.roster.agents))

    def enrolled(self, by: str) -> int:
        """How many agents somebody has made known (`enrolled_by`), revoked ones among them."""
        return self.roster.enrolled(by)

    def key(self, key: KeyId) -> KeyRecord | None:
        """One key as it stands."""
        return self.roster.keys.get(key)

    def keys(self, agent: AgentId) -> tuple[KeyRecord, ...]:
        """The keys of one agent, oldest first."""
        return tuple(sorted(self.roster.keys_of(agent), key=lambda key: (key.created_at, key.id)))

    async def add(self, agent: Agent, expires_at: float, key_ttl_seconds: float, terms: Terms = PLAIN) -> tuple[str, KeyRecord]:
        """Makes an agent known with its first key, whose text is given here and never again; raises `RegistryError` if the name
        cannot be one or was ever taken."""
        async with self._lock:
            record = changes.with_keys(changes.added(self.roster, agent, expires_at, terms, self.now()))
            changes.check_end(key_ttl_seconds, "key")
            text, key = issue(agent.id, self._random_bytes, record.created_at, key_ttl_seconds)
            await self._widen((record,), (key,))
            return text, key

    async def enter(self, agent: Agent, expires_at: float, terms: Terms) -> None:
        """Makes an agent known that has no key (yet); raises `RegistryError` as `add` does."""
        async with self._lock:
            await self._widen((changes.added(self.roster, agent, expires_at, terms, self.now()),), ())

    async def rotate(self, agent: AgentId, key_ttl_seconds: float, overlap_seconds: float) -> tuple[str, KeyRecord]:
        """A new key for an active agent; its other keys end after the overlap. Raises `RegistryError`."""
        async with self._lock:
            changes.active(changes.with_keys(changes.known(self.roster, agent)))
            changes.check_end(key_ttl_seconds, "key")
            now = self.now()
            live = [key for key in self.keys(agent) if key.revoked_at is None and key.expires_at > now]
            if len(live) >= MOST_LIVE_KEYS:
                raise RegistryError(f"expected at most {MOST_LIVE_KEYS - 1} live keys before one is added, {agent!r} has {len(live)}")
            text, key = issue(agent, self._random_bytes, now, key_ttl_seconds)
            ending = (replace(old, expires_at=min(old.expires_at, now + overlap_seconds)) for old in live)
            await self._widen((), (*ending, key))
            return text, key

    async def bind(self, agent: AgentId, identity: Identity) -> None:
        """Lets what proves this identity act as the agent; raises `RegistryError`, above all where it is another agent's."""
        async with self._lock:
            await self._widen((changes.bound(self.roster, agent, identity),), ())

    async def unbind(self, identity: Identity) -> None:
        """Takes an identity from the agent that it stands for; raises `RegistryError`."""
        await self._narrow(changes.unbound(self.roster, identity))

    async def edit(self, agent: AgentId, edit: Edit) -> None:
        """Changes what is said of an agent: what is taken away holds at once, the rest once it is written. Raises `RegistryError`."""
        after = changes.rewritten(self.roster, agent, edit, self.now())
        before = self.roster.agents[agent]
        if narrowed(before, after) != before:
            await self._narrow(narrowed(before, after))
        async with self._lock:
            after = changes.rewritten(self.roster, agent, edit, self.now())
            if after != self.roster.agents[agent]:
                await self._widen((after,), ())

    async def suspend(self, agent: AgentId) -> None:
        """Keeps an agent out until it is resumed; raises `RegistryError`."""
        await self._narrow(changes.suspended(self.roster, agent))

    async def owner_left(self, owner: str) -> None:
        """Keeps every agent of an owner out until somebody else answers for it."""
        await self._narrow(*changes.orphaned(self.roster, owner))

    def has_left(self, owner: str) -> bool:
        """Whether an agent is kept out because this owner has left."""
        return any(record.why is Why.OWNER_LEFT and record.agent.owner == owner for record in self.roster.agents.values())

    async def resume(self, agent: AgentId) -> None:
        """Lets a suspended agent act again, if somebody answers for it; raises `RegistryError`."""
        async with self._lock:
            await self._widen((changes.resumed(self.roster, agent),), ())

    async def revoke(self, agent: AgentId) -> None:
        """Keeps an agent out for good, with all its keys and identities; raises `RegistryError`."""
        await self._narrow(changes.revoked(self.roster, agent))

    async def revoke_key(self, key: KeyId) -> None:
        """Ends one key for good; raises `RegistryError`."""
        record = self.key(key)
        if record is None:
            raise RegistryError(f"expected the id of a key, got {key[:32]!r}")
        if record.revoked_at is None:
            record = replace(record, revoked_at=self.now())
        self.roster.set_key(record)
        self._changed(Change(record.agent, key, is_narrower=True))
        async with self._lock:
            await self._store.put((), (self.roster.keys[key],))

    def seen(self, agent: AgentId, now: float) -> None:
        """Notes that an agent acted, to the minute; cheap enough for each request."""
        if agent in self.roster.agents and not now - self._seen.get(agent, -NEVER) < SEEN_EVERY_SECONDS:
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

    def _last_seen(self, record: AgentRecord) -> AgentRecord:
        seen = self._seen.get(record.agent.id)
        return record if seen is None else replace(record, seen_at=seen)

    async def _narrow(self, *records: AgentRecord) -> None:
        """At once in memory, then in the store, in the order of the lock: a wider write that was on its way is overwritten."""
        for record in records:
            self.roster.set(record)
        for record in records:
            self._changed(Change(record.agent.id, None, is_narrower=True))
        async with self._lock:
            await self._store.put(tuple(self._last_seen(self.roster.agents[record.agent.id]) for record in records), ())

    async def _widen(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """First in the store, then in memory; raises `RegistryError` if somebody narrowed the same record meanwhile."""
        before = self._as_they_stand(agents, keys)
        await self._store.put(tuple(self._last_seen(record) for record in agents), keys)
        if before != self._as_they_stand(agents, keys):
            raise RegistryError("expected nobody else to change this agent meanwhile, somebody did")
        for agent in agents:
            self.roster.set(agent)
        for key in keys:
            self.roster.set_key(key)
        for name in {record.agent.id for record in agents} | {record.agent for record in keys}:
            self._changed(Change(name, None, is_narrower=False))

    def _as_they_stand(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> tuple[list[object], list[object]]:
        roster = self.roster
        return [roster.agents.get(record.agent.id) for record in agents], [roster.keys.get(record.id) for record in keys]

    def _changed(self, change: Change) -> None:
        self.version += 1
        for follower in self._followers:
            follower(change)
