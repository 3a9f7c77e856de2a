"""What the rest of Doorward may ask of an upstream, whatever its transport and era."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from doorward.config.model import Upstream as Config
from doorward.domain.calls import Answer, Notice
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.upstream.health import AddressState, Health
from doorward.upstream.order import Order
from doorward.upstream.sight import Sight

Notices = Callable[[Notice], Awaitable[None]]
"""Takes notifications on the way; a `notifications/progress` comes without its token, which was ours.

It is not called any more once `forward` has returned, but a server that speaks on two streams may call it again before it has returned.
"""


async def unheard(notice: Notice) -> None:
    """For requests of the gateway itself: nobody listens on the way."""


class Driver(Protocol):
    """What speaks to one MCP server, at one address."""

    on_change: Callable[[], None]
    """Called when the upstream says that one of its lists has changed, or may have without our hearing of it."""

    @property
    def id(self) -> UpstreamId:
        """Its name in the configuration."""
        ...

    async def start(self, lease: Lease) -> None:
        """Makes it ready: starts the process, finds the era. Raises Refused; the upstream may be used all the same and tries again."""
        ...

    async def forward(self, order: Order, notices: Notices) -> Answer:
        """Asks once and gives what was said, a JSON-RPC error included; raises Refused (UPSTREAM_*) with whether it may have run.

        Cancelling the awaiting task cancels the request upstream in its era's way. Nothing that may have run is sent twice.
        """
        ...

    async def discover(self, lease: Lease) -> Sight:
        """Everything it offers now; raises Refused."""
        ...

    async def close(self) -> None:
        """Ends sessions, streams and processes, within a bound of seconds. Idempotent."""
        ...

    def drop(self, account: str) -> None:
        """Ends at once what is kept for an account alone, and is a way to use its credential: its process. The account is withdrawn."""
        ...

    def state(self) -> Health:
        """How it is doing."""
        ...


class Upstream(Driver, Protocol):
    """One upstream of the configuration, at one address or several."""

    moved: int
    """Calls that went to a second address, for nothing of them was sent to the first."""

    def taken(self, sight: Sight) -> None:
        """What `discover` gave has been compared with what is accepted. Before that, no address that shows something new is called."""
        ...

    def addresses(self) -> tuple[AddressState, ...]:
        """Its addresses, in the order of the configuration."""
        ...

    def adapt(self, config: Config) -> bool:
        """Takes over other addresses of the same upstream while calls go on; False, and nothing done, where more than these has changed."""
        ...

    def drain(self, address: str) -> bool:
        """Gives an address no more calls until it is restored; what runs there ends by itself. False if there is none of that name."""
        ...

    def restore(self, address: str) -> bool:
        """Lets a drained address have calls again; False if there is none of that name."""
        ...
