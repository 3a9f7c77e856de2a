"""Admin API: which sets of policies were in force, how they differ, and the order to go back to one of them."""

import asyncio
from collections.abc import Callable

import msgspec
from pydantic import Field

from doorward.control.candidates import CANDIDATE_BYTES, FILES, File, files, meant, sources
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Nothing, Route, Shape
from doorward.control.turns import Turns
from doorward.domain.ids import Digest
from doorward.domain.moments import rfc3339
from doorward.policy.difference import difference, over
from doorward.policy.history import Entry, PolicySets, Why
from doorward.policy.rules import Source, parse
from doorward.runtime.sets import Cause, rolled_back
from doorward.runtime.workbench import Reloaded, ReloadError, Workbench

_LOOKED_AT = 1_000
"""Entries that are gone through for the set before the one in force."""


def _untold(sentence: str) -> None:
    """Nobody is there to hear it."""


class HistoryQuery(Shape):
    """Which entries, newest first."""

    before: int | None = Field(None, ge=1, description="The `next` of the page before")
    limit: int = Field(50, ge=1, le=500)


class EntryView(Shape):
    """One time that a set of policies came into force."""

    number: int
    digest: str
    at: str
    by: str
    why: str = Field(description="`start`, `reload`, `rollback` or `undo`")
    generation: int
    policies: int
    files: int
    reason: str
    is_rolled_back: bool = Field(description="Whether it stands instead of the files on disk")
    is_in_force: bool


class History(Shape):
    """Sets that were in force, newest first; `next` is the `before` of the following page, null on the last one."""

    entries: tuple[EntryView, ...]
    next: int | None


class SetView(Shape):
    """The files of a set."""

    digest: str
    files: tuple[File, ...]


class Compared(Shape):
    """Two sets; a candidate is what would be in force with these files in place of the layers they belong to."""

    before: str | None = Field(None, max_length=64, description="A digest's beginning; default: the one before that in force")
    after: str | None = Field(None, max_length=64, description="A digest's beginning; default: the one in force")
    candidate: tuple[File, ...] = Field((), max_length=FILES, description="Files to compare with those in force, instead of two digests")


class FileDifference(Shape):
    """A file that is not the same in both, as a unified diff."""

    path: str
    team: str
    text: str


