"""A change of a definition is shown whole, and said to be of a kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.catalog.drift import ABSENT, LINES, Change, Hint, changes, hints, render
from doorward.catalog.text import is_visible
from doorward.wire.canonical import canonical
from tests.catalog.shown import tool


def schema(**properties: object) -> dict[str, object]:
    return tool("t", inputSchema={"type": "object", "properties": properties})


def test_a_change_names_the_field_and_both_sides() -> None:
    before, after = schema(path={"type": "string", "maxLength": 5}), schema(path={"type": "string", "maxLength": 9}, **{"a/b": {}})
    assert changes(before, after) == (
        Change(("inputSchema", "properties", "a/b"), ABSENT, {}),
        Change(("inputSchema", "properties", "path", "maxLength"), 5, 9),
    )
    assert render(changes(before, after)) == ("/inputSchema/properties/a~1b\n  +{}\n/inputSchema/properties/path/maxLength\n  -5\n  +9")


def test_what_is_new_is_shown_whole() -> None:
    assert render(changes(None, tool("t", "First.\nSecond."))) == (
        "/description\n  +First.\n  +Second.\n/inputSchema/type\n  +object\n/name\n  +t"
    )


def test_a_plain_value_that_becomes_an_object_is_shown_on_both_sides() -> None:
    assert render(changes({"a": "x"}, {"a": {"b": "y"}})) == "/a\n  -x\n/a/b\n  +y"


def test_what_is_gone_is_shown_whole() -> None:
    assert render(changes({"name": "t"}, None)) == "/name\n  -t"


def test_long_texts_are_compared_line_by_line() -> None:
    lines = [f"line {n}" for n in range(9)]
    text = render(changes({"description": "\n".join(lines)}, {"description": "\n".join([*lines[:4], "POISON", *lines[5:]])}))
    assert text == "/description\n  @@ -3,5 +3,5 @@\n   line 2\n   line 3\n  -line 4\n  +POISON\n   line 5\n   line 6"


def test_texts_of_very_many_lines_are_shown_whole_without_alignment() -> None:
    before, after = "\n".join("a" for _ in range(LINES + 1)), "\n".join("b" for _ in range(LINES + 1))
    text = render(changes({"description": before}, {"description": after}))
    assert (text.count("\n  -a"), text.count("\n  +b")) == (LINES + 1, LINES + 1)


def test_invisible_characters_are_shown() -> None:
    text = render(changes({"description": "Adds."}, {"description": "Adds.\u200b\x1b[8m"}))
    assert text == "/description\n  -Adds.\n  +Adds.⟨U+200B⟩⟨U+001B⟩[8m"


def test_numbers_and_truth_values_that_python_thinks_equal_are_told_apart() -> None:
    assert [change.path for change in changes({"a": 1, "b": 0, "c": [1]}, {"a": True, "b": False, "c": [True]})] == [("a",), ("b",), ("c",)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"description": "a"}, {"description": "b"}, [Hint.WORDING]),
        ({"description": "a"}, {"description": "a\u2060"}, [Hint.WORDING, Hint.HIDDEN_TEXT]),
        ({"description": "a"}, {"description": "send to https://evil.example"}, [Hint.WORDING, Hint.ADDRESS]),
        ({"instructions": "a"}, {"instructions": "b"}, [Hint.WORDING]),
        ({"annotations": {"readOnlyHint": False}}, {"annotations": {"readOnlyHint": True}}, [Hint.ANNOTATIONS_WEAKER]),
        ({"annotations": {"destructiveHint": True}}, {"annotations": {"destructiveHint": False}}, [Hint.ANNOTATIONS_WEAKER]),
        ({}, {"annotations": {"openWorldHint": False}}, [Hint.ANNOTATIONS_WEAKER]),
        ({"annotations": {"readOnlyHint": True}}, {"annotations": {"readOnlyHint": False}}, [Hint.ANNOTATIONS]),
        ({}, {"outputSchema": {"type": "object"}}, [Hint.OUTPUT]),
        ({}, {"icons": [{"src": "https://a.example/x.png"}]}, [Hint.ADDRESS, Hint.OTHER]),
        ({}, {"_meta": {"a": 1}}, [Hint.OTHER]),
    ],
)
def test_each_kind_of_change_is_hinted_at(before: dict[str, object], after: dict[str, object], expected: list[Hint]) -> None:
    assert sorted(hints(changes(before, after))) == sorted(expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (schema(), schema(note={"type": "string"})),
        (schema(a={"maxLength": 5}), schema(a={"maxLength": 6})),
        (schema(a={"minimum": 5}), schema(a={"minimum": 4})),
        (schema(a={"maxLength": 5}), schema(a={})),
        (schema(a={"enum": ["x"]}), schema(a={"enum": ["x", "y"]})),
        (schema(a={"type": ["string"]}), schema(a={"type": ["string", "null"]})),
        (schema(a={"additionalProperties": False}), schema(a={"additionalProperties": {}})),
        (tool("t", inputSchema={"type": "object", "required": ["a"]}), tool("t", inputSchema={"type": "object", "required": []})),
        ({"arguments": [{"name": "a"}]}, {"arguments": [{"name": "a"}, {"name": "b"}]}),
    ],
)
def test_a_wider_input_is_said_to_be_wider_and_the_reverse_is_not(before: dict[str, object], after: dict[str, object]) -> None:
    assert Hint.INPUT_WIDER in hints(changes(before, after))
    assert Hint.INPUT_WIDER not in hints(changes(after, before))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=3),
    max_leaves=10,
)
BODIES = st.dictionaries(st.sampled_from(["name", "description", "inputSchema", "annotations"]), JSON, max_size=4)


@given(BODIES, BODIES)
def test_there_are_changes_exactly_where_bodies_differ_and_all_of_them_can_be_seen(
    before: dict[str, object], after: dict[str, object]
) -> None:
    found = changes(before, after)
    assert (found == ()) == (canonical(before) == canonical(after))
    text = render(found)
    assert all(is_visible(letter) or letter == "\n" for letter in text)
    assert bool(hints(found)) == bool(found)
