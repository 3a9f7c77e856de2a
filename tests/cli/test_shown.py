"""What is printed never acts on the terminal, and never cuts what must be seen whole."""

import json
from typing import Any

import click
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from doorward.cli.shown import plain, show_json, show_json_text, show_table, show_tree

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def printed(show: Any, *values: object) -> str:
    @click.command()
    def command() -> None:
        show(*values)

    result = CliRunner().invoke(command)
    assert result.exception is None, result.exc_info
    return result.stdout


@given(JSON)
def test_no_value_acts_on_the_terminal(value: object) -> None:
    for show, argument in ((show_tree, value), (show_json_text, json.dumps(value)), (show_json, value)):
        assert all(letter.isprintable() or letter == "\n" for letter in printed(show, argument))


@given(st.text())
def test_no_text_acts_on_the_terminal_or_breaks_a_line(text: str) -> None:
    assert plain(text).isprintable()


@given(JSON)
def test_json_reads_back_as_it_was(value: object) -> None:
    assert json.loads(printed(show_json, value)) == value


def test_a_tree_shows_each_field_and_texts_in_quotes() -> None:
    value = {"to": 'x"\nforged: true', "rows": [{"a": 1}, [], {}], "none": None}
    assert printed(show_tree, value).splitlines() == [
        'to: "x\\"\\nforged: true"',
        "rows:",
        "  -",
        "    a: 1",
        "  - []",
        "  - {}",
        "none: null",
    ]


def test_numbers_are_shown_with_the_digits_they_were_written_with() -> None:
    assert printed(show_json_text, '{"a": 0.10000000000000000555, "b": 1e400, "c": 12345678901234567890123}').splitlines() == [
        "a: 0.10000000000000000555",
        "b: 1e400",
        "c: 12345678901234567890123",
    ]


def test_json_that_was_cut_is_shown_as_it_is() -> None:
    assert printed(show_json_text, '{"a": "\x1b[2J') == '{"a": "⟨U+001B⟩[2J\n'


def test_a_table_aligns_its_columns_and_cuts_long_cells() -> None:
    shown = printed(show_table, ("a", "bb"), [("x" * 200, None), ("y\nz", 1)])
    lines = shown.splitlines()
    assert [len(line) for line in lines] == [104, 100, 103]
    assert lines[1].endswith("…")
    assert lines[2].startswith("y⟨U+000A⟩z ")
