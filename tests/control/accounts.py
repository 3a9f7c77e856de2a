"""Connections of people, in memory, for the plane: two of alice's, one of bob's, and the gateway's own."""

from collections.abc import Awaitable, Callable

from doorward.credentials.connections.connections import Connections
from doorward.credentials.connections.port import Means, Ourselves
from doorward.credentials.connections.store import Kept
from doorward.credentials.oauth.plans import Way
from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.net.fetch import Web
from doorward.stores.memory_connections import MemoryConnections
from tests.made import Clock


def kept(name: str, holder: str, upstream: str = "git", agent: str = "*", broken: str = "") -> Kept:
    """One as it is stored."""
    return Kept(
        id=name,
        holder=holder,
        upstream=upstream,
        audience="https://git.example.com",
        agent=agent,
        account=f"{name}@example.com",
        issuer="https://as.example.com",
        client_id="doorward",
        resource="https://git.example.com/mcp",
        scopes=("read",),
        asked=("read",),
        access="canary-access",
        refresh="canary-refresh",
        obtained_at=1_795_000_000.0,
        lifetime_seconds=None,
        broken=broken,
        created_at=1_795_000_000.0,
        refreshed_at=None,
    )


KEPT = (
    kept("c1", "user:corp:alice"),
    kept("c2", "user:corp:alice", agent="claude"),
    kept("c3", "user:corp:bob", upstream="time", broken="the grant is void"),
    kept("c4", "own"),
)


def accounts(clock: Clock, told: Callable[[Event], Awaitable[object]], mark: Callable[[str], str]) -> Connections:
    """Nothing of it until `load`."""
    store = MemoryConnections()
    store._kept = {one.id: one for one in KEPT}
    means = Means(
        store=store,
        resolve=Secret,
        web=_nobody,
        now=clock,
        monotonic=clock,
        draw=bytes,
        new_id=lambda: "new",
        mark=mark,
        told=told,
        is_barred=lambda holder, agent: False,
        ourselves=lambda: Ourselves("Doorward", (), None),
    )
    return Connections(means)


def _nobody(way: Way) -> Web:
    raise DoorwardError("nobody is outside")
