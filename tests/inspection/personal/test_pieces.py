"""The search for personal data in pieces: the same is found wherever in a long text it stands."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from doorward.inspection.personal.every import RULES
from doorward.inspection.personal.search import PIECE_BYTES, Search, _apart, _compiled, _found
from doorward.inspection.places import Hit

_SEARCH = Search(RULES)
_SAMPLES = (
    "SSN 536-90-4399.",
    "pay with 4111 1111 1111 1111 please",
    "write to somebody.else@mail.test now",
    "born on " + "…" * 30 + " 31.01.1970",
    "call: " + "-" * 38 + "(212) 555 0143 ext. 12",
    "IBAN DE89 3704 0044 0532 0130 00",
    "version 10.11.12.13 and 192.0.2.7",
    "2001:db8:0:0:0:0:2:1",
    "0x52908400098527886E0F7030069857D2E4169EE7",
)


def shifted(hits: Sequence[Hit], by: int) -> list[Hit]:
    return [Hit(hit.rule, hit.severity, hit.start + by, hit.end + by) for hit in hits]


@pytest.mark.parametrize("sample", _SAMPLES)
@pytest.mark.parametrize("border", [PIECE_BYTES, 3 * PIECE_BYTES])
def test_what_stands_across_a_border_of_pieces_is_found_as_anywhere(sample: str, border: int) -> None:
    text = b" " + sample.encode() + b" "
    alone = _SEARCH.hits(text)
    assert alone
    for before in range(len(text)):
        padding = b"\xc3\xa9 . " * (border // 5 + 1)
        padding = padding[: border - before - 1].rjust(border - before, b" ")
        assert _SEARCH.hits(padding + text + b" . " * PIECE_BYTES) == shifted(alone, len(padding))


@given(st.lists(st.tuples(st.sampled_from(_SAMPLES), st.integers(0, 2 * PIECE_BYTES)), min_size=1, max_size=6))
@example([(_SAMPLES[1], PIECE_BYTES), (_SAMPLES[1], 0), (_SAMPLES[0], 2 * PIECE_BYTES)])
@settings(max_examples=60, deadline=None)
def test_each_of_several_is_found_whatever_stands_between(parts: list[tuple[str, int]]) -> None:
    text, expected = b"", list[Hit]()
    for sample, gap in parts:
        # What parts them is longer than the reach of a word.
        text += b" . " * 60 + b" ." * (gap // 2) + b" . " * 60
        expected += shifted(_SEARCH.hits(sample.encode()), len(text))
        text += sample.encode()
    assert _SEARCH.hits(text) == expected


def searched_by_every_rule(text: bytes) -> list[Hit]:
    """What is found where nobody asks first which rules are worth it."""
    each = _compiled(RULES).each
    places = _apart([place for one in each for place in _found(one, text, (0, len(text)))])
    return [Hit(rule.name, rule.severity, start, end) for rule, start, end in places]


_WORDS = (
    "phone ",
    "card",
    " born on ",
    "account number: ",
    "SIN ",
    "passport",
    "Steuer-ID ",
    "routing",
    " - ",
    '","id":',
    ", ",
    "x",
    "é",
    "version ",
)
_NUMBERS = st.text("0123456789-. /+", min_size=1, max_size=24) | st.from_regex(r"[A-Z]{1,5}[0-9]{4,9}[A-Z]{0,2}", fullmatch=True)


@given(st.lists(st.sampled_from(_WORDS) | st.sampled_from(_SAMPLES) | _NUMBERS, max_size=12).map("".join))
@example("call: (212) 555 0143")
@example("born: 31.01.1970 card 4111111111111111")
@settings(max_examples=400, deadline=None)
def test_rules_that_are_not_asked_would_have_found_nothing(text: str) -> None:
    assert list(_SEARCH.hits(text.encode())) == searched_by_every_rule(text.encode())


def test_what_goes_on_for_many_pieces_hides_nothing_behind_it() -> None:
    long = b"a" * (3 * PIECE_BYTES) + b"@" + b"b." * PIECE_BYTES + b"/ SSN 536-90-4399 release 1.2.3.4" + b"." * (2 * PIECE_BYTES)
    text = long + b" me@mail.test "
    assert [(hit.rule, text[hit.start : hit.end]) for hit in _SEARCH.hits(text)] == [("us_ssn", b"536-90-4399"), ("email", b"me@mail.test")]
