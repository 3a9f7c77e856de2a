"""What is in the door: requests from their head to the end of their answer, and the bytes kept for them meanwhile. Integers alone.

Who holds what is told apart by agent once the agent is known; until then a request counts for all. Of the places, as of the seats
behind them, one agent holds at most `SHARE` times as many as are free.
"""

import heapq
from operator import itemgetter
from typing import Final

import msgspec

from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused

REQUESTS: Final = "admission.requests"
BYTES: Final = "admission.bytes_in_flight"
BYTES_OF_AGENT: Final = "admission.bytes_in_flight_per_agent"
"""The public names of these limits: as the document has them."""

SHARE: Final = 3
"""How many places, or seats, an agent may hold for each that is free: alone it gets three quarters of all, two get three sevenths each."""

SHORTLY: Final = 1
"""Seconds to wait where nobody knows when there is room again."""


class Bounds(msgspec.Struct, frozen=True):
    """How much may be in the door at the same time."""

    requests: int = 2048
    bytes: int = 512 * 2**20
    bytes_of_agent: int = 64 * 2**20


class _Held:
    """What one agent has in the door."""

    __slots__ = ("agent", "bytes", "requests")

    def __init__(self, agent: AgentId) -> None:
        self.agent = agent
        self.requests = self.bytes = 0


class Place:
    """One request's place in the door. Leave it exactly when the request ends; what it holds is counted even where it is refused."""

    __slots__ = ("_bytes", "_held", "_intake")

    def __init__(self, intake: "Intake") -> None:
        self._intake: Intake | None = intake
        self._held: _Held | None = None
        self._bytes = 0

    def claim(self, agent: AgentId, count: int) -> None:
        """Says whose it is, and how many bytes will come; raises `Refused` OVERLOADED or OVER_CONCURRENCY where that is too much."""
        intake = self._intake
        assert intake is not None, "the place has been left"
        held = intake._of.get(agent)  # noqa: SLF001 - a place is half of the intake
        if held is None:
            held = intake._of[agent] = _Held(agent)  # noqa: SLF001
        self._held = held
        bounds, before = intake.bounds, held.requests
        held.requests = before + 1
        # Before this one there was one more free, and the agent had one fewer.
        if before >= SHARE * (bounds.requests - intake.requests + 1):
            raise _over_share(agent, before + 1)
        self._bytes = count
        intake.bytes = of_all = intake.bytes + count
        held.bytes = of_agent = held.bytes + count
        if of_agent > bounds.bytes_of_agent or of_all > bounds.bytes:
            raise _over_bytes(intake, held)

    def hold(self, count: int) -> None:
        """Counts bytes; raises `Refused` OVERLOADED or OVER_CONCURRENCY where they are too many."""
        intake, held = self._intake, self._held
        if intake is None or held is None:
            return
        self._bytes += count
        intake.bytes = of_all = intake.bytes + count
        held.bytes = of_agent = held.bytes + count
        bounds = intake.bounds
        if of_agent > bounds.bytes_of_agent or of_all > bounds.bytes:
            raise _over_bytes(intake, held)

    def keep(self, count: int) -> None:
        """Counts bytes that there are whatever the bounds say, such as those of an answer."""
        intake, held = self._intake, self._held
        if intake is not None and held is not None:
            self._bytes += count
            intake.bytes += count
            held.bytes += count

    def leave(self) -> None:
        """Gives back the place and all that it holds; a second time does nothing."""
        intake, held = self._intake, self._held
        if intake is None:
            return
        self._intake = None
        intake.requests -= 1
        if held is not None:
            count = self._bytes
            intake.bytes -= count
            held.bytes -= count
            held.requests = left = held.requests - 1
            if not left:
                del intake._of[held.agent]  # noqa: SLF001 - as above


class Intake:
    """Counts what is in the door."""

    __slots__ = ("_of", "bounds", "bytes", "requests")

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        """The bounds in force; may be set anew at any time."""
        self.requests = 0
        self.bytes = 0
        self._of: dict[AgentId, _Held] = {}

    @property
    def is_full(self) -> bool:
        """Whether nobody gets a place."""
        return self.requests >= self.bounds.requests

    def enter(self) -> Place:
        """One more place, of nobody yet; there is one even if all are taken, for what is not turned away then."""
        self.requests += 1
        return Place(self)

    def is_little(self, agent: AgentId, part: int) -> bool:
        """Whether an agent holds less than this part (one in so many) of the places that agents hold on average."""
        held = self._of.get(agent)
        return (0 if held is None else held.requests) * len(self._of) * part < self.requests

    def requests_of(self, agent: AgentId) -> int:
        """How many places one agent holds."""
        held = self._of.get(agent)
        return 0 if held is None else held.requests

    def bytes_of(self, agent: AgentId) -> int:
        """How many bytes are kept for one agent."""
        held = self._of.get(agent)
        return 0 if held is None else held.bytes

    def heaviest(self, most: int) -> tuple[tuple[str, int], ...]:
        """The agents for which most bytes are kept, and how many."""
        return tuple(heapq.nlargest(most, ((str(agent), held.bytes) for agent, held in self._of.items()), key=itemgetter(1)))


def overloaded(limit: str, detail: str = "") -> Refused:
    """Nobody gets in for now."""
    return Refused(Reason.OVERLOADED, detail, extra={"limit": limit, "retryAfterSeconds": SHORTLY})


def _over_share(agent: AgentId, requests: int) -> Refused:
    return Refused(
        Reason.OVER_CONCURRENCY,
        f"agent {agent} has {requests} requests in the door, which is over its share",
        sentence="Too many requests at once: what is left is kept for others. Wait until one of yours ends, then try again.",
        extra={"limit": REQUESTS, "retryAfterSeconds": SHORTLY},
    )


def _over_bytes(intake: Intake, held: _Held) -> Refused:
    """The refusal of what is too much for its agent, or else for all."""
    most, of_all = intake.bounds.bytes_of_agent, intake.bounds.bytes
    if held.bytes <= most:
        return overloaded(BYTES, f"{intake.bytes} bytes of requests and answers, at most {of_all}")
    return Refused(
        Reason.OVER_CONCURRENCY,
        f"agent {held.agent} would have {held.bytes} bytes in the door, at most {most}",
        sentence=f"Too much at once: your requests and their answers hold at most {most} bytes together. Wait for one to end, then try again.",
        extra={"limit": BYTES_OF_AGENT, "retryAfterSeconds": SHORTLY},
    )
