"""The one walk over a JSON value: every string in it and every key, in the order of the text, with a JSON pointer (RFC 6901) to each."""

from collections.abc import Mapping
from decimal import Decimal

from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Part

MOST_TEXTS = 200_000
"""Strings and keys of one message; the parser lets 100,000 nodes in, each with a key at most."""

DEEPEST = 80
"""Levels; the parser lets 64 in, and a message wraps what was parsed in a few of its own."""

Path = tuple["Path", str | int] | None
"""The way to a value, last step first: cheap to make for each text, and made a pointer only for a finding."""

Leaf = tuple[Path, str, Part]
"""A text, where it stands, and whether it is a value or a key."""

_PLAIN = (int, float, Decimal, type(None))


class WalkError(DoorwardError):
    """A message that is no JSON value, or too large or deep to be looked at whole."""


def leaves(value: object) -> tuple[Leaf, ...]:
    """Every text in a value; raises `WalkError`."""
    found: list[Leaf] = []
    _walk(value, None, DEEPEST, found)
    return tuple(found)


def pointer(path: Path) -> str:
    """The JSON pointer of a path."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(escape(step))
    return "".join(reversed(steps))


def escape(step: str | int) -> str:
    """One step of a pointer, with its slash."""
    return f"/{step}" if isinstance(step, int) else "/" + step.replace("~", "~0").replace("/", "~1")


def steps(text: str) -> tuple[str, ...]:
    """The steps of a pointer, unescaped; the index of an item as text. Raises `WalkError` for what is no pointer."""
    if text and not text.startswith("/"):
        raise WalkError(f"expected a JSON pointer, got {text[:64]!r}")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def _walk(value: object, path: Path, levels: int, found: list[Leaf]) -> None:
    if isinstance(value, str):
        found.append((path, value, Part.VALUE))
    elif isinstance(value, Mapping):
        _check(levels, found)
        for key, child in value.items():
            here = (path, key)
            found.append((here, key, Part.KEY))
            _walk(child, here, levels - 1, found)
    elif isinstance(value, list | tuple):
        _check(levels, found)
        for index, child in enumerate(value):
            _walk(child, (path, index), levels - 1, found)
    elif not isinstance(value, _PLAIN):
        raise WalkError(f"expected a JSON value, got a {type(value).__name__}")


def _check(levels: int, found: list[Leaf]) -> None:
    if levels < 1:
        raise WalkError(f"expected at most {DEEPEST} levels")
    if len(found) > MOST_TEXTS:
        raise WalkError(f"expected at most {MOST_TEXTS} texts")
