"""Admin API: agents and their keys."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.control.operators import Role
from doorward.control.orders import narrow, widen
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.actors import Agent
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import AgentId, KeyId, TeamId
from doorward.domain.receipts import Event, Scalar
from doorward.identity.keys import KeyRecord
from doorward.identity.names import check
from doorward.identity.registry import NEVER, AgentRecord, Registry, RegistryError, State

_DAY_SECONDS = 86400.0


class NewAgent(Shape):
    """An agent to make known."""

    id: str = Field(min_length=1, max_length=64, description="Lower-case letters and digits with single `.`, `_` and `-` between them")
    team: str = Field(min_length=1, max_length=64)
    owner: str = Field("", max_length=256, description="The person who answers for it; default: the operator")
    kind: str = Field("client", max_length=64)
    key_days: float = Field(90, gt=0, le=3660)
    expires_days: float | None = Field(None, gt=0, le=3660, description="When the agent itself ends; default never")


class Rotation(Shape):
    """A new key, and for how long the old ones go on."""

    key_days: float = Field(90, gt=0, le=3660)
    overlap_hours: float = Field(24, ge=0, le=8760)


class IssuedKey(Shape):
    """A key's text: shown here and never again."""

    agent: str
    key: str
    key_id: str
    expires_at: float


class KeyView(Shape):
    """What is known of a key; times are Unix seconds."""

    id: str
    created_at: float
    expires_at: float
    revoked_at: float | None


class AgentView(Shape):
    """An agent as it stands; times are Unix seconds, `expires_at` is null for never."""

    id: str
    owner: str
    team: str
    kind: str
    state: str
    created_at: float
    expires_at: float | None
    seen_at: float | None
    keys: tuple[KeyView, ...]


class AgentList(Shape):
    """Every agent."""

    agents: tuple[AgentView, ...]


