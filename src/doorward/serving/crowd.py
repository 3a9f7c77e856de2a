"""Who goes when there are as many connections as there may be: those on which nothing goes on, first of whoever has most of them.

A crowd that says nothing, or says it ever more slowly, thereby keeps nobody out: neither who comes nor who is being answered.
"""

import resource
from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

PART: Final = 16
"""Of those that may go, one in so many does at a time: looking for them costs as much as there are connections."""
RESERVED_FILES: Final = 64
"""File descriptors left for upstreams, the database and logs when connections take all others."""


class Silent(Protocol):
    """A connection, as far as it matters here."""

    @property
    def client(self) -> tuple[str, int] | None:
        """The address and port of the other end."""
        ...

    @property
    def quiet_since(self) -> float:
        """When the last answer ended, or it was made; loop time."""
        ...

    @property
    def is_silent(self) -> bool:
        """Whether no request on it has a whole head, and all that was answered has been taken."""
        ...


C = TypeVar("C", bound=Silent)


def leaving(connections: Iterable[C]) -> list[C]:
    """Those that are to go; none where something goes on everywhere."""
    silent = [one for one in connections if one.is_silent]
    of = Counter(one.client[0] if one.client else "" for one in silent)
    silent.sort(key=lambda one: (-of[one.client[0] if one.client else ""], one.quiet_since))
    return silent[: len(silent) // PART + 1]


def files_for(connections: int, backlog: int) -> int:
    """How many connections the process may have open, once its limit of files is raised as far as these need and it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # All that wait to be accepted may be so at once, before any other has gone.
    wanted = connections + backlog + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - RESERVED_FILES))
