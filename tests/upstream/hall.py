"""Processes that are fakes, and a hall of them: calls in them are held until they are let go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.config.model import Stdio
from doorward.domain.calls import Answer, Era
from doorward.domain.ids import LeaseId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from doorward.upstream.circuit import Circuit, Terms
from doorward.upstream.faults import unreachable
from doorward.upstream.health import Health, Vitals
from doorward.upstream.order import Order
from doorward.upstream.port import Notices, unheard
from doorward.upstream.processes import Processes
from doorward.upstream.sight import Sight
from tests.made import Clock
from tests.upstream.kit import DEMO, World, order

SIGHT = Sight(Era.SESSION, ("2025-11-25",), {}, {}, "", (), (), (), ())


def lease(account: str, token: str = "", expires_at: float | None = None) -> Lease:
    """A credential of an account; without a token its first one."""
    environment = (("TOKEN", Secret(token or f"{account}-1")),)
    return Lease(LeaseId(f"of {account}"), "user", "stdio:demo", "", environment=environment, account=account, expires_at=expires_at)


@dataclass(eq=False)
class Inmate:
    """A process as `StdioUpstream` keeps it: started by the first call, with another environment started anew while no call is under way."""

    hall: "Hall"
    circuit: Circuit
    id: UpstreamId = DEMO
    era: Era | None = None
    keeps_sessions: bool = False
    holder: str | None = None
    environment: tuple[tuple[str, Secret], ...] = ()
    calls: int = 0
    is_closed: bool = False
    processes: int = 0

    def __post_init__(self) -> None:
        self.vitals = Vitals(lambda: 0.0, self.circuit)
        self.on_change: Callable[[], None] = lambda: None

    def holds_session(self, order: Order) -> bool:
        return False

    def state(self) -> Health:
        return self.vitals.health

    async def start(self, lease: Lease) -> None:
        self._begin(lease)

    async def forward(self, order: Order, notices: Notices) -> Answer:
        self._begin(order.lease)
        self.calls += 1
        try:
            if order.method == "held":
                await self.hall.hold()
            if self.is_closed:
                raise unreachable(DEMO, "it is closed")
            return Answer({"holder": self.holder, "token": self.environment[0][1].reveal()}, 0)
        finally:
            self.calls -= 1

    async def discover(self, lease: Lease) -> Sight:
        self._begin(lease)
        if self.hall.is_broken:
            raise unreachable(DEMO, "it does not start")
        self.era = Era.SESSION
        return SIGHT

    def drop(self, account: str) -> None:
        raise AssertionError("whoever holds the processes drops them")

    async def close(self) -> None:
        self.is_closed = True
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.processes = 0

    def _begin(self, lease: Lease) -> None:
        assert not self.is_closed
        assert self.holder in {None, lease.account}, "somebody else's process"
        if lease.environment != self.environment:
            assert not self.calls, "another token under calls"
        self.holder, self.environment, self.processes = lease.account, lease.environment, 1
        assert self.hall.running <= self.hall.most, "too many processes"


@dataclass
class Hall:
    """Processes that are fakes, and the calls in them that are held until they are let go."""

    most: int = 3
    idle_seconds: float = 60.0
    opened: list[Inmate] = field(default_factory=list)
    held: list["asyncio.Future[None]"] = field(default_factory=list)
    is_broken: bool = False
    clock: Any = field(default_factory=lambda: Clock(0.0))

    def __post_init__(self) -> None:
        seams = replace(World().seams(), monotonic=self.clock, now=self.clock)
        rules = Stdio(command=("x",), per="principal", most=self.most, idle_seconds=self.idle_seconds)
        self.front = Processes(DEMO, rules, self._open, Circuit(Terms(), self.clock, lambda: 0.0), seams)

    def _open(self, circuit: Circuit) -> Inmate:
        self.opened.append(Inmate(self, circuit))
        return self.opened[-1]

    @property
    def running(self) -> int:
        return sum(one.processes for one in self.opened)

    async def hold(self) -> None:
        let_go = asyncio.get_running_loop().create_future()
        self.held.append(let_go)
        await let_go

    async def call(self, of: Lease, method: str = "tools/call") -> Any:
        return (await self.front.forward(order(method, lease=of), unheard)).body

    def begin(self, of: Lease) -> "asyncio.Task[Any]":
        return asyncio.get_running_loop().create_task(self.call(of, "held"))

    def let_go(self, number: int = 0) -> None:
        self.held.pop(number).set_result(None)

    async def refusal(self, of: Lease) -> Refused:
        with pytest.raises(Refused) as caught:
            await self.call(of)
        return caught.value


async def settled() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def hall(**fields: Any) -> AsyncIterator[Hall]:
    made = Hall(**fields)
    try:
        yield made
    finally:
        for one in made.held:
            one.set_result(None)
        await made.front.close()
        assert made.running == 0
