"""Admin API: the addresses of upstreams, taken out of service and put back by an operator. It is kept in memory: a restart forgets it."""

from collections.abc import Callable

import msgspec
from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.control.catalog import teams_of
from doorward.control.operators import Role
from doorward.control.orders import narrow, widen
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Event
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.upstream.port import Upstream


class Which(Shape):
    """An address of an upstream, by the name that the status shows; without one, all of them."""

    upstream: str = Field(max_length=64)
    address: str | None = Field(None, max_length=2048)


class Upstreams(msgspec.Struct, frozen=True):
    """The operations on addresses."""

    fleet: Fleet
    generations: Generations
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        team = self._team
        drain, restore = "Take an address of an upstream out of service; what runs there ends by itself", "Put it back"
        return (
            Route("POST", "/v1/upstreams/drain", Role.OWNER, drain, self.drain, Which, Done, within=team),
            Route("POST", "/v1/upstreams/restore", Role.OWNER, restore, self.restore, Which, Done, within=team),
        )

    async def drain(self, ask: Ask) -> Done:
        """Takes out: from now on no call goes there."""
        upstream, names = self._meant(ask)

        async def change() -> None:
            _each(upstream.drain, names)

        return Done(warnings=await narrow(self.recorder, _event("upstream_drained", ask, names), change))

    async def restore(self, ask: Ask) -> Done:
        """Puts back, once the log was told."""
        upstream, names = self._meant(ask)

        async def change() -> None:
            _each(upstream.restore, names)

        await widen(self.recorder, _event("upstream_restored", ask, names), change)
        return Done()

    def _team(self, ask: Ask) -> frozenset[str]:
        assert isinstance(ask.body, Which)
        return teams_of((ask.body.upstream,), self.generations.current.document)

    def _meant(self, ask: Ask) -> tuple[Upstream, tuple[str, ...]]:
        """The upstream and the names of the addresses; raises `ControlError` 404."""
        wanted = ask.body
        assert isinstance(wanted, Which)
        upstream = self.fleet.all().get(UpstreamId(wanted.upstream))
        known = () if upstream is None else tuple(address.name for address in upstream.addresses())
        names = known if wanted.address is None else tuple(name for name in known if name == wanted.address)
        if upstream is None or not names:
            what = f"no upstream {wanted.upstream[:64]!r}" if upstream is None else f"it has no address {str(wanted.address)[:200]!r}"
            raise ControlError(404, "unknown_address", what, known)
        return upstream, names


def _each(change: Callable[[str], bool], names: tuple[str, ...]) -> None:
    for name in names:
        change(name)


def _event(event: str, ask: Ask, names: tuple[str, ...]) -> Event:
    assert isinstance(ask.body, Which)
    return Event(event, ask.operator.name, {"upstream": ask.body.upstream, "addresses": ", ".join(names)[:1000]})
