"""Which marks are about a resource: patterns of URIs, matched on every form in which a server may read the same URI. Pure."""

from collections.abc import Mapping
from urllib.parse import unquote

from doorward.config.flow import Marks

ANY = "*"
_MOST_DECODINGS = 3


def fitting(patterns: Mapping[str, Marks], uri: str) -> tuple[Marks, ...]:
    """The marks of the patterns that fit; all of them for a URI that can be read as leading anywhere."""
    written = _readings(uri)
    if written is None:
        return tuple(patterns.values())
    return tuple([marks for pattern, marks in patterns.items() if any(fits(pattern, one) for one in written)])


def fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern in which `*` stands for any text, in letters of either case."""
    first, *others = pattern.casefold().split(ANY)
    text = text.casefold()
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    at = len(first)
    *middle, last = others
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def _readings(uri: str) -> tuple[str, ...] | None:
    """A URI as it is written, and with its percent-encoding read; None where what it leads to depends on who reads it."""
    readings = [uri]
    for _ in range(_MOST_DECODINGS):
        again = unquote(readings[-1])
        if again == readings[-1]:
            break
        readings.append(again)
    else:
        return None
    _, _, path = readings[-1].replace("\\", "/").partition(":")
    if any(part in {".", ".."} for part in path.split("/")) or "//" in path.removeprefix("//"):
        return None
    return (*readings, *map(_plain, readings))


def _plain(uri: str) -> str:
    """A URI of a file as most write it, which may leave out its host or say that it is this one (RFC 8089), and begin on a space."""
    scheme, mark, rest = uri.strip().replace("\\", "/").partition(":")
    if not mark or scheme.casefold() != "file":
        return uri.strip()
    path = rest.removeprefix("//") if rest.startswith("//") else rest
    host, slash, below = path.partition("/")
    return f"file:///{below}" if slash and host.casefold() in {"", "localhost"} else f"file://{path}"
