"""Probes: addresses are asked whether they answer when nothing else asks them, and when calls to them fail."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from doorward.domain.calls import Era
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.circuit import Blame
from doorward.upstream.faults import blame
from doorward.upstream.order import own_order
from doorward.upstream.port import unheard
from doorward.upstream.replicas.address import Address
from doorward.upstream.tasks import Tasks

PROBES: Final = 128
"""Tasks of one upstream: one an address, and room for those that are on their way out."""
CLOCK_SECONDS: Final = 0.001
"""How far a wait may end before its time."""


def _nothing(address: Address) -> None:
    """Nobody wants to know."""


class Pace(msgspec.Struct, frozen=True):
    """How often is probed."""

    quiet_seconds: float
    """After this time without a call an address among several is probed."""
    troubled_seconds: float
    """The same for one that failed last."""
    answer_seconds: float
    """How long an answer may take."""


class Probing:
    """One task for each address that needs one: each among several, and one that stands alone while it is in trouble.

    INVARIANT: probes show the credential of the last look, whose intent covers them, as it does the streams of changes.
    """

    __slots__ = ("_chance", "_clock", "_pace", "_tasks", "_wake", "is_alone", "lease", "on_answer")

    def __init__(self, pace: Pace, clock: Callable[[], float], chance: Callable[[], float], on_failure: Callable[[str], None]) -> None:
        self._pace = pace
        self._clock = clock
        self._chance = chance
        self._tasks = Tasks(PROBES, on_failure)
        self._wake: dict[Address, asyncio.Event] = {}
        self.is_alone = True
        """Whether there is one address only: it is probed in trouble, and left alone in quiet times."""
        self.lease: Lease | None = None
        """Of the last look; nothing is probed before one."""
        self.on_answer: Callable[[Address], None] = _nothing
        """Called when a probe was answered."""

    def attend(self, address: Address) -> None:
        """Has a look at what an address needs now, and goes on looking as long as it needs anything."""
        wake = self._wake.get(address)
        if wake is not None:
            wake.set()
        elif self.lease is not None:
            self._wake[address] = asyncio.Event()
            self._tasks.spawn(self._attend(address))

    def leave(self, address: Address) -> None:
        """Ends with an address that is gone."""
        wake = self._wake.pop(address, None)
        if wake is not None:
            wake.set()

    async def close(self) -> None:
        """Ends all probing."""
        await self._tasks.close()
        self._wake.clear()

    async def _attend(self, address: Address) -> None:
        wake = self._wake[address]
        try:
            while self._wake.get(address) is wake and (pause := self.pause(address)) is not None:
                await self._pass(address, wake, pause)
        finally:
            if self._wake.get(address) is wake:
                del self._wake[address]

    async def _pass(self, address: Address, wake: asyncio.Event, pause: float) -> None:
        if pause <= CLOCK_SECONDS:
            await self._probe(address)
            return
        wake.clear()
        await _either(wake, pause)

    def pause(self, address: Address) -> float | None:
        """Seconds until an address is to be probed; None if it need not be."""
        circuit, now = address.speaker.vitals.circuit, self._clock()
        if not circuit.is_closed:
            return self._pace.troubled_seconds if circuit.is_tried else max(0.0, circuit.until - now, address.unprobed_until - now)
        if circuit.is_doubted:
            return 0.0
        if self.is_alone:
            return None
        quiet = self._pace.troubled_seconds if circuit.failures or address.shown is None else self._pace.quiet_seconds
        return max(0.0, address.used_at + quiet * (0.9 + 0.1 * self._chance()) - now)

    async def _probe(self, address: Address) -> None:
        vitals = address.speaker.vitals
        circuit = vitals.circuit
        circuit.begin_try()
        try:
            async with asyncio.timeout(self._pace.answer_seconds):
                await self._ask(address)
            self.on_answer(address)
        except TimeoutError:
            vitals.failed(f"a probe was not answered within {self._pace.answer_seconds:g} s", Blame.ADDRESS)
            circuit.condemn()
        except Refused as refused:
            self._judge(address, refused)
        finally:
            circuit.end_try()
            address.used_at = self._clock()

    def _judge(self, address: Address, refused: Refused) -> None:
        """What a probe that got no answer says; the driver has noted it."""
        vitals, whose = address.speaker.vitals, blame(refused)
        is_answer = refused.reason is Reason.CREDENTIAL_REFUSED or (whose is Blame.CALL and refused.ran is Ran.NO)
        if is_answer:
            # Whoever turns a probe away at the door is there: the credential of the last look may be accepted no more.
            vitals.well()
        elif whose is Blame.NOBODY:
            # Nothing was learned. A call that can be made may decide, and must not find each of its tries taken by probes.
            vitals.circuit.acquit()
            address.unprobed_until = self._clock() + self._pace.quiet_seconds
        else:
            vitals.circuit.condemn()

    async def _ask(self, address: Address) -> None:
        """What costs a server least in its era: any answer is one, an error too."""
        assert self.lease is not None
        method = "ping" if address.speaker.era is Era.SESSION else "server/discover"
        await address.speaker.forward(own_order(method, {}, self.lease), unheard)


async def _either(wake: asyncio.Event, seconds: float) -> None:
    """Waits until it is woken, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
