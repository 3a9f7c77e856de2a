"""Paths and values in the words of a sentence."""

import json
from collections.abc import Mapping, Sequence

from doorward.policy.atoms import Instant, Path, Range

_SHOWN = 8
"""Values of a list that are told."""
_LONGEST = 80


def named(path: Path) -> str:
    """A path in words: an argument by its own name, anything else in full."""
    return ".".join(path.of_input) or str(path)


def shown(value: object) -> str:
    """A value in a sentence: texts in quotes and cut, numbers with their digits."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…", ensure_ascii=False)
        case Instant(text=text) | Range(text=text):
            return text
        case list() | tuple():
            return f"[{listed(value)}]"
        case Mapping():
            return "{…}" if value else "{}"
    return str(value)


def listed(values: Sequence[object]) -> str:
    """Some values, the first few of many."""
    told = ", ".join(shown(value) for value in values[:_SHOWN])
    return told if len(values) <= _SHOWN else f"{told} …"
