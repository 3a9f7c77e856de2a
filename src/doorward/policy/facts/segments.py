"""Dot segments (RFC 3986 §5.2.4), and segments that some reader takes for one."""

import re

from doorward.policy.facts.kind import UnderivedError

_LIKE_DOTS = re.compile(r"[. ?]*(?:;.*)?", re.DOTALL)
"""`...`, `.. `, `.?` and `..;x`: some systems drop final dots and blanks, some servers what follows a semicolon."""


def dotted(path: str) -> list[str]:
    """The segments of a path that are a dot segment to anybody."""
    return [segment for segment in path.split("/") if segment and _LIKE_DOTS.fullmatch(segment)]


def without_dots(path: str) -> str:
    """A path with `.` and `..` resolved and slashes not repeated; what is above the root is the root.

    It keeps whether it begins and ends with a slash. Raises `UnderivedError` for a segment that is a dot segment to some and a name to others.
    """
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(_plain(segment))
    start = "/" if path.startswith("/") else ""
    end = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return start + "/".join(kept) + end


def _plain(segment: str) -> str:
    if _LIKE_DOTS.fullmatch(segment):
        raise UnderivedError("a part of its path is made of dots, blanks or what follows a semicolon")
    return segment
