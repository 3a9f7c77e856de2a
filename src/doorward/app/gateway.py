"""The gateway as a running thing: opens its doors, keeps its clocks, drains and closes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from doorward import __version__
from doorward.admission.stops import Effect, Matter, MatterKind
from doorward.app import clocks
from doorward.app.control import control_listener, network_door
from doorward.app.evidence import check_anchors
from doorward.app.house import House, build_house, measure
from doorward.app.last_end import of_last_end
from doorward.app.lookout import lookout
from doorward.app.operators import Network
from doorward.app.state import open_state
from doorward.app.warming import warm
from doorward.app.watch import Watch
from doorward.config.model import Listen
from doorward.control.listener import ControlListener
from doorward.domain.calls import Era
from doorward.domain.errors import DoorwardError
from doorward.identity.resources import Resources, public_url
from doorward.runtime.workbench import Read, ReloadError, read
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.edge import allowed
from doorward.serving.listener import Bind, Listener
from doorward.serving.port import Receive, Scope, Send
from doorward.serving.tls import Secured
from doorward.telemetry.journal import Journal, Level
from doorward.telemetry.meter import Meter

DRAIN_SECONDS = 10.0
"""How long running calls may go on once the gateway was told to end."""
_TICK_SECONDS = 1.0
_MINUTE_SECONDS = 60.0
_HOUR_SECONDS = 3600.0
_REMEMBERED_SECONDS = 7 * 86_400.0
"""How long a certificate that we issued is listed after its end."""


class Gateway:
    """One gateway in one event loop: `start`, then `stop`."""

    __slots__ = (
        "_control",
        "_door",
        "_house",
        "_is_recording",
        "_journal",
        "_listener",
        "_network",
        "_path",
        "_secured",
        "_tasks",
        "_watched",
        "address",
        "is_draining",
    )

    def __init__(self, path: Path, journal: Journal) -> None:
        self._path = path
        self._journal = journal
        self._house: House | None = None
        self._listener: Listener | None = None
        self._door: Door | None = None
        self._control: ControlListener | None = None
        self._network: Network | None = None
        self._secured: Secured | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._watched: Watch | None = None
        self._is_recording = False
        self.address: tuple[str, int] = ("", 0)
        self.is_draining = False

    @property
    def house(self) -> House:
        """The rooms; only once `start` has built them."""
        assert self._house is not None
        return self._house

    async def start(self) -> None:
        """Opens everything; raises `DoorwardError` or `OSError` for what keeps it from doing so, with nothing left open."""
        held = read(self._path)
        self._watched = Watch(self._path, held.loaded.document)
        state = await open_state(held.loaded.document, held.loaded.path.resolve().parent)
        try:
            self._house = build_house(held, state, self._journal)
        except BaseException:
            await state.close()
            raise
        measure(self._house)
        self._house.connecting.measure(self._house.meter)
        try:
            await self._open(held)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Drains: ends streams, lets calls finish within the grace, closes upstreams, seals the log."""
        self.is_draining = True
        house = self.house
        if self._door is not None and self._listener is not None:
            self._door.drain()
            house.changes.close()
            house.state.desk.close()
            await self._listener.drain(DRAIN_SECONDS)
        await house.discovery.close()
        await house.alerting.alarms.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await house.fleet.close()
        await house.broker.close()
        await house.connecting.connections.close()
        await house.sourcing.close()
        if self._network is not None:
            await self._network.close()
        if self._control is not None:
            await self._control.stop()
        await self._seal(house)

    def warm(self) -> None:
        """Has guards compile in a thread what their first look needs, so that no call waits for it; until then calls may."""
        self._keep(asyncio.to_thread(warm, self.house.generations.current.screen))

    async def reload(self, by: str) -> None:
        """Reads the configuration again, and says in the journal what came of it."""
        before = self.house.generations.current.generation
        try:
            done = await self.house.workbench.reload(by)
        except ReloadError as error:
            for problem in error.problems:
                self._journal.say("config_rejected", Level.ERROR, problem=problem)
            return
        except DoorwardError as error:
            self._journal.say("config_rejected", Level.ERROR, problem=str(error))
            return
        event = "config_loaded" if done.generation > before else "config_unchanged"
        self._journal.say(event, generation=done.generation, changes="; ".join(done.changes))

    def not_ready(self) -> tuple[str, ...]:
        """Why no traffic should come here now; empty when it may."""
        house = self.house
        reasons = ["going down"] if self.is_draining else []
        if self._door is None:
            reasons.append("starting")
        if house.state.evidence.recorder.failure is not None:
            reasons.append(f"the log cannot be written: {house.state.evidence.recorder.failure}")
        unseen = [name for name in house.fleet.all() if name not in house.discovery.tried]
        if unseen:
            reasons.append(f"not looked at yet: {', '.join(sorted(unseen))}")
        return tuple(reasons)

    async def _open(self, held: Read) -> None:
        house, document = self.house, held.loaded.document
        facts = {"version": __version__, "config": held.loaded.digest, "policies": house.generations.current.policies.digest}
        await check_anchors(house.state.evidence)
        await house.sourcing.begin()
        await house.connecting.connections.load()
        await house.workbench.begin()
        self._is_recording = True
        size = await house.state.evidence.log.size()
        unknown = await house.state.evidence.recorder.start(facts)
        self._keep(self._tell_last_end(size))
        if unknown:
            self._journal.say("calls_unknown", Level.WARNING, calls=unknown, why="the last process ended before they did")
        self._control = control_listener(house, self.not_ready)
        await self._control.start()
        if document.control.listen is not None:
            self._network = Network(house.root, document.control.listen)
            self._keep(await self._network.open(network_door(house, self.not_ready)))
        house.connecting.can_look = house.discovery.want
        await self._listen(document.listen)
        house.discovery.follow(house.fleet.match(document))
        self._keep(self._ticks(), self._minutes(), self._hours(), self._watch())
        self._keep(house.identification.trust.run(), house.asking.channels.run(), house.alerting.alarms.run())
        self._keep(house.state.rotation.run(lambda why: self._journal.say("encryption_key_trouble", Level.ERROR, why=why)))
        self._keep(house.sourcing.custody.run(), house.sourcing.standing.run())
        house.asking.again()
        operators = "" if self._network is None else f"{self._network.address[0]}:{self._network.address[1]}"
        host, port = self.address
        self._journal.say("gateway_started", host=host, port=port, control=str(self._control.path), operators=operators)
        self._warn()
        self._tell_closed()

    async def _listen(self, listen: Listen) -> None:
        """Opens the door for agents."""
        house, identification = self.house, self.house.identification
        bind = Bind(listen.host, listen.port, tls=identification.certified.read.context)
        self._listener = Listener(self._answer, bind)
        self.address = await self._listener.open()
        self._secured = Secured(self._listener, identification.certified.spoiled)
        house.state.switch.on_change(self._withdrawn)
        resources = Resources(public_url(listen, self.address[1]))
        house.connecting.stand(resources.origin)
        identification.stand(resources, house.dispatch.identified)
        await identification.authority.upkeep()
        gate = house.dispatch.gate
        around = Surroundings(
            spine=house.dispatch,
            sees=house.dispatch.sees,
            tally=Tally(house.meter),
            monotonic=clocks.monotonic,
            new_id=clocks.new_id,
            pages=identification.pages,
            shown=identification.certified.proxies.shown,
            challenges=identification.challenges,
            is_full=lambda: gate.is_full,
            intake=gate.intake,
            turn=gate.turns.first,
        )
        self._door = Door(around, Settings(allowed(listen, self.address[1]), _is_loopback(listen.host)))
        self._keep(self._listener.run(), self._door.pulse.run())

    def _answer(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[None, None, None]:
        # Without a door the address is ours, and what has ended while we were away is still being looked up.
        return _not_yet(send) if self._door is None else self._door(scope, receive, send)

    def _keep(self, *endless: Coroutine[Any, Any, None]) -> None:
        for one in endless:
            task = asyncio.get_running_loop().create_task(one)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """None of them ends by itself: one that does has failed, and whoever runs the process should know."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._journal.say("task_failed", Level.ERROR, task=str(task.get_coro()), why=f"{type(error).__name__}: {error}")

    async def _ticks(self) -> None:
        async def tick() -> None:
            await self.house.state.evidence.recorder.tick()
            await self.house.state.evidence.anchors.offer(self.house.state.evidence.log.checkpoint())

        async def end_waivers() -> None:
            await self.house.state.waivers.sweep(self.house.state.evidence.recorder.note)

        async def end_raises() -> None:
            await self.house.state.budgets.raises.sweep(self.house.state.evidence.recorder.note)

        await self._every(_TICK_SECONDS, tick, end_waivers, end_raises, lookout(self.house).look)

    async def _minutes(self) -> None:
        async def spoiled() -> None:
            self._cut_spoiled()

        state = self.house.state
        works = (
            spoiled,
            self.house.sessions.expire,
            state.registry.flush,
            self.house.answers.sweep,
            state.budgets.sweep,
            state.contexts.sweep,
            self.house.identification.authority.upkeep,
            self.house.connecting.connections.upkeep,
        )
        await self._every(_MINUTE_SECONDS, *works)

    async def _hours(self) -> None:
        state = self.house.state

        async def forget() -> None:
            await state.issued.forget(clocks.now() - _REMEMBERED_SECONDS)

        async def warn_of_old() -> None:
            self._warn_of_old()

        works = (state.evidence.recorder.retain, forget, warn_of_old)
        # At once as well: what may not be kept any longer goes, however short the gateway's lives are.
        for work in works:
            await self._tried(work)
        await self._every(_HOUR_SECONDS, *works)

    def _warn_of_old(self) -> None:
        house = self.house
        for reference in house.sourcing.inventory(lambda: house.generations.current.document, house.broker.used).old(clocks.now()):
            self._journal.say("secret_old", Level.WARNING, secret=reference, why="older than secrets.rotate_after_days")

    async def _tell_last_end(self, size: int) -> None:
        """Beside the start: where the log's index has to be made anew, this waits for it."""

        async def tell() -> None:
            alert = await of_last_end(self.house.state.evidence.auditor, size)
            if alert is not None:
                self.house.alerting.alarms(alert)

        await self._tried(tell)

    async def _watch(self) -> None:
        watch = self._watched
        assert watch is not None

        async def look() -> None:
            await self._renew_certificates()
            if await asyncio.to_thread(watch.has_changed, self.house.generations.current.document):
                await self.reload("doorward")

        await self._every(_TICK_SECONDS, look)

    async def _renew_certificates(self) -> None:
        """Goes on with what the files of TLS say now; a file that cannot be read leaves everything as it was, and is told."""
        try:
            found = await self.house.identification.certified.renewed()
            if self._network is not None:
                await self._network.renew()
        except DoorwardError as error:
            self._journal.say("certificates_rejected", Level.ERROR, why=str(error))
            return
        if found is not None and self._secured is not None:
            self.house.identification.cut(self._secured.adopt(found))
            self._journal.say("certificates_loaded")
            self._tell_closed()

    def _withdrawn(self, matter: Matter, _why: str) -> None:
        """Closes the connections of a certificate that an operator has just revoked; one that is only stopped keeps them."""
        is_revoked = matter.kind is MatterKind.CERTIFICATE and self.house.state.switch.effect(matter) is Effect.REVOKED
        if is_revoked and self._secured is not None:
            self._secured.withdraw(matter.name)

    def _cut_spoiled(self) -> None:
        """Ends connections and calls whose certificates have ended by time alone, and tells whose revocation lists have."""
        if self._secured is None:
            return
        self.house.identification.cut(self._secured.sweep())
        self._tell_closed()
        for name, why in self.house.identification.trust.troubles().items():
            self._journal.say("issuer_keys_missed", Level.WARNING, issuer=name, why=why)

    def _tell_closed(self) -> None:
        """Says whose revocation lists have ended: at the start, with each change of files, and every minute until the next is there."""
        for issuer in self.house.identification.certified.spoiled.closed():
            self._journal.say("revocation_list_ended", Level.ERROR, issuer=issuer, why="nothing of its is accepted until the next is there")

    async def _every(self, seconds: float, *works: Callable[[], Awaitable[object]]) -> None:
        """Does pieces of work again and again."""
        while True:
            await asyncio.sleep(seconds)
            for work in works:
                await self._tried(work)

    async def _tried(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does a piece of work; one that fails is told and tried again the next time, and keeps no other from being done."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- the root of a task: upkeep that fails once is not given up
            what = getattr(work, "__name__", "")
            self._journal.say("upkeep_failed", Level.ERROR, work=what, why=f"{type(error).__name__}: {error}")

    async def _seal(self, house: House) -> None:
        try:
            if self._is_recording:
                await house.state.evidence.recorder.stop({"version": __version__})
                await house.state.evidence.anchors.offer(house.state.evidence.log.checkpoint())
        except DoorwardError as error:
            self._journal.say("log_not_sealed", Level.ERROR, why=str(error))
        await house.state.close()
        self._journal.say("gateway_stopped")

    def _warn(self) -> None:
        warnings = [*self.house.workbench.warnings, self.house.state.evidence.anchors.warning]
        for warning in warnings:
            if warning is not None:
                self._journal.say("warning", Level.WARNING, text=warning)


async def _not_yet(send: Send) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"1"), (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


class Tally:
    """Counts answered requests in the meter."""

    __slots__ = ("_meter",)

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def answered(self, status: int, era: Era | None) -> None:
        """One more answer."""
        # By `str`, which asks no property of an enumeration for its value.
        self._meter.answered(str(era) if era else "none", status)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
