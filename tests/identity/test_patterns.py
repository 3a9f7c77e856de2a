"""Patterns of enrolment rules take what they say and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from doorward.identity.patterns import matches

LETTERS = some.text(alphabet="ab/.", max_size=12)
PATTERNS = some.lists(some.text(alphabet="ab/.*", max_size=3), max_size=5).map("".join)


def reference(pattern: str) -> re.Pattern[str]:
    """The same said as a regular expression, which is too slow for what strangers may send."""
    head, star, tail = pattern.rpartition("*")
    inner = r"[^/?#@\\]*".join(map(re.escape, (head if star else pattern).split("*")))
    if not star:
        return re.compile(inner, re.DOTALL)
    last = r".*" if not tail else r"[^/?#@\\]*" + re.escape(tail)
    return re.compile(inner + last, re.DOTALL)


@given(PATTERNS, LETTERS)
def test_it_is_as_the_regular_expression_says(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(reference(pattern).fullmatch(text))


@given(LETTERS)
def test_a_pattern_without_a_star_is_the_text_itself_and_a_star_is_every_text(text: str) -> None:
    assert matches(text, text)
    assert matches("*", text)
    assert not matches(text, text + "a")


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/.example.org/a",
        "https://evil.example?.example.org/a",
        "https://evil.example#.example.org/a",
        "https://evil.example\\.example.org/a",
        "https://user@.example.org/a",
        "https://example.org/a",
        "http://one.example.org/a",
    ],
)
def test_a_host_is_never_widened_by_what_only_looks_like_one(text: str) -> None:
    assert matches("https://*.example.org/*", "https://one.example.org/a/b")
    assert not matches("https://*.example.org/*", text)


def test_a_long_text_of_almost_matches_is_done_with_at_once() -> None:
    assert not matches("*a" * 50 + "b", "a" * 100_000)
