"""What each stage of one call costs, in microseconds of processor time, measured on the rooms themselves without sockets between them.

It runs as a process of its own: `python -m bench.stages DOCUMENT [EFFORT]` prints one JSON object, stage → microseconds; an effort below 1
takes less time, and tells less.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import msgspec
import uvloop

from bench import door, identity, leases, limits
from bench.cores import GATEWAY_CORE, pin
from bench.gateway import PLAIN, READING, TEAM
from bench.speech import BIG, ECHO, FIRST, PAGE, Asking, Era, Target
from doorward.admission.gate import Gate
from doorward.app import clocks
from doorward.app.gateway import Gateway
from doorward.app.house import Moments, limits_of
from doorward.audit.query import Query
from doorward.call.inbound import Inbound
from doorward.call.outbound import order_of, rendered
from doorward.call.resolve import Found, Means, found
from doorward.call.rounds import Rounds
from doorward.client.admin import Admin
from doorward.domain.actors import Principal
from doorward.domain.calls import Answer, Call, Fault, Reply
from doorward.domain.calls import Era as Spoken
from doorward.domain.decisions import Allow
from doorward.domain.ids import AgentId, CallId, LeaseId
from doorward.domain.leases import Lease
from doorward.domain.receipts import Intent, Outcome, Status
from doorward.identity.chain import Presented
from doorward.runtime.snapshot import Snapshot
from doorward.telemetry.journal import Journal, Level
from doorward.upstream.port import unheard
from doorward.wire import replies
from doorward.wire.eras import open_envelope
from doorward.wire.headers import check
from doorward.wire.jsonrpc import Limits, Request, parse

ROUNDS = 7
ROUND_SECONDS = 0.03
TOGETHER = 64
"""Calls at the same time, where a stage waits for something."""
WAITED = 3000
"""Calls of one measurement of such a stage."""

_LIMITS = Limits()
_LEASE = Lease(LeaseId("none"), "none", "", "")


@dataclass(frozen=True, slots=True)
class Sample:
    """One call, as every stage sees it."""

    body: bytes
    headers: list[tuple[bytes, bytes]]
    inbound: Inbound
    found: Found
    answer: Answer

    @property
    def call(self) -> Call:
        """The call itself."""
        return self.found.call


class Rooms:
    """The rooms of a running gateway, as one call goes through them."""

    def __init__(self, gateway: Gateway, key: str) -> None:
        house = self.house = gateway.house
        self.presented = Presented(f"Bearer {key}", "127.0.0.1", loopback=True)
        self.principal = house.dispatch.identify(self.presented)
        self.moments = Moments(house.generations)
        self.gate = Gate(house.state.switch, limits_of(self.snapshot.document), clocks.monotonic)
        self.inspection = self.snapshot.screen.inspection
        self.rounds = Rounds(house.state.seal, clocks.now, clocks.nonce)
        self.recorder = house.state.evidence.recorder
        self.upstreams = house.fleet.all()

    @property
    def snapshot(self) -> Snapshot:
        """The current one."""
        return self.house.generations.current

    async def sample(self, upstream: str, tool: str) -> Sample:
        """A call that every room has seen once."""
        asking = Asking(Target(0, "/mcp", Era.EXCHANGE), f"{upstream}__{tool}", "stage")
        head, _, body = asking.request(FIRST).partition(b"\r\n\r\n")
        pairs = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
        headers = [(name.lower(), value) for name, value in pairs]
        inbound = read_inbound(body, headers, self.principal)
        resolved = self.resolved(inbound)
        order = order_of(inbound, resolved.call, resolved.entry, _LEASE)
        answer = await self.upstreams[resolved.call.target.upstream].forward(order, unheard)
        return Sample(body, headers, inbound, resolved, answer)

    def resolved(self, inbound: Inbound) -> Found:
        """Stage 2."""
        return found(inbound, self.snapshot, CallId(clocks.new_id()), Means(self.rounds, self.moments))

    def admitted(self, call: Call) -> None:
        """Stage 3."""
        with self.gate.admit(call):
            pass

    async def recorded(self, call: Call, answer: Answer) -> None:
        """Stages 7 and 11."""
        another = replace(call, id=CallId(clocks.new_id()))
        await self.recorder.intend(Intent(another, Allow(()), (), None, "none", self.snapshot.generation, ""))
        lease = {"kind": "none", "id": "none", "audience": "", "scope": ""}
        await self.recorder.conclude(Outcome(another, Status.DELIVERED, None, "", (), answer, Reply(answer.body), lease, 1))

    async def forwarded(self, sample: Sample) -> None:
        """Stage 9."""
        order = order_of(sample.inbound, sample.call, sample.found.entry, _LEASE)
        await self.upstreams[sample.call.target.upstream].forward(order, unheard)


def read_inbound(body: bytes, headers: list[tuple[bytes, bytes]], principal: Principal) -> Inbound:
    """Stage 0 after the HTTP server: the message, its envelope and its headers."""
    message = parse(body, _LIMITS)
    assert isinstance(message, Request)
    envelope = open_envelope(message.params)
    check(headers, message.method, message.params, envelope.version)
    return Inbound(
        principal=principal,
        endpoint=None,
        era=Spoken.EXCHANGE,
        version=envelope.version,
        request=message,
        capabilities=envelope.capabilities,
        client_info=envelope.client_info,
        log_level=None,
        progress_token=None,
        trace="",
        meta=envelope.rest,
        headers=headers,
        session=None,
        again=lambda: principal,
    )


def stages(rooms: Rooms, samples: Sequence[Sample]) -> Iterator[tuple[str, Callable[[], object]]]:
    """The stages that wait for nothing, in the order of a call; samples of 200 B, of a policy that reads, of 8 KiB and of 64 KiB."""
    echo, read, page, big = samples
    decide, at = rooms.snapshot.policies.decide, rooms.moments
    yield "parse, envelope and headers (0)", lambda: read_inbound(echo.body, echo.headers, rooms.principal)
    yield "identify, key known (1)", lambda: rooms.house.dispatch.identify(rooms.presented)
    yield "resolve, canonical bytes and digest (2)", lambda: rooms.resolved(echo.inbound)
    yield "admit and leave (3)", lambda: rooms.admitted(echo.call)
    yield "decide, no policy reads arguments (4)", lambda: decide(echo.call, at())
    yield "decide, a policy reads an argument that it has met (4)", lambda: decide(read.call, at())
    yield "decide, a policy reads a new argument (4)", lambda: decide(_with_another_text(read.call), at())
    yield "decide, an agent's first call (4)", lambda: decide(_by_another(echo.call), at())
    yield "inspect request (5)", lambda: rooms.inspection.request(echo.call)
    yield "inspect response, 200 B (10)", lambda: rooms.inspection.response(echo.call, echo.answer)
    yield "inspect response, 8 KiB (10)", lambda: rooms.inspection.response(page.call, page.answer)
    yield "inspect response, 64 KiB (10)", lambda: rooms.inspection.response(big.call, big.answer)
    yield "render, 200 B", lambda: _body(echo)
    yield "render, 64 KiB", lambda: _body(big)


def _body(sample: Sample) -> bytes:
    assert not isinstance(sample.answer.body, Fault)
    return replies.body(sample.inbound.request.id, rendered(sample.inbound, sample.found, sample.answer.body))


def _with_another_text(call: Call) -> Call:
    return replace(call, arguments={"text": clocks.new_id()})


def _by_another(call: Call) -> Call:
    agent = replace(call.principal.agent, id=AgentId(clocks.new_id()))
    return replace(call, principal=replace(call.principal, agent=agent))


def cost(work: Callable[[], object], effort: float) -> float:
    """Microseconds of this thread for one run, the median of some rounds."""
    work()
    times: list[float] = []
    runs = 1
    while len(times) < ROUNDS:
        start = time.thread_time()
        for _ in range(runs):
            work()
        spent = time.thread_time() - start
        if spent < ROUND_SECONDS * effort:
            runs *= 2
        else:
            times.append(spent / runs)
    return 1e6 * median(times)


async def waited(work: Callable[[], Awaitable[None]], calls: int) -> float:
    """Microseconds of the whole process for one run, many at a time."""

    async def worker() -> None:
        for _ in range(calls // TOGETHER):
            await work()

    start = time.process_time()
    await asyncio.gather(*[worker() for _ in range(TOGETHER)])
    return 1e6 * (time.process_time() - start) / (calls // TOGETHER * TOGETHER)


async def measure(document: Path, effort: float) -> dict[str, float]:
    """All stages of a document's gateway."""
    gateway = Gateway(document, Journal(sys.stderr, clocks.now, Level.ERROR))
    await gateway.start()
    try:
        while gateway.not_ready():  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.05)
        admin = Admin(document.parent / "state" / "control.sock")
        added = await asyncio.to_thread(admin.post, "/v1/agents", {"id": "stages", "team": TEAM, "owner": "bench"})
        return await _measured(Rooms(gateway, str(added["key"])), effort)
    finally:
        await gateway.stop()


