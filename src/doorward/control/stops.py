"""Admin API: the stop switch and revocations."""

from collections.abc import Awaitable, Callable
from typing import Literal, assert_never

import msgspec
from pydantic import Field

from doorward.admission.matters import FOR_GOOD, Matter, MatterKind, StopError, parse, written
from doorward.admission.stops import Effect, Stop, Switch
from doorward.audit.recorder import Recorder
from doorward.config.model import Document
from doorward.control.agents import nothing_else, team_of
from doorward.control.catalog import teams_of
from doorward.control.operators import NOBODYS, Role
from doorward.control.orders import narrow, widen
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId, KeyId, UpstreamId
from doorward.domain.receipts import Event
from doorward.identity.registry import Registry, RegistryError
from doorward.runtime.generations import Generations

SELF = "self"
"""Our own authority, among issuers."""


class NewStop(Shape):
    """What to stop or revoke, and why."""

    matter: str = Field(
        max_length=2048,
        description="`all`, `agent:NAME`, `key:ID`, `user:ISSUER:NAME`, `client:ISSUER:ID`, `issuer:NAME`, `family:ID`, "
        "`certificate:SHA-256`, `session:ID`, `upstream:NAME` or `tool:UPSTREAM/TOOL`",
    )
    reason: str = Field(min_length=1, max_length=500)
    effect: Literal["stopped", "revoked"] = "stopped"


class Lift(Shape):
    """Which stop or revocation to lift; those of agents, keys, families, certificates and sessions are for good."""

    matter: str = Field(max_length=2048)
    effect: Literal["stopped", "revoked"] = "stopped"


class StopView(Shape):
    """Something that stands still; `since` in Unix seconds."""

    matter: str
    effect: str
    reason: str
    by: str
    since: float


class StopList(Shape):
    """Everything that stands still."""

    stops: tuple[StopView, ...]


LIFT = "Lift a stop, or a revocation that is not for good"


