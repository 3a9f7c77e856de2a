"""Which set of policies is in force: what the files say, or one that was rolled back to; each that comes into force is kept."""

from collections.abc import Callable

import msgspec

from doorward.domain.ids import Digest
from doorward.domain.receipts import Event, Scalar
from doorward.policy.history import NONE, Entry, Kept, PolicySets, Why, digest_of
from doorward.policy.rules import Source
from doorward.runtime.snapshot import Snapshot

DAY_SECONDS = 86_400
SHOWN = 12
"""Digits of a digest that tell sets apart for people."""


class Choice(msgspec.Struct, frozen=True):
    """The files that decide."""

    sources: tuple[Source, ...]
    instead_of: Digest
    """What the files on disk said when these were rolled back to; empty where these are the files on disk."""


class Cause(msgspec.Struct, frozen=True):
    """What puts a set in force, and who."""

    why: Why
    by: str
    reason: str = ""


class Forgetful:
    """Keeps no set (`PolicySets`): for where nobody will ask."""

    def last(self) -> Kept | None:
        """Nothing."""
        return None

    async def keep(self, kept: Kept, ended_before: float) -> Entry:
        """Keeps nothing."""
        return kept.entry

    async def drop(self, number: int) -> None:
        """Nothing is there to be dropped."""

    async def entries(self, before: int | None, limit: int) -> tuple[Entry, ...]:
        """None."""
        return ()

    async def sources(self, digest: Digest) -> tuple[Source, ...] | None:
        """Of no set."""
        return None

    async def named(self, beginning: str) -> tuple[Digest, ...]:
        """None."""
        return ()


FORGETFUL = Forgetful()


def standing(last: Kept | None, said: Digest) -> Digest:
    """What the files said when a set was rolled back to that still stands instead of them, as they say it now; else empty."""
    return last.entry.instead_of if last is not None and last.entry.instead_of == said else NONE


def chosen(files: tuple[Source, ...], last: Kept | None) -> Choice:
    """What decides where the files say this: the set that was rolled back to while they say what they said then, else they."""
    if last is not None and standing(last, digest_of(files)) != NONE:
        return Choice(last.sources, last.entry.instead_of)
    return Choice(files, NONE)


def rolled_back(last: Kept | None) -> tuple[str, ...]:
    """Says that the files on disk are not in force, where that is so."""
    if last is None or last.entry.instead_of == NONE:
        return ()
    until = "they are again once they change, or after `doorward policy rollback --undo`"
    return (f"policies are rolled back to {last.entry.digest[:SHOWN]}; the files on disk are not in force ({until})",)


def unfit(choice: Choice) -> tuple[str, ...]:
    """What helps where a set that was rolled back to does not fit any more."""
    if choice.instead_of == NONE:
        return ()
    return ("these policies were rolled back to and stand instead of the files on disk; change the files to put those in force",)


def rolled_back_event(before: Snapshot, after: Snapshot, cause: Cause) -> Event:
    """What the log is told before a rollback."""
    fields: dict[str, Scalar] = {
        "generation": after.generation,
        "policies": after.policies.digest,
        "before": before.policies.digest,
        "reason": cause.reason[:500],
    }
    return Event("policies_rolled_back", cause.by, fields)


def loaded_event(snapshot: Snapshot, cause: Cause, told: tuple[str, ...]) -> Event:
    """What the log is told before a document is taken over: `told` says what of it is another."""
    fields: dict[str, Scalar] = {
        "generation": snapshot.generation,
        "config": snapshot.document_digest,
        "policies": snapshot.policies.digest,
        "changes": "; ".join(told)[:2000],
    }
    return Event("policies_rollback_undone" if cause.why is Why.UNDO else "config_loaded", cause.by, fields)


class Chronicle:
    """Writes down which set came into force when."""

    __slots__ = ("_now", "_store")

    def __init__(self, store: PolicySets, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    @property
    def last(self) -> Kept | None:
        """The newest entry."""
        return self._store.last()

    async def sources(self, digest: Digest) -> tuple[Source, ...] | None:
        """The files of a kept set."""
        return await self._store.sources(digest)

    async def keep(self, snapshot: Snapshot, choice: Choice, cause: Cause) -> Entry | None:
        """The new entry for a snapshot's policies, durable; None where they are what was in force before. Raises `StoreError`."""
        policies, last = snapshot.policies, self.last
        if last is not None and (last.entry.digest, last.entry.instead_of) == (policies.digest, choice.instead_of):
            return None
        now = self._now()
        entry = Entry(
            number=0,
            digest=policies.digest,
            at=now,
            by=cause.by,
            why=cause.why,
            generation=snapshot.generation,
            policies=len(policies.rules),
            files=len(choice.sources),
            reason=cause.reason,
            instead_of=choice.instead_of,
        )
        days = snapshot.document.audit.keep_side_records_days
        return await self._store.keep(Kept(entry, choice.sources), now - days * DAY_SECONDS)

    async def drop(self, entry: Entry | None) -> None:
        """Takes back an entry whose set did not come into force."""
        if entry is not None:
            await self._store.drop(entry.number)
