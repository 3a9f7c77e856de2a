"""Every text of a definition with its place: values and keys alike, and lists of words read as one text."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from doorward.catalog.text import visible
from doorward.domain.findings import Part

MOST: Final = 20_000
"""Texts of one definition that are looked at: a definition of the largest size with words in it has fewer."""

LIST_CHARACTERS: Final = 4_000
"""Of a list of words that is read as one text."""


class Place(msgspec.Struct, frozen=True):
    """One text and where it stands."""

    path: tuple[str, ...]
    text: str
    part: Part = Part.VALUE
    is_joined: bool = False
    """A list of words read as one text: its words stand in places of their own, too."""

    @property
    def pointer(self) -> str:
        """As RFC 6901 writes it, fit to be shown."""
        return pointer(self.path)


def pointer(path: tuple[str, ...]) -> str:
    """A path as RFC 6901 writes it, fit to be shown."""
    return visible("".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)).replace("\n", "⟨U+000A⟩")


def places(body: object) -> Iterator[Place]:
    """Every key and every text in a JSON value, at most `MOST`, and each list of texts as one more."""
    stack: list[tuple[tuple[str, ...], object]] = [((), body)]
    seen = 0
    while stack and seen < MOST:
        path, node = stack.pop()
        match node:
            case str():
                seen += 1
                yield Place(path, node)
            case Mapping():
                seen += len(node)
                yield from (Place((*path, key), key, Part.KEY) for key in node)
                stack.extend(((*path, key), value) for key, value in node.items())
            case list():
                yield from _joined(path, node)
                stack.extend(((*path, str(index)), value) for index, value in enumerate(node))
            case _:
                pass


def _joined(path: tuple[str, ...], items: list[object]) -> Iterator[Place]:
    """A list of words as one text: a sentence may be cut into the values of an `enum`."""
    words = [item for item in items if isinstance(item, str)]
    if len(words) > 1:
        yield Place(path, " ".join(words)[:LIST_CHARACTERS], is_joined=True)
