"""Lines out of bytes, however they are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.upstream.lines import Lines, LongLineError


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line and not line.endswith(b"\r"))), st.lists(st.integers(0, 200)))
def test_lines_are_the_same_however_they_are_cut(wanted: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(line + b"\r\n" for line in wanted)
    bounds = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
    lines = Lines(20 + 1)
    found = [line for start, end in itertools.pairwise(bounds) for line in lines.feed(octets[start:end])]
    assert found == wanted


@pytest.mark.parametrize(
    "pieces", [[b"x" * 11], [b"x" * 6, b"x" * 6], [b"ok\n" + b"x" * 11], [b"x" * 11 + b"\n"], [b"ok\n", b"x" * 11 + b"\nok\n"]]
)
def test_line_above_the_limit_is_refused_before_its_end(pieces: list[bytes]) -> None:
    lines = Lines(10)
    with pytest.raises(LongLineError):
        [lines.feed(piece) for piece in pieces]
