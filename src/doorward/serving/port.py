"""What the serving room asks of its surroundings, and the words of ASGI that it speaks."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Protocol

from doorward.domain.actors import Principal
from doorward.domain.calls import Era
from doorward.domain.ids import UpstreamId
from doorward.identity.certificate import Certificate

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Coroutine[None, None, None]]
Headers = list[tuple[bytes, bytes]]

CONNECTION = "doorward.connection"
"""The scope's key of the `Connection` that a request came on."""

BODY = "doorward.body"
"""The scope's key of a body that has come whole, while nothing of it was received; what is not there is received."""

HEAD = "doorward.head"
"""The scope's key of the `Head` that the request came with: the same one where the same head comes again on a connection."""

WHOLE = "doorward.whole"
"""The type of an event that is a whole answer, with `status`, `headers` and `body`; its length need not be told."""

CERTIFICATE = "doorward.certificate"
"""The scope's key of the client's `Certificate`, or None: of the connection, or as a trusted proxy tells it. For pages."""

Sees = Callable[[Principal, UpstreamId], bool]
"""Whether an upstream exists and this caller may know of it: `/mcp/{upstream}` is a 404 otherwise."""


class Connection(Protocol):
    """What a request may ask of the connection it came on."""

    @property
    def certificate(self) -> Certificate | None:
        """The client certificate that our own TLS has verified, or None."""
        ...

    def on_hangup(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once if the client goes before this request is answered; at once if it has gone already."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether the client takes what is written more slowly than we write it."""
        ...

    async def written(self) -> None:
        """Returns once the client has taken nearly all that was written, or has gone."""
        ...


class Answering(Protocol):
    """Takes the answer to one request."""

    task: asyncio.Task[None] | None
    """What makes the answer, while it does."""

    def whole(self, status: int, headers: Headers, body: bytes) -> Awaitable[None] | None:
        """A whole answer; gives what has to be awaited before it is sent, None where it has been. Its length need not be told."""
        ...

    def send(self, event: Event) -> Awaitable[None]:
        """Any other one, piece by piece, in the words of ASGI."""
        ...


Again = Callable[[Answering, Connection, Headers, bytes], Coroutine[None, None, None]]
"""Answers one more request that came whole, with a head that the app has passed: to whom, on which connection, its headers and body."""


class Tally(Protocol):
    """Counts what was answered; called once per request, must not block."""

    def answered(self, status: int, era: Era | None) -> None:
        """One more answer of this HTTP status; no era where the request was refused before its era was known."""
        ...
