"""Accepts connections that speak TLS: each handshake counts as a connection, ends in time, and takes the context of now.

Accepting is ours, rather than `create_server`'s, because that would count a connection only after its handshake, and would have
to be closed to change the context. A context is exchanged whole: sessions of an older one mean nothing to the new one.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from itertools import islice

_LOG = logging.getLogger("doorward.serving")
_PAUSE_SECONDS = 1.0
"""How long nobody is accepted once the process cannot have another socket."""
_GOODBYE_SECONDS = 2.0
"""How long the other end may take to answer our closing of TLS."""


class Handshakes:
    """The listening sockets of one address, and the connections on their way in."""

    __slots__ = ("_accepting", "_arriving", "_connect", "_context", "_room", "_seconds", "_sockets")

    def __init__(
        self, context: ssl.SSLContext, seconds: float, connect: Callable[[], asyncio.Protocol], room: Callable[[int], bool]
    ) -> None:
        """`room` says whether one more connection may come, besides so many that are on their way in; it may let some of them go."""
        self._context = context
        self._seconds = seconds
        self._connect = connect
        self._room = room
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._arriving: dict[asyncio.Task[None], None] = {}

    async def open(self, host: str, port: int, backlog: int) -> tuple[str, int]:
        """Takes the address and begins to accept; gives host and port as bound. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                self._sockets.append(_listening(family, address, backlog))
        except OSError:
            self.close()
            raise
        self._accepting = [loop.create_task(self._accept(one)) for one in self._sockets]
        bound = self._sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    def swap(self, context: ssl.SSLContext) -> None:
        """The next connection speaks TLS with this; open ones go on."""
        self._context = context

    def let_go(self, count: int) -> None:
        """Ends so many handshakes, those that have lasted longest."""
        for task in tuple(islice(self._arriving, count)):
            del self._arriving[task]
            task.cancel()

    def close(self) -> None:
        """Accepts no more, and lets go of who is not in yet."""
        for task in (*self._accepting, *self._arriving):
            task.cancel()
        for one in self._sockets:
            one.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except ConnectionError:
                # It went before we came.
                continue
            except OSError as error:
                _LOG.warning("no connection can be accepted: %s", error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if not self._room(len(self._arriving)):
                # There is nothing to say before a handshake, which is what there is no room for.
                accepted.close()
                continue
            task = loop.create_task(self._greet(accepted))
            self._arriving[task] = None
            task.add_done_callback(lambda done: self._arriving.pop(done, None))

    async def _greet(self, accepted: socket.socket) -> None:
        """One handshake: at its end the protocol has its connection, or nobody hears of it."""
        loop = asyncio.get_running_loop()
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(
                self._connect,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except OSError as error:
            # Whoever connects decides what goes wrong here: it is no news.
            _LOG.debug("a handshake failed: %s", error)


def _listening(family: int, address: tuple[object, ...], backlog: int) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(backlog)
    except OSError:
        one.close()
        raise
    return one