class Stops(msgspec.Struct, frozen=True):
    """The operations on stops."""

    switch: Switch
    registry: Registry
    generations: Generations
    recorder: Recorder
    withdrawn: Callable[[Matter, str], Awaitable[None]] = nothing_else
    """Ends at our own authority what was granted to, or for, a matter that has been revoked; raises `StoreError`."""

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        team = self._team
        return (
            Route("GET", "/v1/stops", Role.VIEWER, "List what is stopped or revoked", self.all, gives=StopList),
            Route("POST", "/v1/stops", Role.OWNER, "Stop or revoke something, at once and in flight", self.set, NewStop, Done, within=team),
            Route("POST", "/v1/stops/lift", Role.OWNER, LIFT, self.lift, Lift, Done, within=team),
        )

    def _team(self, ask: Ask) -> frozenset[str]:
        """Whose the matter is: of an agent, a key, an upstream or a tool that is known; people, issuers and the rest are nobody's."""
        assert isinstance(ask.body, NewStop | Lift)
        matter = _matter(ask.body.matter)
        match matter.kind:
            case MatterKind.AGENT:
                return team_of(self.registry, AgentId(matter.name))
            case MatterKind.KEY:
                key = self.registry.key(KeyId(matter.name))
                return NOBODYS if key is None else team_of(self.registry, key.agent)
            case MatterKind.UPSTREAM | MatterKind.TOOL:
                return teams_of((matter.name.partition("/")[0],), self.generations.current.document)
            case _:
                return NOBODYS

    async def all(self, ask: Ask) -> StopList:
        """Everything that stands still, oldest first."""
        return StopList(stops=tuple(_view(stop) for stop in self.switch.standing()))

    async def set(self, ask: Ask) -> Done:
        """Stops or revokes: true in memory before anything is written."""
        wanted = ask.body
        assert isinstance(wanted, NewStop)
        matter, effect = _matter(wanted.matter), Effect(wanted.effect)

        async def change() -> None:
            if effect is Effect.STOPPED:
                await self.switch.stop(matter, wanted.reason, ask.operator.name)
                return
            try:
                await self.switch.revoke(matter, wanted.reason, ask.operator.name)
            finally:
                await self._withdraw(matter)

        event = "revoked" if effect is Effect.REVOKED else "stop_set"
        try:
            warnings = await narrow(
                self.recorder, Event(event, ask.operator.name, {"matter": self._recorded(matter), "reason": wanted.reason}), change
            )
        except (StopError, RegistryError) as error:
            raise ControlError(409, "refused", str(error)) from error
        return Done(warnings=(*self._unknown(matter), *warnings))

    async def lift(self, ask: Ask) -> Done:
        """Lifts a stop, or a revocation that is not for good."""
        wanted = ask.body
        assert isinstance(wanted, Lift)
        matter, effect = _matter(wanted.matter), Effect(wanted.effect)
        stop = next((stop for stop in self.switch.standing() if (stop.matter, stop.effect) == (matter, effect)), None)
        if stop is None:
            raise ControlError(409, "refused", f"{wanted.matter[:200]} is not {effect}")
        if ask.operator.role is not Role.ADMIN and stop.by != ask.operator.name:
            # What an admin stopped, its own team must not set going again.
            raise ControlError(403, "forbidden", f"{stop.by} set this; {ask.operator.name} or an admin was expected to lift it")
        if effect is Effect.REVOKED and matter.kind in FOR_GOOD:
            raise ControlError(409, "refused", f"the revocation of {wanted.matter} is for good")
        verb: Callable[[Matter], Awaitable[None]] = self.switch.restore if effect is Effect.REVOKED else self.switch.resume
        event = Event("stop_lifted", ask.operator.name, {"matter": self._recorded(matter), "effect": effect.value})
        try:
            await widen(self.recorder, event, lambda: verb(matter))
        except StopError as error:
            raise ControlError(409, "refused", str(error)) from error
        return Done()

    async def _withdraw(self, matter: Matter) -> None:
        """What is revoked is so at its source too: its name is not given out again, and no token for it."""
        if matter.kind is MatterKind.AGENT and self.registry.agent(AgentId(matter.name)) is not None:
            await self.registry.revoke(AgentId(matter.name))
        if matter.kind is MatterKind.KEY and self.registry.key(KeyId(matter.name)) is not None:
            await self.registry.revoke_key(KeyId(matter.name))
        await self.withdrawn(matter, "revoked")

    def _recorded(self, matter: Matter) -> str:
        """A matter as the log names it: a person by the pseudonym that its other leaves have."""
        if matter.kind is MatterKind.USER:
            return f"{matter.kind}:{self.recorder.pseudonym(matter.name)}"
        return written(matter)

    def _unknown(self, matter: Matter) -> tuple[str, ...]:
        """A warning where nothing of this name is known: a stop may come before what it stops, but more often it is a slip."""
        if self._is_known(matter):
            return ()
        what = "issuer" if matter.kind in (MatterKind.USER, MatterKind.CLIENT) else matter.kind
        name = matter.name.partition(":")[0] if what == "issuer" else matter.name
        return (f"no {what} is known by the name {name[:200]!r}; it would be stopped if it came",)

    def _is_known(self, matter: Matter) -> bool:
        snapshot, name = self.generations.current, matter.name
        match matter.kind:
            case MatterKind.ALL | MatterKind.FAMILY | MatterKind.CERTIFICATE | MatterKind.SESSION:
                # Of the last three no list is kept here, and they are not typed by hand.
                return True
            case MatterKind.AGENT:
                anonymous = snapshot.document.identity.anonymous
                return self.registry.agent(AgentId(name)) is not None or (anonymous is not None and anonymous.agent == name)
            case MatterKind.KEY:
                return self.registry.key(KeyId(name)) is not None
            case MatterKind.USER | MatterKind.CLIENT | MatterKind.ISSUER:
                return _is_issuer(name.partition(":")[0], snapshot.document)
            case MatterKind.UPSTREAM:
                return name in snapshot.document.upstreams
            case MatterKind.TOOL:
                upstream, _, tool = name.partition("/")
                return snapshot.index.resolve(UpstreamId(upstream), Kind.TOOL, tool) is not None
            case _:
                assert_never(matter.kind)


def _is_issuer(name: str, document: Document) -> bool:
    return name in document.identity.issuers or (name == SELF and document.identity.authority is not None)


def _matter(text: str) -> Matter:
    try:
        return parse(text)
    except StopError as error:
        raise ControlError(400, "invalid_matter", str(error)) from error


def _view(stop: Stop) -> StopView:
    return StopView(matter=written(stop.matter), effect=stop.effect, reason=stop.reason, by=stop.by, since=stop.since)
