"""Admin API: agents, the identities they are known by, and their keys."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from doorward.admission.matters import Matter, MatterKind
from doorward.audit.recorder import Recorder
from doorward.control.agent_shapes import (
    AddedAgent,
    AgentEdit,
    AgentList,
    AgentView,
    BoundIdentity,
    IssuedKey,
    Left,
    NewAgent,
    Owner,
    Rotation,
    view,
)
from doorward.control.operators import NOBODYS, Role, is_self
from doorward.control.orders import narrow, tell, widen
from doorward.control.routes import Ask, ControlError, Done, Route
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import AgentId, KeyId, TeamId
from doorward.domain.receipts import Event, Scalar
from doorward.identity import changes
from doorward.identity.identities import Identity, IdentityError, IdentityKind, parse
from doorward.identity.keys import KeyRecord
from doorward.identity.records import NEVER, AgentRecord, Edit, State, Terms, edited, narrowed
from doorward.identity.registry import Registry, RegistryError

T = TypeVar("T")

ADD = "Make an agent known and issue its first key, if it has keys"
_DAY_SECONDS = 86400.0
_MOST_DAYS = 3660


def no_rules(identity: Identity) -> str:
    """Where there are no enrolment rules, none brings an identity back."""
    del identity
    return ""


async def nothing_else(matter: Matter, why: str) -> None:
    """Where nothing has been given to anybody."""


def any_issuer(name: str) -> bool:
    """Where nothing is known of issuers, none is missed."""
    del name
    return True


class Agents(msgspec.Struct, frozen=True):
    """The operations on agents."""

    registry: Registry
    recorder: Recorder
    now: Callable[[], float]
    could_enrol: Callable[[Identity], str] = no_rules
    """The enrolment rule that would make an identity known when it next calls; empty if none would."""
    is_issuer: Callable[[str], bool] = any_issuer
    """Whether the configuration has an issuer of this name."""
    withdrawn: Callable[[Matter, str], Awaitable[None]] = nothing_else
    """Ends what was given to an agent that has been revoked, or for it alone; raises `StoreError`."""

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        owner, mine = Role.OWNER, self._team
        return (
            Route("GET", "/v1/agents", Role.VIEWER, "List agents", self.all, gives=AgentList),
            Route("POST", "/v1/agents", owner, ADD, self.add, NewAgent, AddedAgent, within=_team_of_new),
            Route("GET", "/v1/agents/{agent}", Role.VIEWER, "Show one agent", self.one, gives=AgentView),
            Route(
                "POST",
                "/v1/agents/{agent}/edit",
                owner,
                "Change owner, purpose, methods or end",
                self.edit,
                AgentEdit,
                Done,
                within=self._team_of_edit,
            ),
            Route("POST", "/v1/agents/{agent}/bind", Role.ADMIN, "Let an identity act as an agent", self.bind, BoundIdentity, Done),
            Route(
                "POST", "/v1/agents/{agent}/unbind", owner, "Take an identity from an agent", self.unbind, BoundIdentity, Done, within=mine
            ),
            Route(
                "POST", "/v1/agents/{agent}/rotate", owner, "Issue a new key", self.rotate, Rotation, IssuedKey, within=self._team_of_own
            ),
            Route("POST", "/v1/agents/{agent}/suspend", owner, "Keep an agent out until resumed", self.suspend, gives=Done, within=mine),
            Route("POST", "/v1/agents/{agent}/resume", owner, "Let a suspended agent act again", self.resume, gives=Done, within=mine),
            Route("POST", "/v1/agents/{agent}/revoke", owner, "Keep an agent out for good", self.revoke, gives=Done, within=mine),
            Route("POST", "/v1/owners/left", Role.ADMIN, "Keep out all agents of an owner who has left", self.owner_left, Owner, Left),
            Route("DELETE", "/v1/keys/{key}", owner, "Revoke one key", self.revoke_key, gives=Done, within=self._team_of_key),
        )

    def _team(self, ask: Ask) -> frozenset[str]:
        return frozenset((self._known(ask).agent.team,))

    def _team_of_edit(self, ask: Ask) -> frozenset[str]:
        """Another owner is nobody's to name but an admin's: nobody approves what their own agents ask, nor may they disown them for it."""
        assert isinstance(ask.body, AgentEdit)
        return NOBODYS if ask.body.owner is not None else self._team(ask)

    def _team_of_own(self, ask: Ask) -> frozenset[str]:
        """The team of an agent of the operator's own. A key of somebody else's is nobody's to hold but an admin's: with it in hand, they
        would ask as that agent, and approve what it asks."""
        return self._team(ask) if is_self(ask.operator, self._known(ask).agent.owner) else NOBODYS

    def _team_of_key(self, ask: Ask) -> frozenset[str]:
        key = self.registry.key(KeyId(ask.path["key"]))
        return NOBODYS if key is None else team_of(self.registry, key.agent)

    async def all(self, ask: Ask) -> AgentList:
        """Every agent, by id."""
        return AgentList(agents=tuple(view(record, self.registry.keys(record.agent.id)) for record in self.registry.agents()))

    async def one(self, ask: Ask) -> AgentView:
        """One agent; 404 if there is none."""
        record = self._known(ask)
        return view(record, self.registry.keys(record.agent.id))

    async def add(self, ask: Ask) -> AddedAgent:
        """Makes an agent known; 409 if the name cannot be one or was ever taken, or an identity is another agent's."""
        wanted = ask.body
        assert isinstance(wanted, NewAgent)
        agent = Agent(AgentId(wanted.id), wanted.owner or ask.operator.name, TeamId(wanted.team), wanted.kind)
        names = tuple(_identity(text) for text in wanted.identities)
        terms = Terms(wanted.purpose, _methods(wanted.methods), names, f"operator {ask.operator.name}")
        end = NEVER if wanted.expires_days is None else self.now() + wanted.expires_days * _DAY_SECONDS
        roster = self.registry.roster
        _allowed(lambda: changes.added(roster, agent, end, terms, self.now()))
        fields: dict[str, Scalar] = {"agent": agent.id, "team": agent.team, "owner": agent.owner, "kind": agent.kind}
        event = _event("agent_added", ask, {**fields, "methods": _listed(terms.methods), "identities": " ".join(map(str, names))})
        if AuthnMethod.AGENT_KEY not in terms.methods:
            await self._widened(event, lambda: self.registry.enter(agent, end, terms))
            return AddedAgent(agent=agent.id, warnings=self._unproven(names, terms.methods))
        key = await self._issued(event, lambda: self.registry.add(agent, end, wanted.key_days * _DAY_SECONDS, terms))
        warnings = self._unproven(names, terms.methods)
        return AddedAgent(agent=agent.id, key=key.key, key_id=key.key_id, expires_at=key.expires_at, warnings=warnings)

    async def edit(self, ask: Ask) -> Done:
        """Changes what is said of an agent; what is taken away alone goes through although the log cannot be written."""
        wanted = ask.body
        assert isinstance(wanted, AgentEdit)
        record = self._known(ask)
        methods = None if wanted.methods is None else _methods(wanted.methods)
        edit = Edit(wanted.owner, wanted.purpose, methods, self._end(wanted.expires_days))
        if edit == Edit():
            raise ControlError(400, "invalid_edit", "expected something to change: owner, purpose, methods or expires_days")
        roster = self.registry.roster
        _allowed(lambda: changes.rewritten(roster, record.agent.id, edit, self.now()))
        after = edited(record, edit)
        event = _event("agent_edited", ask, {"agent": record.agent.id, **_changes(edit)})

        async def change() -> None:
            await self.registry.edit(record.agent.id, edit)

        if after == narrowed(record, after):
            return Done(warnings=await self._narrowed(event, change))
        await self._widened(event, change)
        return Done()

    async def bind(self, ask: Ask) -> Done:
        """Lets what proves an identity act as the agent; 409 where it is another agent's. Warnings say if nothing can prove it now."""
        record, identity = self._known(ask), _asked_identity(ask)
        agent = record.agent.id
        roster = self.registry.roster
        _allowed(lambda: changes.bound(roster, agent, identity))
        event = _event("identity_bound", ask, {"agent": agent, "identity": str(identity)})
        await self._widened(event, lambda: self.registry.bind(agent, identity))
        return Done(warnings=self._unproven((identity,), record.methods))

    async def unbind(self, ask: Ask) -> Done:
        """Takes an identity from the agent; a warning says if a rule would bring it back."""
        record, identity = self._known(ask), _asked_identity(ask)
        if identity not in record.identities:
            raise ControlError(409, "refused", f"expected an identity of {record.agent.id!r}, got {str(identity)[:200]!r}")
        event = _event("identity_unbound", ask, {"agent": record.agent.id, "identity": str(identity)})
        warnings = await self._narrowed(event, lambda: self.registry.unbind(identity))
        rule = self.could_enrol(identity)
        back = (f"the rule {rule!r} enrols it again when it next calls; change the rule, or revoke the client",) if rule else ()
        return Done(warnings=(*warnings, *back))

    async def rotate(self, ask: Ask) -> IssuedKey:
        """Issues a new key; the others end after the overlap."""
        wanted = ask.body
        assert isinstance(wanted, Rotation)
        record = self._known(ask)
        _allowed(lambda: changes.active(changes.with_keys(record)))
        agent = record.agent.id

        async def change() -> tuple[str, KeyRecord]:
            return await self.registry.rotate(agent, wanted.key_days * _DAY_SECONDS, wanted.overlap_hours * 3600)

        return await self._issued(_event("key_rotated", ask, {"agent": agent}), change)

    async def suspend(self, ask: Ask) -> Done:
        """Keeps an agent out until it is resumed."""
        agent = self._known(ask).agent.id
        event = _event("agent_suspended", ask, {"agent": agent})
        return Done(warnings=await self._narrowed(event, lambda: self.registry.suspend(agent)))

    async def resume(self, ask: Ask) -> Done:
        """Lets a suspended agent act again; 409 if its owner has left and nobody else answers for it yet."""
        record = self._known(ask)
        if record.state is not State.SUSPENDED:
            raise ControlError(409, "refused", f"expected a suspended agent, {record.agent.id!r} is {record.state}")
        agent = record.agent.id
        roster = self.registry.roster
        _allowed(lambda: changes.resumed(roster, agent))
        await self._widened(_event("agent_resumed", ask, {"agent": agent}), lambda: self.registry.resume(agent))
        return Done()

    async def revoke(self, ask: Ask) -> Done:
        """Keeps an agent out for good, with all its keys."""
        agent = self._known(ask).agent.id

        async def change() -> None:
            try:
                await self.registry.revoke(agent)
            finally:
                await self.withdrawn(Matter(MatterKind.AGENT, agent), "revoked")

        return Done(warnings=await self._narrowed(_event("agent_revoked", ask, {"agent": agent}), change))

    async def owner_left(self, ask: Ask) -> Left:
        """Keeps out every agent of an owner until another one answers for it; 404 if it has none."""
        wanted = ask.body
        assert isinstance(wanted, Owner)
        names = tuple(record.agent.id for record in changes.orphaned(self.registry.roster, wanted.owner))
        if not names:
            raise ControlError(404, "unknown_owner", f"no agent has the owner {wanted.owner[:64]!r}")
        event = _event("owner_left", ask, {"owner": wanted.owner, "agents": len(names)})
        warnings = list(await self._narrowed(event, lambda: self.registry.owner_left(wanted.owner)))
        for agent in names:
            warnings += await tell(self.recorder, _event("agent_suspended", ask, {"agent": agent, "why": "owner_left"}))
        return Left(agents=names, warnings=tuple(dict.fromkeys(warnings)))

    async def revoke_key(self, ask: Ask) -> Done:
        """Ends one key for good."""
        key = self.registry.key(KeyId(ask.path["key"]))
        if key is None:
            raise ControlError(404, "unknown_key", f"there is no key {ask.path['key'][:32]!r}")
        event = _event("key_revoked", ask, {"agent": key.agent, "key": key.id})
        return Done(warnings=await self._narrowed(event, lambda: self.registry.revoke_key(key.id)))

    def _unproven(self, identities: tuple[Identity, ...], methods: frozenset[AuthnMethod]) -> tuple[str, ...]:
        """A line for each identity that nothing can prove as things stand: a slip, or something that is yet to come."""
        found: list[str] = []
        for one in identities:
            way = AuthnMethod.ACCESS_TOKEN if one.kind is IdentityKind.CLIENT else AuthnMethod.CERTIFICATE
            if one.kind is IdentityKind.CLIENT and not self.is_issuer(one.issuer):
                found.append(f"no issuer is called {one.issuer!r} in the configuration, so nothing proves {one}")
            if way not in methods:
                found.append(f"the agent may not prove itself by {way}, so {one} is of no use")
        return tuple(found)

    def _known(self, ask: Ask) -> AgentRecord:
        record = self.registry.agent(AgentId(ask.path["agent"]))
        if record is None:
            raise ControlError(404, "unknown_agent", f"there is no agent {ask.path['agent'][:64]!r}")
        return record

    def _end(self, days: float | str | None) -> float | None:
        if days is None or isinstance(days, str):
            return None if days is None else NEVER
        if not 0 < days <= _MOST_DAYS:
            raise ControlError(400, "invalid_edit", f"expected more than 0 and at most {_MOST_DAYS} days, or `never`, got {days:g}")
        return self.now() + days * _DAY_SECONDS

    async def _narrowed(self, event: Event, change: Callable[[], Awaitable[object]]) -> tuple[str, ...]:
        try:
            return await narrow(self.recorder, event, change)
        except RegistryError as error:
            raise ControlError(409, "refused", str(error)) from error

    async def _widened(self, event: Event, change: Callable[[], Awaitable[T]]) -> T:
        try:
            return await widen(self.recorder, event, change)
        except RegistryError as error:
            raise ControlError(409, "refused", str(error)) from error

    async def _issued(self, event: Event, change: Callable[[], Awaitable[tuple[str, KeyRecord]]]) -> IssuedKey:
        """The key that a change brings, once the log has its id; a key that could not be told of is revoked again."""
        text, key = await self._widened(event, change)
        try:
            await self.recorder.note(Event("key_issued", event.by, {"agent": key.agent, "key": key.id, "expires": int(key.expires_at)}))
        except UnrecordedError:
            await self.registry.revoke_key(key.id)
            raise
        return IssuedKey(agent=key.agent, key=text, key_id=key.id, expires_at=key.expires_at)


