"""Server-sent events."""

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.sse import KEEP_ALIVE, Event, OversizeError, Parser, frame

STREAM = (
    b"\xef\xbb\xbf: hello\r\n\r\nid: 7\nretry: 250\ndata:\n\nevent: note\rdata: one\r\ndata:two\n\n"
    b"data: last\nunknown: x\n\ndata: never finished"
)
EVENTS = [
    Event(b"", "message", "7", 250),
    Event(b"one\ntwo", "note", "7", None),
    Event(b"last", "message", "7", None),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_cutting_of_the_stream_gives_the_same_events(cuts: list[int]) -> None:
    parser = Parser(1000)
    edges = [0, *sorted(cuts), len(STREAM)]
    events = [event for start, end in itertools.pairwise(edges) for event in parser.feed(STREAM[start:end])]
    assert events == EVENTS


def test_every_byte_alone_gives_the_same_events() -> None:
    parser = Parser(1000)
    assert [event for byte in STREAM for event in parser.feed(bytes([byte]))] == EVENTS


LINES = st.sampled_from(
    [
        b"data: a",
        b"data:b",
        b"data",
        b"data:  c:d",
        b"id: 1",
        b"id",
        b"id: a\0b",
        b"event: e",
        b"event",
        b"retry: 5",
        b"retry: -5",
        b"retry: 5x",
        b"retry: 1234567890",
        b": comment",
        b"other: x",
        b" data: x",
        b"",
        b"",
        b"",
        b"data: \x0b\x0c\x1c\x85\xe2\x80\xa8",
        b"\xef\xbb\xbfdata: x",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=25), st.lists(st.integers(0, 300), max_size=30))
def test_any_stream_however_cut_gives_the_events_that_the_standard_says(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(line + end for line, end in lines)
    parser = Parser(1000)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    events = [event for start, end in itertools.pairwise(edges) for event in parser.feed(stream[start:end])]
    assert events == list(standard(stream))


def standard(stream: bytes) -> Iterator[Event]:
    """The algorithm of the standard, word by word, on a whole stream; an event without data is given if it names an id or a retry."""
    data: list[bytes] = []
    kind, last_id, retry, is_news = "", None, None, False
    whole = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for line in whole.split(b"\n")[:-1]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if line == b"":
            if data or is_news:
                yield Event(b"\n".join(data), kind or "message", last_id, retry)
            data, kind, retry, is_news = [], "", None, False
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            kind = value.decode()
        elif field == b"id" and b"\0" not in value:
            last_id, is_news = value.decode(), True
        elif field == b"retry" and re.fullmatch(rb"[0-9]{1,9}", value):
            retry, is_news = int(value), True


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data and b"\r" not in data))
def test_a_framed_event_is_read_back(data: bytes) -> None:
    assert Parser(1000).feed(frame(data, "3")) == [Event(data, "message", "3", None)]


@pytest.mark.parametrize(
    "stream", [b"data: " + b"x" * 101, b"data: " + b"xx\ndata: " * 60, b"x" * 107, b": " + b"x" * 200 + b"\n", b"id: " + b"x\nid: " * 101]
)
def test_an_endless_event_is_refused_however_it_comes(stream: bytes) -> None:
    with pytest.raises(OversizeError):
        Parser(100).feed(stream)
    parser = Parser(100)
    with pytest.raises(OversizeError):
        [parser.feed(bytes([byte])) for byte in stream]


def test_an_event_may_be_as_long_as_the_limit_and_a_stream_as_long_as_it_likes() -> None:
    parser = Parser(100)
    for _ in range(50):
        assert parser.feed(b": ping\ndata: " + b"x" * 100 + b"\n\n: ping\n") == [Event(b"x" * 100)]


def test_data_with_a_line_break_is_not_framed() -> None:
    for data in (b"a\nb", b"a\rb"):
        with pytest.raises(ValueError):
            frame(data)


def test_a_keep_alive_is_no_event() -> None:
    assert Parser(100).feed(KEEP_ALIVE) == []
