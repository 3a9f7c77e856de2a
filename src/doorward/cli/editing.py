"""Arguments with other values in place of some: by JSON pointers (RFC 6901), or from a file. Numbers keep their digits."""

import re
from collections.abc import Sequence
from typing import Any

import click

from doorward.cli.shown import plain
from doorward.domain.reasons import Refused
from doorward.wire.jsonrpc import Limits, parse_object, parse_value

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_END = "-"
"""The place after the last element of a list."""

Arguments = dict[str, object]


def read(text: str) -> Arguments:
    """The arguments that a JSON text holds; a usage error for anything else."""
    try:
        return parse_object(text.encode(), Limits())
    except Refused as refused:
        raise click.UsageError(f"expected one JSON object with all arguments: {plain(refused.detail or refused.public)}") from refused


def put(arguments: Arguments, pairs: Sequence[str]) -> None:
    """Puts a value at each `/pointer=value`: JSON, or else text. A usage error where there is no such place."""
    for pair in pairs:
        pointer, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"expected /POINTER=VALUE, got {plain(pair[:200])}")
        held, last = _place(arguments, pointer)
        if not _put(held, last, _value(text)):
            raise _nowhere(pointer)


def take(arguments: Arguments, pointers: Sequence[str]) -> None:
    """Takes away what is at each pointer; a usage error where there is nothing."""
    for pointer in pointers:
        held, last = _place(arguments, pointer)
        if not _take(held, last):
            raise _nowhere(pointer)


def _place(arguments: Arguments, pointer: str) -> tuple[Any, str]:
    """What holds the place that a pointer names, and the last step to it."""
    if not pointer.startswith("/"):
        raise click.UsageError(f"expected a JSON pointer such as /amount or /to/0, got {plain(pointer[:200])}")
    *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
    held: Any = arguments
    for step in way:
        held = _inside(held, step)
    return held, last


def _nowhere(pointer: str) -> click.UsageError:
    return click.UsageError(f"there is no such place in the arguments: {plain(pointer[:200])}")


def _inside(held: Any, step: str) -> Any:
    match held:
        case dict():
            return held.get(step)
        case list() if _is_of(held, step):
            return held[int(step)]
        case _:
            return None


def _put(held: Any, step: str, value: object) -> bool:
    match held:
        case dict():
            held[step] = value
        case list() if step == _END:
            held.append(value)
        case list() if _is_of(held, step):
            held[int(step)] = value
        case _:
            return False
    return True


def _take(held: Any, step: str) -> bool:
    match held:
        case dict() if step in held:
            del held[step]
        case list() if _is_of(held, step):
            del held[int(step)]
        case _:
            return False
    return True


def _is_of(held: list[object], step: str) -> bool:
    return _INDEX.fullmatch(step) is not None and int(step) < len(held)


def _value(text: str) -> object:
    try:
        return parse_value(text.encode(), Limits())
    except Refused:
        return text
