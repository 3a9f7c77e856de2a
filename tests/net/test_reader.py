"""An HTTP response as a value: the same however it is cut, and bounded."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.net.errors import NetError, Trouble
from doorward.net.reader import Limits, Reader, Stage

WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\nhello world",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: abc\r\nX-More: d\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
}

BROKEN = {
    "not http": (b"hello world\r\n\r\n", Trouble.GARBAGE),
    "ssh banner": (b"SSH-2.0-OpenSSH_9\r\n", Trouble.GARBAGE),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", Trouble.GARBAGE),
    "length and chunked": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", Trouble.GARBAGE),
    "negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", Trouble.GARBAGE),
    "huge length": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", Trouble.GARBAGE),
    "length above cap": (b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", Trouble.OVERSIZE),
    "chunks above cap": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n" + b"x" * 65 + b"\r\n", Trouble.OVERSIZE),
    "to the end above cap": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65, Trouble.OVERSIZE),
    "gzip coding": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx", Trouble.ENCODED),
    "gzip transfer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx", Trouble.GARBAGE),
    "gzip then chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", Trouble.GARBAGE),
    "chunked twice": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Trouble.GARBAGE),
    "upgrade": (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nabc", Trouble.GARBAGE),
    "status 999": (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", Trouble.GARBAGE),
    "status 099": (b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", Trouble.GARBAGE),
    "folded header": (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", Trouble.GARBAGE),
    "space before colon": (b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", Trouble.GARBAGE),
    "nul in header": (b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n", Trouble.GARBAGE),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", Trouble.GARBAGE),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000, Trouble.OVERSIZE),
    "many headers": (
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(30)) + b"Content-Length: 0\r\n\r\n",
        Trouble.OVERSIZE,
    ),
    "endless interim": (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, Trouble.GARBAGE),
    "second response": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Trouble.GARBAGE),
    "junk after": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok junk", Trouble.GARBAGE),
    "bad chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", Trouble.GARBAGE),
}
SMALL = Limits(head_bytes=1024, headers=20, body_bytes=64)


def read(octets: bytes, cuts: list[int], limits: Limits = SMALL) -> Reader:
    reader = Reader(limits)
    reader.begin()
    bounds = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
    for start, end in itertools.pairwise(bounds):
        if octets[start:end]:
            reader.feed(octets[start:end])
    return reader


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.integers(0, 300), max_size=12))
def test_response_is_the_same_however_it_is_cut(name: str, cuts: list[int]) -> None:
    reader = read(WHOLE[name], cuts)
    assert (reader.stage, reader.status, b"".join(reader.chunks), reader.is_kept) == (Stage.DONE, 200, b"hello world", True)
    assert b"link" not in reader.headers
    assert b"x-sum" not in reader.headers


@given(st.sampled_from(sorted(BROKEN)), st.lists(st.integers(0, 6000), max_size=6))
def test_broken_response_is_told_with_its_trouble_however_it_is_cut(name: str, cuts: list[int]) -> None:
    octets, trouble = BROKEN[name]
    with pytest.raises(NetError) as caught:
        read(octets, cuts)
    assert caught.value.trouble is trouble


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_are_read_or_refused(octets: bytes, cuts: list[int]) -> None:
    try:
        read(b"HTTP/1.1 200 OK\r\n" + octets, cuts)
    except NetError:
        return


def test_body_without_length_ends_with_the_connection() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n\r\nhello", [])
    assert reader.stage is Stage.BODY
    assert reader.end()
    assert (b"".join(reader.chunks), reader.is_kept) == (b"hello", False)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", b"HTTP/1.1 200 OK\r\nContent-Le", b""])
def test_half_response_is_not_whole_at_the_end(head: bytes) -> None:
    assert not read(head, []).end()


def test_repeated_header_is_joined() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ncontent-type: c/d\r\nContent-Length: 0\r\n\r\n", [])
    assert reader.headers[b"content-type"] == b"a/b, c/d"


def test_connection_that_says_close_is_not_kept() -> None:
    assert not read(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", []).is_kept


def test_event_stream_has_no_cap_and_is_known_by_its_type() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader = read(head + b"100\r\n" + b"x" * 256 + b"\r\n", [])
    assert (reader.is_stream, reader.stage, reader.size) == (True, Stage.BODY, 256)


@pytest.mark.parametrize("rest", [b"0\r\nX: " + b"a" * 9000, b"5;" + b"a" * 9000])
def test_endless_trailer_or_chunk_extension_is_cut_off(rest: bytes) -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", [])
    with pytest.raises(NetError) as caught:
        list(map(reader.feed, (rest[start : start + 100] for start in range(0, len(rest), 100))))
    assert caught.value.trouble is Trouble.OVERSIZE
