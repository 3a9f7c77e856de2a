"""Messages to a syslog server (RFC 5424) over UDP, or over TCP with octet counting (RFC 6587); whoever sends has written them."""

import asyncio
from typing import Final, Literal

import msgspec

from doorward.domain.reasons import Ran
from doorward.net.errors import NetError, Trouble

SECONDS: Final = 5.0
"""From the look-up of the name to the last byte."""
_LISTEN_SECONDS: Final = 0.1
"""How long a refusal is waited for where no answer is ever given."""


class Server(msgspec.Struct, frozen=True):
    """Where messages go: one that an operator has named, whatever its address."""

    host: str
    port: int
    protocol: Literal["udp", "tcp"]

    def __str__(self) -> str:
        return f"{self.protocol} {self.host}:{self.port}"

    async def send(self, message: bytes) -> None:
        """Returns once it is on its way, which is all that syslog tells; raises `NetError` alone."""
        try:
            async with asyncio.timeout(SECONDS):
                await (self._stream(message) if self.protocol == "tcp" else self._datagram(message))
        except TimeoutError as error:
            raise NetError(Trouble.TOTAL_TIMEOUT, f"it was not sent within {SECONDS:g} s", Ran.MAYBE) from error
        except OSError as error:
            raise NetError(Trouble.UNREACHABLE, f"{self}: {error.strerror or type(error).__name__}", Ran.MAYBE) from error

    async def _stream(self, message: bytes) -> None:
        _, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(b"%d %s" % (len(message), message))
            await writer.drain()
        finally:
            writer.close()
        await writer.wait_closed()

    async def _datagram(self, message: bytes) -> None:
        loop = asyncio.get_running_loop()
        refused: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(refused), remote_addr=(self.host, self.port))
        try:
            transport.sendto(message)
            await asyncio.wait((refused,), timeout=_LISTEN_SECONDS)
        finally:
            transport.close()
        if refused.done():
            refused.result()


class _Ear(asyncio.DatagramProtocol):
    """Hears that nobody is there."""

    def __init__(self, refused: asyncio.Future[None]) -> None:
        self._refused = refused

    def error_received(self, exc: Exception) -> None:
        """The other machine, or ours, says that nobody listens."""
        if not self._refused.done():
            self._refused.set_exception(exc)
