"""Other writings: what stands in a text in base64 and the like, read, so that guards see what a model would read out of it."""

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import re2

from doorward.inspection.walk import Leaf


@dataclass(frozen=True, slots=True)
class Other:
    """A text that stands in another one in another writing: what it says, and from where to where it stands (equal: all of it)."""

    writing: str
    """`base64` and the like."""
    text: str
    start: int
    end: int


_BASE64 = re2.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_BASE64_GATE = re2.compile(rb"[A-Za-z0-9+/_-]{24,}")


def others(flat: bytes, leaves: Callable[[], tuple[Leaf, ...]]) -> Iterator[tuple[Leaf, Other]]:
    """What stands in another writing in the texts of a message; `flat` says whether it is worth walking."""
    if _BASE64_GATE.search(flat) is None:
        return
    for leaf in leaves():
        yield from ((leaf, other) for other in _in(leaf[1]))


def _in(text: str) -> Iterator[Other]:
    for place in _BASE64.finditer(text):
        read = _base64(place.group())
        if read is not None:
            yield Other("base64", read, place.start(), place.end())


def _base64(run: str) -> str | None:
    """What a run says, if it says a text."""
    padded = run.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        text = binascii.a2b_base64(padded + "=" * (-len(padded) % 4)).decode()
    except (ValueError, UnicodeDecodeError):
        return None
    return text if text.replace("\n", " ").isprintable() else None
