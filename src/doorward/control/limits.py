"""Admin API: the limits in force, and who comes nearest to each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from doorward.admission.gate import CONCURRENT, IN_FLIGHT, PACE, Gate
from doorward.admission.limits import Row
from doorward.control.operators import Role
from doorward.control.routes import Ask, Route, Shape

BUSIEST = 10
"""Keys of a limit that are shown."""


class BusyView(Shape):
    """What one key has used: calls of its burst, or calls that run."""

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
    concurrent: int | None
    when_unavailable: str = Field(description="What becomes of a call that only reads where its counter cannot be had")
    busiest: tuple[BusyView, ...]


class LimitList(Shape):
    """Every limit in force."""

    limits: tuple[LimitView, ...]


@dataclass(frozen=True, slots=True)
class LimitRows:
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
        yield _view(PACE, ("agent",), pace, _of_agents(gate.fastest(BUSIEST), pace.burst))
        yield _view(CONCURRENT, ("agent",), limits.concurrent, _of_agents(gate.busiest(BUSIEST), limits.concurrent))
        running = (BusyView(key={}, used=gate.inside, left=max(limits.in_flight - gate.inside, 0)),) if gate.inside else ()
        yield _view(IN_FLIGHT, (), limits.in_flight, running)


def _view(name: str, per: tuple[str, ...], bound: RateView | int, busiest: tuple[BusyView, ...]) -> LimitView:
    rate, concurrent = (bound, None) if isinstance(bound, RateView) else (None, bound)
    return LimitView(name=name, of={}, per=per, rate=rate, concurrent=concurrent, when_unavailable="deny", busiest=busiest)


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
