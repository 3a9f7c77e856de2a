"""The data plane's listening socket: accepts within a cap, sweeps deadlines, and drains without cutting a running call."""

import asyncio
import ssl
from collections.abc import Callable

import msgspec

from doorward.identity.certificate import Certificate
from doorward.serving.bounds import Limits
from doorward.serving.crowd import PART, files_for, leaving
from doorward.serving.handshakes import Handshakes
from doorward.serving.port import App
from doorward.serving.protocol import Held, StrictProtocol

_SWEEP_SECONDS = 0.5
"""How late a deadline may be noticed."""
_DRAIN_STEP_SECONDS = 0.02


class Bind(msgspec.Struct, frozen=True):
    """Where to listen, and how much to take on."""

    host: str = "127.0.0.1"
    port: int = 8420
    connections: int = 4096
    """Connections at the same time; fewer where the process may not open so many files. One more takes the place of one on which
    nothing goes on; where there is none such, it is told 503."""
    backlog: int = 1024
    limits: Limits = msgspec.field(default_factory=Limits)
    tls: ssl.SSLContext | None = None
    """None: plain HTTP is spoken, and TLS never."""


class Listener:
    """One ASGI app on one address, inside the running loop: `open`, then `run` as a task until `drain` has ended."""

    __slots__ = ("_app", "_bind", "_handshakes", "_held", "_is_drained", "_server")

    def __init__(self, app: App, bind: Bind) -> None:
        self._bind = bind
        self._app = app
        self._held = Held()
        self._server: asyncio.Server | None = None
        self._handshakes: Handshakes | None = None
        self._is_drained = False

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._held.connections)

    def connection(self, has_room: Callable[[], bool]) -> StrictProtocol:
        """A connection to the app, as every one is that is accepted; what it is made of comes with `connection_made`."""
        return StrictProtocol(self._app, self._held, self._bind.limits, has_room)

    async def open(self) -> tuple[str, int]:
        """Takes the address and begins to accept; gives host and port as bound. Raises `OSError` if the address cannot be had."""
        bind = self._bind
        cap = files_for(bind.connections, bind.backlog)

        def has_room(arriving: int) -> bool:
            if len(self._held.connections) + arriving <= cap:
                return True
            if self._handshakes is not None and arriving * PART > cap:
                self._handshakes.let_go(arriving // PART + 1)
                return True
            return self._made_room()

        def connect() -> StrictProtocol:
            return self.connection(lambda: has_room(0))

        if bind.tls is not None:
            self._handshakes = Handshakes(bind.tls, bind.limits.handshake_seconds, connect, lambda arriving: has_room(arriving + 1))
            return await self._handshakes.open(bind.host, bind.port, bind.backlog)
        self._server = await asyncio.get_running_loop().create_server(connect, bind.host, bind.port, backlog=bind.backlog)
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    def reload(self, tls: ssl.SSLContext) -> None:
        """New connections speak TLS with this context, which must be a fresh one; open ones go on. Only where TLS is spoken already."""
        assert self._handshakes is not None, "a listener that speaks plain HTTP cannot begin to speak TLS"
        self._handshakes.swap(tls)

    def cut(self, spoiled: Callable[[Certificate], object]) -> tuple[Certificate, ...]:
        """Ends, at once, every connection whose certificate is found to be spoiled; gives those certificates."""
        ended: list[Certificate] = []
        for connection in self._open():
            if connection.certificate is not None and spoiled(connection.certificate):
                ended.append(connection.certificate)
                connection.transport.abort()
        return tuple(ended)

    async def run(self) -> None:
        """Notices deadlines that have passed, until the listener is drained."""
        loop = asyncio.get_running_loop()
        while not self._is_drained:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.sweep(loop.time())

    def sweep(self, now: float) -> None:
        """Ends each connection whose client has let a deadline pass; `now` in loop time."""
        for connection in self._open():
            connection.expire(now)

    async def drain(self, grace_seconds: float) -> None:
        """Accepts no more, closes idle connections, lets running requests finish within the grace, then cancels and closes the rest.

        Streams that wait for changes do not end by themselves: the app ends them before this is called.
        """
        if self._server is not None:
            self._server.close()
        if self._handshakes is not None:
            self._handshakes.close()
        for connection in self._open():
            connection.shutdown()
        await self._emptied(grace_seconds)
        for task in tuple(self._held.tasks):
            task.cancel("the grace of the drain is over")
        await self._emptied(1 if self._held.tasks else 0)
        for connection in self._open():
            connection.transport.abort()
        self._is_drained = True

    def _open(self) -> tuple[StrictProtocol, ...]:
        return tuple(self._held.connections)

    def _made_room(self) -> bool:
        """Ends some connections on which nothing goes on; whether there were any."""
        silent = leaving(self._open())
        for connection in silent:
            # It counts no longer from here on: its socket is gone before anything else is accepted.
            self._held.connections.discard(connection)
            connection.transport.abort()
        return bool(silent)

    async def _emptied(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (self._held.connections or self._held.tasks) and loop.time() < end:  # noqa: ASYNC110 -- plain sets have nothing to wait on
            await asyncio.sleep(_DRAIN_STEP_SECONDS)
