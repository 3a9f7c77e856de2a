"""Sieves: what may match, and that nothing is ever let by for want of memory."""

import pytest
import re2

from doorward.wire.sieve import Sieve, told


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
