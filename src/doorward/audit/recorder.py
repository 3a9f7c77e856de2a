"""The recorder: tells the log of every call before and after it, of every refusal and of every other event.

What it owes (law 6): an intent that it acknowledges is durable; an outcome is never lost while the process lives, also where
the store cannot write for a while; intents that a dead process left open are closed as unknown at the next start.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from doorward.audit.flood import OVER_LIMIT, Flood, Source, prefix
from doorward.audit.followers import Follower
from doorward.audit.forms import Forms
from doorward.audit.leaf import Bodies, encoded
from doorward.audit.query import Located
from doorward.audit.sides import Sealer, Unkept, Wrapper, salts
from doorward.audit.store import Entry, LogStore
from doorward.domain.budgets import Draw, OverdrawnError
from doorward.domain.calls import Fault, Reply
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.flow import Rise
from doorward.domain.ids import CallId, GrantId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event, Intent, Outcome, Place, Refusal, Scalar, Status

OWED = 10_000
"""Outcomes kept in memory while the store cannot write; those beyond are closed as unknown at the next start."""
DAY_SECONDS = 86_400

_UNSHOWN = frozenset({Reason.UNSAFE_REQUEST})
"""Refusals of calls that may hold secrets and were never masked: no side record is kept of these, nor of what people are asked about findings."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class SideRules(msgspec.Struct, frozen=True):
    """What is kept beside the leaves."""

    keep_days: int
    """0 keeps nothing."""
    cap_bytes: int


class Means(msgspec.Struct, frozen=True):
    """What a recorder works with."""

    store: LogStore
    bodies: Bodies
    wrapper: Wrapper
    sides: SideRules
    now: Callable[[], float]
    draw: Callable[[int], bytes]
    """So many random bytes."""


