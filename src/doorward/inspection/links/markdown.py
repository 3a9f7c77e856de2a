"""Links and images of Markdown (CommonMark 0.31, section 6), found so that no reader finds more of them.

Brackets are paired by counting, in one pass. Code spans, tags and blocks are not told apart: what a reader would leave alone is found,
too, and where brackets do not fit, a destination counts as an image's if it could be one. References are paired over the whole message,
whose texts a client may show one after the other.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cache

import msgspec
import re2

from doorward.inspection.links.places import MOST, Manner, Place
from doorward.inspection.links.target import of_markup

LONGEST_LABEL = 1_000
"""Characters; CommonMark allows 999."""

_IMAGE = "!["
_OF_MASKS = "withheld:"
"""How masks (`inspection/masks.py`) begin, which nobody else defines as a label."""


class Definition(msgspec.Struct, frozen=True):
    """A link reference definition: what images and links of its label lead to."""

    label: str
    place: Place


class Images(msgspec.Struct):
    """The images of one text: their destinations, and the labels under which others look for a definition."""

    places: list[Place] = msgspec.field(default_factory=list)
    labels: set[str] = msgspec.field(default_factory=set)


def images(text: str) -> Images:
    """Every destination and label that may be an image's."""
    reader = _Reader(text)
    breaks = [_Next(text, "\n\n"), _Next(text, "\n\r\n")]
    at = text.find(_IMAGE)
    while at >= 0:
        at = reader.read(at, min(line.after(at) for line in breaks))
        at = text.find(_IMAGE, at)
    return reader.found


def links(text: str) -> Iterator[Place]:
    """Every destination in parentheses, whoever goes there."""
    for found in _destinations().finditer(text):
        yield _place(text, found.span(1) if found.group(1) is not None else found.span(2), Manner.FOLLOWED)


def definitions(text: str) -> Iterator[Definition]:
    """Every definition that leads away from the page."""
    for found in _definitions().finditer(text):
        opened = text.rfind("[", max(0, found.start() - LONGEST_LABEL), found.start())
        if opened >= 0:
            yield Definition(_label(text, opened + 1, found.start()), _place(text, found.span(1), Manner.FOLLOWED))


def defined(definition: Definition, labels: AbstractSet[str]) -> Place:
    """Where a definition leads: as an image's if images of the message look for its label, or will once a mask stands there."""
    place = definition.place
    is_image = definition.label in labels or definition.label.startswith(_OF_MASKS)
    return Place(place.start, place.end, Manner.IMAGE, place.target) if is_image else place


class _Next:
    """Where a sign stands next; asked from left to right, it looks at the text once."""

    __slots__ = ("_at", "_sign", "_text")

    def __init__(self, text: str, sign: str) -> None:
        self._text = text
        self._sign = sign
        self._at = -1

    def after(self, at: int) -> int:
        """The first place from there on; the end of the text if there is none. An empty line with blanks in it is not seen as one."""
        if self._at < at:
            found = self._text.find(self._sign, at)
            self._at = len(self._text) if found < 0 else found
        return self._at


class _Reader:
    """Pairs the brackets of one text from each image on."""

    __slots__ = ("_depth", "_is_loose", "_levels", "_starts", "_text", "found")

    def __init__(self, text: str) -> None:
        self._text = text
        self.found = Images()
        self._clear()

    def _clear(self) -> None:
        self._depth = 0
        self._levels: list[int] = []
        """The depths at which images are open."""
        self._starts: list[int] = []
        self._is_loose = False
        """An image's brackets closed without a destination: a later one may be its."""

    def read(self, at: int, end: int) -> int:
        """Reads from an image to where none is open any more, or to the end of its paragraph; gives where it stopped."""
        text = self._text
        self._clear()
        image, closing = at, text.find("]", at, end)
        while image >= 0 or closing >= 0:
            if image >= 0 and (closing < 0 or image < closing):
                at = self._open(at, image)
                image = text.find(_IMAGE, at, end)
                continue
            self._close(at, closing)
            at = closing + 1
            if not self._levels and not self._is_loose:
                return at
            closing = text.find("]", at, end)
        return end

    def _open(self, at: int, image: int) -> int:
        self._depth += self._text.count("[", at, image) + 1
        # An escaped exclamation mark (an odd number of backslashes) makes it a link's bracket.
        before = self._text[max(0, image - 64) : image]
        if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
            self._levels.append(self._depth)
            self._starts.append(image + 2)
        return image + 2

    def _close(self, at: int, closing: int) -> None:
        text = self._text
        self._depth += text.count("[", at, closing)
        has_destination = text.startswith("(", closing + 1)
        was_inside = bool(self._levels) or (self._is_loose and self._depth == 0)
        if self._levels and self._levels[-1] >= self._depth and not text.endswith("\\", at, closing):
            self._levels.pop()
            self.found.labels.add(_label(text, self._starts.pop(), closing))
            if text.startswith("[", closing + 1):
                self.found.labels.add(_label(text, closing + 2, text.find("]", closing + 2, closing + LONGEST_LABEL)))
            self._is_loose = self._is_loose or not has_destination
        self._depth = max(self._depth - 1, 0)
        if has_destination and was_inside:
            self._take(closing)

    def _take(self, closing: int) -> None:
        if len(self.found.places) > MOST:
            return
        for most in _LENGTHS:
            found = _destinations().match(self._text[closing : closing + most])
            if found is None:
                return
            if found.end() < most or most == _LENGTHS[-1]:
                start, end = found.span(1) if found.group(1) is not None else found.span(2)
                self.found.places.append(_place(self._text, (closing + start, closing + end), Manner.IMAGE))
                return


_LENGTHS = (256, 8_192)
"""Characters of a destination with what stands before it: of most, and of any."""


def _place(text: str, span: tuple[int, int], manner: Manner) -> Place:
    return Place(*span, manner, of_markup(text[span[0] : span[1]]))


def _label(text: str, start: int, end: int) -> str:
    """Labels are alike whatever their case and blanks."""
    return " ".join(text[start : max(start, min(end, start + LONGEST_LABEL))].split()).casefold()


_ADDRESS = r"(?:[A-Za-z]+:)?//\[[0-9A-Fa-f:.%]*\]"
"""The one thing with brackets in a URL; otherwise a bracket in a destination may as well begin another image."""


@cache
def _destinations() -> "re2._Regexp":
    return re2.compile(rf"\]\(\s*(?:<([^<>\n\[\]]*)|((?:{_ADDRESS})?[^\s<>)\[\]]*))")


@cache
def _definitions() -> "re2._Regexp":
    return re2.compile(rf"\]:\s*<?((?:{_ADDRESS}|[^\s<>\[\]]*:|[/\\]+)[^\s<>\[\]]*)")
