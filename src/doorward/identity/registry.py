"""The agents we know and their keys: a mirror in memory of what the store holds, so that a look costs no wait.

INVARIANT: what takes rights away is true in memory at once and written after; what gives rights is written first. A change
that failed to be written can therefore leave an agent out, never in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import anyio

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId
from doorward.identity import identities
from doorward.identity.identities import Identity
from doorward.identity.keys import KeyRecord, issue
from doorward.identity.names import RegistryError as RegistryError
from doorward.identity.names import check, check_purpose
from doorward.identity.records import AGENT_METHODS, Terms, Why
from doorward.identity.records import NEVER as NEVER
from doorward.identity.records import AgentRecord as AgentRecord
from doorward.identity.records import State as State
from doorward.identity.roster import Roster

SEEN_EVERY_SECONDS = 60.0
"""How coarse `seen_at` is: a minute tells whether an agent is in use, and costs one note a minute."""

MOST_LIVE_KEYS = 8
"""Keys of one agent that are valid at the same time: enough to rotate, few enough to know."""

MOST_IDENTITIES = 256
"""Identities of one agent: a fleet of workloads that are one agent, and a record that is still quick to write whole."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be said of an agent from now on; None leaves a thing as it is."""

    owner: str | None = None
    purpose: str | None = None
    methods: frozenset[AuthnMethod] | None = None
    expires_at: float | None = None


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


PLAIN = Terms()
"""Nothing else is said: every method, no identity."""