class DifferenceView(Shape):
    """How the second set differs from the first; policies by their ids. `problems`: what of a candidate is no policy."""

    before: str
    after: str
    files: tuple[FileDifference, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    problems: tuple[str, ...]


class Rollback(Shape):
    """Which set to go back to, and why."""

    digest: str = Field(min_length=1, max_length=64, description="Its beginning is enough")
    reason: str = Field(min_length=1, max_length=500)


class RolledBack(Shape):
    """The generation that decides from now on."""

    generation: int
    digest: str
    warnings: tuple[str, ...]


class PolicyHistory(msgspec.Struct, frozen=True):
    """The operations on sets of policies."""

    workbench: Workbench
    sets: PolicySets
    tell: Callable[[str], None] = _untold
    """Hears, loudly, that the files on disk are not in force from now on, or that they are again."""
    turns: Turns = msgspec.field(default_factory=Turns)

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer, admin = Role.VIEWER, Role.ADMIN
        undo = Route(
            "POST", "/v1/policies/rollback/undo", admin, "Put the policy files on disk in force again", self.undo, gives=RolledBack
        )
        return (
            Route("GET", "/v1/policies/sets", viewer, "List the sets that were in force", self.all, gives=History, query=HistoryQuery),
            Route("GET", "/v1/policies/sets/{digest}", viewer, "Show the files of a set", self.show, gives=SetView),
            Route(
                "POST",
                "/v1/policies/diff",
                viewer,
                "Compare two sets, or a candidate with what is in force",
                self.diff,
                Compared,
                DifferenceView,
                body_bytes=CANDIDATE_BYTES,
            ),
            Route("POST", "/v1/policies/rollback", admin, "Go back to a set that was in force", self.roll_back, Rollback, RolledBack),
            undo,
        )

    async def all(self, ask: Ask) -> History:
        """One page of entries."""
        wanted = ask.query
        assert isinstance(wanted, HistoryQuery)
        found = await self.sets.entries(wanted.before, wanted.limit + 1)
        last = self.sets.last()
        shown = tuple(_view(entry, last is not None and last.entry.number == entry.number) for entry in found[: wanted.limit])
        return History(entries=shown, next=shown[-1].number if len(found) > wanted.limit else None)

    async def show(self, ask: Ask) -> SetView:
        """The texts of a set; 404 where it is not kept."""
        digest = await meant(self.sets, ask.path["digest"])
        return SetView(digest=digest, files=files(await self._sources(digest)))

    async def diff(self, ask: Ask) -> DifferenceView:
        """How two sets differ."""
        wanted = ask.body
        assert isinstance(wanted, Compared)
        if wanted.candidate and (wanted.before is not None or wanted.after is not None):
            raise ControlError(400, "invalid_body", "two digests or a candidate were expected, not both")
        if wanted.candidate:
            before, after = self._in_force(), ("candidate", over(self.workbench.sources, sources(wanted.candidate)))
        else:
            after = self._in_force() if wanted.after is None else await self._named(wanted.after)
            before = await self._before() if wanted.before is None else await self._named(wanted.before)
        async with self.turns.taken():
            found, problems = await asyncio.to_thread(lambda: (difference(before[1], after[1]), _problems(wanted)))
        return DifferenceView(
            before=before[0],
            after=after[0],
            files=tuple(FileDifference(path=one.path, team=one.team, text=one.text) for one in found.files),
            added=found.added,
            removed=found.removed,
            changed=found.changed,
            problems=problems,
        )

    async def roll_back(self, ask: Ask) -> RolledBack:
        """A new generation with the policies of a kept set; 409 with every problem where they do not fit what there is now."""
        wanted = ask.body
        assert isinstance(wanted, Rollback)
        digest = await meant(self.sets, wanted.digest)
        try:
            return self._done(await self.workbench.roll_back(digest, Cause(Why.ROLLBACK, ask.operator.name, wanted.reason)))
        except ReloadError as error:
            raise ControlError(409, "not_rolled_back", "the policies in force go on", error.problems) from error

    async def undo(self, ask: Ask) -> RolledBack:
        """A new generation with the policies of the files on disk; 409 where no rollback is in force, or they do not hold."""
        assert isinstance(ask.body, Nothing)
        try:
            return self._done(await self.workbench.undo_rollback(ask.operator.name))
        except ReloadError as error:
            raise ControlError(409, "not_undone", "the policies in force go on", error.problems) from error

    def _done(self, done: Reloaded) -> RolledBack:
        last = self.sets.last()
        self.tell("; ".join(rolled_back(last)) or "policies are those of the files on disk again")
        return RolledBack(generation=done.generation, digest=last.entry.digest if last is not None else "", warnings=done.warnings)

    def _in_force(self) -> tuple[str, tuple[Source, ...]]:
        last = self.sets.last()
        return last.entry.digest if last is not None else "in force", self.workbench.sources

    async def _before(self) -> tuple[str, tuple[Source, ...]]:
        """The newest set that is another one than that in force."""
        current = self._in_force()[0]
        others = [entry.digest for entry in await self.sets.entries(None, _LOOKED_AT) if entry.digest != current]
        if not others:
            raise ControlError(409, "no_other", "no other set of policies is kept than the one in force")
        return others[0], await self._sources(others[0])

    async def _named(self, said: str) -> tuple[str, tuple[Source, ...]]:
        digest = await meant(self.sets, said)
        return digest, await self._sources(digest)

    async def _sources(self, digest: Digest) -> tuple[Source, ...]:
        found = await self.sets.sources(digest)
        if found is None:
            raise ControlError(404, "unknown_set", f"the set {digest} is not kept any more")
        return found


def _view(entry: Entry, is_in_force: bool) -> EntryView:
    return EntryView(
        number=entry.number,
        digest=entry.digest,
        at=rfc3339(entry.at),
        by=entry.by,
        why=entry.why,
        generation=entry.generation,
        policies=entry.policies,
        files=entry.files,
        reason=entry.reason,
        is_rolled_back=bool(entry.instead_of),
        is_in_force=is_in_force,
    )


def _problems(wanted: Compared) -> tuple[str, ...]:
    """What of a candidate cannot be read at all."""
    return tuple(str(problem) for source in sources(wanted.candidate) for problem in parse(source)[1])
