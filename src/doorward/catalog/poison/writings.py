"""Text in another writing inside a text: base64, hex, character references, percent and backslash escapes, read."""

import binascii
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote

import re2

from doorward.domain.entities import unescaped

MOST: Final = 64
"""Readings of one text that are given each by itself; what is beyond is given as one."""

_RUNS: Final = (
    (re2.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}"), "base64"),
    (re2.compile(r"(?:[0-9A-Fa-f]{2}[ :,]?){12,}"), "hex"),
    (re2.compile(r"(?:&#?[xX]?[0-9A-Za-z]{1,8};[ ]?){4,}"), "character references"),
    (re2.compile(r"(?:[A-Za-z0-9.,+-]{0,4}%[0-9A-Fa-f]{2}){4,}[A-Za-z0-9.,+-]*"), "percent escapes"),
    (re2.compile(r"(?:\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}){4,}"), "backslash escapes"),
)
_GATE = re2.compile(r"[A-Za-z0-9+/_-]{20}|(?:[0-9A-Fa-f]{2}[ :,]?){12}|&#?[0-9A-Za-z]+;|%[0-9A-Fa-f]{2}|\\[ux][0-9A-Fa-f]{2}")
_PROSE = re2.compile(r"\pL{2,}(?:[ ,.;:'\n-]+\pL{2,}){3}")


def readings(text: str) -> Iterator[tuple[str, str]]:
    """What stands in a text in another writing: the name of the writing, and what it says. Only what says something is given."""
    if _GATE.search(text) is None:
        return
    every = _every(text)
    yield from islice(every, MOST)
    rest = list(every)
    if rest:
        yield rest[-1][0], "\n".join(said for _, said in rest)


def _every(text: str) -> Iterator[tuple[str, str]]:
    for writing, run in ((writing, found.group()) for pattern, writing in _RUNS for found in pattern.finditer(text)):
        said = _READ[writing](run)
        if said is not None and said != run and _is_text(said):
            yield writing, said


def is_prose(text: str) -> bool:
    """Whether a text has words that follow each other, as sentences have."""
    return _PROSE.search(text) is not None


def _is_text(said: str) -> bool:
    return len(said) >= 4 and sum(letter.isalpha() or letter.isspace() for letter in said) * 10 >= len(said) * 7


def _base64(run: str) -> str | None:
    padded = run.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    return _decoded(
        lambda: binascii.a2b_base64(padded[: len(padded) // 4 * 4 if len(padded) % 4 == 1 else None] + "=" * (-len(padded) % 4))
    )


def _hex(run: str) -> str | None:
    digits = "".join(letter for letter in run if letter not in " :,")
    return _decoded(lambda: binascii.unhexlify(digits[: len(digits) // 2 * 2]))


def _backslashes(run: str) -> str | None:
    codes = run.replace("\\u", " ").replace("\\x", " ").split()
    return "".join(chr(int(code, 16)) for code in codes)


def _decoded(read: Callable[[], bytes]) -> str | None:
    try:
        text = read().decode()
    except (ValueError, UnicodeDecodeError):
        return None
    return text if "".join(text.split()).isprintable() else None


_READ: Final = {
    "base64": _base64,
    "hex": _hex,
    "character references": unescaped,
    "percent escapes": unquote,
    "backslash escapes": _backslashes,
}
