"""What a person is shown of a call: exactly what it carries, with nothing hidden, reordered or taken for mark-up."""

import json
import re
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.catalog.text import is_visible
from doorward.control.visible import Sign, difference, marked, pretty, spotted
from doorward.wire.canonical import canonical
from doorward.wire.jsonrpc import Limits, parse_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)
HOSTILE = "a<script>alert(1)</script>\u202e\u200b\u0007\u2028\ufeff\U000e0041&quot;'\"\\u202e"
TAG = re.compile(r"</?(?:bdi|mark)>")


@given(VALUES)
def test_what_is_shown_is_json_of_exactly_the_same(value: object) -> None:
    shown = pretty(value)
    assert json.loads(shown) == value
    assert all(is_visible(letter) or letter == "\n" for letter in shown)
    assert parse_object(f'{{"it":{shown}}}'.encode(), Limits()) == parse_object(canonical({"it": value}), Limits())


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_mark_up_is_ours_alone_and_the_text_between_it_is_what_was_shown(text: str) -> None:
    shown = pretty([text])
    html = marked(shown)
    assert unescape(TAG.sub("", html)) == shown
    assert "<" not in TAG.sub("", html)
    assert "<" not in re.sub(r"</?bdi>|<mark>U\+[0-9A-F]{4,6}</mark>", "", spotted(text))


def test_scripts_directions_and_invisible_characters_are_seen_as_what_they_are() -> None:
    html = marked(pretty({"text": HOSTILE}))
    assert html == (
        "{\n  <bdi>&quot;text&quot;</bdi>: <bdi>&quot;a&lt;script&gt;alert(1)&lt;/script&gt;<mark>\\u202e</mark><mark>\\u200b</mark>"
        "<mark>\\u0007</mark><mark>\\u2028</mark><mark>\\ufeff</mark><mark>\\udb40</mark><mark>\\udc41</mark>"
        "&amp;quot;&#x27;\\&quot;\\\\u202e&quot;</bdi>\n}"
    )
    assert spotted("a\u202eb<\n") == "<bdi>a<mark>U+202E</mark>b&lt;<mark>U+000A</mark></bdi>"


def test_marks_that_paint_over_what_is_around_are_taken_apart_and_those_of_a_language_are_not() -> None:
    assert pretty("caf\u00e9 cafe\u0301") == '"caf\u00e9 cafe\u0301"'
    assert pretty("a" + "\u0301" * 9) == '"a' + "\\u0301" * 9 + '"'
    assert pretty("\u0301a") == '"\\u0301a"'
    assert pretty({"שלום": "नमस्ते"}) == '{\n  "שלום": "नमस्ते"\n}'


def test_numbers_keep_their_digits_and_the_order_is_kept() -> None:
    arguments = parse_object(b'{"b":12345678901234567890.123,"a":[1E+2,{}],"c":[]}', Limits())
    assert pretty(arguments) == '{\n  "b": 12345678901234567890.123,\n  "a": [\n    100,\n    {}\n  ],\n  "c": []\n}'


def test_a_difference_shows_what_goes_and_what_comes_and_little_else() -> None:
    before = pretty({"list": list(range(40)), "to": "bob", "z": 1})
    after = pretty({"list": list(range(40)), "to": "<eve>", "z": 1})
    lines = [(line.sign, line.text) for line in difference(before, after)]
    assert lines == [
        (Sign.LEFT_OUT, ""),
        (Sign.SAME, "    38,"),
        (Sign.SAME, "    39"),
        (Sign.SAME, "  ],"),
        (Sign.GONE, "  <bdi>&quot;to&quot;</bdi>: <bdi>&quot;bob&quot;</bdi>,"),
        (Sign.NEW, "  <bdi>&quot;to&quot;</bdi>: <bdi>&quot;&lt;eve&gt;&quot;</bdi>,"),
        (Sign.SAME, "  <bdi>&quot;z&quot;</bdi>: 1"),
        (Sign.SAME, "}"),
    ]


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_what_is_new_and_what_is_gone_is_never_left_out(one: list[str], other: list[str]) -> None:
    before, after = pretty(one), pretty(other)
    lines = difference(before, after)
    for sign, text, wanted in ((Sign.GONE, before, after), (Sign.NEW, after, before)):
        changed = [unescape(TAG.sub("", line.text)) for line in lines if line.sign is sign]
        assert sorted(set(text.split("\n")) - set(wanted.split("\n"))) == sorted(set(changed) - set(wanted.split("\n")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (list(range(30_000)), list(range(30_000, 60_000))),
        ([0] * 20_000, [0, 1] * 10_000),
        (["x" * 200_000], ["y" * 200_000]),
        (["\u202e" * 60_000], []),
        ([["a\u0301" * 50_000]], []),
    ],
)
def test_a_large_call_is_shown_whole_in_little_time(one: object, other: object) -> None:
    began = time.process_time()
    lines = difference(pretty(one), pretty(other))
    html = marked(pretty(one))
    assert unescape(TAG.sub("", html)) == pretty(one)
    assert lines
    assert time.process_time() - began < 5
