"""The gate before policy: a call that touches nothing stopped, within its agent's pace and share and every limit, gets a seat.

Counters hang on the authenticated agent, never on what a client says of itself (RULINGS 8): two keys of one agent share one pace.
The gateway's own calls are not counted: they are as many as the configuration makes them, and must work when agents are too many.
Of the seats of everybody, one agent holds at most `SHARE` times as many as are free (the dynamic threshold of Choudhury and Hahne,
1998): however many agents want all of them, there are some left for who comes next.
"""

import heapq
import math
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import msgspec

from doorward.admission.intake import SHARE, SHORTLY, Bounds, Intake
from doorward.admission.limits import NOTHING, Counter, Declared, Flow, Limit, Row, Share, Taken, counter_of
from doorward.admission.rates import Pace, Rates
from doorward.admission.stops import Switch
from doorward.admission.turns import Turns
from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.ids import AgentId, SessionId
from doorward.domain.reasons import Reason, Refused
from doorward.wire.limits import Entry

PACE: Final = "admission.calls_per_minute"
CONCURRENT: Final = "admission.concurrent"
_OWN: Final = AuthnMethod.OWN
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""
IN_FLIGHT: Final = "admission.in_flight"
"""The public names of the limits that there are without anybody's doing: as the document has them."""


class Limits(msgspec.Struct, frozen=True):
    """How much may go through the gate."""

    pace: Pace
    """Of one agent."""
    concurrent: int
    """Calls of one agent at the same time."""
    in_flight: int
    """Calls of everybody at the same time."""
    declared: tuple[Limit, ...] = ()
    """Further limits."""
    door: Bounds = msgspec.field(default_factory=Bounds)
    """What may be in the door, before a seat and after it."""


