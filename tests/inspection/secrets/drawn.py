"""Texts that a rule's pattern describes, drawn from it: no vendor issued any of them."""

import random
from importlib import import_module
from typing import Any

# The only one who knows what an expression is made of; it has no public name.
op: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

_TEXT = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/-_=. "
_LONGEST = 40
"""Times that what may go on for ever is repeated at most."""


def drawn(pattern: str, seed: int, only: str | None = None) -> tuple[str, str]:
    """A text that the pattern matches, and the secret in it; with `only`, every character that has a choice is this one if it may be."""
    drawing = _Drawing(random.Random(seed), only)
    parsed = parser.parse(pattern)
    text = drawing.of(parsed)
    return text, drawing.named.get(parsed.state.groupdict["secret"], "")


class _Drawing:
    def __init__(self, chance: random.Random, only: str | None) -> None:
        self.chance = chance
        self.only = only
        self.named: dict[int, str] = {}

    def of(self, parsed: Any) -> str:
        return "".join(self._one(kind, value) for kind, value in parsed)

    def _one(self, kind: Any, value: Any) -> str:
        match kind:
            case op.LITERAL:
                return chr(value)
            case op.IN:
                return self._of_class(value)
            case op.NOT_LITERAL:
                return self._chosen([c for c in _TEXT if c != chr(value)])
            case op.BRANCH:
                return self.of(self.chance.choice(value[1]))
            case op.SUBPATTERN:
                text = self.of(value[3])
                if value[0] is not None:
                    self.named[value[0]] = text
                return text
            case op.MAX_REPEAT | op.MIN_REPEAT:
                least, most, inner = value
                times = least if most == 1 or least > 1 else self.chance.randint(least, max(least, min(int(most), 3)))
                return "".join(self.of(inner) for _ in range(min(times, max(least, _LONGEST))))
            case op.AT:
                return ""
        raise AssertionError(f"expected what patterns of rules are made of, got {kind}")

    def _of_class(self, items: Any) -> str:
        if items[0][0] is op.NEGATE:
            return self._chosen([c for c in "aB3dE5gH ,;" if not any(_holds(item, c) for item in items[1:])])
        return self._chosen(
            [c for c in _TEXT if any(_holds(item, c) for item in items)] or [chr(value) for kind, value in items if kind is op.LITERAL]
        )

    def _chosen(self, every: list[str]) -> str:
        return self.only if self.only is not None and self.only in every and len(every) > 2 else self.chance.choice(every)


def _holds(item: tuple[Any, Any], character: str) -> bool:
    kind, value = item
    match kind:
        case op.LITERAL:
            return ord(character) == value
        case op.RANGE:
            return bool(value[0] <= ord(character) <= value[1])
        case op.CATEGORY:
            return _of_category(value, character)
    return False


def _of_category(category: Any, character: str) -> bool:
    if category is op.CATEGORY_SPACE:
        return character == " "
    if category is op.CATEGORY_WORD:
        return character.isalnum() or character == "_"
    return (category is op.CATEGORY_DIGIT and character.isdigit()) or (category is op.CATEGORY_NOT_SPACE and character.isalnum())
