"""A bounded memory of results: the oldest entry goes when it is full. What it holds could be computed again at any time."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """At most `most` results by key."""

    __slots__ = ("_entries", "_most", "get")

    def __init__(self, most: int) -> None:
        self._entries: dict[K, V] = {}
        self._most = most
        self.get = self._entries.get

    def __contains__(self, key: K) -> bool:
        """Whether there is a result."""
        return key in self._entries

    def put(self, key: K, value: V) -> V:
        """Keeps a result, and gives it back."""
        if len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = value
        return value
