"""The stop switch: what an operator has stopped or revoked, effective on the next call and on those in flight (RULINGS 11).

One number, the epoch, grows with each stop, revocation and cut; a call that was admitted under the current epoch needs no other
look. INVARIANT: what keeps calls out is true in memory at once and written after; what lets them in again is written first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never

import anyio

from doorward.domain.actors import AuthnMethod
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, KeyId, UpstreamId
from doorward.domain.reasons import Reason, Refused

MOST_CUTS = 10_000
"""Cuts remembered one by one; when there are more, every call admitted before the last one counts as cut."""


class MatterKind(StrEnum):
    """What sort of thing is stopped or revoked."""

    ALL = "all"
    AGENT = "agent"
    KEY = "key"
    UPSTREAM = "upstream"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Matter:
    """What is stopped or revoked: everything, or one thing of a kind. A tool is named `upstream/tool`."""

    kind: MatterKind
    name: str = ""


EVERYTHING = Matter(MatterKind.ALL)


class Effect(StrEnum):
    """Whether it is for now, lifted by whoever may, or a withdrawal."""

    STOPPED = "stopped"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing that stands still, why, on whose word and since when."""

    matter: Matter
    effect: Effect
    reason: str
    by: str
    since: float
    """Unix seconds."""
    epoch: int


class StopError(DoorwardError):
    """A stop that cannot be set or lifted."""


class StopStore(Protocol):
    """Where stops outlive the process. Raises `StoreError` when it cannot answer."""

    async def load(self) -> tuple[Stop, ...]:
        """Every stop that was put and not dropped."""
        ...

    async def put(self, stop: Stop) -> None:
        """Adds or replaces the stop of this matter and effect; durable on return."""
        ...

    async def drop(self, matter: Matter, effect: Effect) -> None:
        """Forgets the stop of this matter and effect, durable on return; nothing if there is none."""
        ...


def agent(name: AgentId) -> Matter:
    """All that one agent does."""
    return Matter(MatterKind.AGENT, name)


def key(name: KeyId) -> Matter:
    """All that is done with one key."""
    return Matter(MatterKind.KEY, name)


def upstream(name: UpstreamId) -> Matter:
    """All that goes to one upstream."""
    return Matter(MatterKind.UPSTREAM, name)


def tool(at: UpstreamId, name: str) -> Matter:
    """All calls of one tool."""
    return Matter(MatterKind.TOOL, f"{at}/{name}")


def parse(text: str) -> Matter:
    """`all`, `agent:NAME`, `key:ID`, `upstream:NAME` or `tool:UPSTREAM/TOOL` as a matter; raises `StopError`."""
    kind, _, name = text.partition(":")
    if kind not in MatterKind.__members__.values():
        raise StopError(f"expected one of {', '.join(MatterKind)}, got {kind[:32]!r}")
    matter = Matter(MatterKind(kind), name)
    if (matter.kind is MatterKind.ALL) is bool(name):
        raise StopError(f"expected {'no name' if name else 'a name'} after {kind!r}, got {name[:64]!r}")
    at, slash, inner = name.partition("/")
    if matter.kind is MatterKind.TOOL and not (at and slash and inner):
        raise StopError(f"expected UPSTREAM/TOOL, got {name[:64]!r}")
    return matter


def matters(call: Call) -> tuple[Matter, ...]:
    """Everything that a stop could name to catch this call, widest first."""
    principal, target = call.principal, call.target
    found = [EVERYTHING, agent(principal.agent.id)]
    if principal.method is AuthnMethod.AGENT_KEY:
        found.append(key(KeyId(principal.credential)))
    found.append(upstream(target.upstream))
    if target.kind is Kind.TOOL:
        found.append(tool(target.upstream, target.name))
    return tuple(found)


