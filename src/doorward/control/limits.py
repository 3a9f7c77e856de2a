"""Admin API: the limits in force, and who comes nearest to each."""

from collections.abc import Iterable, Mapping

import msgspec
from pydantic import Field

from doorward.admission.gate import CONCURRENT, IN_FLIGHT, PACE, Gate
from doorward.admission.intake import BYTES, BYTES_OF_AGENT, REQUESTS
from doorward.admission.limits import Row
from doorward.control.operators import Role
from doorward.control.routes import Ask, Route, Shape

BUSIEST = 10
"""Keys of a limit that are shown."""


class BusyView(Shape):
    """What one key has used: calls of its burst, calls that run, requests or bytes in the door."""

    key: dict[str, str] = Field(description="What is counted apart: `agent`, `user` and so on; empty where all share one counter")
    used: int
    left: int


class RateView(Shape):
    """How often: `calls` in `seconds` in the long run, `burst` at once after a rest."""

    calls: int
    seconds: int
    burst: int


class LimitView(Shape):
    """A limit in force; one whose name begins with `admission.` is always there."""

    name: str
    of: dict[str, tuple[str, ...]] = Field(description="Which calls and lists it is about; empty: all")
    per: tuple[str, ...]
    rate: RateView | None
    concurrent: int | None = Field(description="How many at the same time: calls, or requests in the door")
    bytes: int | None = Field(description="Of requests and answers in the door at the same time")
    when_unavailable: str = Field(description="What becomes of a call that only reads where its counter cannot be had")
    busiest: tuple[BusyView, ...]


class LimitList(Shape):
    """Every limit in force."""

    limits: tuple[LimitView, ...]


class LimitRows(msgspec.Struct, frozen=True):
    """The operations on limits."""

    gate: Gate

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        return (Route("GET", "/v1/limits", Role.VIEWER, "List the limits, and who comes nearest to each", self.all, gives=LimitList),)

    async def all(self, ask: Ask) -> LimitList:
        """The limits that are always there, then the declared ones by name."""
        now = self.gate.now()
        return LimitList(limits=(*self._built_in(), *[_declared(row, now) for row in self.gate.declared]))

    def _built_in(self) -> Iterable[LimitView]:
        limits, gate = self.gate.limits, self.gate
        pace = RateView(calls=limits.pace.per_minute, seconds=60, burst=limits.pace.burst)
        yield _view(PACE, ("agent",), _of_agents(gate.fastest(BUSIEST), pace.burst), rate=pace)
        yield _view(CONCURRENT, ("agent",), _of_agents(gate.busiest(BUSIEST), limits.concurrent), concurrent=limits.concurrent)
        yield _view(IN_FLIGHT, (), _of_all(gate.inside, limits.in_flight), concurrent=limits.in_flight)
        intake, door = gate.intake, limits.door
        yield _view(REQUESTS, (), _of_all(intake.requests, door.requests), concurrent=door.requests)
        yield _view(BYTES, (), _of_all(intake.bytes, door.bytes), count=door.bytes)
        yield _view(BYTES_OF_AGENT, ("agent",), _of_agents(intake.heaviest(BUSIEST), door.bytes_of_agent), count=door.bytes_of_agent)


def _view(
    name: str,
    per: tuple[str, ...],
    busiest: tuple[BusyView, ...],
    rate: RateView | None = None,
    concurrent: int | None = None,
    count: int | None = None,
) -> LimitView:
    return LimitView(name=name, of={}, per=per, rate=rate, concurrent=concurrent, bytes=count, when_unavailable="deny", busiest=busiest)


def _of_all(used: int, most: int) -> tuple[BusyView, ...]:
    return (BusyView(key={}, used=used, left=max(most - used, 0)),) if used else ()


def _of_agents(used: Iterable[tuple[str, int]], most: int) -> tuple[BusyView, ...]:
    return tuple([BusyView(key={"agent": agent}, used=count, left=max(most - count, 0)) for agent, count in used])


def _declared(row: Row, now: float) -> LimitView:
    limit, rule = row.limit, row.limit.rule
    rate = None if rule.rate is None else RateView(calls=rule.rate.calls, seconds=rule.rate.seconds, burst=limit.bound.most)
    return LimitView(
        name=limit.name,
        of=_of(rule.of.model_dump()),
        per=rule.per,
        rate=rate,
        concurrent=rule.concurrent,
        bytes=None,
        when_unavailable=rule.when_unavailable,
        busiest=tuple(
            [
                BusyView(key=dict(zip(rule.per, key, strict=True)), used=used, left=row.counter.left(key, now)[0])
                for key, used in row.counter.busiest(now, BUSIEST)
            ]
        ),
    )


def _of(selection: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What a selection restricts."""
    return {name: chosen for name, chosen in selection.items() if chosen}
