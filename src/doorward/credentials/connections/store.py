"""What is kept of connections and of us as a client, and who keeps it (`stores/`). Every record is sealed by its store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Kept:
    """A connection as it is stored, with its tokens. Plain values, for whoever seals them; its `repr` shows none that is secret."""

    id: str
    holder: str = field(repr=False)
    upstream: str
    agent: str
    account: str = field(repr=False)
    issuer: str
    client_id: str
    audience: str
    """Where its tokens are shown: the first address of the upstream when it was connected, as its person saw it."""
    resource: str
    """What its tokens are for (RFC 8707); empty where the service knows no such thing."""
    scopes: tuple[str, ...]
    asked: tuple[str, ...]
    """What was asked for when it was made: what of it was not granted is not asked for again by itself."""
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    """Empty where there is none."""
    obtained_at: float
    """When the access token was given (Unix seconds)."""
    lifetime_seconds: float | None
    """How long it holds from then; None where the service does not say."""
    broken: str
    """Why it is broken; empty while it works."""
    created_at: float
    refreshed_at: float | None


@dataclass(frozen=True, slots=True)
class Registered:
    """What an authorization server gave us when we registered with it (RFC 7591)."""

    issuer: str
    redirect_uris: tuple[str, ...]
    client_id: str
    secret: str = field(repr=False)
    """Empty for a public client."""
    authn: str
    """`token_endpoint_auth_method`."""
    expires_at: float | None
    """When the secret ends (Unix seconds)."""


class ConnectionStore(Protocol):
    """Keeps connections. Every method is durable on return and raises `StoreError`."""

    async def load(self) -> tuple[tuple[Kept, float | None], ...]:
        """Every connection, and when it was last used."""
        ...

    async def put(self, kept: Kept) -> None:
        """Keeps a new connection in place of any other of its holder, upstream and agent, in one transaction."""
        ...

    async def update(self, kept: Kept) -> bool:
        """Writes a connection that is still there anew; False, and nothing is written, where it is not."""
        ...

    async def touch(self, used: Mapping[str, float]) -> None:
        """Writes when connections were last used, and nothing else of them."""
        ...

    async def drop(self, connection: str) -> bool:
        """Forgets one; whether it was there."""
        ...

    async def registered(self, issuer: str) -> tuple[Registered, ...]:
        """Us as clients of an issuer, the latest first."""
        ...

    async def register(self, registered: Registered) -> None:
        """Keeps a registration in place of any other of its issuer and client id."""
        ...

    async def unregister(self, issuer: str, client_id: str) -> None:
        """Forgets a registration."""
        ...
