"""Sieves: what may match, and that nothing is ever let by for want of memory."""

import pytest
import re2

from doorward.wire.sieve import Row, Sieve, told


def _sieve(*patterns: str | bytes, most: int = 2**20) -> Sieve:
    options = re2.Options()
    options.max_mem = most
    options.log_errors = False
    return Sieve(patterns, options)


@pytest.mark.parametrize("text", ["", "nothing of it", b"", b"nothing of it"])
def test_nothing_may_match_where_nothing_does(text: str | bytes) -> None:
    assert list(_sieve("cat", "dog").may(text)) == []


def test_what_matches_is_told_in_the_order_of_the_patterns() -> None:
    assert list(_sieve("cat", rb"cow\b", "dog").may(b"a dog, a cow and a cat")) == [0, 1, 2]
    assert list(_sieve("cat", rb"cow\b", "dog").may(b"cows and a dog")) == [2]


def test_no_patterns_match_nothing() -> None:
    assert list(_sieve().may("anything")) == []


@pytest.mark.parametrize(
    ("matched", "expected"), [(None, [0, 1, 2]), ((), [0, 1, 2]), ((0,), []), ((2, 0), [1]), ((0, 3, 1), [0, 2])], ids=str
)
def test_all_may_match_where_the_set_says_nothing_at_all(matched: tuple[int, ...] | None, expected: list[int]) -> None:
    assert list(told(matched, range(3))) == expected


def test_patterns_that_there_is_no_room_for_are_refused() -> None:
    with pytest.raises(re2.error):
        _sieve(*(f"{letter}[a-m]{{200}}z" for letter in "abcdef"), most=10_000)


def _row(*patterns: bytes, most: int = 2**20) -> Row:
    options = re2.Options()
    options.max_mem = most
    options.log_errors = False
    return Row((pattern, options) for pattern in patterns)


def test_a_row_tells_which_of_its_patterns_match_with_letters_of_their_own_or_without() -> None:
    row = _row(b"cat", b"(?i)d[o0]g|cow", rb"[0-9]{3}", rb"\x{e9}")
    assert [list(row.met(text)) for text in (b"nothing", b"a D0G and a cat", b"cow 12", b"a 123", "été".encode())] == [
        [],
        [0, 1],
        [1],
        [2],
        [3],
    ]


def test_a_row_never_gives_up() -> None:
    # With so little, no automaton is made at all, or it is forgotten all the time.
    row = _row(b"[a-q][^u-z]{13}x", most=20_000)
    text = b"abcdefghijklmnopqrstuvwxyz" * 200
    assert [list(row.met(text)), list(row.met(text + b"a123456789abcdx"))] == [list(_row(b"[a-q][^u-z]{13}x").met(text)), [0]]


def test_a_row_of_patterns_that_nobody_can_read_is_refused() -> None:
    with pytest.raises(re2.error):
        _row(b"a(")