def team_of(registry: Registry, agent: AgentId) -> frozenset[str]:
    """The team of an agent; nobody's where it is not known."""
    record = registry.agent(agent)
    return NOBODYS if record is None else frozenset((record.agent.team,))


def _team_of_new(ask: Ask) -> frozenset[str]:
    """The team a new agent would join. One with identities is nobody's: an admin says which software an agent is (as for `bind`);
    nor is one of somebody else: who gets its key answers for it, and does not approve what it asks (as for another owner)."""
    assert isinstance(ask.body, NewAgent)
    is_own = not ask.body.owner or is_self(ask.operator, ask.body.owner)
    return frozenset((ask.body.team,)) if is_own and not ask.body.identities else NOBODYS


def _allowed(check: Callable[[], object]) -> None:
    """Looks before the log is told of a change that would not be made anyway."""
    try:
        check()
    except RegistryError as error:
        raise ControlError(409, "refused", str(error)) from error


def _identity(text: str) -> Identity:
    try:
        return parse(text)
    except IdentityError as error:
        raise ControlError(400, "invalid_identity", str(error)) from error


def _asked_identity(ask: Ask) -> Identity:
    wanted = ask.body
    assert isinstance(wanted, BoundIdentity)
    return _identity(wanted.identity)


def _methods(names: tuple[str, ...]) -> frozenset[AuthnMethod]:
    return frozenset(AuthnMethod(name) for name in names)


def _listed(methods: frozenset[AuthnMethod]) -> str:
    return " ".join(sorted(methods))


def _changes(edit: Edit) -> dict[str, Scalar]:
    """What an edit says, for the log."""
    said: dict[str, Scalar | None] = {
        "owner": edit.owner,
        "purpose": edit.purpose,
        "methods": None if edit.methods is None else _listed(edit.methods),
        "expires": None if edit.expires_at is None else "never" if edit.expires_at == NEVER else int(edit.expires_at),
    }
    return {name: value for name, value in said.items() if value is not None}


def _event(event: str, ask: Ask, fields: dict[str, Scalar]) -> Event:
    return Event(event, ask.operator.name, fields)