class Registry:
    """Agents and keys, written through to a store. `version` grows with each change: what was derived from an older one is void."""

    __slots__ = ("_followers", "_lock", "_random_bytes", "_roster", "_seen", "_store", "_unsaved", "now", "version")

    def __init__(self, store: AgentStore, random_bytes: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._store = store
        self._random_bytes = random_bytes
        self.now = now
        """The clock that agents and keys end by."""
        self._roster = Roster()
        self._seen: dict[AgentId, float] = {}
        self._unsaved: set[AgentId] = set()
        self._followers: list[Callable[[Change], None]] = []
        self._lock = anyio.Lock()
        self.version = 0

    async def load(self) -> None:
        """Takes over what the store holds; until then nobody is known. Raises `StoreError`."""
        self._roster = Roster(*await self._store.load())
        self.version += 1

    def follow(self, follower: Callable[[Change], None]) -> None:
        """Calls back at each change, before it is written where it takes rights away."""
        self._followers.append(follower)

    def standing(self, agent: AgentId) -> AgentRecord | None:
        """One agent as it stands, in one look; when it was last seen may be behind."""
        return self._roster.agents.get(agent)

    def by_identity(self, identity: Identity) -> AgentRecord | None:
        """The agent that an identity is bound to, in one look; when it was last seen may be behind."""
        return self._roster.holder(identity)

    def agent(self, agent: AgentId) -> AgentRecord | None:
        """One agent as it stands, and when it was last seen."""
        record = self._roster.agents.get(agent)
        seen = self._seen.get(agent)
        return record if record is None or seen is None else replace(record, seen_at=seen)

    def agents(self) -> tuple[AgentRecord, ...]:
        """Every agent, by id."""
        return tuple(record for agent in sorted(self._roster.agents) if (record := self.agent(agent)))

    def enrolled(self, by: str) -> int:
        """How many agents somebody has made known (`enrolled_by`), revoked ones among them."""
        return self._roster.enrolled(by)

    def key(self, key: KeyId) -> KeyRecord | None:
        """One key as it stands."""
        return self._roster.keys.get(key)

    def keys(self, agent: AgentId) -> tuple[KeyRecord, ...]:
        """The keys of one agent, oldest first."""
        own = (key for key in self._roster.keys.values() if key.agent == agent)
        return tuple(sorted(own, key=lambda key: (key.created_at, key.id)))

    async def add(self, agent: Agent, expires_at: float, key_ttl_seconds: float, terms: Terms = PLAIN) -> tuple[str, KeyRecord]:
        """Makes an agent known with its first key, whose text is given here and never again; raises `RegistryError` if the name
        cannot be one or was ever taken."""
        async with self._lock:
            record = self._new(agent, expires_at, terms)
            _may_have_keys(record)
            _in_future(key_ttl_seconds, "key")
            text, key = issue(agent.id, self._random_bytes, record.created_at, key_ttl_seconds)
            await self._widen((record,), (key,))
            return text, key

    async def enter(self, agent: Agent, expires_at: float, terms: Terms) -> None:
        """Makes an agent known that has no key (yet); raises `RegistryError` as `add` does."""
        async with self._lock:
            await self._widen((self._new(agent, expires_at, terms),), ())

    async def rotate(self, agent: AgentId, key_ttl_seconds: float, overlap_seconds: float) -> tuple[str, KeyRecord]:
        """A new key for an active agent; its other keys end after the overlap. Raises `RegistryError`."""
        async with self._lock:
            record, now = self._known(agent), self.now()
            _in_future(key_ttl_seconds, "key")
            _may_have_keys(record)
            if record.state is not State.ACTIVE:
                raise RegistryError(f"expected an active agent, {agent!r} is {record.state}")
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
            record = self._changeable(agent)
            if identity in record.identities:
                return
            self._check_identities((*record.identities, identity), agent)
            await self._widen((replace(record, identities=(*record.identities, identity)),), ())

    async def unbind(self, identity: Identity) -> None:
        """Takes an identity from the agent that it stands for; raises `RegistryError`."""
        record = self._roster.holder(identity)
        if record is None:
            raise RegistryError(f"expected an identity that is bound to an agent, got {identities.shown(identity)}")
        await self._narrow(replace(record, identities=tuple(other for other in record.identities if other != identity)))

    async def edit(self, agent: AgentId, edit: Edit) -> None:
        """Changes what is said of an agent: what is taken away holds at once, the rest once it is written. Raises `RegistryError`."""
        record = self._changeable(agent)
        after = _edited(record, edit)
        _check_record(after, self.now())
        less = replace(record, methods=record.methods & after.methods, expires_at=min(record.expires_at, after.expires_at))
        if less != record:
            await self._narrow(less)
        async with self._lock:
            record = self._changeable(agent)
            if _edited(record, edit) != record:
                await self._widen((_edited(record, edit),), ())

    async def suspend(self, agent: AgentId) -> None:
        """Keeps an agent out until it is resumed; raises `RegistryError`."""
        record = self._changeable(agent)
        why = record.why if record.state is State.SUSPENDED else Why.ORDERED
        await self._narrow(replace(record, state=State.SUSPENDED, why=why))

    async def owner_left(self, owner: str) -> tuple[AgentId, ...]:
        """Keeps every agent of an owner out until somebody else answers for it; gives their names."""
        left = [record for record in self.agents() if record.agent.owner == owner and record.state is not State.REVOKED]
        await self._narrow(*(replace(record, state=State.SUSPENDED, why=Why.OWNER_LEFT) for record in left))
        return tuple(record.agent.id for record in left)

    def has_left(self, owner: str) -> bool:
        """Whether an agent is kept out because this owner has left."""
        return any(record.why is Why.OWNER_LEFT and record.agent.owner == owner for record in self._roster.agents.values())

    async def resume(self, agent: AgentId) -> None:
        """Lets a suspended agent act again, if somebody answers for it; raises `RegistryError`."""
        async with self._lock:
            record = self._changeable(agent)
            if record.state is State.SUSPENDED and record.why is Why.OWNER_LEFT:
                raise RegistryError(f"expected an agent that somebody answers for, its owner {record.agent.owner!r} has left")
            await self._widen((replace(record, state=State.ACTIVE),), ())

    async def revoke(self, agent: AgentId) -> None:
        """Keeps an agent out for good, with all its keys and identities; raises `RegistryError`."""
        await self._narrow(replace(self._known(agent), state=State.REVOKED))

    async def revoke_key(self, key: KeyId) -> None:
        """Ends one key for good; raises `RegistryError`."""
        record = self.key(key)
        if record is None:
            raise RegistryError(f"expected the id of a key, got {key[:32]!r}")
        if record.revoked_at is None:
            record = replace(record, revoked_at=self.now())
        self._roster.keys[key] = record
        self._changed(Change(record.agent, key, is_narrower=True))
        async with self._lock:
            await self._store.put((), (self._roster.keys[key],))

    def seen(self, agent: AgentId, now: float) -> None:
        """Notes that an agent acted, to the minute; cheap enough for each request."""
        if agent in self._roster.agents and not now - self._seen.get(agent, -NEVER) < SEEN_EVERY_SECONDS:
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

    def _changeable(self, agent: AgentId) -> AgentRecord:
        record = self._known(agent)
        if record.state is State.REVOKED:
            raise RegistryError(f"expected an agent that is not revoked, got {agent!r}")
        return record

    def _new(self, agent: Agent, expires_at: float, terms: Terms) -> AgentRecord:
        known, now = self._roster.agents.get(agent.id), self.now()
        record = AgentRecord(
            agent=agent,
            state=State.ACTIVE,
            created_at=now,
            expires_at=expires_at,
            purpose=terms.purpose,
            methods=terms.methods,
            identities=terms.identities,
            enrolled_by=terms.enrolled_by,
        )
        _check_record(record, now)
        if known is not None:
            raise RegistryError(f"expected a new name, {agent.id!r} is {known.state}")
        self._check_identities(record.identities, agent.id)
        return record

    def _check_identities(self, wanted: Sequence[Identity], agent: AgentId) -> None:
        if len(wanted) > MOST_IDENTITIES or len(set(wanted)) < len(wanted):
            raise RegistryError(f"expected at most {MOST_IDENTITIES} different identities, got {len(wanted)}")
        for identity in wanted:
            wrong, holder = identities.misnamed(identity), self._roster.holder(identity)
            if wrong is not None:
                raise RegistryError(wrong)
            if holder is not None and holder.agent.id != agent:
                raise RegistryError(f"expected a free identity, {identities.shown(identity)} stands for {holder.agent.id!r}")

    async def _narrow(self, *records: AgentRecord) -> None:
        """At once in memory, then in the store, in the order of the lock: a wider write that was on its way is overwritten."""
        for record in records:
            self._roster.set(record)
        for record in records:
            self._changed(Change(record.agent.id, None, is_narrower=True))
        async with self._lock:
            await self._store.put(tuple(self._roster.agents[record.agent.id] for record in records), ())

    async def _widen(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """First in the store, then in memory; raises `RegistryError` if somebody narrowed the same record meanwhile."""
        before = self._as_they_stand(agents, keys)
        await self._store.put(agents, keys)
        if before != self._as_they_stand(agents, keys):
            raise RegistryError("expected nobody else to change this agent meanwhile, somebody did")
        for agent in agents:
            self._roster.set(agent)
        self._roster.keys.update((record.id, record) for record in keys)
        for name in {record.agent.id for record in agents} | {record.agent for record in keys}:
            self._changed(Change(name, None, is_narrower=False))

    def _as_they_stand(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> tuple[list[object], list[object]]:
        roster = self._roster
        return [roster.agents.get(record.agent.id) for record in agents], [roster.keys.get(record.id) for record in keys]

    def _changed(self, change: Change) -> None:
        self.version += 1
        for follower in self._followers:
            follower(change)


def _edited(record: AgentRecord, edit: Edit) -> AgentRecord:
    """A new owner (or the old one, confirmed) answers for the agent: it may be resumed."""
    return replace(
        record,
        agent=record.agent if edit.owner is None else replace(record.agent, owner=edit.owner),
        why=record.why if edit.owner is None else Why.ORDERED,
        purpose=record.purpose if edit.purpose is None else edit.purpose,
        methods=record.methods if edit.methods is None else edit.methods,
        expires_at=record.expires_at if edit.expires_at is None else edit.expires_at,
    )


def _check_record(record: AgentRecord, now: float) -> None:
    check(record.agent)
    check_purpose(record.purpose)
    _in_future(record.expires_at - now, "agent")
    strange = record.methods - AGENT_METHODS - {AuthnMethod.ANONYMOUS}
    if strange or not record.methods:
        raise RegistryError(f"expected one or more of {', '.join(sorted(AGENT_METHODS))}, got {', '.join(sorted(strange)) or 'none'}")


def _may_have_keys(record: AgentRecord) -> None:
    if AuthnMethod.AGENT_KEY not in record.methods:
        raise RegistryError(f"expected an agent that may prove itself by keys, {record.agent.id!r} may not")


def _in_future(seconds: float, what: str) -> None:
    if not seconds > 0:
        raise RegistryError(f"expected the {what} to end after now, got {seconds:g} seconds from now")
