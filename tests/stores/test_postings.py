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


GROUPS = st.lists(st.lists(st.integers(0, 5), max_size=3).map(tuple), max_size=2, unique=True)


@given(st.lists(st.tuples(GROUPS, st.lists(st.integers(0, 5), max_size=3)), max_size=40), st.sets(st.integers(0, 6), max_size=3))
def test_the_tail_knows_which_leaves_have_all_terms(leaves: list[tuple[list[tuple[int, ...]], list[int]]], asked: set[int]) -> None:
    tail = Tail(2 * SEGMENT)
    for groups, own in leaves:
        tail.add(groups, own)
    found = [{term for group in groups for term in group}.union(own) for groups, own in leaves]
    assert list(descending(tail.bits(sorted(asked)))) == [place for place in reversed(range(len(found))) if asked <= found[place]]
    terms = sorted({term for every in found for term in every})
    assert tail.rows() == [(term, packed([place for place, every in enumerate(found) if term in every])) for term in terms]
