"""Heads that come again: what is read of a request is the same whether its head was known or not."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.serving.bounds import Limits
from doorward.serving.head import Head, Heads
from doorward.serving.listener import Bind, Listener
from doorward.serving.port import Receive, Scope, Send

HEAD = b"POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nMcp-Name: %b\r\n\r\n"


def post(body: bytes, name: bytes = b"echo") -> bytes:
    return HEAD % (len(body), name) + body


def read(length: bytes = b"3", *more: tuple[bytes, bytes], method: str = "POST") -> Head:
    return Head(method, b"/mcp", [(b"host", b"a"), (b"content-length", length), (b"mcp-name", b"echo"), *more], is_kept=True, expects=False)


@dataclass
class Wire(asyncio.Transport):
    """The client's end: what was written to it, and whether it was closed."""

    said: bytes = b""
    is_closed: bool = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        """Everything is here."""

    def resume_reading(self) -> None:
        """Everything is here."""


@dataclass
class Seen:
    """An app that answers, and remembers what was asked: method, target, headers, body."""

    requests: list[tuple[str, bytes, tuple[tuple[bytes, bytes], ...], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return
            body += event["body"]
            if not event["more_body"]:
                break
        self.requests.append((scope["method"], scope["raw_path"], tuple(scope["headers"]), body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def _taken(pieces: Sequence[bytes], forget: Callable[[Heads], None]) -> tuple[Seen, Wire]:
    """What an app sees, and a client hears, of pieces that come one after the other, each answered as far as it can be."""
    seen, wire = Seen(), Wire()
    connection = Listener(seen, Bind(limits=Limits())).connection(lambda: True)
    connection.connection_made(wire)
    for piece in pieces:
        forget(connection._heads)
        if not wire.is_closed:
            connection.data_received(piece)
        for _ in range(4):
            await asyncio.sleep(0)
    return seen, wire


REQUESTS = st.sampled_from(
    [
        post(b"{}"),
        post(b"{}", b"other"),
        post(b'{"a":1}'),
        post(b"z" * 2000),
        post(b""),
        post(b"ab").replace(b": 2", b": 02"),
        post(b"ab").replace(b": 2", b":2"),
        post(b"ab").replace(b": 2", b": 2 "),
        post(b"ab").replace(b": 2", b": 3"),
        post(b"ab").replace(b": 2", b": +2"),
        post(b"ab").replace(b"Content-Length", b"content-length"),
        post(b"ab").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        post(b"ab").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        post(b"ab").replace(b"Host", b"Hos"),
        b"\r\n" + post(b"{}"),
        b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nMcp-Name: echo\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(REQUESTS, min_size=1, max_size=6), st.data())
def test_what_is_read_is_the_same_whether_a_head_is_known_or_not(requests: list[bytes], data: st.DataObject) -> None:
    cuts = [data.draw(st.integers(0, len(one))) if data.draw(st.booleans()) else 0 for one in requests]
    pieces = [piece for one, cut in zip(requests, cuts, strict=True) for piece in (one[:cut], one[cut:]) if piece]
    (seen, said), (wanted, answer) = asyncio.run(_taken(pieces, lambda _: None)), asyncio.run(_taken(pieces, Heads.forget))
    assert (seen.requests, said.said, said.is_closed) == (wanted.requests, answer.said, answer.is_closed)


def test_a_head_that_comes_again_is_known_with_another_length() -> None:
    heads, head = Heads(), read()
    heads.note(head, post(b"abc"), 32_768)
    assert heads.found(post(b"abc")) == (head, head.headers, b"abc")
    assert heads.found(post(b"z" * 12)) == (head, [(b"host", b"a"), (b"content-length", b"12"), (b"mcp-name", b"echo")], b"z" * 12)
    heads.forget()
    assert heads.found(post(b"abc")) is None


@pytest.mark.parametrize(
    "octets",
    [
        post(b"abc") + b"P",
        post(b"abc")[:-1],
        post(b"abc", b"echo2"),
        post(b"abc").replace(b": 3", b": 03"),
        post(b"abc").replace(b": 3", b":  3"),
        post(b"abc").replace(b": 3", b": 3 "),
        post(b"abc").replace(b": 3", b": 0000003"),
        post(b""),
        post(b"abc").replace(b": 3", "\u00b3".encode()),
        post(b"abc").replace(b"Host: a", b"Host: b"),
    ],
)
def test_what_is_not_one_whole_request_with_that_very_head_is_read(octets: bytes) -> None:
    heads = Heads()
    heads.note(read(), post(b"abc"), 32_768)
    assert heads.found(octets) is None


@pytest.mark.parametrize(
    ("head", "octets"),
    [
        (read(method="PUT"), post(b"abc")),
        (read(b"03"), post(b"abc").replace(b": 3", b": 03")),
        (read(b"0"), post(b"")),
        (read(b"3", (b"expect", b"100-continue")), post(b"abc")),
        (read(b"3", (b"dpop", b"a")), post(b"abc")),
        (read(b"3", (b"traceparent", b"a")), post(b"abc")),
        (read(b"3", (b"mcp-name", b"echo")), post(b"abc")),
        (read(), post(b"ab") + post(b"abc")),
        (read(), b"\r\n\r\n" + post(b"abc")),
        (read(), post(b"abc")[:-1]),
    ],
)
def test_a_head_that_is_better_read_each_time_is_not_known(head: Head, octets: bytes) -> None:
    heads = Heads()
    heads.note(head, octets, 32_768)
    assert heads.found(octets) is None


def test_only_as_many_heads_are_known_as_an_agent_is_busy_with() -> None:
    heads = Heads()
    for number in range(6):
        name = b"tool-%d" % number
        heads.note(
            Head("POST", b"/", [(b"content-length", b"3"), (b"mcp-name", name)], is_kept=True, expects=False), post(b"abc", name), 999
        )
    assert [heads.found(post(b"abc", b"tool-%d" % number)) is not None for number in range(6)] == [False, False, True, True, True, True]
