"""Server-sent events."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.sse import Event, OversizeError, Parser, frame

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


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data and b"\r" not in data))
def test_a_framed_event_is_read_back(data: bytes) -> None:
    assert Parser(1000).feed(frame(data, "3")) == [Event(data, "message", "3", None)]


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 101, b"data: " + b"x\ndata: " * 60, b"x" * 107])
def test_an_endless_event_is_refused(stream: bytes) -> None:
    with pytest.raises(OversizeError):
        Parser(100).feed(stream)
