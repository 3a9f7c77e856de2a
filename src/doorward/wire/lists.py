"""Lists in pages (MCP, utilities/pagination): a page begins after a key, so that what comes and goes meanwhile shifts nothing.

The four lists are sorted by key, which makes their merge the same for everybody; a cursor is a key, sealed by `sealed`.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")

FIELDS: Final[Mapping[str, str]] = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
"""Under which field of its result each list stands."""


def page(items: Sequence[Item], after: str | None, size: int, key: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
    """The items after a key (None: from the start), at most `size`, and the key to go on after; None at the end.

    `items` are sorted by `key`, and no two share one.
    """
    start = 0 if after is None else bisect_right(items, after, key=key)
    shown = items[start : start + size]
    return shown, key(shown[-1]) if start + size < len(items) else None
