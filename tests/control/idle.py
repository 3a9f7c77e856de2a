"""An upstream that nobody calls: it is there, does nothing but be well, and can be drained."""

from collections.abc import Callable
from typing import Any

from doorward.config.model import Upstream
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.upstream.health import AddressState, Condition, Duty, Health
from doorward.upstream.sight import Sight

PLACE = "https://idle.example.com/mcp"
SINCE = 1_795_003_140.0


class IdleUpstream:
    """Does nothing but be well."""

    def __init__(self, name: UpstreamId) -> None:
        self.id = name
        self.on_change: Callable[[], None] = lambda: None
        self.is_drained = False
        self.moved = 0

    async def close(self) -> None:
        return

    async def start(self, lease: Lease) -> None:
        raise AssertionError("nobody starts upstreams here")

    async def forward(self, order: object, notices: object) -> Any:
        raise AssertionError("nobody calls here")

    async def discover(self, lease: Lease) -> Sight:
        raise AssertionError("`Plane.look` is what looks")

    def drop(self, account: str) -> None:
        return

    def taken(self, sight: Sight) -> None:
        return

    def state(self) -> Health:
        return Health(Condition.UP, SINCE, "", 0)

    def addresses(self) -> tuple[AddressState, ...]:
        return (AddressState(PLACE, Duty.DRAINED if self.is_drained else Duty.SERVING, None, 0, 0.0, "", ""),)

    def adapt(self, config: Upstream) -> bool:
        return False

    def drain(self, address: str) -> bool:
        self.is_drained = self.is_drained or address == PLACE
        return address == PLACE

    def restore(self, address: str) -> bool:
        self.is_drained = self.is_drained and address != PLACE
        return address == PLACE
