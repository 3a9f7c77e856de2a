"""Paths of files, read as POSIX does but for links: absolute, without `.`, `..` and repeated slashes, and which root they lie under.

Purely lexical: nothing is looked up on any disk, so a symbolic link below a root leads where it leads.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from doorward.policy.facts.kind import UnderivedError, distinct, text
from doorward.policy.facts.percent import deep
from doorward.policy.facts.segments import without_dots
from doorward.policy.shapes import Field, Fields, Many, Shape, Text

LONGEST = 4_096
"""Characters of a path (PATH_MAX of Linux, in bytes)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u1680\u180e\u200b\u2028\u2029\u2060-\u2064\ufeff]")
"""Controls, and what cannot be seen and is stripped off or skipped by some readers."""
_ELSEWHERE = re.compile(r"[~$]|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:/|file:", re.IGNORECASE)
"""A home directory, a variable, a drive, a URL: what some servers expand, and what would be a plain name to us."""


class Path(msgspec.Struct, frozen=True):
    """A path made plain, and the name of its root."""

    base: str | None
    """Absolute and plain; None where relative paths cannot be read."""
    roots: Mapping[str, str]
    """Absolute and plain, by name. Of two that both hold a path the deeper one is meant."""
    word: str = "path"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text."""
        return (Text,)

    @property
    def options(self) -> tuple[object, ...]:
        """Base and roots."""
        return (self.base, sorted(self.roots.items()))

    @property
    def shape(self) -> Shape:
        """Of one path; `root` is empty outside of all roots."""
        return Fields({"path": Field(Text(), required=True), "root": Field(Text(), required=True)}, {})

    @property
    def shape_of_many(self) -> Shape:
        """Of a list of paths; `roots` holds an empty text if any of them lies outside."""
        return Fields({"paths": Field(Many(Text()), required=True), "roots": Field(Many(Text()), required=True)}, {})

    def one(self, value: object) -> dict[str, object]:
        """The plain path and its root."""
        path = self._plain(text(value, LONGEST))
        return {"path": path, "root": self._root(path)}

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """The plain paths and their roots."""
        paths = [self._plain(text(value, LONGEST)) for value in values]
        return {"paths": distinct(list(paths)), "roots": distinct([self._root(path) for path in paths])}

    def _plain(self, path: str) -> str:
        if not path:
            raise UnderivedError("it is empty")
        if _CONTROL.search(path) or "\\" in path:
            raise UnderivedError("it holds a control character, one that cannot be seen, or a backslash")
        if path != path.strip():
            raise UnderivedError("it begins or ends in a blank")
        if _ELSEWHERE.match(path):
            raise UnderivedError("it begins with a home directory, a variable, a drive or a scheme")
        deep(path)
        if not path.startswith("/"):
            if self.base is None:
                raise UnderivedError("it is relative, and no base is declared")
            path = f"{self.base}/{path}"
        return without_dots(path).rstrip("/") or "/"

    def _root(self, path: str) -> str:
        inside = [(len(root), name) for name, root in self.roots.items() if is_inside(path, root)]
        return max(inside)[1] if inside else ""


def is_inside(path: str, root: str) -> bool:
    """Whether a plain path is a plain directory or lies below it."""
    return path == root or path.startswith(root.rstrip("/") + "/")