class Recorder:
    """One node's way into the log. Used from the tasks of one event loop."""

    __slots__ = (
        "_bodies",
        "_day",
        "_failure",
        "_flood",
        "_followers",
        "_forms",
        "_granted",
        "_kept",
        "_means",
        "_owed",
        "_salts",
        "_store",
        "_unkept",
    )

    def __init__(self, means: Means) -> None:
        self._means = means
        self._store = means.store
        self._bodies = means.bodies
        self._forms = Forms(means.bodies)
        self._salts = salts(means.draw)
        self._unkept = Unkept(self._salts)
        self._flood = Flood(means.now)
        self._followers: list[Follower] = []
        self._owed: deque[Entry] = deque()
        self._kept: Unkept | Sealer = self._unkept
        """What makes of texts what leaves say of them: nothing is kept as long as there is no data key."""
        self._day = -1
        self._failure: str | None = None
        self._granted: dict[CallId, GrantId] = {}

    def follow(self, follower: Follower) -> None:
        """Calls back with events, refusals and callers that were turned away."""
        self._followers.append(follower)

    @property
    def failure(self) -> str | None:
        """Why the last attempt to write failed; None while the log can be written. For readiness."""
        return self._failure

    @property
    def owed(self) -> int:
        """How many outcomes wait for the store to write again."""
        return len(self._owed)

    async def start(self, fields: Mapping[str, Scalar]) -> int:
        """Closes what the last process left open, and says that this one began; gives how many calls were closed as unknown."""
        await self._new_data_key()
        opened = await self._store.open_intents()
        entries = [self._unknown(intent) for intent in opened]
        entries.append(self._event(Event("gateway_started", "doorward", fields)))
        await asyncio.gather(*[self._append(entry) for entry in entries])
        return len(opened)

    async def stop(self, fields: Mapping[str, Scalar]) -> None:
        """Says that this process ends, after everything that it still owes, and seals the log with a checkpoint."""
        self._settle()
        for event in [*self._flood.close(), Event("gateway_stopped", "doorward", fields)]:
            await self.note(event)
        await self._store.seal()

    async def tick(self) -> None:
        """To be called every second or so: closes a minute of counts, pays what is owed, renews the data key daily."""
        for event in self._flood.close_minute():
            self._queue(self._event(event))
        self._settle()
        if int(self._means.now() // DAY_SECONDS) != self._day:
            await self._new_data_key()

    async def intend(self, intent: Intent) -> Place:
        """The place of the intent, durable on return with its grant consumed and its budgets drawn on.

        Raises UnrecordedError, OverdrawnError, or Refused GRANT_GONE: nothing may be forwarded then.
        """
        call = intent.call
        said = self._kept.said(f"{call.id}/arguments", call.canonical)
        body = self._forms.intent(intent, said)
        entry = Entry(body, said.box, opens=call.id, uses=intent.grant, draws=intent.draws, rise=intent.rise)
        if intent.grant is not None:
            self._granted[call.id] = intent.grant.id
        try:
            place = await self._store.append(entry)
        except (Refused, UnrecordedError, OverdrawnError) as error:
            if isinstance(error, UnrecordedError):
                self._failure = str(error)
            self._granted.pop(call.id, None)
            raise
        self._failure = None
        return place

    def conclude(self, outcome: Outcome, returns: tuple[Draw, ...] = (), rise: Rise | None = None) -> asyncio.Future[Place]:
        """Queues the outcome at once, whoever waits for the future; done when it is durable.

        `returns` corrects what its intent has drawn; `rise` is what came of it in the context of its call.
        """
        entry = self._outcome(outcome, returns, rise)
        written = self._store.append(entry)
        written.add_done_callback(lambda done: None if done.cancelled() else self._told(entry, done.exception()))
        return written

    def conclude_soon(self, outcome: Outcome, returns: tuple[Draw, ...] = (), rise: Rise | None = None) -> None:
        """As `conclude`, where nobody waits: it may be written with others."""
        self._store.append_soon(self._outcome(outcome, returns, rise), self._told)

    def _outcome(self, outcome: Outcome, returns: tuple[Draw, ...], rise: Rise | None) -> Entry:
        call, text = outcome.call.id, None if outcome.reply is None else _shown(outcome.reply)
        said = None if text is None else self._kept.said(f"{call}/result", text)
        body = self._forms.outcome(outcome, said)
        released = self._granted.pop(call, None) if self._granted else None
        if released is not None and outcome.status is not Status.NOT_FORWARDED:
            released = None
        return Entry(body, None if said is None else said.box, closes=call, releases=released, returns=returns, rise=rise)

    async def refuse(self, refusal: Refusal) -> Place | None:
        """The place of the one leaf of a refused call or a list, durable on return; None where it was counted instead (over a limit)."""
        if refusal.reason is not None:
            for follower in self._followers:
                follower.refused(refusal)
        if refusal.reason in OVER_LIMIT and not self._flood.is_first(Source(refusal.principal.agent.id, refusal.reason)):
            return None
        call, box, arguments = refusal.call, None, None
        if call is not None:
            is_kept = refusal.reason not in _UNSHOWN and not (refusal.approval and refusal.findings)
            said = (self._kept if is_kept else self._unkept).said(f"{refusal.id}/arguments", call.canonical)
            box, arguments = said.box, self._bodies.arguments(said.commitment, call.arguments)
        return await self._append(Entry(encoded(self._bodies.refusal(refusal, arguments, box)), box))

    def turn_away(self, network: str, reason: Reason, detail: str) -> None:
        """Tells of a caller that was refused before anybody knew who it is: the first of its kind in a minute, then a count."""
        for follower in self._followers:
            follower.turned_away(network, reason)
        source = Source(prefix(network), reason)
        if self._flood.is_first(source):
            fields: dict[str, Scalar] = {"source": source.name, "reason": reason.value, "detail": detail}
            self._queue(self._event(Event("turned_away", "doorward", fields)))

    async def note(self, event: Event) -> Place:
        """The place of any other event's leaf, durable on return; raises UnrecordedError."""
        place: Place | None = None
        try:
            place = await self._append(self._event(event))
        finally:
            for follower in self._followers:
                follower.noted(event, place)
        return place

    def pseudonym(self, subject: str) -> str:
        """What the log calls a person: for events that are about one."""
        return self._bodies.pseudonym(subject)

    async def retain(self) -> int:
        """Deletes side records that are older than they may get; gives how many."""
        cutoff = self._means.now() - self._means.sides.keep_days * DAY_SECONDS
        return await self._store.sweep(int(cutoff * 1_000_000))

    def _event(self, event: Event) -> Entry:
        return Entry(encoded(self._bodies.event(event)))

    def _unknown(self, intent: Located) -> Entry:
        body = self._bodies.unknown(intent.leaf)
        return Entry(encoded(body), closes=CallId(str(body["call"])))

    async def _append(self, entry: Entry) -> Place:
        try:
            place = await self._store.append(entry)
        except UnrecordedError as error:
            self._failure = str(error)
            raise
        self._failure = None
        return place

    def _queue(self, entry: Entry) -> None:
        """An entry that must not be lost: kept and queued again should the store fail."""
        self._store.append_soon(entry, self._told)

    def _told(self, entry: Entry, error: BaseException | None) -> None:
        self._failure = str(error) if error is not None else None
        if error is not None and len(self._owed) < OWED:
            self._owed.append(entry)

    def _settle(self) -> None:
        """Queues again what the store could not write; in the order it happened."""
        owed, self._owed = self._owed, deque()
        for entry in owed:
            self._queue(entry)

    async def _new_data_key(self) -> None:
        """Side records of the next day get a key of their own; while the store cannot keep one, the old key serves on."""
        self._day = int(self._means.now() // DAY_SECONDS)
        if self._means.sides.keep_days == 0:
            return
        key, wrapped = self._means.wrapper.fresh()
        try:
            number = await self._store.add_data_key(wrapped)
        except StoreError:
            if self._kept is self._unkept:
                raise
            self._day = -1
            return
        self._kept = Sealer(number, key, self._means.sides.cap_bytes, self._salts)


def _shown(reply: Reply) -> bytes | None:
    """A reply as JSON text; None for one that is none: the outcome is told all the same."""
    body: object = reply.body
    if isinstance(body, Fault):
        body = {"error": {"code": body.code, "message": body.message, "data": body.data}}
    try:
        return _encode(body)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
