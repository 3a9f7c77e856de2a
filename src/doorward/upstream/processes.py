"""Processes of one upstream that not everybody shares: one for each account, so many at most, and none that nobody uses.

LAW: a call reaches the process of its own lease's account, with its own lease's environment, or none.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Final

import msgspec

from doorward.config.model import Stdio
from doorward.domain.calls import Answer, Era
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.circuit import Blame, Circuit, Terms
from doorward.upstream.faults import told, unreachable
from doorward.upstream.health import Health, Vitals
from doorward.upstream.order import Order
from doorward.upstream.port import Notices
from doorward.upstream.replicas.address import Speaker
from doorward.upstream.seams import Seams
from doorward.upstream.sight import Sight
from doorward.upstream.tasks import Tasks

SWEEP_SECONDS: Final = 10.0
"""Between two looks for processes that nobody uses, or a tenth of their time where that is shorter."""
CLOSE_SECONDS: Final = 10.0
"""For those that are ending already when everything is closed; each ends by itself within fewer."""


def _nothing() -> None:
    """Nobody wants to know."""


class _Slot(msgspec.Struct, eq=False):
    """A process, or the place of one that is yet to be started."""

    account: str
    speaker: Speaker
    lease: Lease
    """Of the last call: its environment is that of every call under way."""
    room: "asyncio.Task[None] | None"
    """What must have ended before it may be started."""
    used_at: float
    calls: int = 0
    is_passing: bool = False
    """It is for one look of the gateway itself, and ends right after."""
    is_claimed: bool = False
    """Another has taken its place, and waits for its end."""
    ending: "asyncio.Task[None] | None" = None


class Processes:
    """One upstream as a process for each account. A process that fails is its own holder's trouble alone."""

    def __init__(self, upstream: UpstreamId, rules: Stdio, open_one: Callable[[Circuit], Speaker], circuit: Circuit, seams: Seams) -> None:
        """`open_one`: what speaks to one process, which is not started by it."""
        self._id = upstream
        self._most = rules.most
        self._idle_seconds = rules.idle_seconds
        self._open = open_one
        self._seams = seams
        self.vitals = Vitals(seams.now, circuit)
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        """By account; whoever was used last stands last."""
        self._leaving: set[_Slot] = set()
        """Those that get no calls any more and have not ended."""
        self._ending = Tasks(3 * rules.most, partial(seams.on_event, upstream))
        self._sweeping = Tasks(1, partial(seams.on_event, upstream))
        self._is_closed = False
        self.era: Era | None = None
        self.on_change: Callable[[], None] = _nothing

    @property
    def id(self) -> UpstreamId:
        """Its name in the configuration."""
        return self._id

    @property
    def processes(self) -> int:
        """How many run."""
        return sum(slot.speaker.processes for slot in chain(self._slots.values(), self._leaving))

    @property
    def keeps_sessions(self) -> bool:
        """There is one place to go to."""
        return False

    def holds_session(self, order: Order) -> bool:
        """There is one place to go to."""
        return False

    def state(self) -> Health:
        """How the gateway's own looks and the last calls went."""
        return self.vitals.health

    async def start(self, lease: Lease) -> None:
        """Tries whether a process can be started; raises Refused."""
        slot = self._passing(lease)
        try:
            await _has_room(slot)
            await slot.speaker.start(lease)
        finally:
            self._left(slot)

    async def forward(self, order: Order, notices: Notices) -> Answer:
        """Asks the process of the lease's account, which is started if there is none; raises Refused, OVERLOADED where there is no room."""
        slot = self._entered(order.lease)
        try:
            await _has_room(slot)
            answer = await slot.speaker.forward(order, notices)
        finally:
            self._left(slot)
        self.vitals.well()
        return answer

    async def discover(self, lease: Lease) -> Sight:
        """Everything a process of the gateway's own offers, which ends right after; raises Refused."""
        slot = self._passing(lease)
        try:
            await _has_room(slot)
            sight = await slot.speaker.discover(lease)
        except Refused as refused:
            # It keeps nobody from their own process: that may have what this one lacks.
            self.vitals.failed(self._seams.mask(told(refused)), Blame.NOBODY)
            raise
        finally:
            self._left(slot)
        self.era = slot.speaker.era
        self.vitals.well()
        return sight

    def drop(self, account: str) -> None:
        """Ends the process of an account at once, whatever is under way in it."""
        for slot in [slot for slot in chain(self._slots.values(), self._leaving) if slot.account == account]:
            self._dismiss(slot)
            self._end(slot)

    def sweep(self) -> None:
        """Ends what nobody has used for long, and what nobody uses and whose credential has ended."""
        limit, now = self._seams.monotonic() - self._idle_seconds, self._seams.now()
        for slot in tuple(self._slots.values()):
            is_over = slot.lease.expires_at is not None and slot.lease.expires_at <= now
            if not slot.calls and (is_over or slot.used_at <= limit):
                self._dismiss(slot)

    async def close(self) -> None:
        """Ends every process, within seconds."""
        self._is_closed = True
        await self._sweeping.close()
        for slot in tuple(self._slots.values()):
            self._dismiss(slot)
        for slot in tuple(self._leaving):
            self._end(slot)
        await self._ending.settle(CLOSE_SECONDS)
        await self._ending.close()

    def _passing(self, lease: Lease) -> _Slot:
        """The process of one look. What it says of changes is not heard: a server that speaks of some at its start would be looked at for ever."""
        slot = self._entered(lease)
        slot.is_passing = True
        slot.speaker.on_change = _nothing
        return slot

    def _entered(self, lease: Lease) -> _Slot:
        """The process for a call, which must be left again; raises Refused."""
        if self._is_closed:
            raise unreachable(self._id, "it is closed")
        slot = self._slots.get(lease.account)
        if slot is not None and slot.lease is not lease:
            if slot.calls and slot.lease.environment != lease.environment:
                # Its credential was renewed: it ends with its calls, and further ones go to another.
                self._dismiss(slot)
                slot = None
            else:
                slot.lease = lease
        if slot is None:
            slot = self._opened(lease)
        slot.calls += 1
        return slot

    def _left(self, slot: _Slot) -> None:
        slot.calls -= 1
        slot.used_at = self._seams.monotonic()
        if self._slots.get(slot.account) is slot:
            self._slots.move_to_end(slot.account)
            if slot.is_passing and not slot.calls:
                self._dismiss(slot)
        elif not slot.calls:
            self._end(slot)

    def _opened(self, lease: Lease) -> _Slot:
        room = self._room()
        speaker = self._open(Circuit(Terms(), self._seams.monotonic, self._seams.chance))
        speaker.on_change = self._changed
        slot = self._slots[lease.account] = _Slot(lease.account, speaker, lease, room, self._seams.monotonic())
        self._sweeping.spawn(self._sweep())
        return slot

    def _room(self) -> "asyncio.Task[None] | None":
        """What has to end before one more may be started; raises Refused where none does.

        INVARIANT: those that run, and those that are on their way out with nobody waiting for their place, are never more than `most`.
        """
        if len(self._slots) + sum(not one.is_claimed for one in self._leaving) < self._most:
            return None
        found = next((one for one in self._leaving if one.ending is not None and not one.is_claimed), None)
        if found is None and len(self._leaving) < 2 * self._most:  # callers that come and hang up are no way to have more of them end
            found = next((one for one in self._slots.values() if not one.calls), None)
        if found is None:
            sentence = f"Every process of the upstream `{self._id}` is in use; the call was not made. Try again shortly."
            why = f"upstream {self._id}: every one of its {self._most} processes is in use"
            raise Refused(Reason.OVERLOADED, why, sentence=sentence, ran=Ran.NO)
        self._dismiss(found)
        found.is_claimed = True
        return found.ending

    def _dismiss(self, slot: _Slot) -> None:
        """From now on no call reaches it; it ends once those under way have."""
        if self._slots.get(slot.account) is slot:
            del self._slots[slot.account]
            self._leaving.add(slot)
        if not slot.calls:
            self._end(slot)

    def _end(self, slot: _Slot) -> None:
        if slot.ending is None:
            slot.ending = self._ending.spawn(self._ended(slot))

    async def _ended(self, slot: _Slot) -> None:
        try:
            await _has_room(slot)
            await slot.speaker.close()
        finally:
            self._leaving.discard(slot)

    async def _sweep(self) -> None:
        while self._slots:
            await asyncio.sleep(min(SWEEP_SECONDS, self._idle_seconds / 10))
            self.sweep()

    def _changed(self) -> None:
        self.on_change()


async def _has_room(slot: _Slot) -> None:
    """Waits until the process whose place it has taken has ended."""
    if slot.room is not None:
        await asyncio.wait((slot.room,))
        slot.room = None
