"""What the spine is asked to do, and what has become of it so far."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from doorward.admission.runaway.watch import Standing
from doorward.call.flowing import Flowing
from doorward.call.inbound import Left, Notices, untold
from doorward.domain.actors import Principal
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.decisions import Observation
from doorward.domain.findings import Finding
from doorward.domain.flow import Rise
from doorward.domain.ids import CallId
from doorward.domain.leases import Lease
from doorward.domain.record import record
from doorward.domain.secret import Secret
from doorward.domain.tickets import Recorded
from doorward.flow.contexts import Taken
from doorward.runtime.snapshot import Snapshot
from doorward.wire.limits import Entry

Resolve = Callable[[], Call]
"""Stage 2 for one message: the call it names, within what its principal may see; raises `Refused`."""

Carry = Callable[[Call, Lease, Notices], Awaitable[Answer]]
"""Stage 9 for one message: takes the decided call to its upstream."""


@record(frozen=True, slots=True)
class Asked:
    """One message on its way in, under the one snapshot that it will be decided by."""

    id: CallId
    principal: Principal
    method: str
    named: str
    """The name or URI as the caller gave it: what the leaf says when nothing of that name was found."""
    snapshot: Snapshot
    resolve: Resolve
    carry: Carry
    trace: str
    standing: Standing = Standing.FREE
    """Whether it goes on what was begun before."""
    limited: Callable[[Left], None] = untold
    """Hears what is left of limits once there is a seat."""
    presented: Secret | None = None
    """The access token of an issuer outside that its client presented."""


@dataclass(slots=True)
class Track:
    """What has become of one call so far: what its last leaf will tell. Local to `handle`, the only mutable value of the spine."""

    asked: Asked
    started: float
    """Monotonic seconds."""
    call: Call | None = None
    recorded: Recorded | None = None
    findings: tuple[Finding, ...] = ()
    observed: Observation | None = None
    """What the rules that are only watched would have done, where one matched."""
    lease: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    reply: Reply | None = None
    left: tuple[Entry, ...] = ()
    """What is left of each limit that concerns it, as it is told to its caller."""
    flowing: Flowing | None = None
    """The context that it was decided in."""
    rise: Rise | None = None
    """What it does to that, until its end is settled."""
    taken: Taken | None = None
    """What its answer has left there."""
    is_concluded: bool = False
    """Whether the outcome is on its way into the log: there is one, however the call ends."""
