"""What the tests of replicas share: addresses that answer when they are told to, on a clock that is the test's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from doorward.config.health import HealthRules
from doorward.config.model import Upstream as Config
from doorward.domain.alerts import Alert
from doorward.domain.calls import Answer, Era
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Refused
from doorward.net.errors import NetError, Trouble
from doorward.testing.upstream import DONE, SHOWN, tool
from doorward.upstream.circuit import Circuit
from doorward.upstream.faults import blame, cut, of_net
from doorward.upstream.health import Health, Vitals
from doorward.upstream.order import Order
from doorward.upstream.port import Notices
from doorward.upstream.replicas.address import Place
from doorward.upstream.replicas.front import Front
from doorward.upstream.seams import Seams
from doorward.upstream.sight import Sight
from tests.upstream.kit import DEMO, LEASE, order

RULES = HealthRules(failures=3, rest_seconds=1, most_rest_seconds=8, probe_seconds=10, answer_seconds=2)
VIEW = replace(SHOWN, tools=(tool("echo"),))
OTHER = replace(SHOWN, tools=(tool("echo", "Does something else."),))
PROBES = ("ping", "server/discover")


def unsent() -> Refused:
    """Nobody listens there."""
    return of_net(DEMO, NetError(Trouble.UNREACHABLE, "no connection", Ran.NO))


def broke_off() -> Refused:
    """It was sent, and nothing came back."""
    return cut(DEMO, "the connection ended")


@dataclass(eq=False)
class FakeSpeaker:
    """Speaks to no server. Calls wait until the test ends them, if it `holds`; probes and looks end at once."""

    name: str
    circuit: Circuit
    sends: list[tuple[str, Order]]
    is_up: bool = True
    holds: bool = False
    hangs: bool = False
    keeps_sessions: bool = False
    sight: Sight = VIEW
    closed: int = 0
    looks: int = 0
    probes: int = 0
    era: Era | None = Era.EXCHANGE
    fails_with: Callable[[], Refused] = unsent
    probes_fail_with: Callable[[], Refused] | None = None
    most_probes: int = 10_000
    probed: list[tuple[str, Order]] = field(default_factory=list)
    held: list["asyncio.Future[Refused | None]"] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    dropped: list[str] = field(default_factory=list)
    processes: int = 0

    def __post_init__(self) -> None:
        self.id = DEMO
        self.vitals = Vitals(lambda: 0.0, self.circuit)
        self.on_change: Callable[[], None] = lambda: None

    async def start(self, lease: Lease) -> None:
        self._check()

    async def forward(self, order: Order, notices: Notices) -> Answer:
        if order.method in PROBES:
            self.probes += 1
            self.probed.append((self.name, order))
            assert self.probes <= self.most_probes, "probes without a rest between them"
            if self.probes_fail_with is not None:
                raise self._noted(self.probes_fail_with())
        else:
            self.sends.append((self.name, order))
        self.sessions.add(order.principal)
        if self.hangs:
            await asyncio.Event().wait()
        if not (self.holds and order.method not in PROBES):
            self._check()
        elif (refused := await self._told()) is not None:
            raise self._noted(refused)
        self.vitals.well()
        return Answer(DONE, 0)

    async def discover(self, lease: Lease) -> Sight:
        self.looks += 1
        self._check()
        self.vitals.well()
        return self.sight

    def drop(self, account: str) -> None:
        self.dropped.append(account)

    async def close(self) -> None:
        self.closed += 1

    def state(self) -> Health:
        return self.vitals.health

    def holds_session(self, order: Order) -> bool:
        return self.keeps_sessions and order.principal in self.sessions

    def release(self, refused: Refused | None = None) -> None:
        """Ends the calls that wait, and holds none any more."""
        self.holds = False
        for end in self.held:
            end.set_result(refused)

    async def _told(self) -> Refused | None:
        end = asyncio.get_running_loop().create_future()
        self.held.append(end)
        try:
            return await end
        finally:
            self.held.remove(end)

    def _check(self) -> None:
        if not self.is_up:
            raise self._noted(self.fails_with())

    def _noted(self, refused: Refused) -> Refused:
        self.vitals.failed(refused.detail, blame(refused))
        return refused


class Yard:
    """A front with fake addresses `a`, `b`, …; times are those of the running loop."""

    def __init__(self, *names: str, rules: HealthRules = RULES) -> None:
        self.speakers: dict[str, FakeSpeaker] = {}
        self.opened: list[FakeSpeaker] = []
        self.sends: list[tuple[str, Order]] = []
        self.probed: list[tuple[str, Order]] = []
        self.events: list[str] = []
        self.alerts: list[Alert] = []
        self.changes = 0
        self.front = Front(DEMO, config(*names, rules=rules), self._places, self._seams())
        self.front.on_change = self._changed

    async def seen(self, **sights: Sight) -> "Yard":
        """The same once each address was looked at."""
        for name, sight in sights.items():
            self.speakers[name].sight = sight
        await self.look()
        return self

    async def look(self) -> Sight:
        """What a look gave, which is taken at once; raises `Refused`."""
        sight = await self.front.discover(LEASE)
        self.front.taken(sight)
        return sight

    async def call(self, principal: str = "agent") -> str:
        """Where a call was answered."""
        await self.front.forward(order(principal=principal), _unheard)
        return self.sends[-1][0]

    async def calls(self, count: int) -> str:
        """Where so many calls went, one after the other; a refused one leaves a `!`."""
        said = ""
        for _ in range(count):
            try:
                said += await self.call()
            except Refused:
                said += "!"
        return said

    def begin(self, principal: str = "agent") -> "asyncio.Task[Answer]":
        """A call that goes on."""
        return asyncio.get_running_loop().create_task(self.front.forward(order(principal=principal), _unheard))

    def duties(self) -> dict[str, str]:
        return {address.name: address.duty for address in self.front.addresses()}

    def _changed(self) -> None:
        self.changes += 1

    def _places(self, config: Config) -> tuple[Place, ...]:
        return tuple(Place(name, name, self._opening(name)) for name in config.addresses)

    def _opening(self, name: str) -> Callable[[Circuit], FakeSpeaker]:
        def opened(circuit: Circuit) -> FakeSpeaker:
            speaker = self.speakers[name] = FakeSpeaker(name, circuit, self.sends, probed=self.probed)
            self.opened.append(speaker)
            return speaker

        return opened

    def _seams(self) -> Seams:
        return Seams(
            now=lambda: 1000.0,
            chance=lambda: 1.0,
            version="1",
            path="",
            on_event=lambda upstream, text: self.events.append(text),
            monotonic=lambda: asyncio.get_running_loop().time(),
            alarm=self.alerts.append,
        )


def config(*names: str, rules: HealthRules = RULES) -> Config:
    """An upstream at these addresses."""
    return Config(urls=names, health=rules)


async def settled() -> None:
    """Lets everything go on that can, without any time passing."""
    for _ in range(8):
        await asyncio.sleep(0)


async def _unheard(notice: object) -> None:
    """Nobody listens."""
