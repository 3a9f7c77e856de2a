"""Which sets of policies have been in force and since when, kept so that an old decision can be asked again, or an old set be taken back."""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import msgspec

from doorward.domain.ids import Digest, Generation
from doorward.policy.rules import Source

KEPT = 1_000
"""Entries that are kept however old they are; what was in force since a given moment is kept besides."""

NONE = Digest("")


class Why(StrEnum):
    """What put a set in force."""

    START = "start"
    RELOAD = "reload"
    ROLLBACK = "rollback"
    UNDO = "undo"
    """Back to the files after a rollback."""


class Entry(msgspec.Struct, frozen=True):
    """One time that a set came into force."""

    number: int
    """Grows with time; the store gives it (0 before)."""
    digest: Digest
    """Of the set: `Policies.digest`."""
    at: float
    """Unix seconds."""
    by: str
    why: Why
    generation: Generation
    policies: int
    """How many rules it has."""
    files: int
    reason: str = ""
    """Why it was rolled back, in the words of whoever did."""
    instead_of: Digest = NONE
    """Of a rollback: what the files said that the set stands instead of (`digest_of`); empty where the files themselves are in force."""


class Kept(msgspec.Struct, frozen=True):
    """An entry with the texts of its set."""

    entry: Entry
    sources: tuple[Source, ...]


class PolicySets(Protocol):
    """Where sets that were in force are kept."""

    def last(self) -> Kept | None:
        """The newest entry, from memory: for the start. None where nothing was ever kept."""
        ...

    async def keep(self, kept: Kept, ended_before: float) -> Entry:
        """Adds an entry under the next number, durable on return.

        Forgets entries beyond the last `KEPT` that were no longer in force at the moment `ended_before`, and texts that no entry has.
        Raises `StoreError`.
        """
        ...

    async def drop(self, number: int) -> None:
        """Takes an entry back whose set did not come into force after all."""
        ...

    async def entries(self, before: int | None, limit: int) -> tuple[Entry, ...]:
        """Entries below a number (None: all), newest first."""
        ...

    async def sources(self, digest: Digest) -> tuple[Source, ...] | None:
        """The files of a set, in the order they were read; None for a set that is not kept (any more)."""
        ...

    async def named(self, beginning: str) -> tuple[Digest, ...]:
        """The digests of kept sets that begin so, each once, at most two: one is who is meant, two are too many."""
        ...


def digest_of(sources: Sequence[Source]) -> Digest:
    """Names what policy files say, whatever is declared beside them: layers, paths and texts, in any order."""
    total = sha256()
    for text in (part for source in sorted((one.team, one.path, one.text) for one in sources) for part in source):
        total.update(sha256(text.encode()).digest())
    return Digest(total.hexdigest())
