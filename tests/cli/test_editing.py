"""Arguments edited by pointers and files."""

from decimal import Decimal

import click
import pytest

from doorward.cli import editing


def test_values_are_put_as_json_or_else_as_text() -> None:
    arguments = editing.read('{"amount": 10.50, "to": ["ann"], "deep": {"a/b": {"~": 1}}}')
    editing.put(arguments, ["/amount=9.90", "/to/0=bob", "/to/-=x=y", "/deep/a~1b/~0=true", "/new={}"])
    assert arguments == {"amount": Decimal("9.90"), "to": ["bob", "x=y"], "deep": {"a/b": {"~": True}}, "new": {}}


def test_what_is_taken_is_gone() -> None:
    arguments = editing.read('{"amount": 1, "to": ["ann", "bob"]}')
    editing.take(arguments, ["/amount", "/to/0"])
    assert arguments == {"to": ["bob"]}


@pytest.mark.parametrize("pair", ["/amount", "amount=1", "/to/2=x", "/to/01=x", "/none/a=1", "/amount/a=1", "=1"])
def test_a_value_goes_nowhere_else(pair: str) -> None:
    with pytest.raises(click.UsageError):
        editing.put(editing.read('{"amount": 1, "to": ["ann", "bob"]}'), [pair])


@pytest.mark.parametrize("pointer", ["/none", "/to/2", "/to/-", "amount", "/amount/a", "/none/a"])
def test_what_is_not_there_cannot_be_taken(pointer: str) -> None:
    with pytest.raises(click.UsageError):
        editing.take(editing.read('{"amount": 1, "to": ["ann", "bob"]}'), [pointer])


@pytest.mark.parametrize("text", ["", "[]", '"a"', '{"a": 1, "a": 2}', '{"a": NaN}'])
def test_a_file_holds_one_strict_object(text: str) -> None:
    with pytest.raises(click.UsageError):
        editing.read(text)
