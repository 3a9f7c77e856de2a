"""One upstream in front of its addresses: a call goes to one of them, and to a second only if not one byte of it was sent to the first."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from math import ceil
from typing import Final

from msgspec.structs import replace

from doorward.config.model import Upstream as Config
from doorward.domain.alerts import Alert, AlertKind
from doorward.domain.calls import Answer
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.upstream.circuit import Blame, Circuit, Terms
from doorward.upstream.faults import is_unsent, unreachable
from doorward.upstream.health import AddressState, Condition, Duty, Health
from doorward.upstream.order import Order
from doorward.upstream.port import Notices
from doorward.upstream.replicas.address import Address, Place, Speaker
from doorward.upstream.replicas.affinity import Affinity
from doorward.upstream.replicas.choice import all_others_fail, least_bad, least_busy, may_leave_out
from doorward.upstream.replicas.looks import Looks
from doorward.upstream.replicas.probing import Pace, Probing
from doorward.upstream.seams import Seams
from doorward.upstream.sight import Sight
from doorward.upstream.tasks import Tasks

Places = Callable[[Config], tuple[Place, ...]]
"""The addresses of a configuration."""

LEAVING: Final = 256
"""Addresses that were taken out of the configuration and still have calls."""
GRACE_SECONDS: Final = 30.0
"""How long they may take, as with a whole upstream that is replaced."""

_BEST: Final = (Condition.UP, Condition.STARTING, Condition.UNKNOWN, Condition.DOWN)


def _nothing() -> None:
    """Nobody wants to know."""


class Front:
    """One upstream at one address or several. With one that answers, a call costs nothing here but a look at its circuit."""

    def __init__(self, upstream: UpstreamId, config: Config, places: Places, seams: Seams) -> None:
        rules = config.health
        self._id = upstream
        self._config = config
        self._places = places
        self._seams = seams
        self._terms = Terms(rules.failures, rules.rest_seconds, max(rules.rest_seconds, rules.most_rest_seconds))
        pace = Pace(rules.probe_seconds, rules.rest_seconds, rules.answer_seconds)
        self._probing = Probing(pace, seams.monotonic, seams.chance, partial(seams.on_event, upstream))
        self._probing.on_answer = self._answered
        self._leaving = Tasks(LEAVING, partial(seams.on_event, upstream))
        self._gone: set[Address] = set()
        """Those that were taken away and are not closed yet."""
        self._affinity = Affinity()
        self._turns = count(1)
        self._looks = Looks(upstream, self._compared, seams.monotonic)
        self._sight: Sight | None = None
        """The last that was taken into the catalogue."""
        self._is_looking = False
        self._alone: Speaker | None = None
        """The one that calls go straight to."""
        self.moved = 0
        self.on_change: Callable[[], None] = _nothing
        self._addresses: tuple[Address, ...] = ()
        self._fit: tuple[Address, ...] = ()
        """Those that may be asked."""
        opened = tuple(self._opened(place) for place in places(config))
        opened[0].is_sole = len(opened) == 1
        self._settle(opened)

    @property
    def id(self) -> UpstreamId:
        """Its name in the configuration."""
        return self._id

    def forward(self, order: Order, notices: Notices) -> Coroutine[None, None, Answer]:
        """Asks one address once, and another one only if nothing was sent to the first; raises Refused."""
        alone = self._alone
        if alone is not None and alone.vitals.circuit.is_closed:
            return alone.forward(order, notices)
        return self._forward(order, notices)

    async def start(self, lease: Lease) -> None:
        """Makes its addresses ready; raises Refused if none is."""
        self._probing.lease = lease
        ends = await asyncio.gather(*(_started(one, lease) for one in self._used()))
        failures = [failure for failure in ends if failure is not None]
        if len(failures) == len(ends):
            raise failures[0]

    async def discover(self, lease: Lease) -> Sight:
        """What its addresses offer now, each looked at; raises Refused. One that shows other definitions than most gets no calls."""
        self._probing.lease = lease
        self._is_looking = True
        try:
            return await self._seen(lease)
        finally:
            self._is_looking = False
            self._attend_all()

    def taken(self, sight: Sight) -> None:
        """What was shown is in the catalogue now: who shows it may be called."""
        self._sight = sight
        self._looks.taken(sight)
        self._settle(self._addresses)

    def drop(self, account: str) -> None:
        """Ends at every address what is kept for an account alone."""
        for address in (*self._addresses, *self._gone):
            address.speaker.drop(account)

    async def close(self) -> None:
        """Ends everything at every address, within a bound of seconds."""
        await self._probing.close()
        await self._leaving.close()
        await asyncio.gather(*(address.speaker.close() for address in (*self._addresses, *self._gone)))

    def state(self) -> Health:
        """How its best address is doing; the last failure is of one that is not doing as well."""
        healths = sorted((address.speaker.state() for address in self._addresses), key=lambda health: _BEST.index(health.condition))
        best, worst = healths[0], healths[-1]
        is_shut = not any(address.is_serving for address in self._addresses)
        return replace(best, is_shut=is_shut, error=best.error if best.condition is worst.condition else worst.error)

    # Calls.

    async def _forward(self, order: Order, notices: Notices) -> Answer:
        first = self._chosen(order, None)
        if first is None:
            raise self._nowhere()
        try:
            return await self._send(first, order, notices)
        except Refused as refused:
            # INVARIANT: what may have run is not sent again, and nothing is sent a third time.
            second = self._chosen(order, first) if is_unsent(refused) else None
            if second is None:
                raise
        self.moved += 1
        return await self._send(second, order, notices)

    async def _send(self, address: Address, order: Order, notices: Notices) -> Answer:
        circuit = address.speaker.vitals.circuit
        is_try = not circuit.is_closed
        if is_try:
            circuit.begin_try()
        address.outstanding += 1
        try:
            return await address.speaker.forward(order, notices)
        except Refused:
            # A probe soon tells whether it fails for everybody, so that not every call has to find that out.
            self._attend(address)
            raise
        finally:
            address.outstanding -= 1
            address.used_at = self._seams.monotonic()
            if is_try:
                circuit.end_try()

    def _chosen(self, order: Order, failed: Address | None) -> Address | None:
        """Where a call goes: to its session, as long as the address serves, else where least is under way."""
        fit = self._fit if failed is None else tuple(address for address in self._fit if address is not failed)
        held = self._at_session(order, fit)
        chosen = held or least_busy(fit) or least_bad(fit)
        if chosen is None:
            return None
        chosen.turn = next(self._turns)
        if chosen is not held and chosen.speaker.keeps_sessions:
            self._affinity.bind(order, chosen)
        return chosen

    def _at_session(self, order: Order, fit: tuple[Address, ...]) -> Address | None:
        """Where the caller's session is, if that serves."""
        if not fit or not fit[0].speaker.keeps_sessions:
            return None
        held = self._affinity.of(order)
        if held is None:
            held = next((one for one in fit if one.stood_alone and one.speaker.holds_session(order)), None)
        return held if held is not None and held.is_serving and held in fit else None

    def _takes_calls(self, address: Address) -> bool:
        """Whether an address may be asked at all: among several only if it was looked at, and shows what the others do."""
        return (address.is_sole or self._looks.admits(address)) and not address.is_drained

    def _nowhere(self) -> Refused:
        """The refusal of a call that is sent nowhere."""
        resting = [one.speaker.vitals.circuit.rests_seconds for one in self._fit]
        if not resting:
            return unreachable(self._id, "each of its addresses is drained, held back, or not looked at yet")
        refused = unreachable(self._id, f"it is left alone for {min(resting):.1f} s, after: {self.state().error}")
        refused.extra = {"retryAfterSeconds": max(1, ceil(min(resting)))}
        return refused

    # Looks.

    async def _seen(self, lease: Lease) -> Sight:
        if self._alone is not None:
            return await self._alone.discover(lease)
        try:
            return await self._looks.all(self._worth_a_look(), self._used, lease)
        finally:
            self._settle(self._addresses)

    def _worth_a_look(self) -> tuple[Address, ...]:
        """Those that answer, or were never seen; all, where there are none of these."""
        return tuple(one for one in self._used() if one.is_serving or one.shown is None) or self._used()

    # Addresses.

    def addresses(self) -> tuple[AddressState, ...]:
        """Its addresses, in the order of the configuration."""
        return tuple(self._state(address) for address in self._addresses)

    def adapt(self, config: Config) -> bool:
        """Takes over other addresses while calls go on; False, and nothing done, where more than these has changed."""
        if _but_addresses(config) != _but_addresses(self._config):
            return False
        held = {address.key: address for address in self._addresses}
        places = self._places(config)
        if not any(place.key in held for place in places):
            return False
        self._config = config
        first = self._addresses[0]
        if first.is_sole and self._sight is not None:
            self._looks.seen_alone(first, self._sight)
        first.is_sole = first.is_sole and len(places) == 1
        self._addresses = tuple(held[place.key] if place.key in held else self._opened(place) for place in places)
        for address in held.values():
            if address not in self._addresses:
                self._dismiss(address)
        self._looks.compare(self._used())
        self._settle(self._addresses)
        return True

    def drain(self, address: str) -> bool:
        """Gives an address no more calls until it is restored. False if there is none of that name."""
        return self._set_drained(address, "is drained: it gets no calls", is_drained=True)

    def restore(self, address: str) -> bool:
        """Lets a drained address have calls again, once it was looked at; False if there is none of that name."""
        is_found = self._set_drained(address, "is restored", is_drained=False)
        if is_found:
            self.on_change()
        return is_found

    def _set_drained(self, name: str, what: str, *, is_drained: bool) -> bool:
        found = [address for address in self._addresses if address.name == name]
        for address in found:
            if address.is_drained is not is_drained:
                self._tell(address, what)
            address.is_drained = is_drained
        self._looks.compare(self._used())
        self._settle(self._addresses)
        if self._looks.is_due and len(self._addresses) > 1:
            self.on_change()
        return bool(found)

    def _opened(self, place: Place) -> Address:
        circuit = Circuit(self._terms, self._seams.monotonic, self._seams.chance)
        address = Address(place.key, place.name, place.speaker(circuit))
        circuit.may_open = partial(self._may_open, address)
        circuit.on_turn = partial(self._turned, address)
        address.speaker.on_change = self._changed
        return address

    def _attend_all(self) -> None:
        """Among several each is probed; one that stands alone calls for it when it is in trouble."""
        for address in self._addresses if len(self._addresses) > 1 else ():
            self._probing.attend(address)

    def _attend(self, address: Address) -> None:
        """INVARIANT: what is configured no longer is shown no credential any more, however its last calls end."""
        if address in self._addresses:
            self._probing.attend(address)

    def _settle(self, addresses: tuple[Address, ...]) -> None:
        """Notes which addresses may be asked: to be called whenever one of them was looked at, drained, added or taken away."""
        self._addresses = addresses
        first, is_alone = addresses[0], len(addresses) == 1
        first.is_sole = is_alone and (first.is_sole or self._looks.admits(first))
        first.stood_alone = first.stood_alone or is_alone
        self._alone = first.speaker if first.is_sole and not first.is_drained else None
        self._probing.is_alone = is_alone
        self._fit = tuple(address for address in addresses if self._takes_calls(address))

    def _dismiss(self, address: Address) -> None:
        """Lets an address go that is no longer configured, once its calls have ended."""
        self._probing.leave(address)
        self._affinity.forget(address)
        address.speaker.on_change = address.speaker.vitals.circuit.on_turn = _nothing
        self._gone.add(address)
        self._leaving.spawn(self._closed(address))

    async def _closed(self, address: Address) -> None:
        """Waits for the calls at an address, for a while, and closes it."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + GRACE_SECONDS
        while (address.outstanding or address.stood_alone) and clock() < deadline:  # noqa: ASYNC110 -- nothing tells of the last call
            await asyncio.sleep(0.05)
        await address.speaker.close()
        self._gone.discard(address)

    def _may_open(self, address: Address, blame: Blame) -> bool:
        """Never more than half are left out, unless all of them fail; and for what calls may have brought about only one that has others."""
        peers = self._fit
        if len(peers) > 1 and address in peers and may_leave_out(address, peers):
            return True
        return blame is Blame.ADDRESS and (address not in peers or all_others_fail(address, peers))

    def _turned(self, address: Address) -> None:
        circuit = address.speaker.vitals.circuit
        self._attend(address)
        if circuit.is_doubted:
            return
        if not circuit.is_closed:
            # The words of an upstream may hold anything: they are for the journal alone.
            what = f"is left out for {circuit.rests_seconds:.1f} s after {circuit.failures} failures in a row"
            self._tell(address, f"{what}: {address.speaker.state().error}")
            self._alarm(AlertKind.BREAKER, address, what)
            return
        self._tell(address, "is back")
        self._alarm(AlertKind.BREAKER, address, "is back")
        if not self._is_looking:
            self.on_change()  # it may have been replaced meanwhile

    def _answered(self, address: Address) -> None:
        """A probe was answered: what was never seen is to be looked at now."""
        if address.shown is None and len(self._addresses) > 1 and not self._is_looking:
            self.on_change()

    def _compared(self, address: Address) -> None:
        if not address.why_held:
            self._tell(address, "shows the same definitions as the others again")
            return
        what = "shows other definitions than the others and gets no calls"
        self._tell(address, f"{what}: {address.why_held}")
        self._alarm(AlertKind.DRIFT, address, what)

    def _alarm(self, kind: AlertKind, address: Address, what: str) -> None:
        """Alerts of one among several; of an upstream as a whole, and so of one that stands alone, whoever looks at its state alerts."""
        if len(self._addresses) > 1:
            fields = {"upstream": self._id, "address": address.name}
            self._seams.alarm(Alert(kind, f"The upstream `{self._id}`: {address.name} {what}", fields, key=f"{self._id} {address.name}"))

    def _tell(self, address: Address, what: str) -> None:
        self._seams.on_event(self._id, f"{address.name} {what}")

    def _changed(self) -> None:
        self.on_change()

    def _used(self) -> tuple[Address, ...]:
        """All but those that an operator has drained; all, where that is every one."""
        return tuple(address for address in self._addresses if not address.is_drained) or self._addresses

    def _state(self, address: Address) -> AddressState:
        circuit = address.speaker.vitals.circuit
        return AddressState(
            name=address.name,
            duty=self._duty(address),
            outstanding=None if self._alone is not None else address.outstanding,
            failures=circuit.failures,
            seconds=circuit.rests_seconds,
            error=address.speaker.state().error,
            why=address.why_held,
            processes=address.speaker.processes,
        )

    def _duty(self, address: Address) -> Duty:
        if address.is_drained:
            return Duty.DRAINED
        if address.why_held:
            return Duty.HELD_BACK
        if not address.is_serving:
            return Duty.EJECTED
        return Duty.SERVING if self._takes_calls(address) else Duty.UNSEEN


async def _started(address: Address, lease: Lease) -> Refused | None:
    try:
        await address.speaker.start(lease)
    except Refused as refused:
        return refused
    return None


def _but_addresses(config: Config) -> Config:
    """A configuration without what says where the upstream is."""
    stdio = None if config.stdio is None else config.stdio.model_copy(update={"processes": 1})
    return config.model_copy(update={"url": None, "urls": (), "stdio": stdio})
