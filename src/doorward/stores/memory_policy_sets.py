"""Sets of policies that were in force, in memory (`PolicySets`)."""

from itertools import pairwise

from msgspec.structs import replace

from doorward.domain.ids import Digest
from doorward.policy.history import KEPT, Entry, Kept
from doorward.policy.rules import Source


class MemoryPolicySets:
    """Every kept set, as long as the process."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._number = 0

    def last(self) -> Kept | None:
        """The newest entry."""
        return self._kept[-1] if self._kept else None

    async def keep(self, kept: Kept, ended_before: float) -> Entry:
        """Adds an entry, and forgets what is old."""
        self._number += 1
        entry = replace(kept.entry, number=self._number)
        self._kept.append(replace(kept, entry=entry))
        old = {
            one.entry.number for one, after in pairwise(self._kept[: max(0, len(self._kept) - KEPT + 1)]) if after.entry.at <= ended_before
        }
        self._kept = [one for one in self._kept if one.entry.number not in old]
        return entry

    async def drop(self, number: int) -> None:
        """Takes an entry back."""
        self._kept = [one for one in self._kept if one.entry.number != number]

    async def entries(self, before: int | None, limit: int) -> tuple[Entry, ...]:
        """Entries, newest first."""
        found = [one.entry for one in reversed(self._kept) if before is None or one.entry.number < before]
        return tuple(found[:limit])

    async def sources(self, digest: Digest) -> tuple[Source, ...] | None:
        """The files of a set."""
        return next((one.sources for one in self._kept if one.entry.digest == digest), None)

    async def named(self, beginning: str) -> tuple[Digest, ...]:
        """Digests that begin so."""
        return tuple(sorted({one.entry.digest for one in self._kept if one.entry.digest.startswith(beginning)})[:2])
