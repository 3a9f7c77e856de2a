"""Every text of a definition has a place."""

from doorward.catalog.poison.places import MOST, Place, places
from doorward.domain.findings import Part


def test_values_and_keys_are_given_and_lists_of_words_once_more_as_one_text() -> None:
    assert set(places({"a/b": ["x", "y", 1], "c": {"d": None}})) == {
        Place(("a/b",), "a/b", Part.KEY),
        Place(("c",), "c", Part.KEY),
        Place(("a/b",), "x y", is_joined=True),
        Place(("a/b", "0"), "x"),
        Place(("a/b", "1"), "y"),
        Place(("c", "d"), "d", Part.KEY),
    }


def test_a_place_is_pointed_at_in_letters_that_can_be_seen() -> None:
    assert Place(("a/b", "c~\u200b"), "").pointer == "/a~1b/c~0⟨U+200B⟩"


def test_not_more_than_so_many_are_looked_at() -> None:
    assert len(list(places(["x"] * (MOST * 2)))) == MOST + 1
