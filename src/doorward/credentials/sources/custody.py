"""Secrets of sources that are in use: read once for each who uses them, looked at again, renewed, replaced before they end, given back.

INVARIANT: whatever was borrowed for us is in `_held` until it was given back or has ended. A source that is down changes nothing while what
was read of it still holds; one that says that a secret is gone, or not for us, ends its use within `refresh_seconds`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Final

import msgspec

from doorward.config.references import Remote
from doorward.credentials.sources.held import Clocks, Held, Key, Taken
from doorward.credentials.sources.port import EndedError, Found, GoneError, SecretSource, SourceError
from doorward.domain.errors import DoorwardError

READ_SECONDS: Final = 15.0
"""How long a source may take for one secret, sign-in included."""
UPKEEP_SECONDS: Final = 5.0
AT_ONCE: Final = 8
"""Secrets that are looked at again at the same time."""
CLOSE_SECONDS: Final = 5.0
ENOUGH: Final = 0.75
"""A renewal that brings less than this share of the first life is near the most that it may live."""

Tell = Callable[[str, str], None]
"""Hears what operators should know: an event, and a sentence without values."""


class Kept(msgspec.Struct, frozen=True):
    """A source in use."""

    source: SecretSource
    refresh_seconds: float
    """How old a secret without a loan may get before it is read again."""
    declared: object
    """What it was opened with: the same is not opened again."""


class _Retired(msgspec.Struct):
    """A source that another took the place of, kept until what was borrowed of it is given back."""

    source: SecretSource
    held: set[Held] = msgspec.field(default_factory=set)


class Custody:
    """Everything that is held of sources."""

    __slots__ = ("_clocks", "_held", "_newest", "_retired", "_sources", "_tell", "_troubles", "_upkeep_at")

    def __init__(self, sources: Mapping[str, Kept], clocks: Clocks, tell: Tell) -> None:
        self._sources = dict(sources)
        self._clocks = clocks
        self._tell = tell
        self._newest: dict[Key, Held] = {}
        self._held: set[Held] = set()
        self._retired: list[_Retired] = []
        self._troubles: dict[tuple[str, str], str] = {}
        self._upkeep_at = 0.0

    @property
    def sources(self) -> Mapping[str, Kept]:
        """Those in use, by scheme."""
        return self._sources

    def newest(self, scheme: str, place: str) -> tuple[Held, ...]:
        """What is held now of one secret, for each who uses it."""
        return tuple(held for key, held in self._newest.items() if key[1:] == (scheme, place))

    def loans(self) -> int:
        """How many secrets are borrowed now."""
        return sum(held.found.loan is not None for held in self._held)

    @property
    def troubles(self) -> Mapping[tuple[str, str], str]:
        """Why secrets could not be read when they last should have been, by scheme and place."""
        return self._troubles

    def adopt(self, sources: Mapping[str, Kept]) -> None:
        """Goes on with other sources; what is held of one that changed is replaced at its next use, and given back to the old one."""
        changed = {scheme: old.source for scheme, old in self._sources.items() if _source(sources, scheme) is not old.source}
        for scheme, source in changed.items():
            mine = {held for held in self._held if held.key[1] == scheme}
            self._retired.append(_Retired(source, mine))
            for held in mine:
                self._supersede(held)
        self._sources = dict(sources)

    async def take(self, owner: str, pointers: Iterable[Remote]) -> Taken:
        """The secrets that one owner refers to, each read once however often it is referred to; raises `SourceError`.

        `owner` is whoever shares them: what is made for whoever asks is made once for each owner.
        """
        wanted = tuple(pointers)
        taken = Taken(self._given_back)
        try:
            for scheme, place in dict.fromkeys((pointer.scheme, pointer.place) for pointer in wanted):
                taken.add(await self._one((owner, scheme, place)))
            for pointer in wanted:
                taken.value(pointer)
        except BaseException:
            await asyncio.shield(taken.release())
            raise
        return taken

    def doubt(self, owner: str) -> None:
        """What an owner took was not accepted: it is read again soon, in case that it was changed. Loans end by themselves."""
        for held in self._held:
            held.is_doubted = held.is_doubted or held.key[0] == owner

    async def run(self) -> None:
        """Looks after what is held, for ever."""
        while True:
            await asyncio.sleep(1.0)
            await self.tick()

    async def tick(self) -> None:
        """Renews, reads again and replaces whatever is due."""
        gate = asyncio.Semaphore(AT_ONCE)
        due = [held for held in self._held if not held.is_over and held.is_due(self._clocks)]
        forsaken = [held for held in self._held if held.is_over and not held.users]
        async with asyncio.TaskGroup() as group:
            for held in forsaken:
                group.create_task(self._given_up(held))
            for held in due:
                group.create_task(self._looked_after(held, gate))
            if self._clocks.monotonic() >= self._upkeep_at:
                self._upkeep_at = self._clocks.monotonic() + UPKEEP_SECONDS
                for scheme, kept in self._sources.items():
                    group.create_task(self._attempted(kept.source.upkeep(), "secret_source_failed", scheme))
        await self._close_retired()

    async def close(self) -> None:
        """Gives everything back, within seconds: what is borrowed, then the sources' own access."""
        held, self._held = self._held, set()
        self._newest.clear()
        await _within(CLOSE_SECONDS, [self._revoked(one) for one in held])
        sources = [kept.source for kept in self._sources.values()] + [retired.source for retired in self._retired]
        await _within(CLOSE_SECONDS, [self._attempted(one.close(), "secret_source_failed", "closing") for one in sources])

    async def _one(self, key: Key) -> Held:
        held = self._newest.get(key)
        if held is None or held.is_over:
            held = await self._read(key)
        held.users += 1
        return held

    async def _read(self, key: Key) -> Held:
        """A secret as it is now, which is the newest from now on; raises `SourceError`."""
        _, scheme, place = key
        kept = self._sources.get(scheme)
        if kept is None:
            raise SourceError(f"there is no source for {scheme}")
        found = await self._found(kept, scheme, place)
        if self._sources.get(scheme) is not kept:
            if found.loan is not None:
                await self._attempted(found.loan.revoke(), "secret_not_given_back", place)
            raise SourceError(f"the source of {place} was changed meanwhile")
        held = Held(key, found, kept.refresh_seconds, *self._clocks.both())
        self._held.add(held)
        old = self._newest.get(key)
        if old is not None:
            self._supersede(old)
        self._newest[key] = held
        return held

    async def _found(self, kept: Kept, scheme: str, place: str) -> Found:
        self._troubles.pop((scheme, place), None)
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await kept.source.read(place)
        except TimeoutError as error:
            why = f"the source of {place} did not answer within {READ_SECONDS:g} s"
            self._troubles[scheme, place] = why
            raise SourceError(why) from error
        except DoorwardError as error:
            self._troubles[scheme, place] = str(error)
            raise

    def _supersede(self, held: Held) -> None:
        held.is_over = True
        if self._newest.get(held.key) is held:
            del self._newest[held.key]
        if not held.users and held.found.loan is None:
            self._held.discard(held)

    async def _looked_after(self, held: Held, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                await (self._seen_again(held) if held.found.loan is None else self._prolonged(held))
            except GoneError as error:
                self._failed(held, str(error))
                self._supersede(held)
            except DoorwardError as error:
                self._failed(held, str(error))
            except Exception as error:  # noqa: BLE001 -- the root of a task: a source of others that fails in its own way holds up no other
                self._failed(held, f"the source failed ({type(error).__name__})")

    async def _seen_again(self, held: Held) -> None:
        """Reads a secret again that is changed by others; raises `SourceError`."""
        kept = self._sources.get(held.key[1])
        if kept is None:
            return
        found = await self._found(kept, *held.key[1:])
        if held.is_over:
            return
        if held.is_same(found):
            held.seen(*self._clocks.both())
            return
        successor = Held(held.key, found, kept.refresh_seconds, *self._clocks.both())
        self._held.add(successor)
        self._supersede(held)
        self._newest[held.key] = successor
        self._tell("secret_rotated", f"{held.key[1]}:{held.key[2]} has changed at its source")

    async def _prolonged(self, held: Held) -> None:
        """Renews a loan, or takes another one where that gains too little; raises `SourceError`."""
        if held.may_be_renewed() and await self._has_gained(held):
            return
        if not held.is_over:
            await self._read(held.key)
            self._tell("secret_rotated", f"a new credential of {held.key[1]}:{held.key[2]} takes the place of one that ends")

    async def _has_gained(self, held: Held) -> bool:
        """Whether a loan was renewed and will be again; raises `SourceError` where nobody knows."""
        loan = held.found.loan
        assert loan is not None
        try:
            seconds = await loan.renew()
        except EndedError:
            held.may_renew = False
            return False
        held.renewed(seconds, *self._clocks.both())
        held.may_renew = seconds >= loan.seconds * ENOUGH
        return held.may_renew

    def _failed(self, held: Held, why: str) -> None:
        if not held.is_failing:
            self._tell("secret_not_renewed", why)
        held.rest(self._clocks)
        if held.has_ended(self._clocks):
            self._supersede(held)

    async def _given_back(self, held: Held) -> None:
        held.users -= 1
        if held.users > 0:
            return
        if not held.is_over:
            self._supersede(held)
        successor = self._newest.get(held.key)
        if successor is not None and not successor.users:
            # Whoever it was read for is gone.
            await self._given_up(successor)
        await self._given_up(held)

    async def _given_up(self, held: Held) -> None:
        if held in self._held:
            self._held.discard(held)
            self._supersede(held)
            await self._revoked(held)

    async def _revoked(self, held: Held) -> None:
        loan = held.found.loan
        if loan is not None and not held.has_ended(self._clocks):
            await self._attempted(loan.revoke(), "secret_not_given_back", held.key[2])

    async def _attempted(self, work: Awaitable[None], event: str, what: str) -> None:
        """Does what may fail and is not waited for by a call; says so if it has."""
        try:
            await work
        except DoorwardError as error:
            self._tell(event, f"{what}: {error}")
        except Exception as error:  # noqa: BLE001 -- the root of a task: a source of others that fails in its own way holds up no other
            self._tell(event, f"{what}: {type(error).__name__}")

    async def _close_retired(self) -> None:
        done = [retired for retired in self._retired if not any(held in self._held for held in retired.held)]
        self._retired = [retired for retired in self._retired if retired not in done]
        for retired in done:
            await self._attempted(retired.source.close(), "secret_source_failed", "a source that was replaced")


def _source(sources: Mapping[str, Kept], scheme: str) -> SecretSource | None:
    kept = sources.get(scheme)
    return None if kept is None else kept.source


async def _within(seconds: float, works: Iterable[Coroutine[None, None, None]]) -> None:
    """Does all of them side by side, and stops waiting after so long."""
    tasks = [asyncio.ensure_future(work) for work in works]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
