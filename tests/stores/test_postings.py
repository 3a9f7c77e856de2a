"""Postings: whatever places are put in come out again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.stores.sqlite.postings import SEGMENT, Tail, descending, packed, unpacked, within

PLACES = st.sets(st.integers(0, SEGMENT - 1), max_size=60)


@given(PLACES)
def test_few_places_are_given_back_greatest_first(places: set[int]) -> None:
    assert list(descending(unpacked(packed(sorted(places))))) == sorted(places, reverse=True)


@pytest.mark.parametrize("count", [0, 1, 1022, 1023, 1024, 1025, SEGMENT - 1, SEGMENT])
def test_however_many_places_there_are_they_take_at_most_a_bit_for_each_leaf(count: int) -> None:
    places = range(SEGMENT - count, SEGMENT)
    stored = packed(places)
    assert len(stored) <= SEGMENT // 8
    assert list(descending(unpacked(stored))) == list(reversed(places))


@given(PLACES, st.integers(-9, SEGMENT + 9), st.integers(-9, SEGMENT + 9))
def test_a_part_has_the_places_of_its_range(places: set[int], first: int, stop: int) -> None:
    found = descending(within(unpacked(packed(sorted(places))), first, stop))
    assert list(found) == [place for place in sorted(places, reverse=True) if first <= place < stop]


@given(st.lists(st.sets(st.integers(0, 5), max_size=4), max_size=40), st.sets(st.integers(0, 6), max_size=3))
def test_the_tail_knows_which_leaves_have_all_terms(leaves: list[set[int]], asked: set[int]) -> None:
    tail = Tail(2 * SEGMENT)
    for terms in leaves:
        tail.add(terms)
    assert list(descending(tail.bits(sorted(asked)))) == [place for place in reversed(range(len(leaves))) if asked <= leaves[place]]
    assert {term: unpacked(places) for term, places in tail.rows()} == {term: tail.bits([term]) for terms in leaves for term in terms}
