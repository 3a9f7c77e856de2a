"""The load against upstreams that tell the truth, and against those that do not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from bench.load import Orders, Seen, run
from bench.schedule import arrivals
from bench.speech import ECHO, TAILS, Era
from bench.upstream import Answers, Connection, share

pytestmark = pytest.mark.anyio

Twist = Callable[[bytes], bytes]
"""What a lying upstream makes of an answer."""


class _Lying(Answers):
    """Answers that are twisted from the hundredth call on: so late that only who checks each one finds out."""

    def __init__(self, twist: Twist) -> None:
        super().__init__()
        self._twist = twist
        self._calls = 0

    def to(self, path: bytes, body: bytes) -> bytes:
        answer = super().to(path, body)
        self._calls += b"tools/call" in body
        return self._twist(answer) if self._calls >= 100 else answer


@asynccontextmanager
async def _upstream(answers: Answers) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(answers), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _seen(answers: Answers, orders: Callable[[int], Orders]) -> Seen:
    async with _upstream(answers) as port:
        return await run(orders(port))


def _orders(port: int, era: Era = Era.EXCHANGE) -> Orders:
    return Orders(port, "/mcp", era, ECHO, says=ECHO, connections=3, warm_seconds=0.01, seconds=0.1)


def _streamed(port: int) -> Orders:
    return msgspec.structs.replace(_orders(port), path="/sse", progress="mine")


def _open_loop(port: int) -> Orders:
    return msgspec.structs.replace(_orders(port), rate=500.0, seconds=0.2)


@pytest.mark.parametrize("era", list(Era))
async def test_an_upstream_that_tells_the_truth_is_believed(era: Era) -> None:
    seen = await _seen(Answers(), lambda port: _orders(port, era))
    assert (seen.wrong, seen.told) == (0, ())
    assert seen.calls > 0
    assert 0 < seen.p50 <= seen.p90 <= seen.p99 <= seen.longest


@pytest.mark.parametrize("tool", list(TAILS))
async def test_every_tool_says_what_it_has_to(tool: str) -> None:
    seen = await _seen(Answers(), lambda port: msgspec.structs.replace(_orders(port), tool=tool, says=tool))
    assert (seen.wrong, seen.calls > 0) == (0, True)


async def test_streams_that_tell_of_progress_first_are_believed() -> None:
    seen = await _seen(Answers(), _streamed)
    assert (seen.wrong, seen.told, seen.calls > 0) == (0, (), True)


@pytest.mark.parametrize(
    "twist",
    [
        lambda answer: answer.replace(b'"mine"', b'"ours"'),
        lambda answer: answer.replace(b"notifications/progress", b"notifications/message!"),
        lambda answer: answer.replace(b"quick", b"quack"),
        lambda answer: answer.replace(b'"id":1', b'"id":2'),
    ],
    ids=["token", "method", "text", "id"],
)
async def test_a_stream_that_lies_is_found_out(twist: Twist) -> None:
    assert (await _seen(_Lying(twist), _streamed)).wrong > 0


async def test_an_open_loop_asks_as_often_as_it_is_told_to() -> None:
    seen = await _seen(Answers(), _open_loop)
    assert seen.wrong == 0
    # A Poisson process of a mean of 100, with the same draws each time.
    assert seen.calls == sum(0.01 <= moment < 0.21 for moment in arrivals(500.0, 0.21, 1))


async def test_an_open_loop_finds_lies_out() -> None:
    assert (await _seen(_Lying(lambda answer: answer.replace(b"quick", b"quack")), _open_loop)).wrong > 0


async def test_a_list_is_counted_tool_by_tool() -> None:
    def orders(tools: int) -> Callable[[int], Orders]:
        return lambda port: Orders(port, "/list/3", Era.EXCHANGE, "", tools=tools, warm_seconds=0.01, seconds=0.1)

    assert (await _seen(Answers(), orders(len(share(3))))).wrong == 0
    assert (await _seen(Answers(), orders(len(share(3)) - 1))).wrong > 0


@pytest.mark.parametrize(
    "twist",
    [
        lambda answer: answer.replace(b'"id":1', b'"id":2'),
        lambda answer: answer.replace(b"quick", b"quack"),
        lambda answer: answer.replace(b'"isError":false', b'"isError":true '),
        lambda answer: answer.replace(b" 200 OK", b" 500 No"),
        lambda answer: answer.replace(b"HTTP", b"SPDY"),
        lambda answer: answer + answer,
    ],
    ids=["id", "text", "error", "status", "protocol", "twice"],
)
async def test_an_upstream_that_lies_is_found_out(twist: Twist) -> None:
    seen = await _seen(_Lying(twist), _orders)
    assert seen.wrong > 0
    assert seen.told


async def test_the_answer_to_another_request_is_not_believed() -> None:
    kept: list[bytes] = []

    def late(answer: bytes) -> bytes:
        kept.append(answer)
        return kept[0]

    assert (await _seen(_Lying(late), _orders)).wrong > 0
