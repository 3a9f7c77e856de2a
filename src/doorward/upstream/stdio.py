"""An upstream that is a process of ours, speaking MCP on its standard streams: supervised, restarted ever more slowly, closed cleanly."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Literal

import msgspec

from doorward.config.model import Stdio
from doorward.config.model import Upstream as Config
from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.net.errors import NetError
from doorward.net.single import Single
from doorward.upstream.backoff import Backoff
from doorward.upstream.circuit import Blame, Circuit
from doorward.upstream.discovery import Discovery
from doorward.upstream.faults import MistakenError, before_call, blame, broken, having_said, told, unreachable
from doorward.upstream.greeting import Greeter, Greeting
from doorward.upstream.health import Health, Vitals
from doorward.upstream.introductions import of_discovery
from doorward.upstream.link import Link
from doorward.upstream.messages import Tongue
from doorward.upstream.order import Order, own_order
from doorward.upstream.port import Notices, unheard
from doorward.upstream.process import Listener, Process, Program, StartError, start
from doorward.upstream.relay import rank
from doorward.upstream.seams import Seams
from doorward.upstream.sight import Introduction, Sight
from doorward.upstream.supply.parts import SupplyError
from doorward.upstream.supply.port import HeldBackError
from doorward.upstream.supply.sandbox import Cage
from doorward.upstream.tasks import Tasks

FIRST_RESTART_SECONDS: Final = 0.5
MOST_RESTART_SECONDS: Final = 60.0
CLOCK_SECONDS: Final = 0.05
"""How far a sleep may end before its time."""
STEADY_SECONDS: Final = 60.0
"""A process that has lived so long is restarted as quickly as the first time."""


class _Running(msgspec.Struct):
    """A process that has introduced itself."""

    process: Process
    link: Link
    greeting: Greeting
    lease: Lease
    born: float
    level: int | None = None
    """The least severe log level that was set (session era)."""


def _nothing() -> None:
    """Nobody wants to know."""


class StdioUpstream:
    """One MCP server that is run as a process. All principals share it; it never learns of any but the gateway."""

    def __init__(self, config: Config, stdio: Stdio, tongue: Tongue, circuit: Circuit, seams: Seams) -> None:
        self._id = upstream = tongue.upstream
        self._config = config
        self._stdio = stdio
        self._tongue = tongue
        self._seams = seams
        self.vitals = Vitals(seams.now, circuit)
        self._backoff = Backoff(FIRST_RESTART_SECONDS, MOST_RESTART_SECONDS, seams.chance)
        self._tasks = Tasks(4, partial(seams.on_event, upstream))
        self._starting: Single[_Running] = Single()
        self._current: _Running | None = None
        self._rests_until = 0.0
        """On the loop's clock: no start before this time."""
        self._is_closed = False
        self.on_change: Callable[[], None] = _nothing

    @property
    def id(self) -> UpstreamId:
        """Its name in the configuration."""
        return self._id

    def state(self) -> Health:
        """How it is doing."""
        return self.vitals.health

    @property
    def era(self) -> Era | None:
        """The era it was found to speak."""
        return self._current.greeting.era if self._current is not None else None

    @property
    def processes(self) -> int:
        """One, if it runs."""
        return int(self._current is not None and self._current.process.is_alive)

    @property
    def keeps_sessions(self) -> bool:
        """Its one session is everybody's."""
        return False

    def holds_session(self, order: Order) -> bool:
        """Nobody has one of their own."""
        return False

    @property
    def stderr(self) -> tuple[str, ...]:
        """The last lines the process said on standard error."""
        return tuple(self._current.process.stderr) if self._current is not None else ()

    async def start(self, lease: Lease) -> None:
        """Starts the process; raises Refused. INVARIANT: `lease` is kept for restarts, which its intent therefore covers."""
        await self._running(lease)

    async def forward(self, order: Order, notices: Notices) -> Answer:
        """Asks once and gives what was said; raises Refused. A process that is down is started first, if it has rested long enough."""
        running = self._alive(order.lease) or await self._running(order.lease)
        try:
            if order.log_level is not None:
                await self._set_level(running, order)
            answer = await self._ask(running, order, notices)
        except Refused as refused:
            if refused.reason is not Reason.MISSING_CAPABILITY:
                self._failed(refused)
            raise
        self.vitals.well()
        return answer

    async def discover(self, lease: Lease) -> Sight:
        """Everything it offers now; raises Refused."""
        running = self._alive(lease) or await self._running(lease)
        discovery = Discovery(
            self._id,
            running.greeting.era,
            lambda method, params: self._ask(running, own_order(method, params, lease), unheard),
            partial(self._seams.on_event, self._id),
        )
        try:
            sight = await discovery.sight(await self._introduction(running, lease))
        except Refused as refused:
            self._failed(refused)
            raise
        self.vitals.well()
        return sight

    def drop(self, account: str) -> None:
        """Nothing is kept for one account: whose process this is, whoever opened it knows."""

    async def close(self) -> None:
        """Ends the process and all it has started, within seconds."""
        self._is_closed = True
        await self._tasks.close()
        await self._starting.stop()
        running, self._current = self._current, None
        if running is not None:
            running.link.end("the gateway has closed it")
            await running.process.close()

    async def _ask(self, running: _Running, order: Order, notices: Notices) -> Answer:
        greeting = running.greeting
        return await running.link.ask(order, greeting.era, greeting.version, notices, self._tongue.timeouts)

    async def _introduction(self, running: _Running, lease: Lease) -> Introduction:
        if running.greeting.era is Era.SESSION:
            return running.greeting.introduction
        body = (await self._ask(running, own_order("server/discover", {}, lease), unheard)).body
        if isinstance(body, Fault):
            raise broken(self._id, f"server/discover was answered with error {body.code}", Ran.NO)
        return of_discovery(body)

    async def _set_level(self, running: _Running, order: Order) -> None:
        """Makes a session-era server at least as talkative as this caller wants."""
        wanted = rank(order.log_level)
        is_enough = running.level is not None and wanted is not None and running.level <= wanted
        if wanted is None or is_enough or running.greeting.era is Era.EXCHANGE:
            return
        if "logging" not in running.greeting.introduction.capabilities:
            return
        running.level = wanted
        try:
            await self._ask(running, own_order("logging/setLevel", {"level": order.log_level}, order.lease), unheard)
        except Refused as refused:
            running.level = None
            raise before_call(self._id, refused) from refused

    # The process.

    def _alive(self, lease: Lease) -> _Running | None:
        """The process, if it runs with the credential of this lease; a lease without any leaves it to the process."""
        running = self._current
        if running is None or not running.process.is_alive:
            return None
        return running if not lease.environment or lease.environment == running.lease.environment else None

    async def _running(self, lease: Lease) -> _Running:
        running = self._alive(lease)
        if running is not None:
            return running
        seconds = self._rests_until - asyncio.get_running_loop().time()
        if self._is_closed or seconds > 0:
            raise unreachable(self._id, "it is closed" if self._is_closed else f"the process is restarted in {seconds:.1f} s")
        if self._current is not None and self._current.process.is_alive and not self._current.link.is_idle:
            raise unreachable(self._id, "its process runs with another credential, and is restarted once its calls have ended")
        try:
            return await self._starting.run(partial(self._started, lease))
        except NetError as error:
            raise before_call(self._id, error) from error

    async def _started(self, lease: Lease) -> _Running:
        """A new process in place of the old; a failure is followed by a rest and another try."""
        old, self._current = self._current, None
        if old is not None:
            await old.process.close()
        self.vitals.starting()
        program = await self._permitted(lease)
        try:
            self._current = running = await self._begun(program, lease)
        except Refused as refused:
            self._failed(refused)
            self._rest(lease)
            raise
        self.vitals.well()
        if old is not None:
            self._seams.on_event(self._id, "the process was restarted")
            self.on_change()
        return running

    async def _permitted(self, lease: Lease) -> Program:
        """What to run, if it is made of what was accepted. It is tried again when somebody asks for it: nothing has failed that needs a rest."""
        try:
            program = self._program(lease)
            await self._seams.inspector.check(self._id, self._stdio, program.environment)
        except SupplyError as error:
            self._failed(failure := unreachable(self._id, str(error)))
            self._rest(lease)
            raise failure from error
        except HeldBackError as error:
            self.vitals.failed(str(error), Blame.NOBODY)
            raise unreachable(self._id, str(error)) from error
        except Refused as refused:
            self._failed(refused)
            raise
        return program

    async def _begun(self, program: Program, lease: Lease) -> _Running:
        """A process that has introduced itself; one that does not survive being probed is met with `initialize` at once."""
        try:
            return await self._met(program, lease, self._config.era)
        except _DiedError as error:
            if self._config.era != "auto":
                raise having_said(unreachable(self._id, str(error)), error.last_words) from error
        try:
            return await self._met(program, lease, "session")
        except _DiedError as error:
            raise having_said(unreachable(self._id, str(error)), error.last_words) from error

    async def _met(self, program: Program, lease: Lease, era: Literal["auto", "session", "exchange"]) -> _Running:
        link = Link(self._tongue, self._changed)
        listener = Listener(link.receive, partial(self._seams.on_stderr, self._id), partial(self._ended, link))
        try:
            process = await start(program, listener, self._tongue.limits.body_bytes)
        except StartError as error:
            raise unreachable(self._id, str(error)) from error
        link.attach(process.write, process.fail)
        try:
            greeting = await self._greeted(Greeter(self._tongue, link, lease, self._config.timeouts.start), era)
        except Refused as refused:
            if process.is_alive:
                raise
            raise _DiedError(refused.detail, _last_words(process)) from refused
        except MistakenError as error:
            raise broken(self._id, str(error), Ran.NO) from error
        finally:
            if not link.is_greeted:
                await process.close()
        return _Running(process, link, greeting, lease, asyncio.get_running_loop().time())

    async def _greeted(self, greeter: Greeter, era: Literal["auto", "session", "exchange"]) -> Greeting:
        try:
            async with asyncio.timeout(self._config.timeouts.start):
                greeting = await greeter.greet(era)
        except TimeoutError as error:
            raise unreachable(self._id, f"it did not introduce itself within {self._config.timeouts.start:g} s") from error
        except Refused as refused:
            raise before_call(self._id, refused) from refused
        greeter.link.is_greeted = True
        return greeting

    def _program(self, lease: Lease) -> Program:
        """What to run, with exactly PATH and the environment that is declared. Raises Refused if the lease lacks any of it."""
        environment = {"PATH": self._seams.path}
        environment.update((name, value) for name, value in self._stdio.env.items() if "${" not in value)
        environment.update((name, secret.reveal()) for name, secret in lease.environment)
        missing = [name for name in self._stdio.env if name not in environment]
        if missing:
            raise Refused(Reason.NO_CREDENTIAL, f"the lease holds no value for {missing[0]}", ran=Ran.NO)
        sandbox = self._stdio.sandbox
        cage = None if sandbox is None else Cage(sandbox.network, sandbox.read, sandbox.write)
        return Program(self._stdio.command, environment, self._stdio.cwd, cage)

    def _ended(self, link: Link, cause: str) -> None:
        """A process has ended by itself, or was given up: its calls may have run, and another is started after a rest."""
        link.end(cause)
        running = self._current
        if running is None or running.link is not link or self._is_closed:
            return
        self._failed(having_said(unreachable(self._id, cause), _last_words(running.process)))
        if asyncio.get_running_loop().time() - running.born > STEADY_SECONDS:
            self._backoff.reset()
        self._rest(running.lease)

    def _rest(self, lease: Lease) -> None:
        seconds = self._backoff.next_seconds()
        self._rests_until = asyncio.get_running_loop().time() + seconds
        self.vitals.circuit.trip(seconds)
        self._tasks.spawn(self._revive(lease, seconds))

    async def _revive(self, lease: Lease, seconds: float) -> None:
        await asyncio.sleep(seconds)
        is_resting = asyncio.get_running_loop().time() < self._rests_until - CLOCK_SECONDS
        if is_resting or self._alive(lease) is not None:
            return  # another try has come between, and set the next one if it failed
        try:
            await self._starting.run(partial(self._started, lease))
        except (NetError, Refused):
            return  # noted where it was raised, and the next try is set there too

    def _changed(self) -> None:
        self.on_change()

    def _failed(self, refused: Refused) -> None:
        self.vitals.failed(self._seams.mask(told(refused)), blame(refused))


class _DiedError(DoorwardError):
    """A process ended before it had introduced itself."""

    def __init__(self, cause: str, last_words: str) -> None:
        super().__init__(cause)
        self.last_words = last_words


def _last_words(process: Process) -> str:
    return process.stderr[-1] if process.stderr else ""
