"""A playbook: requests go in, and everything that became of them comes out as one list to compare.

    async with playbook(Plan({"git": replace(SHOWN, tools=(tool("commit"),))})) as book:
        assert await book.play(tool_call("git__commit", {"n": 1})) == [
            Leaf("intent", "allow", ("all",)),
            Sent("git", "tools/call", {"name": "commit", "arguments": {"n": 1}}),
            Leaf("outcome", "delivered"),
            Got({...}),
            Counted("git", "delivered"),
        ]

The rooms are the real ones; what is scripted is what stands around them. A leaf stands where it had become durable.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from doorward.call.inbound import Inbound
from doorward.domain.actors import Principal
from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.ids import SessionId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.testing.house import House, Plan, build_house
from doorward.testing.trace import Counted, Gone, Got, GotNotice, GotRefusal, Leaf, Sent, Step, Trace, leaf
from doorward.testing.upstream import FakeUpstream
from doorward.upstream.order import Order
from doorward.wire.jsonrpc import Request

_TURNS = 50
"""Turns of the loop after which nothing in a house in memory moves any more by itself."""

_CALLS = "doorward_calls_total"

VERSIONS = {Era.EXCHANGE: "2026-07-28", Era.SESSION: "2025-11-25"}
"""The newest revision of each era."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One request as its client makes it."""

    method: str
    params: Mapping[str, object] = field(default_factory=dict)
    agent: str = "claude"
    endpoint: str | None = None
    era: Era = Era.EXCHANGE
    version: str | None = None
    """None: the newest of the era."""
    capabilities: Mapping[str, object] = field(default_factory=dict)
    log_level: str | None = None
    progress_token: str | int | None = None
    meta: Mapping[str, object] = field(default_factory=dict)
    headers: Sequence[tuple[bytes, bytes]] = ()
    session: str | None = None
    trace: str = ""

    def inbound(self, principal: Principal) -> Inbound:
        """The request as a door would hand it on."""
        return Inbound(
            principal=principal,
            endpoint=None if self.endpoint is None else UpstreamId(self.endpoint),
            era=self.era,
            version=self.version or VERSIONS[self.era],
            request=Request(1, self.method, dict(self.params)),
            capabilities=self.capabilities,
            client_info={"name": "scripted", "version": "1"},
            log_level=self.log_level,
            progress_token=self.progress_token,
            trace=self.trace,
            meta=self.meta,
            headers=self.headers,
            session=None if self.session is None else SessionId(self.session),
            again=lambda: principal,
        )


def tool_call(name: str, arguments: Mapping[str, object] | None = None, agent: str = "claude") -> Stimulus:
    """A call of a tool by its prefixed name; `dataclasses.replace` makes it another."""
    return Stimulus("tools/call", {"name": name, "arguments": arguments or {}}, agent)


Running = asyncio.Task[None]
"""A request on its way."""


class Playbook:
    """Plays requests on one house and writes down what becomes of them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.trace: Trace = []
        """Everything so far; `play` gives what it has added."""
        self._principals: dict[str, Principal] = {}
        self._read = 0
        self._counted: Counter[tuple[str, str, str]] = Counter()
        for upstream in house.upstreams.values():
            upstream.on_order = self._watch(upstream)

    async def principal(self, agent: str = "claude") -> Principal:
        """An agent as it was identified by its key; made known the first time."""
        if agent not in self._principals:
            self._principals[agent] = await self.house.agent(agent)
        return self._principals[agent]

    def knows(self, principal: Principal) -> None:
        """Has an agent speak as this principal from now on, whatever it would be verified by."""
        self._principals[principal.agent.id] = principal

    async def play(self, *stimuli: Stimulus) -> Trace:
        """What becomes of these requests, one after the other, each to its end."""
        for stimulus in stimuli:
            await (await self.begin(stimulus))
        return await self.rest()

    async def begin(self, stimulus: Stimulus) -> Running:
        """A request that has gone as far as it can for now: it waits for the log, for its upstream, or is over."""
        running = asyncio.create_task(self._request(stimulus.inbound(await self.principal(stimulus.agent))))
        for _ in range(_TURNS):
            if running.done():
                break
            await asyncio.sleep(0)
        return running

    async def hang_up(self, running: Running) -> None:
        """The caller goes away."""
        running.cancel()
        await self.idle()

    async def idle(self) -> None:
        """Lets everything go as far as it can."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def rest(self) -> Trace:
        """What was written down since the last time, and what the meter has counted meanwhile."""
        await self._read_leaves()
        self.trace += self._newly_counted()
        found, self.trace = self.trace, []
        return found

    async def _request(self, inbound: Inbound) -> None:
        try:
            await self._step(Got(as_read(await self.house.dispatch.handle(inbound, self._notice))))
        except Refused as refused:
            await self._step(GotRefusal(refused.reason, refused.ran, refused.public, refused.reference))
        except asyncio.CancelledError:
            await self._step(Gone())

    async def _notice(self, notice: Notice) -> None:
        await self._step(GotNotice(notice.method, notice.params))

    def _watch(self, upstream: FakeUpstream) -> Callable[[Order], Awaitable[None]]:
        async def ordered(order: Order) -> None:
            await self._step(Sent(upstream.id, order.method, order.params))

        return ordered

    async def _step(self, step: Step) -> None:
        """Leaves that have become durable before this step stand before it."""
        await self._read_leaves()
        self.trace.append(step)

    async def _read_leaves(self) -> None:
        # No other task can come between: a log in memory answers without waiting.
        found = await self.house.evidence.log.leaves(self._read, 1 << 30)
        self._read += len(found)
        self.trace += [leaf(located.leaf) for located in found]

    def _newly_counted(self) -> list[Counted]:
        samples = [sample for family in self.house.meter.collect() for sample in family.samples if sample.name == _CALLS]
        counted = Counter(
            {(sample.labels["upstream"], sample.labels["outcome"], sample.labels["method"]): round(sample.value) for sample in samples}
        )
        before, self._counted = self._counted, counted
        return [Counted(upstream, outcome) for upstream, outcome, _ in (counted - before).elements()]


def as_read(body: Mapping[str, object] | Fault) -> Mapping[str, object] | Fault:
    """A result as its client reads it: what was written beforehand is values again."""
    if isinstance(body, Fault):
        return body
    return {name: msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value for name, value in body.items()}


def leaves(trace: Trace) -> list[Leaf]:
    """The leaves of a trace alone."""
    return [step for step in trace if isinstance(step, Leaf)]


@asynccontextmanager
async def playbook(plan: Plan) -> AsyncIterator[Playbook]:
    """A playbook on the house of a plan, its upstreams looked at once, nothing of that in the trace; all ended at the end."""
    house = await build_house(plan)
    try:
        book = Playbook(house)
        await book.principal()
        for name in house.upstreams:
            await house.discovery.look(name)
        await book.rest()
        yield book
    finally:
        await house.close()
