"""What a door hands to the spine: one request, its caller, and what the client said of itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.ids import SessionId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.domain.record import record
from doorward.domain.secret import Secret
from doorward.identity.chain import Presented
from doorward.identity.tokens.issuer import OWN
from doorward.identity.tokens.source import signed_token
from doorward.wire.jsonrpc import Request
from doorward.wire.limits import Entry

Notices = Callable[[Notice], Awaitable[None]]
"""Where notifications on the way go, already inspected and renamed."""

Left = Callable[[], tuple[Entry, ...]]
"""What is left, whenever it is asked, of each limit and budget that concerns a call."""


def untold(left: Left) -> None:
    """Nobody is there to be told what is left of limits."""


@record(frozen=True, slots=True)
class Inbound:
    """One request of either era, read and checked by the door it came through."""

    principal: Principal
    endpoint: UpstreamId | None
    """The upstream of `/mcp/{upstream}`, or None for `/mcp`: all upstreams, names prefixed."""
    era: Era
    version: str
    request: Request
    capabilities: Mapping[str, object]
    """What the client declared, in the request or when its session began."""
    client_info: Mapping[str, object]
    log_level: str | None
    progress_token: str | int | None
    trace: str
    """The W3C `traceparent`, or empty."""
    meta: Mapping[str, object]
    """The other `_meta` keys of the request."""
    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    """As received, for `Mcp-Param-*` (exchange era)."""
    session: SessionId | None
    again: Callable[[], Principal]
    """Who asks, verified anew and still in this session if there is one: for a call that was kept waiting. Raises `Refused`."""
    limited: Callable[[Left], None] = untold
    """Hears what is left of limits once the call has a seat: for answers whose body cannot tell it."""


def presented(inbound: Inbound) -> Secret | None:
    """The access token that a request came with, if an issuer outside gave it: for who exchanges it there, and for nobody else."""
    principal = inbound.principal
    if principal.method is not AuthnMethod.ACCESS_TOKEN or principal.proof.issuer == OWN:
        return None
    value = next((value for name, value in inbound.headers if name.lower() == b"authorization"), b"")
    token = signed_token(value.decode("latin-1"))
    return None if token is None else Secret(token)


class Session(Protocol):
    """A session-era session, found and belonging to its caller."""

    @property
    def id(self) -> SessionId: ...
    @property
    def version(self) -> str: ...
    @property
    def capabilities(self) -> Mapping[str, object]: ...
    @property
    def client_info(self) -> Mapping[str, object]: ...
    @property
    def log_level(self) -> str | None: ...


class Spine(Protocol):
    """What a door may ask of `call`. Every method may raise `Refused`."""

    def identify(self, presented: Presented) -> Principal:
        """The principal behind a credential, verified on each call."""
        ...

    def at_once(self, presented: Presented) -> Principal | None:
        """As `identify`; None where something has to be fetched or written first, which `identified` waits for."""
        ...

    async def identified(self, presented: Presented) -> Principal:
        """As `identify`, waiting for what has to be fetched or written before it can be told."""
        ...

    def turned_down(self, principal: Principal, refused: Refused) -> None:
        """Hears of a message that the door refused after it knew who sent it; counted, so that it cannot flood the log."""
        ...

    def handle(self, inbound: Inbound, notices: Notices) -> Coroutine[None, None, Mapping[str, object] | Fault]:
        """The result body in the shape of the caller's era; cancelling the awaiting task cancels the call."""
        ...

    async def initialize(
        self, principal: Principal, endpoint: UpstreamId | None, params: Mapping[str, object]
    ) -> tuple[str, dict[str, object]]:
        """A sealed session id and the `InitializeResult`."""
        ...

    def session(self, text: str, principal: Principal, endpoint: UpstreamId | None) -> Session:
        """The session of this sealed id, if it is this caller's on this endpoint."""
        ...

    async def end(self, text: str, principal: Principal, endpoint: UpstreamId | None) -> None:
        """Ends a session; it is unknown from then on."""
        ...

    def changes(self, principal: Principal, endpoint: UpstreamId | None, session: SessionId | None = None) -> AsyncIterator[Notice]:
        """`notifications/…/list_changed` as the caller's view of an endpoint changes; ends at drain, and with the caller's rights or session."""
        ...
