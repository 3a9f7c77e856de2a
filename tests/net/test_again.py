"""Heads of responses that come again: what is read is the same whether a head was known or not."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.net.again import same
from doorward.net.errors import NetError
from doorward.net.reader import Limits, Reader, Stage

LIMITS = Limits(head_bytes=200, body_bytes=2000)


def json(body: bytes, *more: bytes, status: bytes = b"200 OK") -> bytes:
    lines = b"".join(line + b"\r\n" for line in more)
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), lines, body)


RESPONSES = st.sampled_from(
    [
        json(b"{}"),
        json(b'{"a":1}'),
        json(b"z" * 900),
        json(b"z" * 2001),
        json(b""),
        json(b"{}", b"Date: now"),
        json(b"{}", b"Connection: close"),
        json(b"{}", b"Content-Encoding: gzip"),
        json(b"{}", b"Transfer-Encoding: chunked"),
        json(b"{}", status=b"400 Bad Request"),
        json(b"{}", status=b"204 No Content").removesuffix(b"{}"),
        json(b"{}", status=b"204 No Content"),
        json(b"{}").replace(b"Content-Length: 2", b"content-length: 2"),
        json(b"{}").replace(b": 2\r", b": 02\r"),
        json(b"{}").replace(b": 2\r", b":2\r"),
        json(b"{}").replace(b": 2\r", b": 3\r"),
        json(b"{}").replace(b"application/json", b"text/event-stream"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + json(b"{}"),
        json(b"{}") + b"HTTP/1.1",
        json(b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ]
)


def _forget(reader: Reader) -> None:
    reader._again = None


def _read(responses: Sequence[Sequence[bytes]], before: Callable[[Reader], None]) -> list[object]:
    """What a reader makes of responses, each in pieces; it ends with the first that ends the connection."""
    reader, read = Reader(LIMITS), list[object]()
    for pieces in responses:
        before(reader)
        reader.begin()
        try:
            whole: bytes | None = None
            for piece in pieces:
                whole = reader.whole(piece)
                if whole is None:
                    reader.feed(piece)
        except NetError as error:
            return [*read, (error.trouble, error.ran)]
        if whole is not None:
            read.append((reader.status, dict(reader.headers), whole, len(whole), Stage.DONE, False))
            continue
        read.append((reader.status, dict(reader.headers), b"".join(reader.chunks), reader.size, reader.stage, reader.is_stream))
        if reader.stage is not Stage.DONE or not reader.is_kept:
            return read
    return read


@settings(max_examples=300, deadline=None)
@given(st.lists(RESPONSES, min_size=1, max_size=6), st.data())
def test_what_is_read_is_the_same_whether_a_head_is_known_or_not(responses: list[bytes], data: st.DataObject) -> None:
    pieces = []
    for one in responses:
        cut = data.draw(st.one_of(st.just(0), st.integers(0, len(one))))
        pieces.append([piece for piece in (one[:cut], one[cut:]) if piece])
    assert _read(pieces, lambda _: None) == _read(pieces, _forget)


def test_a_head_of_a_response_that_has_no_body_is_read_each_time() -> None:
    """Whatever length it says (RFC 9112 §6.3): what comes behind it is nobody's."""
    bodiless = json(b"{}", status=b"304 Not Modified").removesuffix(b"{}")
    whole = (304, Stage.DONE, b"", True)
    reader, read = Reader(LIMITS), []
    for _ in range(3):
        reader.begin()
        reader.feed(bodiless)
        read.append((reader.status, reader.stage, b"".join(reader.chunks), reader.is_kept))
    assert read == [whole] * 3


def test_a_known_head_says_the_length_of_its_own_body() -> None:
    reader = Reader(LIMITS)
    reader.begin()
    reader.feed(json(b"{}"))
    first = reader.headers
    reader.begin()
    reader.feed(json(b"z" * 10)[:-4])
    assert (reader.stage, reader.has_begun) == (Stage.BODY, True)
    reader.feed(b"zzzz")
    assert (reader.stage, b"".join(reader.chunks), reader.headers[b"content-length"]) == (Stage.DONE, b"z" * 10, b"10")
    assert first[b"content-length"] == b"2"


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: b\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\nX: a\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2 \r\nX: a\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 00000002\r\nX: a\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xc2\xb2\r\nX: a\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2",
        b"",
    ],
)
def test_what_is_not_that_very_head_is_read(octets: bytes) -> None:
    known = same(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\r\n\r\n{}", {b"content-length": b"2", b"x": b"a"}, 16_384)
    assert known is not None
    assert known.found(octets) is None


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", {b"content-length": b"2"}),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", {b"content-length": b"2"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", {b"content-length": b"3"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length:2\r\n\r\n", {b"content-length": b"2"}),
        (b"HTTP/1.1 200 OK\r\nX: content-length: 2\r\n\r\n", {}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12345678\r\n\r\n", {b"content-length": b"12345678"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + b"z" * 200 + b"\r\n\r\n", {b"content-length": b"2"}),
    ],
)
def test_a_head_is_not_known_that_is_better_read_each_time(octets: bytes, fields: dict[bytes, bytes]) -> None:
    assert same(octets, fields, 200) is None
