"""Plain values as YAML 1.2 that reads back as the same values; block style, texts quoted unless they cannot be mistaken."""

import re
from collections.abc import Iterator, Mapping, Sequence

from doorward.config.tree import resolve

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"] | None

BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*")
"""Texts that need no quotes (if they are no word such as `true`)."""

OLD_WORDS = frozenset("y n yes no on off".split())
"""Truth values of YAML 1.1, quoted for readers that still take them for such."""

ESCAPED = re.compile(r'["\\]|[^\x20-\x7e\xa1-\u167f\u1681-\u1fff\u2070-\u2fff\u3001-\ud7ff\uf900-\ufefe\uff00-\uffef]')
"""What is written as an escape: quotes, controls, and all that cannot be seen or read apart (beyond the first plane wholly)."""


def emit(value: Mapping[str, Value]) -> str:
    """The lines of a mapping."""
    return "".join(f"{line}\n" for line in _fields(value, ""))


def scalar(value: Value) -> str:
    """A text, number or word on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            is_plain = BARE.fullmatch(value) and resolve(value) == value and value.lower() not in OLD_WORDS
            return value if is_plain else f'"{ESCAPED.sub(_escape, value)}"'
        case _:
            return str(value)


def _fields(value: Mapping[str, Value], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        head = f"{indent}{scalar(key)}:"
        match inner:
            case Mapping() if inner:
                yield head
                yield from _fields(inner, f"{indent}  ")
            case Mapping():
                yield f"{head} {{}}"
            case str() | int() | float() | None:
                yield f"{head} {scalar(inner)}"
            case _:
                yield f"{head} [{', '.join(scalar(item) for item in inner)}]"


def _escape(match: re.Match[str]) -> str:
    letter = match[0]
    if letter in '"\\':
        return f"\\{letter}"
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
