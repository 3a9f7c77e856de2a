"""What HTTP itself costs at the door: a request of usual shape comes in, and 200 bytes go out, with nothing between and no socket.

`python -m bench.door` prints it, in microseconds of processor time; `bench/stages.py` has it in the report.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import uvloop

from bench.speech import ECHO, FIRST, Asking, Era, Target
from doorward.serving.listener import Bind, Listener
from doorward.serving.port import WHOLE, Receive, Scope, Send

ROUNDS = 7
REQUESTS = 2000
_BODY = b"x" * 200


class _Wire(asyncio.Transport):
    """A connection of nothing but the bytes of each answer, told to whoever waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Callable[[], None] = lambda: None

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Both ends are on loopback."""
        return {"sockname": ("127.0.0.1", 8420), "peername": ("127.0.0.1", 50000)}.get(name, default)

    def write(self, data: object) -> None:
        """An answer has been written."""
        self.told()

    def is_closing(self) -> bool:
        """It stays."""
        return False

    def get_write_buffer_size(self) -> int:
        """All is taken at once."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""


async def _answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": WHOLE, "status": 200, "headers": [(b"content-type", b"application/json")], "body": _BODY})


async def cost(rounds: int = ROUNDS) -> float:
    """Microseconds of this thread for a request and its answer, the least of some rounds."""
    protocol, wire = Listener(_answer, Bind(port=0)).connection(lambda: True), _Wire()
    protocol.connection_made(wire)
    request = Asking(Target(8420, "/mcp", Era.EXCHANGE, "dw_" + "k" * 43), f"swift__{ECHO}", "door").request(FIRST)
    return 1e6 * min([await _round(lambda: protocol.data_received(request), wire) for _ in range(rounds)]) / REQUESTS


async def _round(ask: Callable[[], None], wire: _Wire) -> float:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    left = REQUESTS

    def told() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(ask)
        else:
            ended.set_result(None)

    wire.told = told
    start = time.thread_time()
    ask()
    await ended
    return time.thread_time() - start


if __name__ == "__main__":
    print(f"{uvloop.run(cost()):.1f} µs")
