"""JSON with comments and trailing commas is read; what is ambiguous is refused at its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.jsonc import BYTES, parse
from doorward.config.problems import ConfigError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def test_comments_and_trailing_commas_are_blanks() -> None:
    text = '\ufeff{ // one\n "a": "x // no, /* comment */ ,]", /* two\n lines */ "b": [1, 2, /* three */ ], // four\n}'
    assert parse(text) == {"a": "x // no, /* comment */ ,]", "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n "a" 1}', "2:6: this is not JSON: expecting ':' delimiter"),
        ("/* c\n */ x", "2:5: this is not JSON: expecting value"),
        ("[1,,]", "1:5: this is not JSON: expecting value"),
        ('{"a": 1, "a": 2}', "1:1: an object has a key twice"),
        ("[NaN]", "1:1: NaN is not JSON"),
        pytest.param("[" * 100_000, "1:1: this JSON is nested too deeply", id="deep"),
        ('"\\ud800"', "1:1: a text holds half a character (a lone surrogate)"),
        pytest.param(" " * (BYTES + 1), f"1:1: expected at most {BYTES} characters", id="big"),
    ],
)
def test_what_is_no_json_is_refused_at_its_place(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(text)
    assert raised.value.lines == (line,)


@given(JSON)
def test_plain_json_reads_as_json(value: object) -> None:
    assert parse(json.dumps(value, indent=1)) == value
    assert parse(json.dumps(value, ensure_ascii=False)) == value
