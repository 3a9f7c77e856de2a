"""Admin API: a test of everything that alerts are sent to."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from doorward.control.operators import Role
from doorward.control.routes import Ask, Route, Shape
from doorward.runtime.alerts.alarms import Tried


class TriedView(Shape):
    """What one sink answered; `took`: whether that counts as taken."""

    sink: str
    took: bool
    answer: str


class TestView(Shape):
    """Every sink with its answer, in the order of the configuration."""

    sinks: tuple[TriedView, ...]


class AlertTest(msgspec.Struct, frozen=True):
    """The one operation on alerts."""

    test: Callable[[], Awaitable[Sequence[Tried]]]

    def routes(self) -> tuple[Route, ...]:
        """Its row of the route table."""
        return (
            Route("POST", "/v1/alerts/test", Role.ADMIN, "Send a test to everything that alerts are sent to", self.send, gives=TestView),
        )

    async def send(self, ask: Ask) -> TestView:
        """One message to each, at once; waits for every answer."""
        tried = await self.test()
        return TestView(sinks=tuple(TriedView(sink=one.sink, took=one.was_taken, answer=one.answer) for one in tried))
