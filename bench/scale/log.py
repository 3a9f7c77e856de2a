"""The chapter about the log: what it costs to write, to index, to ask, to prove, to open and to verify while it grows to a week's."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import msgspec

from bench import gateway
from bench.figures import percentile
from bench.scale.figures import AtLeast, AtMost, Chapter, Figure, Series
from bench.scale.made import ACCOUNTS, Part, make, opened
from bench.scale.shapes import AGENTS
from doorward.audit import proofs
from doorward.audit.anchor import FileAnchor
from doorward.audit.auditor import Auditor
from doorward.audit.query import MOST, Query
from doorward.config.model import Document
from doorward.domain.ids import CallId
from doorward.runtime.workbench import read
from doorward.stores.sqlite.database import FILE
from doorward.stores.sqlite.index import FILE as INDEX
from doorward.stores.sqlite.index import Index, opening
from doorward.stores.sqlite.log import SqliteLog

ASKED = 40
"""Questions of each kind at each step: other agents, days, leaves."""
_STARTS = 3
_STEP = 10
_FIRST = 1_000

_DOCUMENT = {**gateway.calls_document(0), "upstreams": {}}

QUERY_MS, PROOF_MS, START_SECONDS, VERIFIED = 200.0, 20.0, 3.0, 100_000.0
"""The bounds."""


@dataclass(frozen=True, slots=True)
class Size:
    """How big the log is made, and how."""

    receipts: int
    kept: float
    """The share of them that have their side records still."""

    @property
    def steps(self) -> list[int]:
        """Sizes on the way, each ten times the one before."""
        found = [self.receipts]
        while found[0] >= _FIRST * _STEP:
            found.insert(0, found[0] // _STEP)
        return found


@dataclass(frozen=True, slots=True)
class Answered:
    """How long questions took at one step, in milliseconds: of each kind, ascending."""

    times: dict[str, list[float]]
    write: float
    """µs of processor time a leaf."""
    index: float

    def slowest(self, kind: str) -> float:
        """The worst."""
        return self.times[kind][-1]

    def middle(self, kind: str) -> float:
        """The median."""
        return percentile(self.times[kind], 0.5)


Asking = Callable[[], Awaitable[Callable[[], Awaitable[object]]]]
"""Makes another question of one kind, to be timed."""

BY_AGENT, ALL_OF_AGENT, BY_VALUE, NOTHING, INCLUSION, CONSISTENCY, RECEIPT = (
    "query by agent and day, a page of 100",
    "query by agent and day, a page of 500",
    "query by a value of an argument, the whole log",
    "query by agent and tool that finds nothing, the whole log",
    "inclusion proof",
    "consistency proof",
    "receipt of a call, with its proofs",
)


def chapter(directory: Path, size: Size) -> Chapter:
    """Makes the log under a directory, and measures it."""
    path = gateway.write(directory, _DOCUMENT, gateway.POLICIES)
    document = read(path).loaded.document
    steps: list[Answered] = []
    done = 0
    for receipts in size.steps:
        print(f"a log of {receipts:,} receipts", file=sys.stderr)
        wrote = asyncio.run(make(document, directory, Part(range(done, receipts), size.receipts, size.kept)))
        leaves, done = 2 * (receipts - done), receipts
        indexed = _index(directory / document.state)
        _settle(directory / document.state)
        times = asyncio.run(_asked(document, directory))
        steps.append(Answered(times, 1e6 * wrote / leaves, 1e6 * indexed / leaves))
    last = steps[-1]
    state = directory / document.state
    figures = [*_answers(last), *_disk(state, done), *_verified(path, state), *_starts(path, state)]
    return Chapter(
        "A week's log",
        f"{done:,} receipts of {AGENTS} agents in a week, two leaves each; {size.kept:.0%} of them, the newest, have their side records still."
        " Made by the store itself, of leaves that the recorder encoded for other calls. Each question is another one.",
        figures,
        [f"{receipts:,}" for receipts in size.steps],
        _series(steps),
    )


def _series(steps: Sequence[Answered]) -> list[Series]:
    return [
        Series("write a leaf", "µs", [step.write for step in steps], 1.5),
        Series("index a leaf", "µs", [step.index for step in steps], 1.5),
        *[Series(f"{kind}, median", "ms", [step.middle(kind) for step in steps]) for kind in steps[-1].times],
    ]


def _answers(last: Answered) -> list[Figure]:
    bounds = {BY_AGENT: QUERY_MS, INCLUSION: PROOF_MS}
    return [
        Figure(f"{kind}, slowest of {ASKED}", last.slowest(kind), "ms", AtMost(bounds[kind]) if kind in bounds else None)
        for kind in last.times
    ]


def _settle(state: Path) -> None:
    """Waits until all of it is on the disk: the log was not flushed while it was made."""
    for path in state.glob("*.db*"):
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _index(state: Path) -> float:
    """Indexes what is not yet; the seconds of processor time."""
    db = opening(state / FILE)()
    try:
        start = time.thread_time()
        index = Index()
        while index.catch_up(db):
            pass
        return time.thread_time() - start
    finally:
        db.close()


async def _asked(document: Document, directory: Path) -> dict[str, list[float]]:
    async with opened(document, directory) as (log, auditor):
        chance = random.Random(10)
        size = await log.size()
        await auditor.find(Query(agent="nobody"))
        works = _questions(log, auditor, size, chance)
        return {name: sorted([await _milliseconds(work) for _ in range(ASKED)]) for name, work in works.items()}


def _questions(log: SqliteLog, auditor: Auditor, size: int, chance: random.Random) -> dict[str, Asking]:
    """Kinds of questions: each makes another one of its kind, to be timed."""

    async def day() -> str:
        return str((await _leaf(log, chance.randrange(size)))["ts"])[:10]

    def by_agent(limit: int) -> Asking:
        async def asking() -> Callable[[], Awaitable[object]]:
            since = await day()
            query = Query(agent=_agent(chance), since=f"{since}T00:00:00.000000Z", until=f"{since}T99", limit=limit)
            return lambda: auditor.find(query)

        return asking

    async def by_value() -> Callable[[], Awaitable[object]]:
        query = Query(touched=str(chance.randrange(ACCOUNTS)), limit=MOST)
        return lambda: auditor.find(query)

    async def nothing() -> Callable[[], Awaitable[object]]:
        query = Query(agent=_agent(chance), name="no_such_tool")
        return lambda: auditor.find(query)

    async def inclusion() -> Callable[[], Awaitable[object]]:
        index = chance.randrange(size)
        return lambda: proofs.inclusion(log, index, size)

    async def consistency() -> Callable[[], Awaitable[object]]:
        older = chance.randrange(1, size)
        return lambda: proofs.consistency(log, older, size)

    async def receipt() -> Callable[[], Awaitable[object]]:
        call = CallId(str((await _leaf(log, chance.randrange(size - size // 4)))["call"]))
        return lambda: auditor.receipt(call)

    works = (by_agent(Query().limit), by_agent(MOST), by_value, nothing, inclusion, consistency, receipt)
    return dict(zip((BY_AGENT, ALL_OF_AGENT, BY_VALUE, NOTHING, INCLUSION, CONSISTENCY, RECEIPT), works, strict=True))


async def _leaf(log: SqliteLog, index: int) -> dict[str, object]:
    (located,) = await log.leaves(index, index + 1)
    leaf: dict[str, object] = msgspec.json.decode(located.leaf)
    return leaf


def _agent(chance: random.Random) -> str:
    return f"agent-{chance.randrange(AGENTS)}"


async def _milliseconds(asking: Asking) -> float:
    work = await asking()
    start = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - start)


def _starts(path: Path, state: Path) -> list[Figure]:
    """Of whole gateways on the log: after a proper end, after a kill, and without an index; and of one with an empty log."""
    quiet = [gateway.write(path.parent / f"quiet-{number}", _DOCUMENT, gateway.POLICIES) for number in range(_STARTS)]
    empty = [_start(one, signal.SIGTERM) for one in quiet]
    after_end = [_start(path, signal.SIGTERM) for _ in range(_STARTS + 1)][1:]
    after_kill = [_start(path, end) for end in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)][1:]
    without_index = []
    for _ in range(_STARTS - 1):
        for name in (INDEX, f"{INDEX}-wal", f"{INDEX}-shm"):
            (state / name).unlink(missing_ok=True)
        without_index.append(_start(path, signal.SIGTERM))
    return [
        Figure("start until ready", min(after_end), "s", AtMost(START_SECONDS)),
        Figure("start until ready, after a kill", min(after_kill), "s", AtMost(START_SECONDS)),
        Figure("start until ready, the index lost", min(without_index), "s", AtMost(START_SECONDS)),
        Figure("start until ready, an empty log, for comparison", min(empty), "s"),
    ]


def _start(path: Path, end: signal.Signals) -> float:
    with gateway.running(path) as running:
        running.process.send_signal(end)
        running.process.wait(60)
        return running.ready_seconds


def _verified(path: Path, state: Path) -> list[Figure]:
    """By the command, on the database as it lies there."""
    key = _anchored(read(path).loaded.document, path)
    command = [sys.executable, "-m", "doorward", "log", "verify", "--database", str(state / FILE), "--key", key]
    command += ["--checkpoint", str(_anchor(path))]
    before = getrusage(RUSAGE_CHILDREN)
    start = time.perf_counter()
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    after = getrusage(RUSAGE_CHILDREN)
    if said.returncode:
        raise RuntimeError(f"the log should have been verified: {said.stdout}{said.stderr}")
    leaves = int(said.stdout.split()[1])
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        Figure("verify, leaves a second", leaves / seconds, "leaves", AtLeast(VERIFIED)),
        Figure("verify, leaves a second of processor time", leaves / spent, "leaves"),
        Figure("verify the whole log", seconds, "s"),
    ]


def _anchored(document: Document, path: Path) -> str:
    """The log's public key; its newest checkpoint is kept in the anchor file, as a gateway would."""

    async def anchored() -> str:
        async with opened(document, path.parent) as (log, auditor):
            note = await log.seal()
            assert note is not None
            FileAnchor(_anchor(path)).append(note)
            return str(auditor.vkey)

    return asyncio.run(anchored())


def _anchor(path: Path) -> Path:
    return path.parent / "anchor" / "checkpoints.txt"


def _disk(state: Path, receipts: int) -> list[Figure]:
    sizes = {name: sum(path.stat().st_size for path in state.glob(f"{name}*")) for name in (FILE, INDEX)}
    return [Figure(f"{name} on disk", size / receipts, "bytes a receipt") for name, size in sizes.items()]
