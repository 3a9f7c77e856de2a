"""Everything in memory: for tests and trials. What is kept here ends with the process."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from doorward.admission.stops import Effect, Matter, Stop
from doorward.approval.question import Question, State
from doorward.approval.store import GrantUse
from doorward.audit import leaf as leaves
from doorward.audit.commit import Batch, Committer, Moment, Sealing
from doorward.audit.merkle import Span
from doorward.audit.query import Facts, Located, Page, Query, capped, facts, matches
from doorward.audit.store import Box, Boxes, Entry, Told, grant_gone
from doorward.call.sessions import SessionRow
from doorward.catalog.pins import Key
from doorward.domain.approvals import Grant
from doorward.domain.catalog import Pin
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import AgentId, CallId, GrantId, KeyId, SessionId
from doorward.domain.receipts import Place
from doorward.identity.keys import KeyRecord
from doorward.identity.registry import AgentRecord
from doorward.stores.memory_budgets import MemoryBudgets
from doorward.stores.memory_flow import MemoryFlow


class MemoryApprovals:
    """Questions and grants (`ApprovalStore`, `GrantUse`); its own transaction."""

    def __init__(self) -> None:
        self._questions: dict[GrantId, Question] = {}

    async def load(self, now: float) -> tuple[Question, ...]:
        """Every question that still matters."""
        standing = (State.PENDING, State.APPROVED, State.REJECTED)
        return tuple(question for question in self._questions.values() if question.state in standing and question.expires_at > now)

    async def add(self, question: Question) -> None:
        """Keeps a new question."""
        if question.id in self._questions:
            raise StoreError(f"a new question was expected, {question.id} is known")
        self._questions[question.id] = question

    async def find(self, reference: GrantId) -> Question | None:
        """The question of this id."""
        return self._questions.get(reference)

    async def move(self, question: Question, before: Question) -> bool:
        """Replaces the question if it stands where `before` does."""
        known = self._questions.get(question.id)
        if known is None or (known.state, known.revision) != (before.state, before.revision):
            return False
        self._questions[question.id] = question
        return True

    def consume(self, transaction: "MemoryApprovals", grant: Grant, now: float) -> bool:
        """Uses a grant, once."""
        del transaction
        known = self._questions.get(grant.id)
        if known is None or known.state is not State.APPROVED or known.expires_at <= now:
            return False
        binding = known.binding
        if (binding.digest, binding.definition, binding.principal) != (grant.digest, grant.definition, grant.principal):
            return False
        self._questions[grant.id] = replace(known, state=State.USED)
        return True

    def release(self, transaction: "MemoryApprovals", grant: GrantId) -> None:
        """Gives a used grant back."""
        del transaction
        known = self._questions.get(grant)
        if known is not None and known.state is State.USED:
            self._questions[grant] = replace(known, state=State.APPROVED)


class MemoryLog:
    """A log (`LogStore`) without a disk. While `broken` says why, nothing can be written."""

    def __init__(
        self,
        committer: Committer,
        clocks: Callable[[], Moment],
        grants: MemoryApprovals,
        budgets: MemoryBudgets | None = None,
        contexts: MemoryFlow | None = None,
    ) -> None:
        self._committer = committer
        self._clocks = clocks
        self._grants: GrantUse[MemoryApprovals] = grants
        self._approvals = grants
        self._budgets = MemoryBudgets() if budgets is None else budgets
        self._contexts = MemoryFlow() if contexts is None else contexts
        self._leaves: list[bytes] = []
        self._facts: list[Facts] = []
        self._hashes: dict[tuple[int, int], bytes] = {}
        self._notes: dict[int, bytes] = {}
        self._boxes: dict[int, Box] = {}
        self._open: dict[CallId, int] = {}
        self._keys: dict[int, bytes] = {}
        self.broken: str | None = None

    def append(self, entry: Entry) -> asyncio.Future[Place]:
        """Writes an entry at once."""
        written: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        at = self._clocks()
        if self.broken is not None:
            return _failed(written, UnrecordedError(f"the store cannot write: {self.broken}"))
        if entry.closes in self._open:
            if entry.releases is not None:
                self._grants.release(self._approvals, entry.releases)
            self._budgets.give_back(entry.returns)
        if (overdrawn := self._budgets.overdrawn(entry.draws)) is not None:
            return _failed(written, overdrawn)
        if entry.uses is not None and not self._grants.consume(self._approvals, entry.uses, at.wall_micros / 1_000_000):
            return _failed(written, grant_gone())
        self._budgets.draw(entry.draws)
        batch = self._committer.prepare([entry], at, Sealing.WHEN_DUE)
        self._write(batch)
        (place,) = batch.places
        self._beside(entry, place)
        written.set_result(place)
        return written

    def append_soon(self, entry: Entry, told: Told) -> None:
        """Writes an entry at once, too."""
        told(entry, self.append(entry).exception())

    def _write(self, batch: Batch) -> None:
        self._committer.accept(batch)
        for seq, hashed, raw in batch.rows:
            self._leaves.append(raw)
            self._facts.append(facts(raw))
            self._hashes[0, seq] = hashed
        self._hashes.update({(node.level, node.index): node.hash for node in batch.nodes})
        if batch.note is not None:
            self._notes[batch.frontier.size] = batch.note

    def _beside(self, entry: Entry, place: Place) -> None:
        if entry.rise is not None:
            self._contexts.write((entry.rise,))
        if entry.box is not None:
            self._boxes[place.seq] = entry.box
        if entry.opens is not None:
            self._open[entry.opens] = place.seq
        if entry.closes is not None:
            self._open.pop(entry.closes, None)

    def seal(self) -> asyncio.Future[bytes | None]:
        """A checkpoint over everything."""
        sealed: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        if self.broken is not None:
            return _failed(sealed, UnrecordedError(f"the store cannot write: {self.broken}"))
        self._write(self._committer.prepare((), self._clocks(), Sealing.NOW))
        sealed.set_result(self.checkpoint())
        return sealed

    def checkpoint(self) -> bytes | None:
        """The last one."""
        return self._notes[max(self._notes)] if self._notes else None

    async def checkpoints(self, after: int, limit: int) -> tuple[bytes, ...]:
        """Notes of sizes above `after`."""
        return tuple(self._notes[size] for size in sorted(self._notes) if size > after)[:limit]

    async def size(self) -> int:
        """How many leaves there are."""
        return len(self._leaves)

    async def leaves(self, first: int, stop: int) -> tuple[Located, ...]:
        """The leaves of a range."""
        return tuple(Located(index, self._leaves[index]) for index in range(first, min(stop, len(self._leaves))))

    async def hashes(self, spans: Sequence[Span]) -> tuple[tuple[bytes, ...], ...]:
        """Tree hashes."""
        try:
            return tuple(tuple(self._hashes[span.level, span.first + at] for at in range(span.count)) for span in spans)
        except KeyError as error:
            raise StoreError(f"a complete subtree was expected, there is none at {error}") from error

    async def find(self, query: Query) -> Page:
        """The leaves of a query."""
        stop = len(self._leaves) if query.before is None else min(query.before, len(self._leaves))
        found = [Located(index, self._leaves[index]) for index in reversed(range(stop)) if matches(query, self._facts[index])]
        page = tuple(found[: capped(query)])
        return Page(page, page[-1].index if len(found) > len(page) else None)

    async def of_call(self, call: CallId) -> tuple[Located, ...]:
        """The leaves of a call."""
        return tuple(Located(index, self._leaves[index]) for index, found in enumerate(self._facts) if found.call == call)

    async def open_intents(self) -> tuple[Located, ...]:
        """Intents without an outcome."""
        return tuple(Located(index, self._leaves[index]) for index in sorted(self._open.values()))

    async def add_data_key(self, wrapped: bytes) -> int:
        """Keeps a wrapped key."""
        number = max(self._keys, default=0) + 1
        self._keys[number] = wrapped
        return number

    async def data_key(self, number: int) -> bytes | None:
        """A wrapped key."""
        return self._keys.get(number)

    async def box(self, index: int) -> Box | None:
        """The side record of a leaf."""
        return self._boxes.get(index)

    async def boxes(self, indexes: Sequence[int]) -> Boxes:
        """The side records of some leaves."""
        found = {index: self._boxes[index] for index in indexes if index in self._boxes}
        named = {box.key for box in found.values()}
        return Boxes(found, {number: wrapped for number, wrapped in self._keys.items() if number in named})

    async def sweep(self, before_micros: int) -> int:
        """Deletes old side records."""
        old = [index for index in self._boxes if leaves.micros(self._leaves[index]) < before_micros]
        for index in old:
            del self._boxes[index]
        oldest = min((box.key for box in self._boxes.values()), default=max(self._keys, default=0))
        self._keys = {number: wrapped for number, wrapped in self._keys.items() if number >= oldest}
        return len(old)


def _failed(future: asyncio.Future, error: Exception) -> asyncio.Future:  # type: ignore[type-arg]
    future.set_exception(error)
    # Read once, so that an outcome nobody waits for does not print a warning at its end.
    future.exception()
    return future


class MemoryPins:
    """Pins (`PinStore`)."""

    def __init__(self) -> None:
        self._pins: dict[Key, Pin] = {}

    def all(self) -> tuple[Pin, ...]:
        """Every pin."""
        return tuple(self._pins.values())

    async def put(self, pins: Iterable[Pin]) -> None:
        """Keeps these pins."""
        self._pins.update({(pin.upstream, pin.kind, pin.name): pin for pin in pins})

    async def drop(self, keys: Iterable[Key]) -> None:
        """Forgets the pins of these keys."""
        for key in keys:
            self._pins.pop(key, None)


class MemoryAgents:
    """Agents and keys (`AgentStore`)."""

    def __init__(self) -> None:
        self._agents: dict[AgentId, AgentRecord] = {}
        self._keys: dict[KeyId, KeyRecord] = {}

    async def load(self) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
        """Everything that was put."""
        return tuple(self._agents.values()), tuple(self._keys.values())

    async def put(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """Adds or replaces by id."""
        for record in agents:
            known = self._agents.get(record.agent.id)
            seen = record.seen_at if record.seen_at is not None or known is None else known.seen_at
            self._agents[record.agent.id] = replace(record, seen_at=seen)
        self._keys.update({record.id: record for record in keys})

    async def touch(self, seen: Mapping[AgentId, float]) -> None:
        """Notes when agents were last seen."""
        for agent in seen.keys() & self._agents.keys():
            self._agents[agent] = replace(self._agents[agent], seen_at=seen[agent])


class MemoryStops:
    """Stops and revocations (`StopStore`)."""

    def __init__(self) -> None:
        self._stops: dict[tuple[Matter, Effect], Stop] = {}

    async def load(self) -> tuple[Stop, ...]:
        """Every stop that was put and not dropped."""
        return tuple(self._stops.values())

    async def put(self, stop: Stop) -> None:
        """Adds or replaces the stop of this matter and effect."""
        self._stops[stop.matter, stop.effect] = stop

    async def drop(self, matter: Matter, effect: Effect) -> None:
        """Forgets the stop of this matter and effect."""
        self._stops.pop((matter, effect), None)


class MemorySessions:
    """Session rows (`SessionStore`)."""

    def __init__(self) -> None:
        self._rows: dict[SessionId, SessionRow] = {}

    def all(self) -> tuple[SessionRow, ...]:
        """Every row."""
        return tuple(self._rows.values())

    async def put(self, row: SessionRow) -> None:
        """Writes or overwrites a row."""
        self._rows[row.id] = row

    async def drop(self, ids: tuple[SessionId, ...]) -> None:
        """Removes rows."""
        for session_id in ids:
            self._rows.pop(session_id, None)
