"""An upstream that does what a script says: it shows what it is told to show, and answers each call with the next act."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

from doorward.config.model import Upstream as Config
from doorward.domain.calls import Answer, Era, Fault, Notice
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.health import AddressState, Condition, Health
from doorward.upstream.order import Order
from doorward.upstream.port import Notices
from doorward.upstream.sight import Item, Sight

Act = Callable[[Order, Notices], Awaitable[Answer]]
"""What an upstream does with one call."""

DONE: Mapping[str, object] = {"content": [{"type": "text", "text": "done"}]}
"""What it answers when its script says nothing."""

SHOWN = Sight(
    era=Era.EXCHANGE,
    versions=("2026-07-28",),
    server_info={"name": "scripted", "version": "1"},
    capabilities={"tools": {}, "prompts": {}, "resources": {}, "completions": {}, "logging": {}},
    instructions=None,
    tools=(),
    prompts=(),
    resources=(),
    templates=(),
)
"""An upstream that can everything and lists nothing: `msgspec.structs.replace` fills it."""


def tool(name: str, description: str = "Does it.", **properties: object) -> Item:
    """A tool that takes these properties, each a JSON Schema; without any it takes whatever comes."""
    schema = {"type": "object", "properties": properties} if properties else {"type": "object"}
    return {"name": name, "description": description, "inputSchema": schema}


def says(body: Mapping[str, object], size_bytes: int = 100) -> Act:
    """Answers with this result, as large as is said."""
    return _gives(body, size_bytes)


def text(words: str) -> Act:
    """Answers with a tool's result that is this text."""
    return _gives({"content": [{"type": "text", "text": words}]})


def faults(code: int, message: str, detail: object = None) -> Act:
    """Answers with a JSON-RPC error."""
    return _gives(Fault(code, message, detail))


def breaks(reason: Reason, ran: Ran) -> Act:
    """Gives no answer."""

    async def act(order: Order, notices: Notices) -> Answer:
        raise Refused(reason, f"{reason} while {order.method}", ran=ran)

    return act


def fails(error: Exception) -> Act:
    """Raises what no upstream may raise."""

    async def act(order: Order, notices: Notices) -> Answer:
        raise error

    return act


def tells(*notices: Notice, then: Act) -> Act:
    """Sends notifications on the way."""

    async def act(order: Order, hear: Notices) -> Answer:
        for notice in notices:
            await hear(notice)
        return await then(order, hear)

    return act


def waits(until: asyncio.Event, then: Act) -> Act:
    """Does nothing until the event is set."""

    async def act(order: Order, notices: Notices) -> Answer:
        await until.wait()
        return await then(order, notices)

    return act


class FakeUpstream:
    """Implements `upstream.port.Upstream` without a wire."""

    def __init__(self, name: str, sight: Sight | Refused = SHOWN) -> None:
        self._id = UpstreamId(name)
        self.sight = sight
        """What the next look sees; a refusal is raised."""
        self.script: deque[Act] = deque()
        """The acts that are still to come, one for each call."""
        self.orders: list[Order] = []
        """Everything that was forwarded, in order."""
        self.leases: list[Lease] = []
        """What it was shown at each look."""
        self.took: list[Sight] = []
        """Every sight that was taken into a catalogue."""
        self.dropped: list[str] = []
        """The accounts that were withdrawn."""
        self.closed = 0
        self.moved = 0
        self.adapts = False
        self.on_change: Callable[[], None] = _nothing
        self.on_order: Callable[[Order], Awaitable[None]] = _unwatched
        """Awaited when an order arrives, before anything else is done about it."""

    @property
    def id(self) -> UpstreamId:
        """Its name in the configuration."""
        return self._id

    def will(self, *acts: Act) -> "FakeUpstream":
        """Adds acts to the script."""
        self.script.extend(acts)
        return self

    async def start(self, lease: Lease) -> None:
        """Is ready at once."""
        self.leases.append(lease)

    async def forward(self, order: Order, notices: Notices) -> Answer:
        """Plays the next act."""
        self.orders.append(order)
        await self.on_order(order)
        act = self.script.popleft() if self.script else says(DONE)
        return await act(order, notices)

    async def discover(self, lease: Lease) -> Sight:
        """Shows what it is told to show; raises `Refused`."""
        self.leases.append(lease)
        if isinstance(self.sight, Refused):
            raise self.sight
        return self.sight

    def taken(self, sight: Sight) -> None:
        """Keeps it."""
        self.took.append(sight)

    def drop(self, account: str) -> None:
        """Keeps it."""
        self.dropped.append(account)

    async def close(self) -> None:
        """Counts."""
        self.closed += 1

    def state(self) -> Health:
        """Always up."""
        return Health(Condition.UP, 0.0, "", 0)

    def addresses(self) -> tuple[AddressState, ...]:
        """None: it is nowhere."""
        return ()

    def adapt(self, config: Config) -> bool:
        """Goes over to another configuration if it is told that it can; else that gets another upstream."""
        return self.adapts

    def drain(self, address: str) -> bool:
        """Has no such address."""
        return False

    def restore(self, address: str) -> bool:
        """Has no such address."""
        return False


def arguments_of(orders: Iterable[Order]) -> list[object]:
    """The arguments that went upstream, in order."""
    return [order.params.get("arguments") for order in orders]


def _gives(body: Mapping[str, object] | Fault, size_bytes: int = 100) -> Act:
    async def act(order: Order, notices: Notices) -> Answer:
        return Answer(body, size_bytes)

    return act


def _nothing() -> None:
    """Nobody hears of changes."""


async def _unwatched(order: Order) -> None:
    """Nobody watches."""
