"""Patterns and lists: the whole of a text, letter by letter."""

import pytest

from doorward.policy.facts.truths import Match, Member
from tests.policy.facts.deriving import derived


@pytest.mark.parametrize(
    ("value", "matches"),
    [("INV-17", True), ("INV-", False), ("xINV-17", False), ("INV-17\n", False), ("INV-17\nrm -rf", False), (17, None)],
)
def test_a_pattern_has_to_match_the_whole_text(value: object, matches: bool | None) -> None:
    assert derived(Match("INV-[0-9]+"), value) is matches


def test_of_a_list_all_or_any_match() -> None:
    assert Match("[a-z]+").many(["a", "1"]) == {"all": False, "any": True}
    assert Member(frozenset({"a", "b"})).many(["a", "b"]) == {"all": True, "any": True}
    assert Member(frozenset({"a"})).many([]) == {"all": True, "any": False}


@pytest.mark.parametrize(
    ("value", "is_in"), [("ann", True), ("Ann", False), (7, True), ("7", True), (8, False), (True, None), (1.5, None), (None, None)]
)
def test_a_member_is_in_the_list_letter_by_letter(value: object, is_in: bool | None) -> None:
    assert derived(Member(frozenset({"ann", "7", "True"})), value) is is_in


def test_lists_are_told_apart_by_what_is_in_them() -> None:
    assert Member(frozenset({"a", "b"})).options == Member(frozenset({"b", "a"})).options
    assert Member(frozenset({"a", "b"})).options != Member(frozenset({"ab"})).options