@dataclass(frozen=True, slots=True)
class Agents:
    """The operations on agents."""

    registry: Registry
    recorder: Recorder
    now: Callable[[], float]

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        admin = Role.ADMIN
        return (
            Route("GET", "/v1/agents", Role.VIEWER, "List agents", self.all, gives=AgentList),
            Route("POST", "/v1/agents", admin, "Make an agent known and issue its first key", self.add, NewAgent, IssuedKey),
            Route("GET", "/v1/agents/{agent}", Role.VIEWER, "Show one agent", self.one, gives=AgentView),
            Route("POST", "/v1/agents/{agent}/rotate", admin, "Issue a new key", self.rotate, Rotation, IssuedKey),
            Route("POST", "/v1/agents/{agent}/suspend", admin, "Keep an agent out until resumed", self.suspend, gives=Done),
            Route("POST", "/v1/agents/{agent}/resume", admin, "Let a suspended agent act again", self.resume, gives=Done),
            Route("POST", "/v1/agents/{agent}/revoke", admin, "Keep an agent out for good", self.revoke, gives=Done),
            Route("DELETE", "/v1/keys/{key}", admin, "Revoke one key", self.revoke_key, gives=Done),
        )

    async def all(self, ask: Ask) -> AgentList:
        """Every agent, by id."""
        return AgentList(agents=tuple(self._view(record) for record in self.registry.agents()))

    async def one(self, ask: Ask) -> AgentView:
        """One agent; 404 if there is none."""
        return self._view(self._known(ask))

    async def add(self, ask: Ask) -> IssuedKey:
        """Makes an agent known; 409 if the name cannot be one or was ever taken."""
        wanted = ask.body
        assert isinstance(wanted, NewAgent)
        agent = Agent(AgentId(wanted.id), wanted.owner or ask.operator.name, TeamId(wanted.team), wanted.kind)
        self._check_new(agent)
        end = NEVER if wanted.expires_days is None else self.now() + wanted.expires_days * _DAY_SECONDS
        event = Event("agent_added", ask.operator.name, {"agent": agent.id, "team": agent.team, "owner": agent.owner, "kind": agent.kind})

        async def change() -> tuple[str, KeyRecord]:
            return await self.registry.add(agent, end, wanted.key_days * _DAY_SECONDS)

        return await self._issued(event, change)

    async def rotate(self, ask: Ask) -> IssuedKey:
        """Issues a new key; the others end after the overlap."""
        wanted = ask.body
        assert isinstance(wanted, Rotation)
        record = self._known(ask)
        if record.state is not State.ACTIVE:
            raise ControlError(409, "refused", f"expected an active agent, {record.agent.id!r} is {record.state}")
        agent = record.agent.id

        async def change() -> tuple[str, KeyRecord]:
            return await self.registry.rotate(agent, wanted.key_days * _DAY_SECONDS, wanted.overlap_hours * 3600)

        return await self._issued(Event("key_rotated", ask.operator.name, {"agent": agent}), change)

    async def suspend(self, ask: Ask) -> Done:
        """Keeps an agent out until it is resumed."""
        return await self._narrowed("agent_suspended", ask, self.registry.suspend)

    async def resume(self, ask: Ask) -> Done:
        """Lets a suspended agent act again."""
        record = self._known(ask)
        if record.state is not State.SUSPENDED:
            raise ControlError(409, "refused", f"expected a suspended agent, {record.agent.id!r} is {record.state}")
        agent = record.agent.id
        try:
            await widen(self.recorder, _event("agent_resumed", ask, {"agent": agent}), lambda: self.registry.resume(agent))
        except RegistryError as error:
            raise ControlError(409, "refused", str(error)) from error
        return Done()

    async def revoke(self, ask: Ask) -> Done:
        """Keeps an agent out for good, with all its keys."""
        return await self._narrowed("agent_revoked", ask, self.registry.revoke)

    async def revoke_key(self, ask: Ask) -> Done:
        """Ends one key for good."""
        key = self.registry.key(KeyId(ask.path["key"]))
        if key is None:
            raise ControlError(404, "unknown_key", f"there is no key {ask.path['key'][:32]!r}")
        event = _event("key_revoked", ask, {"agent": key.agent, "key": key.id})
        return Done(warnings=await narrow(self.recorder, event, lambda: self.registry.revoke_key(key.id)))

    def _known(self, ask: Ask) -> AgentRecord:
        record = self.registry.agent(AgentId(ask.path["agent"]))
        if record is None:
            raise ControlError(404, "unknown_agent", f"there is no agent {ask.path['agent'][:64]!r}")
        return record

    def _check_new(self, agent: Agent) -> None:
        try:
            check(agent)
        except RegistryError as error:
            raise ControlError(409, "refused", str(error)) from error
        known = self.registry.agent(agent.id)
        if known is not None:
            raise ControlError(409, "refused", f"expected a new name, {agent.id!r} is {known.state}")

    async def _narrowed(self, event: str, ask: Ask, change: Callable[[AgentId], Awaitable[None]]) -> Done:
        agent = self._known(ask).agent.id
        try:
            return Done(warnings=await narrow(self.recorder, _event(event, ask, {"agent": agent}), lambda: change(agent)))
        except RegistryError as error:
            raise ControlError(409, "refused", str(error)) from error

    async def _issued(self, event: Event, change: Callable[[], Awaitable[tuple[str, KeyRecord]]]) -> IssuedKey:
        """The key that a change brings, once the log has its id; a key that could not be told of is revoked again."""
        try:
            text, key = await widen(self.recorder, event, change)
        except RegistryError as error:
            raise ControlError(409, "refused", str(error)) from error
        try:
            await self.recorder.note(Event("key_issued", event.by, {"agent": key.agent, "key": key.id, "expires": int(key.expires_at)}))
        except UnrecordedError:
            await self.registry.revoke_key(key.id)
            raise
        return IssuedKey(agent=key.agent, key=text, key_id=key.id, expires_at=key.expires_at)

    def _view(self, record: AgentRecord) -> AgentView:
        keys = tuple(
            KeyView(id=key.id, created_at=key.created_at, expires_at=key.expires_at, revoked_at=key.revoked_at)
            for key in self.registry.keys(record.agent.id)
        )
        agent = record.agent
        return AgentView(
            id=agent.id,
            owner=agent.owner,
            team=agent.team,
            kind=agent.kind,
            state=record.state,
            created_at=record.created_at,
            expires_at=None if record.expires_at == NEVER else record.expires_at,
            seen_at=record.seen_at,
            keys=keys,
        )


def _event(event: str, ask: Ask, fields: dict[str, Scalar]) -> Event:
    return Event(event, ask.operator.name, fields)
