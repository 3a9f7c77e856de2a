"""The running gateway over HTTP, as the thin stdio client sees it: messages out, messages in, and what to say when it is away."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Ran
from doorward.net.connection import Response
from doorward.net.errors import NetError
from doorward.net.stream import Stream
from doorward.wire.sse import Event, OversizeError, Parser

_EVENT_BYTES = 64 * 2**20
_GOODBYE_SECONDS = 2.0
_UNREACHABLE, _LOST = 5020, 5021
_SENTENCES = {
    401: "The gateway does not accept the key or certificate. Check --key-env, --key-file or --directory.",
    403: "The gateway does not serve this address or origin.",
    404: "There is no MCP endpoint at this URL of the gateway, or it is not for this key.",
    413: "The message is too large for the gateway.",
}

Headers = Sequence[tuple[str, str]]


class Pool(Protocol):
    """What is asked of `net.http.Pool`; each raises `NetError`."""

    async def post(self, headers: Headers, body: bytes) -> Response:
        """The answer to one POST, whatever its status."""
        ...

    async def get(self, headers: Headers) -> Response:
        """The answer to one GET."""
        ...

    async def delete(self, headers: Headers) -> Response:
        """The answer to one DELETE."""
        ...


class FailureError(DoorwardError):
    """A request that got no answer: what its client is told instead."""

    def __init__(self, code: int, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason


def failed(request_id: str | int, failure: FailureError) -> dict[str, Any]:
    """The JSON-RPC error in place of an answer."""
    error = {"code": failure.code, "message": str(failure), "data": {"reason": failure.reason}}
    return {"jsonrpc": "2.0", "id": request_id, "error": error}


class Gateway:
    """Posts and gets over a pool, and reads answers of either content type."""

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool = pool
        self._url = url

    async def post(self, headers: Headers, line: bytes) -> Response:
        """Sends one message."""
        return await self._pool.post(headers, line)

    async def get(self, headers: Headers) -> Response:
        """Asks for a stream."""
        return await self._pool.get(headers)

    async def end(self, headers: Headers) -> None:
        """Ends a session, if the gateway is there and quick to say so."""
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                (await self._pool.delete(headers)).forsake()
        except (NetError, TimeoutError):
            # It expires by itself.
            return

    async def events(self, response: Response) -> AsyncGenerator[Event, None]:
        """The messages of an answer, one or a stream of them; raises `NetError` when the connection is lost."""
        if isinstance(response.body, bytes):
            if response.body.strip():
                yield Event(response.body.replace(b"\r", b" ").replace(b"\n", b" "))
            return
        try:
            async for event in _parsed(response.body):
                yield event
        except OversizeError as error:
            raise FailureError(_LOST, "The gateway sent an event that is too large; the call may have run.", "gateway_broken") from error
        finally:
            response.body.leave()

    def failure(self, error: NetError) -> FailureError:
        """What a client is told when the gateway could not be asked, or went away in the middle."""
        if error.ran is Ran.NO:
            return FailureError(
                _UNREACHABLE, f"The gateway at {self._url} cannot be reached ({error}); the call was not made.", "gateway_unreachable"
            )
        return FailureError(_LOST, f"The connection to the gateway was lost ({error}); the call may have run.", "gateway_lost")

    def lost(self, status: int) -> FailureError:
        """What a client is told of an answer that never came, or was none."""
        if status == 200:
            return FailureError(_LOST, "The gateway ended the answer before it was whole; the call may have run.", "gateway_lost")
        return FailureError(_LOST, _SENTENCES.get(status, f"The gateway answered with HTTP status {status}."), "gateway_refused")


async def _parsed(stream: Stream) -> AsyncGenerator[Event, None]:
    parser = Parser(_EVENT_BYTES)
    while chunk := await stream.read():
        for event in parser.feed(chunk):
            yield event
