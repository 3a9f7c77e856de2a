"""The walk: every text once, with a pointer that leads back to it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Part
from doorward.inspection.walk import DEEPEST, WalkError, escape, leaves, pointer, steps

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def at(value: object, text: str) -> object:
    for step in steps(text):
        value = value[int(step)] if isinstance(value, list) else value[step]  # type: ignore[index]
    return value


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for child in value for text in texts(child)]
    if isinstance(value, dict):
        return [text for key, child in value.items() for text in (key, *texts(child))]
    return []


@given(JSON)
def test_every_text_is_seen_once_in_order_and_found_again_by_its_pointer(value: object) -> None:
    found = leaves(value)
    assert [text for _, text, _ in found] == texts(value)
    for path, text, part in found:
        there = pointer(path)
        assert (at(value, there) if part is Part.VALUE else steps(there)[-1]) == text


def test_pointers_are_as_in_rfc_6901() -> None:
    found = [(pointer(path), text, part) for path, text, part in leaves({"a/b": [{"m~n": "x"}, 1], "": "y"})]
    assert found == [
        ("/a~1b", "a/b", Part.KEY),
        ("/a~1b/0/m~0n", "m~n", Part.KEY),
        ("/a~1b/0/m~0n", "x", Part.VALUE),
        ("/", "", Part.KEY),
        ("/", "y", Part.VALUE),
    ]


@given(st.lists(st.text()))
def test_steps_undo_a_pointer(names: list[str]) -> None:
    assert steps("".join(map(escape, names))) == tuple(names)


def test_numbers_of_every_kind_are_passed_over() -> None:
    assert leaves([1, 1.5, Decimal("1E400"), True, None, 10**40]) == ()


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_a_value_as_deep_as_allowed_is_walked_and_a_deeper_one_refused() -> None:
    assert len(leaves(nested(DEEPEST))) == 1
    with pytest.raises(WalkError):
        leaves(nested(DEEPEST + 1))


@pytest.mark.parametrize("value", [object(), {"a": b"x"}, [{1, 2}]], ids=["an object", "bytes", "a set"])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(WalkError):
        leaves(value)


def test_what_is_no_pointer_is_refused() -> None:
    with pytest.raises(WalkError):
        steps("a/b")
