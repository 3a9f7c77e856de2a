"""The stop switch: what an operator has stopped or revoked, effective on the next call and on those in flight (RULINGS 11).

One number, the epoch, grows with each stop, revocation and cut; a call that was admitted under the current epoch needs no other
look. INVARIANT: what keeps calls out is true in memory at once and written after; what lets them in again is written first.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, assert_never

import anyio
import msgspec

from doorward.admission.matters import (
    EVERYTHING,
    FOR_GOOD,
    Matter,
    MatterKind,
    Named,
    StopError,
    agent,
    family,
    key,
    matters,
    of_principal,
    parse,
    session,
    told,
    tool,
    touched,
    upstream,
)
from doorward.domain.actors import Principal
from doorward.domain.calls import Call
from doorward.domain.ids import SessionId
from doorward.domain.reasons import Reason, Refused

__all__ = [
    "EVERYTHING",
    "MOST_CUTS",
    "Effect",
    "Matter",
    "MatterKind",
    "Stop",
    "StopError",
    "StopStore",
    "Switch",
    "agent",
    "family",
    "key",
    "matters",
    "parse",
    "session",
    "tool",
    "upstream",
]

MOST_CUTS = 10_000
"""Cuts remembered one by one; when there are more, every call admitted before the last one counts as cut."""


class Effect(StrEnum):
    """Whether it is for now, lifted by whoever may, or a withdrawal."""

    STOPPED = "stopped"
    REVOKED = "revoked"


class Stop(msgspec.Struct, frozen=True):
    """One thing that stands still, why, on whose word and since when."""

    matter: Matter
    effect: Effect
    reason: str
    by: str
    since: float
    """Unix seconds."""
    epoch: int


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


class Switch:
    """What stands still right now, written through to a store. Until `load` has succeeded, everything does."""

    __slots__ = ("_barred", "_cuts", "_floor", "_followers", "_is_loaded", "_lock", "_now", "_standing", "_store", "bars", "epoch")

    def __init__(self, store: StopStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._standing: dict[Named, dict[Effect, Stop]] = {}
        self._barred: dict[Named, tuple[float, str]] = {}
        self._cuts: dict[Named, int] = {}
        self._floor = 0
        self._followers: list[Callable[[Matter, str], None]] = []
        self._lock = anyio.Lock()
        self._is_loaded = False
        self.bars = True
        """Whether anything is kept out at all: where nothing is, `check` and `known` let everything through."""
        self.epoch = 0

    async def load(self) -> None:
        """Takes over what the store holds. Raises `StoreError`, and everything stays stopped then."""
        for stop in await self._store.load():
            self._standing.setdefault(_name(stop.matter), {}).setdefault(stop.effect, stop)
            self.epoch = max(self.epoch, stop.epoch)
        self.epoch += 1
        self._is_loaded = True
        self._weigh()

    def on_change(self, follower: Callable[[Matter, str], None]) -> None:
        """Calls back with what has just been stopped, revoked or cut, and why: whoever runs calls of it must end them."""
        self._followers.append(follower)

    def standing(self) -> tuple[Stop, ...]:
        """Everything stopped and revoked, oldest first."""
        stops = (stop for effects in self._standing.values() for stop in effects.values())
        return tuple(sorted(stops, key=lambda stop: (stop.epoch, stop.matter.kind, stop.matter.name)))

    def effect(self, matter: Matter) -> Effect | None:
        """What stands of one matter by itself, the gravest; None where nothing does."""
        effects = self._standing.get(_name(matter))
        return _gravest(effects).effect if effects else None

    async def stop(self, matter: Matter, reason: str, by: str) -> Stop:
        """Stops a matter at once and for calls in flight; raises `StoreError` when that will not outlive the process (it holds until then)."""
        return await self._set(matter, Effect.STOPPED, reason, by)

    async def revoke(self, matter: Matter, reason: str, by: str) -> Stop:
        """Withdraws a matter like a stop; those of `FOR_GOOD` for good. Raises `StopError` for `all`, and `StoreError` as `stop` does."""
        if matter.kind is MatterKind.ALL:
            raise StopError("expected one thing to revoke, got all")
        return await self._set(matter, Effect.REVOKED, reason, by)

    async def resume(self, matter: Matter) -> None:
        """Lifts a stop; raises `StopError` if there is none, and `StoreError` with the stop still in force."""
        await self._lift(matter, Effect.STOPPED)

    async def restore(self, matter: Matter) -> None:
        """Lifts a revocation that is not for good; raises `StopError`, and `StoreError` with the revocation still in force."""
        if matter.kind in FOR_GOOD:
            raise StopError(f"expected a revocation that can be lifted, that of {told(matter)} is for good")
        await self._lift(matter, Effect.REVOKED)

    def cut(self, matter: Matter, why: str) -> None:
        """Voids every call of a matter that was admitted before; keeps out no new one (whoever cuts sees to that)."""
        self.epoch += 1
        if len(self._cuts) >= MOST_CUTS:
            self._cuts.clear()
            self._floor = self.epoch
        self._cuts[_name(matter)] = self.epoch
        for follower in self._followers:
            follower(matter, why)

    def bar(self, matter: Matter, why: str, until: float) -> None:
        """Withdraws a matter until a moment (Unix seconds) on the word of whoever keeps the record of it, and repeats it at each start.

        For what ends by the thousand and is past anyway after a while, such as families of tokens: no operator needs to see it stand.
        """
        now = self._now()
        for name in [name for name, (end, _) in self._barred.items() if end <= now]:
            del self._barred[name]
        self._barred[_name(matter)] = (until, f"{told(matter)} has ended: {why}")
        self._weigh()
        self.cut(matter, f"{told(matter)} has ended: {why}")

    def check(self, call: Call) -> None:
        """Raises `Refused` STOPPED or REVOKED if something that this call touches stands still."""
        if not self.bars:
            return
        if not self._is_loaded:
            raise _unread()
        standing, barred = self._standing, self._barred
        for name in touched(call):
            if name in standing:
                raise _refusal(_gravest(standing[name]))
            if name in barred:
                self._check_barred(name)

    def known(self, principal: Principal) -> None:
        """Raises `Refused` REVOKED if anything that this principal was verified by is withdrawn; what is only stopped, `check` says."""
        if not self.bars:
            return
        if not self._is_loaded:
            raise _unread()
        standing, barred = self._standing, self._barred
        for name in of_principal(principal):
            if name in standing and Effect.REVOKED in standing[name]:
                raise _refusal(standing[name][Effect.REVOKED])
            if name in barred:
                self._check_barred(name)

    def known_session(self, session_id: SessionId) -> None:
        """Raises `Refused` UNKNOWN_SESSION if a session is withdrawn."""
        effects = self._standing.get((MatterKind.SESSION, session_id))
        if effects and Effect.REVOKED in effects:
            raise _refusal(effects[Effect.REVOKED])

    def still(self, call: Call, epoch: int) -> None:
        """Raises `Refused` REVOKED_MEANWHILE if anything this call touches was stopped, revoked or cut after `epoch`."""
        if epoch == self.epoch:
            return
        for name in touched(call):
            if name in self._standing:
                raise Refused(Reason.REVOKED_MEANWHILE, _why(_gravest(self._standing[name])))
            if self._cuts.get(name, self._floor) > epoch:
                raise Refused(Reason.REVOKED_MEANWHILE, f"{told(Matter(*name))} was cut off meanwhile")

    def _weigh(self) -> None:
        """To be called after each change of what stands still or is barred."""
        self.bars = not self._is_loaded or bool(self._standing or self._barred)

    def _check_barred(self, name: Named) -> None:
        until, why = self._barred[name]
        if self._now() < until:
            raise Refused(Reason.REVOKED, why)

    async def _set(self, matter: Matter, effect: Effect, reason: str, by: str) -> Stop:
        stop = Stop(matter, effect, reason, by, self._now(), self.epoch + 1)
        name = _name(matter)
        self._standing.setdefault(name, {})[effect] = stop
        self._weigh()
        self.cut(matter, _why(stop))
        async with self._lock:
            # Whatever stands by now is what must be written: a later stop of the same matter, or nothing if it was lifted.
            current = self._standing.get(name, {}).get(effect)
            if current is not None:
                await self._store.put(current)
        return stop

    async def _lift(self, matter: Matter, effect: Effect) -> None:
        name = _name(matter)
        async with self._lock:
            stop = self._standing.get(name, {}).get(effect)
            if stop is None:
                raise StopError(f"expected something {effect}, {told(matter)} is not")
            await self._store.drop(matter, effect)
            effects = self._standing[name]
            if effects[effect] is not stop:
                # The new one waits for the lock to be written, and stands.
                raise StopError(f"expected nobody to set it meanwhile, {told(matter)} was {effect} again")
            del effects[effect]
            if not effects:
                del self._standing[name]
                self._weigh()


def _name(matter: Matter) -> Named:
    return matter.kind, matter.name


def _gravest(effects: dict[Effect, Stop]) -> Stop:
    """What is withdrawn counts before what is only stopped."""
    return effects.get(Effect.REVOKED) or next(iter(effects.values()))


def _why(stop: Stop) -> str:
    return f"{told(stop.matter)} was {stop.effect} by {stop.by}: {stop.reason}"


def _unread() -> Refused:
    return Refused(Reason.STOPPED, "the stops could not be read", sentence="The gateway cannot tell yet what is stopped. Try again later.")


def _refusal(stop: Stop) -> Refused:
    """For the agent: what stands still, where it may know of it, and never who stopped it or why."""
    why, kind = _why(stop), stop.matter.kind
    if stop.effect is Effect.STOPPED:
        return Refused(Reason.STOPPED, why, sentence=_sentence(kind))
    match kind:
        case MatterKind.UPSTREAM | MatterKind.TOOL | MatterKind.ALL:
            return Refused(Reason.STOPPED, why, sentence=_sentence(kind))
        case MatterKind.SESSION:
            # Its client may begin another one.
            return Refused(Reason.UNKNOWN_SESSION, why)
        case _:
            return Refused(Reason.REVOKED, why)


def _sentence(kind: MatterKind) -> str:
    match kind:
        case MatterKind.ALL:
            return "An operator has stopped all calls. Make no further calls until you are told."
        case MatterKind.AGENT | MatterKind.KEY | MatterKind.CLIENT | MatterKind.ISSUER | MatterKind.FAMILY | MatterKind.CERTIFICATE:
            return "An operator has stopped this agent. Make no further calls until you are told."
        case MatterKind.USER:
            return "An operator has stopped all calls for this person. Make no further calls until you are told."
        case MatterKind.SESSION:
            return "An operator has stopped this session. Make no further calls in it until you are told."
        case MatterKind.UPSTREAM | MatterKind.TOOL:
            return f"An operator has stopped this {kind}. Do not call it again until you are told; others are not affected."
        case _:
            assert_never(kind)
