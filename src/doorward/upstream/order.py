"""What is asked of an upstream: one request, era-neutral, with the credential to show."""

from collections.abc import Mapping

from doorward.domain.leases import Lease
from doorward.domain.record import record
from doorward.wire.headers import ParamHeaders


@record(frozen=True, slots=True)
class Order:
    """One request to forward. Ids and progress tokens are minted by the upstream room; none of the caller's goes out."""

    method: str
    params: Mapping[str, object]
    """Everything but `_meta`."""
    meta: Mapping[str, object]
    """Keys of `_meta` that go out besides the protocol's own: a `traceparent`, keys of other vendors."""
    capabilities: Mapping[str, object]
    """What may be declared to the upstream for this call: the client's, narrowed by the gateway."""
    log_level: str | None
    """The least severe log message the caller wants; None: none at all."""
    wants_progress: bool
    principal: str
    lease: Lease
    param_headers: ParamHeaders | None
    """Which arguments of the tool are repeated in `Mcp-Param-*` headers (`wire.headers.param_headers` of its input schema)."""


def own_order(method: str, params: Mapping[str, object], lease: Lease) -> Order:
    """A request of the gateway itself: nothing is declared, and no notification wanted."""
    return Order(method, params, {}, {}, None, False, "doorward", lease, None)