class Switch:
    """What stands still right now, written through to a store. Until `load` has succeeded, everything does."""

    __slots__ = ("_cuts", "_floor", "_followers", "_is_loaded", "_lock", "_now", "_standing", "_store", "epoch")

    def __init__(self, store: StopStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._standing: dict[Matter, dict[Effect, Stop]] = {}
        self._cuts: dict[Matter, int] = {}
        self._floor = 0
        self._followers: list[Callable[[Matter, str], None]] = []
        self._lock = anyio.Lock()
        self._is_loaded = False
        self.epoch = 0

    async def load(self) -> None:
        """Takes over what the store holds. Raises `StoreError`, and everything stays stopped then."""
        for stop in await self._store.load():
            self._standing.setdefault(stop.matter, {}).setdefault(stop.effect, stop)
            self.epoch = max(self.epoch, stop.epoch)
        self.epoch += 1
        self._is_loaded = True

    def on_change(self, follower: Callable[[Matter, str], None]) -> None:
        """Calls back with what has just been stopped, revoked or cut, and why: whoever runs calls of it must end them."""
        self._followers.append(follower)

    def standing(self) -> tuple[Stop, ...]:
        """Everything stopped and revoked, oldest first."""
        stops = (stop for effects in self._standing.values() for stop in effects.values())
        return tuple(sorted(stops, key=lambda stop: (stop.epoch, stop.matter.kind, stop.matter.name)))

    async def stop(self, matter: Matter, reason: str, by: str) -> Stop:
        """Stops a matter at once and for calls in flight; raises `StoreError` when that will not outlive the process (it holds until then)."""
        return await self._set(matter, Effect.STOPPED, reason, by)

    async def revoke(self, matter: Matter, reason: str, by: str) -> Stop:
        """Withdraws a matter like a stop; an agent or key for good. Raises `StopError` for `all`, and `StoreError` as `stop` does."""
        if matter.kind is MatterKind.ALL:
            raise StopError("expected an agent, key, upstream or tool to revoke, got all")
        return await self._set(matter, Effect.REVOKED, reason, by)

    async def resume(self, matter: Matter) -> None:
        """Lifts a stop; raises `StopError` if there is none, and `StoreError` with the stop still in force."""
        await self._lift(matter, Effect.STOPPED)

    async def restore(self, matter: Matter) -> None:
        """Lifts the revocation of an upstream or tool; raises `StopError`, and `StoreError` with the revocation still in force."""
        if matter.kind not in (MatterKind.UPSTREAM, MatterKind.TOOL):
            raise StopError(f"expected an upstream or tool, the revocation of {matter.kind} {matter.name!r} is for good")
        await self._lift(matter, Effect.REVOKED)

    def cut(self, matter: Matter, why: str) -> None:
        """Voids every call of a matter that was admitted before; keeps out no new one (whoever cuts sees to that)."""
        self.epoch += 1
        if len(self._cuts) >= MOST_CUTS:
            self._cuts.clear()
            self._floor = self.epoch
        self._cuts[matter] = self.epoch
        for follower in self._followers:
            follower(matter, why)

    def check(self, call: Call) -> None:
        """Raises `Refused` STOPPED or REVOKED if something that this call touches stands still."""
        if not self._is_loaded:
            raise Refused(
                Reason.STOPPED, "the stops could not be read", sentence="The gateway cannot tell yet what is stopped. Try again later."
            )
        if not self._standing:
            return
        for matter in matters(call):
            for stop in self._standing.get(matter, {}).values():
                raise _refusal(stop)

    def still(self, call: Call, epoch: int) -> None:
        """Raises `Refused` REVOKED_MEANWHILE if anything this call touches was stopped, revoked or cut after `epoch`."""
        if epoch == self.epoch:
            return
        for matter in matters(call):
            standing = self._standing.get(matter, {})
            for stop in standing.values():
                raise Refused(Reason.REVOKED_MEANWHILE, _why(stop))
            if self._cuts.get(matter, self._floor) > epoch:
                raise Refused(Reason.REVOKED_MEANWHILE, f"{matter.kind} {matter.name!r} was cut off meanwhile")

    async def _set(self, matter: Matter, effect: Effect, reason: str, by: str) -> Stop:
        stop = Stop(matter, effect, reason, by, self._now(), self.epoch + 1)
        self._standing.setdefault(matter, {})[effect] = stop
        self.cut(matter, _why(stop))
        async with self._lock:
            # Whatever stands by now is what must be written: a later stop of the same matter, or nothing if it was lifted.
            current = self._standing.get(matter, {}).get(effect)
            if current is not None:
                await self._store.put(current)
        return stop

    async def _lift(self, matter: Matter, effect: Effect) -> None:
        async with self._lock:
            stop = self._standing.get(matter, {}).get(effect)
            if stop is None:
                raise StopError(f"expected something {effect}, {matter.kind} {matter.name!r} is not")
            await self._store.drop(matter, effect)
            effects = self._standing[matter]
            if effects[effect] is not stop:
                # The new one waits for the lock to be written, and stands.
                raise StopError(f"expected nobody to set it meanwhile, {matter.kind} {matter.name!r} was {effect} again")
            del effects[effect]
            if not effects:
                del self._standing[matter]


def _why(stop: Stop) -> str:
    named = f"{stop.matter.kind} {stop.matter.name!r}" if stop.matter.name else "everything"
    return f"{named} was {stop.effect} by {stop.by}: {stop.reason}"


def _refusal(stop: Stop) -> Refused:
    """For the agent: what stands still, where it may know of it, and never who stopped it or why."""
    if stop.effect is Effect.REVOKED and stop.matter.kind in (MatterKind.AGENT, MatterKind.KEY):
        return Refused(Reason.REVOKED, _why(stop))
    return Refused(Reason.STOPPED, _why(stop), sentence=_sentence(stop.matter.kind))


def _sentence(kind: MatterKind) -> str:
    match kind:
        case MatterKind.ALL:
            return "An operator has stopped all calls. Make no further calls until you are told."
        case MatterKind.AGENT | MatterKind.KEY:
            return "An operator has stopped this agent. Make no further calls until you are told."
        case MatterKind.UPSTREAM | MatterKind.TOOL:
            return f"An operator has stopped this {kind}. Do not call it again until you are told; others are not affected."
        case _:
            assert_never(kind)
