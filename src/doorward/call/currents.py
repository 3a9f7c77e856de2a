"""What flows: what policy may know of a call's context before it goes on, and what the call and its answer leave there.

A call raises its context with its intent, whatever becomes of it then; what is in its answer is added before the answer is shown. The
gateway's own discovery has no context.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from doorward.call.asked import Track
from doorward.call.flowing import Flowing
from doorward.call.limits import EVERY
from doorward.call.looks import LARGE_BYTES
from doorward.domain.calls import Call, Fault, Notice, Reply
from doorward.domain.catalog import Kind
from doorward.domain.findings import Disposition, Finding
from doorward.domain.flow import Rise
from doorward.domain.receipts import Intent, Outcome, Place, Status
from doorward.flow.contexts import Contexts
from doorward.flow.index import Read
from doorward.flow.rules import Trace
from doorward.policy.engine import Policies
from doorward.policy.question import Moment
from doorward.policy.session import reads_taint
from doorward.wire.lists import FIELDS


class Currents:
    """The contexts, as the stages of the spine use them."""

    __slots__ = ("_contexts", "_moment", "rise", "rose")

    def __init__(self, contexts: Contexts, moment: Callable[[], Moment]) -> None:
        self._contexts = contexts
        self._moment = moment
        self.rise: Final = contexts.rise
        """What a call does to its context, in memory from now on and durable with its intent (`rose`), unless it is `dropped`."""
        self.rose: Final = contexts.rose
        """The intent is durable, and with it what else there is than counters."""

    def before(self, track: Track, call: Call) -> Moment:
        """Now, with the context of a call that is decided, where policies read that."""
        now = self._moment()
        if not track.asked.snapshot.policies.reads_session:
            return now
        track.flowing = Flowing(self._contexts, call)
        return Moment(now.unix_seconds, now.zone, track.flowing)

    def still(self, track: Track) -> Moment:
        """Now, with the context as it was when the call was decided."""
        now = self._moment()
        return Moment(now.unix_seconds, now.zone, track.flowing)

    def dropped(self, track: Track) -> None:
        """The call was refused before its intent was durable."""
        if track.rise is not None and track.call is not None:
            self._contexts.withdrawn(track.call, track.rise)
            track.rise = None

    def heard(self, track: Track, call: Call, notice: Notice, found: Iterable[Finding]) -> None:
        """A notification that is about to be shown, with what was found in it."""
        if track.rise is not None:
            self._contexts.heard(call, self._contexts.read(call, notice.params), [one for one in found if _is_left(one)])

    async def listed(self, track: Track, call: Call, list_: Mapping[str, object]) -> None:
        """A list that is about to be shown: of what is in one, nobody has accepted resources."""
        items = list_.get(FIELDS["resources/list"])
        if not (self._contexts.is_tracing and isinstance(items, list)):
            return
        endpoint = None if call.target.upstream == EVERY else call.target.upstream
        reads = await asyncio.to_thread(lambda: [self._contexts.read(call, item) for item in items])
        for item, read in zip(items, reads, strict=True):
            entry = track.asked.snapshot.index.resolve(endpoint, Kind.RESOURCE, item["uri"])
            if entry is not None:
                self._contexts.listed(call, entry.target, read)

    async def read(self, track: Track, reply: Reply, size_bytes: int) -> Read:
        """What a large reply shows, read beside the loop; of any other, `shown` reads it."""
        if track.recorded is None or size_bytes <= LARGE_BYTES or not self._contexts.is_tracing:
            return None
        return await asyncio.to_thread(self._contexts.read, track.recorded.intent.call, _body(reply))

    def shown(self, track: Track, intent: Intent, reply: Reply, read: Read) -> None:
        """A reply that is about to be shown, with what has been found in it and left, and what was `read` in it already."""
        if track.rise is None:
            return
        contexts, body = self._contexts, reply.body
        shown = _body(reply) if isinstance(body, Fault) else body
        if read is None and contexts.is_tracing:
            read = contexts.read(intent.call, shown)
        # What was found in the request is not what the agent was given.
        found = track.findings[len(intent.findings) :] if track.findings else ()
        track.taken = contexts.taken(intent.call, shown, read, [one for one in found if _is_left(one)] if found else ())

    def settled(self, track: Track, outcome: Outcome) -> Rise | None:
        """What is written with an outcome."""
        rise, taken = track.rise, track.taken
        if rise is None:
            return None
        track.rise = None
        if outcome.status is Status.NOT_FORWARDED:
            return self._contexts.withdrawn(outcome.call, rise)
        if taken is None:
            return self._contexts.ended(outcome.call)
        return taken.rise

    def told(self, rise: Rise | None, written: "asyncio.Future[Place]") -> None:
        """Waits beside the call until what is written with an outcome is durable."""
        if rise is not None:
            written.add_done_callback(lambda done: self._written(rise, done))

    def _written(self, rise: Rise, done: "asyncio.Future[Place]") -> None:
        if not done.cancelled() and done.exception() is None:
            self._contexts.rose(rise)


def _body(reply: Reply) -> object:
    """What a reply shows."""
    body = reply.body
    return {"message": body.message, "data": body.data} if isinstance(body, Fault) else body


def _is_left(finding: Finding) -> bool:
    """Whether what was found is in what is shown."""
    return finding.done is not Disposition.REDACT


def tracing(policies: Policies) -> Trace:
    """Whether anybody will ask which texts stood in something untrusted: where nobody does, none are kept."""
    reads = (rule.reads.context.below("session") for rule in policies.rules)
    return Trace.ON if any(reads_taint(read) for read in reads) else Trace.OFF