async def _measured(rooms: Rooms, effort: float) -> dict[str, float]:
    calls = max(TOGETHER, int(WAITED * effort))
    samples = [await rooms.sample(*one) for one in ((PLAIN, ECHO), (READING, ECHO), (PLAIN, PAGE), (PLAIN, BIG))]
    echo, big = samples[0], samples[-1]
    gc.collect()
    gc.freeze()
    costs = {"HTTP, a request in and its answer out (0)": await door.cost(max(1, round(door.ROUNDS * effort)))}
    costs |= {name: cost(work, effort) for name, work in stages(rooms, samples)}
    costs |= {name: cost(work, effort) for name, work in await identity.works()}
    costs |= limits.costs(max(1, round(limits.ROUNDS * effort)))
    costs |= await leases.costs(max(1, round(leases.ROUNDS * effort)))
    auditor = rooms.house.state.evidence.auditor
    await auditor.find(Query())
    costs["intend and conclude, two durable leaves (7, 11)"] = await waited(lambda: rooms.recorded(echo.call, echo.answer), calls)
    start = time.process_time()
    await auditor.find(Query())
    costs["index both leaves, afterwards"] = 1e6 * (time.process_time() - start) / (calls // TOGETHER * TOGETHER)
    costs["forward, 200 B (9)"] = await waited(lambda: rooms.forwarded(echo), calls)
    costs["forward, 64 KiB (9)"] = await waited(lambda: rooms.forwarded(big), calls)
    return costs


def main() -> None:
    """Measures the stages of a document's gateway."""
    pin(GATEWAY_CORE)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(measure(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0))))


if __name__ == "__main__":
    main()
