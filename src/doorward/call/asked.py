"""What the spine is asked to do, and what has become of it so far."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from doorward.admission.runaway.watch import Standing
from doorward.call.flowing import Flowing
from doorward.call.inbound import Left, Notices, untold
from doorward.domain.actors import Principal
from doorward.domain.calls import Answer, Call, Notice, Reply
from doorward.domain.decisions import Observation
from doorward.domain.findings import Finding
from doorward.domain.flow import Rise
from doorward.domain.ids import CallId
from doorward.domain.leases import Lease
from doorward.domain.secret import Secret
from doorward.domain.tickets import Recorded
from doorward.flow.rules import Taken
from doorward.runtime.snapshot import Snapshot
from doorward.wire.limits import Entry

Resolve = Callable[[], Call]
"""Stage 2 for one message: the call it names, within what its principal may see; raises `Refused`."""

Carry = Callable[[Call, Lease, Notices], Awaitable[Answer]]
"""Stage 9 for one message: takes the decided call to its upstream."""


class Asked(Protocol):
    """One message on its way in, under the one snapshot that it will be decided by."""

    @property
    def id(self) -> CallId: ...
    @property
    def principal(self) -> Principal: ...
    @property
    def method(self) -> str: ...
    @property
    def named(self) -> str:
        """The name or URI as the caller gave it: what the leaf says when nothing of that name was found."""
        ...

    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def resolve(self) -> Resolve: ...
    @property
    def carry(self) -> Carry: ...
    @property
    def notices(self) -> Notices:
        """Where notifications on the way go."""
        ...

    @property
    def trace(self) -> str: ...
    @property
    def standing(self) -> Standing:
        """Whether it goes on what was begun before."""
        ...

    @property
    def limited(self) -> Callable[[Left], None]:
        """Hears what is left of limits once there is a seat."""
        ...

    @property
    def presented(self) -> Secret | None:
        """The access token of an issuer outside that its client presented."""
        ...

    def check(self, call: Call, body: Mapping[str, object]) -> None:
        """Raises `Refused` where an unfinished answer asks for what it may not ask for."""
        ...


async def unheard(notice: Notice) -> None:
    """Nobody waits for notifications."""


class Plain(msgspec.Struct, frozen=True):
    """What is asked without an `Errand`: a list, a look of the gateway itself, a trial."""

    id: CallId
    principal: Principal
    method: str
    named: str
    snapshot: Snapshot
    resolve: Resolve
    carry: Carry
    notices: Notices = unheard
    trace: str = ""
    standing: Standing = Standing.FREE
    limited: Callable[[Left], None] = untold
    presented: Secret | None = None

    def check(self, call: Call, body: Mapping[str, object]) -> None:
        """It can be asked for nothing."""


class Track(msgspec.Struct):
    """What has become of one call so far: what its last leaf will tell. Local to `handle`, the only mutable value of the spine."""

    asked: Asked
    started: float
    """Monotonic seconds."""
    call: Call | None = None
    recorded: Recorded | None = None
    findings: tuple[Finding, ...] = ()
    observed: Observation | None = None
    """What the rules that are only watched would have done, where one matched."""
    lease: Mapping[str, str] = msgspec.field(default_factory=dict)
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
