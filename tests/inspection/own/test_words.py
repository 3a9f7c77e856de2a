"""Words of dictionaries, few and many."""

import pytest

from doorward.domain.findings import Severity
from doorward.inspection.own.words import Words


def found(words: list[str], text: str, **more: str) -> list[str]:
    flat = text.encode()
    return [flat[hit.start : hit.end].decode() for hit in Words("dictionary_x", Severity.HIGH, words, **more).hits(flat)]


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        (["Bluebird"], "the BLUEBIRD and bluebirds", ["BLUEBIRD"]),
        (["Project  Blue Bird"], "project blue   bird", ["project blue   bird"]),
        (["art", "artist"], "an artist, art", ["artist", "art"]),
        (["part one", "one two"], "part one two", ["part one"]),
        (["one two"], "done two, one two", ["one two"]),
        (["Ärger"], "ärger ÄRGER verärgert", ["ärger", "ÄRGER"]),
        (['say "x"'], "say   x  ", ["say   x  "]),
        (["a.b+c"], "a.b+c axbbc", ["a.b+c"]),
        ([""], "nothing", []),
    ],
)
def test_words_are_found_as_words_of_their_own(words: list[str], text: str, expected: list[str]) -> None:
    assert found(words, text) == expected


def test_case_and_place_count_if_they_are_asked_to() -> None:
    assert found(["Bird"], "bird Bird", case="keep") == ["Bird"]
    assert found(["bird"], "blueBirds", match="anywhere") == ["Bird"]


def test_tens_of_thousands_of_words_are_looked_for_at_once() -> None:
    words = [f"codename{number}" for number in range(20_000)]
    assert found(words, "it is codename19999, not codename20001") == ["codename19999"]