class Seat:
    """A place among the calls that run. Leave it exactly when the call ends: it is a context for that."""

    __slots__ = ("_agent", "_gate", "_taken", "epoch")

    def __init__(self, gate: "Gate", agent: AgentId | None, epoch: int, taken: Taken = NOTHING) -> None:
        self._gate = gate
        self._agent = agent
        self._taken = taken
        self.epoch = epoch

    def left(self) -> tuple[Entry, ...]:
        """What is left now of each declared limit that concerns the call, also once it has ended."""
        return () if self._taken is NOTHING else self._taken.left(self._gate._monotonic())  # noqa: SLF001 - as below

    def leave(self) -> None:
        """Gives the place back; a second time does nothing."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        agent = self._agent
        if agent is None:
            return
        self._agent = None
        gate, taken = self._gate, self._taken
        gate._inside -= 1  # noqa: SLF001 - a seat is half of the gate
        running = gate._running  # noqa: SLF001
        left = running[agent] - 1
        if left:
            running[agent] = left
        else:
            del running[agent]
        if taken is not NOTHING:
            taken.leave()


class Gate:
    """Admits calls, and says later whether they still may go on."""

    __slots__ = ("_declared", "_inside", "_limits", "_monotonic", "_rates", "_running", "_switch", "intake", "known", "still", "turns")

    def __init__(
        self, switch: Switch, limits: Limits, monotonic: Callable[[], float], counters: Callable[[Flow | Share], Counter] = counter_of
    ) -> None:
        self._switch = switch
        # Asked on every call, and the switch's alone to say.
        self.known: Callable[[Principal], None] = switch.known
        """Raises `Refused` REVOKED if anything that a principal was verified by is withdrawn: before it gets as far as a call."""
        self.still: Callable[[Call, int], None] = switch.still
        """Raises `Refused` REVOKED_MEANWHILE if a call was stopped or revoked since it got its seat, under this epoch."""
        self._limits = limits
        self._monotonic = monotonic
        self._rates = Rates(limits.pace)
        self._declared = Declared(limits.declared, counters)
        self._running: dict[AgentId, int] = {}
        self._inside = 0
        self.intake = Intake(limits.door)
        """What is in the door."""
        self.turns = Turns(self.intake, monotonic)
        """Who runs next of all that is ready."""

    @property
    def inside(self) -> int:
        """How many calls of agents run."""
        return self._inside

    @property
    def is_full(self) -> bool:
        """Whether nobody gets a seat."""
        return self._inside >= self._limits.in_flight

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._limits

    @property
    def declared(self) -> tuple[Row, ...]:
        """The declared limits in force, with what they have counted."""
        return self._declared.rows

    @property
    def epoch(self) -> int:
        """What `still` compares with, as of now."""
        return self._switch.epoch

    def running(self, agent: AgentId) -> int:
        """How many calls of one agent run."""
        return self._running.get(agent, 0)

    def adopt(self, limits: Limits) -> None:
        """Goes on with other limits; calls that run keep their seats."""
        if limits.pace != self._limits.pace:
            self._rates.adopt(limits.pace)
        self._declared.adopt(limits.declared)
        self._limits = limits
        self.intake.bounds = limits.door

    def admit(self, call: Call) -> Seat:
        """A seat for a call; raises `Refused` STOPPED, REVOKED, OVERLOADED, OVER_CONCURRENCY or OVER_RATE.

        What a declared limit refuses counts for its agent's pace, and in no declared limit.
        """
        switch, principal = self._switch, call.principal
        if switch.bars:
            self._check(call)
        if principal.method is _OWN:
            return Seat(self, None, switch.epoch)
        agent, limits, inside = principal.agent.id, self._limits, self._inside
        free = limits.in_flight - inside
        if free <= 0:
            raise _overloaded(inside, limits.in_flight)
        running = self._running.get(agent, 0)
        if running >= limits.concurrent:
            raise _over_concurrency(agent, limits.concurrent)
        if running >= SHARE * free:
            raise _over_share(agent, running)
        now = self._monotonic()
        wait = self._rates.take(agent, now)
        if wait > 0:
            raise _over_rate(agent, limits.pace, wait)
        taken = self._declared.take(call, now) if limits.declared else NOTHING
        self._running[agent] = running + 1
        self._inside = inside + 1
        return Seat(self, agent, switch.epoch, taken)

    def _check(self, call: Call) -> None:
        """Raises `Refused` STOPPED or REVOKED for a call that touches what stands still; it counts for its agent's pace."""
        try:
            self._switch.check(call)
        except Refused:
            self.turned_back(call.principal)
            raise

    def busiest(self, most: int) -> tuple[tuple[str, int], ...]:
        """The agents that run most calls, and how many."""
        return tuple(heapq.nlargest(most, self._running.items(), key=lambda item: item[1]))

    def fastest(self, most: int) -> tuple[tuple[str, int], ...]:
        """The agents that have used most of their pace, and how many calls of their burst."""
        return tuple((str(agent), used) for agent, used in self._rates.busiest(self._monotonic(), most))

    def now(self) -> float:
        """The monotonic seconds that limits count by."""
        return self._monotonic()

    def turned_back(self, principal: Principal) -> None:
        """One more request that gets no seat counts for its agent's pace all the same: refusals are told to the log, and must not flood it.

        Raises `Refused` OVER_RATE, which is what the agent is told then, whatever it was refused for.
        """
        if principal.method is not _OWN:
            wait = self._rates.take(principal.agent.id, self._monotonic())
            if wait > 0:
                raise _over_rate(principal.agent.id, self._limits.pace, wait)

    def opened(self, principal: Principal) -> None:
        """One more session, or look at what is offered, counts for its agent's pace like a call. Raises `Refused` OVER_RATE."""
        self.turned_back(principal)

    def known_session(self, session: SessionId) -> None:
        """Raises `Refused` UNKNOWN_SESSION if a session is withdrawn."""
        self._switch.known_session(session)


def _overloaded(inside: int, most: int) -> Refused:
    return Refused(
        Reason.OVERLOADED,
        f"{inside} calls in flight, at most {most}",
        extra={"limit": IN_FLIGHT, "retryAfterSeconds": SHORTLY},
    )


def _over_concurrency(agent: AgentId, most: int) -> Refused:
    return Refused(
        Reason.OVER_CONCURRENCY,
        f"agent {agent} runs {most} calls, which is its share",
        sentence=f"Too many calls at once: at most {most}. Wait until one of them ends, then try again.",
        extra={"limit": CONCURRENT},
    )


def _over_share(agent: AgentId, running: int) -> Refused:
    return Refused(
        Reason.OVER_CONCURRENCY,
        f"agent {agent} runs {running} calls, which is its share of what all may run",
        sentence="Too many calls at once: what is left is kept for others. Wait until one of yours ends, then try again.",
        extra={"limit": IN_FLIGHT},
    )


def _over_rate(agent: AgentId, pace: Pace, wait: float) -> Refused:
    seconds = math.ceil(wait)
    return Refused(
        Reason.OVER_RATE,
        f"agent {agent} is over {pace.per_minute} calls a minute",
        sentence=f"Too many calls: at most {pace.per_minute} a minute. Wait {seconds} s, then try again.",
        extra={"limit": PACE, "retryAfterSeconds": seconds},
    )
