"""Exceptions and broken glasses as kept facts: a mirror in memory of what the store holds, so that a look costs no wait.

INVARIANT: what lets an agent past policy is written before it holds; what ends it is true in memory at once and written after. Each
ends by the wall clock or by the time that it has run, whichever is first: a clock that goes back prolongs none and revives none.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Protocol

import anyio
import msgspec

from doorward.approval.persons import forms_of
from doorward.domain.actors import Principal
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, WaiverId
from doorward.domain.moments import spoken
from doorward.domain.receipts import Event, Scalar
from doorward.domain.waivers import Waiver, WaiverKind, Waivers, nothing_waived

MOST = 1_000
"""Kept at the same time: more than anybody reads through."""
MOST_OF_AGENT = 20
"""Of one agent: who needs more wants a policy."""
DAY_SECONDS = 86_400.0
LONGEST_SECONDS: Mapping[WaiverKind, float] = {WaiverKind.EXCEPTION: 90 * DAY_SECONDS, WaiverKind.BREAK_GLASS: 4 * 3600.0}
"""An exception is looked at once a quarter, at the least; the time of a broken glass the configuration shortens further."""
NOTE_EVERY_SECONDS = 60.0
"""How much longer than its time one can run if the clock is set back while the process is down."""


class WaiverError(DoorwardError):
    """A waiver that cannot be given or ended; the message is for the operator."""


class Lasting(msgspec.Struct, frozen=True):
    """A waiver as it is stored, and the seconds that it had left when that was last noted: no clock can put any back."""

    waiver: Waiver
    left_seconds: float


class WaiverStore(Protocol):
    """Where waivers outlive the process. Raises `StoreError` when it cannot answer."""

    async def load(self) -> tuple[Lasting, ...]:
        """Every one that was put and not dropped, in any order."""
        ...

    async def put(self, lasting: Lasting) -> None:
        """Adds or replaces by id; durable on return."""
        ...

    async def note(self, left_seconds: Mapping[WaiverId, float]) -> None:
        """Notes what some have left; unknown ones are passed over."""
        ...

    async def drop(self, waivers: Collection[WaiverId]) -> None:
        """Forgets these, durable on return; what is not there is no error."""
        ...


class _Held(msgspec.Struct, frozen=True):
    waiver: Waiver
    until: float
    """Of the steady clock."""


Tell = Callable[[Event], Awaitable[object]]
"""Tells the log of an event; durable on return, or it raises `UnrecordedError`."""

_GRANTED = {WaiverKind.EXCEPTION: "exception_granted", WaiverKind.BREAK_GLASS: "glass_broken"}
_ENDED = {WaiverKind.EXCEPTION: "exception_ended", WaiverKind.BREAK_GLASS: "glass_restored"}
_EXPIRED = {WaiverKind.EXCEPTION: "exception_expired", WaiverKind.BREAK_GLASS: "glass_expired"}


class Kept:
    """What is waived right now, written through to a store. Until `load` has succeeded, nothing is."""

    __slots__ = ("_by_agent", "_followers", "_lock", "_noted_at", "_now", "_over", "_steady", "_store", "_undropped")

    def __init__(self, store: WaiverStore, now: Callable[[], float], steady: Callable[[], float]) -> None:
        """`now`: Unix seconds. `steady`: seconds of a clock that only ever goes on."""
        self._store = store
        self._now = now
        self._steady = steady
        self._by_agent: dict[AgentId, dict[WaiverId, _Held]] = {}
        self._over: dict[WaiverId, Waiver] = {}
        # Ended in memory, but perhaps not in the store yet.
        self._undropped: set[WaiverId] = set()
        self._followers: list[Callable[[Event, Waiver], None]] = []
        self._noted_at = steady()
        self._lock = anyio.Lock()

    async def load(self) -> None:
        """Takes over what the store holds; what has ended meanwhile the next `sweep` tells of. Raises `StoreError`."""
        now = self._now()
        for lasting in await self._store.load():
            left = min(lasting.left_seconds, lasting.waiver.ends - now)
            if left > 0:
                self._hold(lasting.waiver, left)
            else:
                self._over[lasting.waiver.id] = lasting.waiver

    def follow(self, follower: Callable[[Event, Waiver], None]) -> None:
        """Calls back with each waiver that has begun to hold or has ended, and its event: for the journal, and for who must hear of it."""
        self._followers.append(follower)

    def on_break(self, follower: Callable[[Waiver], None]) -> None:
        """Calls back with each glass that has just been broken; for channels."""
        self.follow(lambda event, waiver: follower(waiver) if event.type == _GRANTED[WaiverKind.BREAK_GLASS] else None)

    def of(self, agent: AgentId) -> Sequence[Waiver]:
        """What of an agent is waived now (`domain.waivers.Waivers`)."""
        if agent not in self._by_agent:
            return ()
        self._retire(agent)
        return tuple(held.waiver for held in self._by_agent.get(agent, {}).values())

    def besides_own(self, principal: Principal) -> Waivers:
        """What is waived for a call of this principal: `of`, without the exceptions that were given by whom the agent acts for, or by
        the owner of an agent of the chain (as it is by now): nobody lifts a rule for themselves."""
        return partial(self._besides_own, principal) if self._by_agent else nothing_waived

    def all(self) -> tuple[Waiver, ...]:
        """Everything that is waived now, oldest first."""
        running = (waiver for agent in tuple(self._by_agent) for waiver in self.of(agent))
        return tuple(sorted(running, key=lambda waiver: (waiver.begins, waiver.id)))

    def find(self, waiver: WaiverId) -> Waiver | None:
        """One that holds now."""
        return next((one for one in self.all() if one.id == waiver), None)

    def broken(self) -> int:
        """How many glasses are broken now; for the metrics."""
        return sum(waiver.kind is WaiverKind.BREAK_GLASS for waiver in self.all())

    def loud(self) -> tuple[str, ...]:
        """A sentence for each glass that is broken now; for everybody who asks how the gateway stands."""
        return tuple(_sentence(waiver) for waiver in self.all() if waiver.kind is WaiverKind.BREAK_GLASS)

    def check(self, waiver: Waiver) -> None:
        """Raises `WaiverError` if one could not be granted as things stand."""
        longest = LONGEST_SECONDS[waiver.kind]
        if not 0 < waiver.ends - self._now() <= longest or waiver.ends - waiver.begins > longest:
            raise WaiverError(f"expected an end within {longest / 3600:g} hours from now")
        if waiver.kind is WaiverKind.EXCEPTION and not waiver.action:
            raise WaiverError("expected an action, or an upstream, that the exception is for")
        running = self.all()
        if len(running) >= MOST:
            raise WaiverError(f"expected fewer than {MOST} exceptions and broken glasses at the same time; end some first")
        if sum(one.agent == waiver.agent for one in running) >= MOST_OF_AGENT:
            raise WaiverError(f"expected fewer than {MOST_OF_AGENT} of {waiver.agent!r} at the same time; end some first")

    async def grant(self, waiver: Waiver) -> None:
        """Lets it hold once it is durable; raises `WaiverError` and `StoreError`, and it does not hold then.

        Whoever calls this has told the log before (`granted`).
        """
        async with self._lock:
            self.check(waiver)
            left, began = waiver.ends - self._now(), self._steady()
            try:
                await self._store.put(Lasting(waiver, left))
            except BaseException:
                # It may have been written all the same; nobody was told that it holds.
                self._undropped.add(waiver.id)
                raise
            self._hold(waiver, left - (self._steady() - began))
        self._follow(granted(waiver), waiver)

    async def end(self, waiver: WaiverId, by: str) -> Waiver:
        """Ends one at once; raises `WaiverError` if none of this id holds, and `StoreError` when that would not outlive the process."""
        found = self.find(waiver)
        if found is None:
            raise WaiverError(f"expected the id of an exception or broken glass that holds, got {waiver[:64]!r}")
        self._release(found)
        self._undropped.add(waiver)
        self._follow(ended(found, by), found)
        await self._drop()
        return found

    async def sweep(self, tell: Tell) -> tuple[Waiver, ...]:
        """Ends those whose time is over, tells the log of each, and gives them; raises `UnrecordedError` and `StoreError`: what is not
        told or forgotten then is so the next time, and does not hold meanwhile. To be called every second or so."""
        for agent in tuple(self._by_agent):
            self._retire(agent)
        try:
            gone = await self._tell_over(tell)
        finally:
            # What an operator has ended is forgotten though the log should be away, or a restart would bring it back.
            await self._drop()
        await self._note()
        return gone

    async def _tell_over(self, tell: Tell) -> tuple[Waiver, ...]:
        gone: list[Waiver] = []
        while self._over:
            key, waiver = self._over.popitem()
            try:
                await tell(expired(waiver))
            except BaseException:
                self._over[key] = waiver
                raise
            self._undropped.add(key)
            gone.append(waiver)
            self._follow(expired(waiver), waiver)
        return tuple(gone)

    def _besides_own(self, principal: Principal, agent: AgentId) -> Sequence[Waiver]:
        found = self.of(agent)
        if not found:
            return ()
        own = forms_of(people(principal))
        return tuple(waiver for waiver in found if waiver.kind is WaiverKind.BREAK_GLASS or not given_by(waiver, own))

    def _hold(self, waiver: Waiver, left_seconds: float) -> None:
        self._by_agent.setdefault(waiver.agent, {})[waiver.id] = _Held(waiver, self._steady() + left_seconds)

    def _release(self, waiver: Waiver) -> None:
        held = self._by_agent[waiver.agent]
        del held[waiver.id]
        if not held:
            del self._by_agent[waiver.agent]

    def _retire(self, agent: AgentId) -> None:
        """Lets go, for good, of what has ended: whoever sees its end once never sees it again."""
        now, steady = self._now(), self._steady()
        over = [held.waiver for held in self._by_agent.get(agent, {}).values() if now >= held.waiver.ends or steady >= held.until]
        for waiver in over:
            self._release(waiver)
            self._over[waiver.id] = waiver

    async def _drop(self) -> None:
        if not self._undropped:
            return
        async with self._lock:
            going = tuple(self._undropped)
            await self._store.drop(going)
            self._undropped.difference_update(going)

    async def _note(self) -> None:
        now, steady = self._now(), self._steady()
        if not self._by_agent or steady - self._noted_at < NOTE_EVERY_SECONDS:
            return
        self._noted_at = steady
        every = (held for of_agent in self._by_agent.values() for held in of_agent.values())
        await self._store.note({held.waiver.id: min(held.until - steady, held.waiver.ends - now) for held in every})

    def _follow(self, event: Event, waiver: Waiver) -> None:
        for follower in self._followers:
            follower(event, waiver)


def people(principal: Principal) -> tuple[str, ...]:
    """Whom the agent acts for, and who owns the agents of the chain."""
    owners = (principal.agent.owner, *(actor.agent.owner for actor in principal.actors))
    return owners if principal.subject is None else (principal.subject.id, *owners)


def given_by(waiver: Waiver, own: Collection[str]) -> bool:
    """Whether one of these forms of names (`persons.forms_of`) may be that of the person who gave it."""
    return not forms_of((waiver.by, *waiver.names)).isdisjoint(own)


def granted(waiver: Waiver, **more: Scalar) -> Event:
    """The leaf that tells of one before it holds."""
    return Event(_GRANTED[waiver.kind], waiver.by, {**_fields(waiver), "ends": int(waiver.ends), **more})


def ended(waiver: Waiver, by: str) -> Event:
    """The leaf of one that somebody has ended."""
    return Event(_ENDED[waiver.kind], by, {"waiver": waiver.id, "agent": waiver.agent, "action": waiver.action})


def expired(waiver: Waiver) -> Event:
    """The leaf of one that has ended by itself."""
    return Event(_EXPIRED[waiver.kind], "doorward", {"waiver": waiver.id, "agent": waiver.agent, "action": waiver.action})


def _fields(waiver: Waiver) -> dict[str, Scalar]:
    """What was given; a field for each policy that is lifted, with the digest of its text."""
    lifts: dict[str, Scalar] = {f"lifts/{policy}": digest for policy, digest in sorted(waiver.lifts.items())}
    return {"waiver": waiver.id, "agent": waiver.agent, "action": waiver.action, "reason": waiver.reason, **lifts}


def _sentence(waiver: Waiver) -> str:
    end = spoken(waiver.ends)
    what = waiver.action or "every action"
    return f"the glass is broken: no policy holds {waiver.agent!r} back from {what} until {end}; {waiver.by} broke it: {waiver.reason}"
