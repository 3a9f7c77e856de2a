"""The one place where a new generation is made: each change builds a whole snapshot first, and a failed build changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from doorward.catalog.offer import Offer, Shown, observe
from doorward.catalog.pins import Approval, Pins, PinStore, approve, withdrawn
from doorward.catalog.suspicions import Suspicion, check_named, suspicions
from doorward.config.check import policy_layers
from doorward.config.diff import changes as changed
from doorward.config.load import Loaded, load
from doorward.config.model import Document
from doorward.config.problems import ConfigError
from doorward.config.weaker import weaker
from doorward.domain.catalog import Kind, Pin
from doorward.domain.errors import DoorwardError, StoreError, UnrecordedError
from doorward.domain.ids import Digest, Generation, UpstreamId
from doorward.domain.moments import rfc3339
from doorward.domain.receipts import Event
from doorward.policy.history import NONE, Kept, PolicySets, Why, digest_of
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.runtime.build import Candidate, Materials, Rigour, build
from doorward.runtime.fixed import fixed
from doorward.runtime.generations import Generations
from doorward.runtime.looks import Shows, acceptances, alike, drifts, still_offered, unasked
from doorward.runtime.screen import Screens
from doorward.runtime.sets import (
    FORGETFUL,
    SHOWN,
    Cause,
    Choice,
    Chronicle,
    chosen,
    loaded_event,
    rolled_back,
    rolled_back_event,
    standing,
    unfit,
)
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.unmatched import remarks

Note = Callable[[Event], Awaitable[object]]
"""Tells the log of an event; durable when it returns."""

Adopt = Callable[[Snapshot, Snapshot], None]
"""Lets the rooms that hold live parts (fleet, limits, plans) go over from one snapshot to the next; called just before the swap."""


class ReloadError(DoorwardError):
    """A configuration that is not taken; the old one goes on. `problems`: a line each, with file and place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Reloaded(msgspec.Struct, frozen=True):
    """What a reload brought."""

    generation: Generation
    changes: tuple[str, ...]
    warnings: tuple[str, ...]


class Read(msgspec.Struct, frozen=True):
    """A document and the policy files it names, read at one moment."""

    loaded: Loaded
    sources: tuple[Source, ...]


def read(path: Path, document: Callable[[Path], Loaded] = load) -> Read:
    """The document at a path and its policy files; raises `ReloadError` with every problem. `document`: what reads the document."""
    try:
        loaded = document(path)
        files = policy_layers(loaded.document.policies, path.resolve().parent)
        return Read(loaded, tuple(Source(str(file), file.read_text(encoding="utf-8"), team) for team, file in files))
    except ConfigError as error:
        raise ReloadError(error.lines) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReloadError((f"a policy file cannot be read: {error}",)) from error


def first(found: Read, pins: Pins, screens: Screens, last: Kept | None = None) -> tuple[Materials, Snapshot]:
    """The materials and snapshot of a start, before any upstream has been seen; raises `ReloadError`.

    `last`: the newest kept set of policies, which goes on deciding if it was rolled back to and the files have not changed since.
    """
    choice = chosen(found.sources, last)
    materials = Materials(found.loaded.document, found.loaded.digest, choice.sources, {}, pins, screens)
    try:
        return materials, _built(materials, Generation(1), Rigour.LENIENT)
    except ReloadError as error:
        raise ReloadError((*error.problems, *unfit(choice))) from error


class Workbench:
    """Holds the materials, and makes one generation after the other."""

    __slots__ = (
        "_adopt",
        "_chronicle",
        "_generations",
        "_lock",
        "_materials",
        "_note",
        "_notes",
        "_now",
        "_path",
        "_rejected",
        "_shows",
        "_store",
        "_unfit",
        "suspicions",
    )

    def __init__(self, path: Path, materials: Materials, generations: Generations, places: "Places") -> None:
        self._path = path
        self._materials = materials
        self._generations = generations
        self._store, self._note, self._adopt, self._now = places.pins, places.note, places.adopt, places.now
        self._chronicle = Chronicle(places.sets, places.now)
        self._lock = asyncio.Lock()
        self._shows = Shows()
        self._rejected: tuple[str, ...] = ()
        self._unfit: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()
        self.suspicions: tuple[Suspicion, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the last reload was not taken, and which policies do not fit what first use would accept."""
        return self._rejected + self._unfit

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a look in the document and policies that are in force."""
        return rolled_back(self._chronicle.last) + self._notes + remarks(self._generations.current)

    @property
    def offers(self) -> Mapping[UpstreamId, Offer]:
        """What each upstream showed last."""
        return self._materials.offers

    @property
    def pins(self) -> Pins:
        """Everything that was accepted."""
        return self._materials.pins

    @property
    def sources(self) -> tuple[Source, ...]:
        """The policy files that are in force."""
        return self._materials.sources

    def heed(self, notes: Iterable[object]) -> None:
        """Keeps what the reading of the document in force had to say."""
        self._notes = tuple(str(note) for note in notes)

    async def begin(self) -> None:
        """Keeps the set of policies that the start put in force: to be awaited once, before any call is decided. Raises `StoreError`."""
        async with self._lock:
            instead_of = standing(self._chronicle.last, await asyncio.to_thread(self._said))
            await self._chronicle.keep(self._generations.current, Choice(self._materials.sources, instead_of), Cause(Why.START, "doorward"))

    async def reload(self, by: str) -> Reloaded:
        """Reads document and policies again; raises `ReloadError`, and keeps the old ones then. What is in force already makes no generation."""
        async with self._lock:
            return await self._reread(Cause(Why.RELOAD, by), self._chronicle.last)

    async def undo_rollback(self, by: str) -> Reloaded:
        """Goes back from a set that was rolled back to, to what the files say now; raises `ReloadError` as `reload` does."""
        async with self._lock:
            if not rolled_back(self._chronicle.last):
                raise ReloadError(("no rollback is in force: the policy files are",))
            return await self._reread(Cause(Why.UNDO, by), None)

    async def roll_back(self, digest: Digest, cause: Cause) -> Reloaded:
        """Puts a kept set in force, over the document and catalogue of now, until the policy files change.

        Raises `ReloadError`, and changes nothing then: where none is kept or it is in force, and with every problem where it does not fit.
        """
        async with self._lock:
            sources = await self._chronicle.sources(digest)
            if sources is None:
                raise ReloadError((f"no set of policies {digest[:64]} is kept",))
            if digest_of(sources) == digest_of(self._materials.sources):
                raise ReloadError((f"{digest[:SHOWN]} is in force already",))
            said, unfit = await asyncio.to_thread(self._said), self._unfit
            try:
                candidate = await asyncio.to_thread(self._candidate, replace(self._materials, sources=sources))
            except ReloadError:
                self._unfit = unfit
                raise
            choice = Choice(sources, NONE if said == digest_of(sources) else said)
            await self._take(candidate, choice, cause, rolled_back_event(self._generations.current, candidate.snapshot, cause))
            return Reloaded(candidate.snapshot.generation, (), self.warnings)

    async def _reread(self, cause: Cause, last: Kept | None) -> Reloaded:
        """What the files say, or the set `last` while it stands instead of them; the lock is held."""
        unfit = self._unfit
        try:
            found = await asyncio.to_thread(read, self._path)
            choice = chosen(found.sources, last)
            now = self._materials  # lists in files of their own are part of the document, and not of its digest
            if (found.loaded.digest, found.loaded.document, choice.sources) == (now.digest, now.document, now.sources):
                await self._chronicle.keep(self._generations.current, choice, cause)
                self._rejected = ()
                return Reloaded(self._generations.current.generation, (), self.warnings)
            _check_fixed(self._materials.document, found.loaded.document)
            offers = still_offered(self._materials.offers, self._materials.document, found.loaded.document)
            wanted = replace(now, document=found.loaded.document, digest=found.loaded.digest, sources=choice.sources, offers=offers)
            candidate = await asyncio.to_thread(self._candidate, wanted)
        except ReloadError as error:
            # What was wrong with the candidate is said once; what does not fit what is in force stays said.
            self._rejected, self._unfit = error.problems, unfit
            await self._note(Event("config_rejected", cause.by, {"problem": error.problems[0][:500], "problems": len(error.problems)}))
            raise
        before, after = self._materials.document, found.loaded.document
        told = (*weaker(before, after), *changed(before, after))
        await self._take(candidate, choice, cause, loaded_event(candidate.snapshot, cause, told))
        self._rejected = ()
        self.heed(found.loaded.notes)
        return Reloaded(candidate.snapshot.generation, told, self.warnings)

    def _said(self) -> Digest:
        """What the policy files say now; where they cannot be read, what they said when they last could."""
        try:
            return digest_of(read(self._path).sources)
        except ReloadError:
            last = self._chronicle.last
            return last.entry.instead_of if last is not None and rolled_back(last) else digest_of(self._materials.sources)

    async def saw(self, name: UpstreamId, shown: Shown) -> None:
        """Takes what an upstream shows into the next generation, if it shows anything else than before."""
        self._shows.add(name, shown)
        async with self._lock:
            # What was shown while others were taken is taken together: to check all policies anew for each of many upstreams takes minutes.
            if self._shows.waits(name, shown):
                try:
                    await self._see(self._shows.all())
                finally:
                    self._shows.took({name: shown})

    async def _see(self, shown: Mapping[UpstreamId, Shown]) -> None:
        """Takes what some upstreams show; the lock is held."""
        wanted, news, is_news = self._materials, list[Event](), False
        for name in [name for name in shown if name in wanted.document.upstreams]:
            before = wanted.offers.get(name)
            offer = await asyncio.to_thread(observe, name, shown[name], self._now(), before)
            wanted = replace(wanted, offers={**wanted.offers, name: offer})
            if before is None or not alike(before, offer):
                is_news = True
                news += drifts(offer, before, self._materials.pins)
        for event in news:
            await self._note(event)
        if is_news:
            await self._go_over(await asyncio.to_thread(self._tolerated, wanted))
        else:
            self._materials = wanted
        self._shows.took(shown)

    async def approve(self, items: tuple[Approval, ...], by: str) -> Generation:
        """Accepts definitions as they were shown.

        Raises `StaleApprovalError` when something else is offered by now, `HeldBackError` where a high finding is not named, and
        `ReloadError` when a policy reads of one of them what it no longer has: the policy is to be mended first, and nothing is accepted.
        """
        async with self._lock:
            pins = approve(self._materials.offers, items, by, self._stamp())
            check_named(suspicions(self._materials.offers), items)
            wanted = replace(self._materials, pins=self._materials.pins.having(pins))
            candidate = await asyncio.to_thread(self._strict, wanted)
            await self._keep(pins, items)
            await self._go_over(candidate)
            return candidate.snapshot.generation

    async def withdraw(self, keys: tuple[tuple[UpstreamId, Kind, str], ...], by: str) -> Generation:
        """Takes acceptance back: what was pinned is withheld as new from now on. Raises `ReloadError` when a policy names it.

        It holds even where `StoreError` (it would not survive a restart) or `UnrecordedError` is raised.
        """
        async with self._lock:
            pins = withdrawn(keys, by, self._stamp())
            wanted = replace(self._materials, pins=self._materials.pins.having(pins))
            candidate = Candidate(wanted, _built(wanted, self._generations.next(), Rigour.STRICT), ())
            # Taken away first, told then: a log that cannot be written keeps nothing accepted.
            await self._go_over(candidate)
            await self._store.put(pins)
            for upstream, kind, name in keys:
                await self._note(Event("definition_withdrawn", by, {"upstream": upstream, "kind": kind, "name": name[:200]}))
            return candidate.snapshot.generation

    # What builds runs in a thread: a large catalogue takes seconds, and calls go on meanwhile. The lock is held, so nothing moves below it.

    def _strict(self, wanted: Materials) -> Candidate:
        """The next generation of a person's making; raises `ReloadError` where a policy does not fit it."""
        return Candidate(wanted, _built(wanted, self._generations.next(), Rigour.STRICT), ())

    def _tolerated(self, wanted: Materials) -> Candidate:
        """The next generation after an upstream showed something else: what does not fit is withheld or warned of, and stops nobody."""
        try:
            return self._candidate(wanted)
        except ReloadError:
            return Candidate(wanted, _built(wanted, self._generations.next(), Rigour.LENIENT), ())

    def _candidate(self, wanted: Materials) -> Candidate:
        """The next generation with what first use accepts; without it, where a policy does not fit that (it stays withheld then).

        Raises `ReloadError` where the policies do not even fit what was accepted before.
        """
        pins = self._unasked(wanted)
        whole = self._accepting(wanted, pins)
        if isinstance(whole, Candidate):
            self._unfit = ()
            return whole
        self._unfit = whole.lines
        if not pins:
            raise ReloadError(self._unfit)
        return self._fitting(wanted, pins)

    def _fitting(self, wanted: Materials, pins: tuple[Pin, ...]) -> Candidate:
        """The next generation with what fits of these pins, upstream by upstream: what one shows keeps no other out."""
        best = self._strict(wanted)
        for name in dict.fromkeys(pin.upstream for pin in pins):
            more = self._accepting(wanted, (*best.accepted, *(pin for pin in pins if pin.upstream == name)))
            best = more if isinstance(more, Candidate) else best
        return best

    def _accepting(self, wanted: Materials, pins: tuple[Pin, ...]) -> Candidate | Problems:
        """The next generation with these pins accepted, or what does not fit them."""
        accepting = replace(wanted, pins=wanted.pins.having(pins))
        snapshot = build(accepting, self._generations.next(), Rigour.STRICT)
        return snapshot if isinstance(snapshot, Problems) else Candidate(accepting, snapshot, pins)

    def _unasked(self, wanted: Materials) -> tuple[Pin, ...]:
        """Pins for what no person need see: first uses, and drift that is tolerated."""
        self.suspicions = suspicions(wanted.offers)
        return unasked(wanted.offers, wanted.document, wanted.pins, self.suspicions, self._stamp())

    async def _take(self, candidate: Candidate, choice: Choice, cause: Cause, event: Event) -> None:
        """Tells the log, keeps the set and goes over; raises `ReloadError` where a room cannot, and says in the log that it did not happen."""
        await self._note(event)
        entry = None
        try:
            entry = await self._chronicle.keep(candidate.snapshot, choice, cause)
            await self._go_over(candidate)
        except DoorwardError as error:
            self._rejected = (f"the configuration cannot be taken over: {error}",)
            await self._note(Event("change_failed", cause.by, {"event": event.type, "why": str(error)[:500]}))
            await self._chronicle.drop(entry)
            if isinstance(error, StoreError | UnrecordedError):
                raise
            raise ReloadError(self._rejected) from error

    async def _go_over(self, candidate: Candidate) -> None:
        await self._keep(candidate.accepted)
        self._adopt(self._generations.current, candidate.snapshot)
        self._materials = candidate.materials
        self._generations.swap(candidate.snapshot)

    async def _keep(self, pins: tuple[Pin, ...], approvals: tuple[Approval, ...] = ()) -> None:
        """Pins are told to the log and on disk before any call can rest on them; those that could not be told of are not kept."""
        if not pins:
            return
        for event in acceptances(pins, approvals):
            await self._note(event)
        await self._store.put(pins)

    def _stamp(self) -> str:
        return rfc3339(self._now())


class Places(msgspec.Struct, frozen=True):
    """What the workbench writes to, and the clock it writes by."""

    pins: PinStore
    note: Note
    adopt: Adopt
    now: Callable[[], float]
    sets: PolicySets = FORGETFUL


def _built(materials: Materials, generation: Generation, rigour: Rigour) -> Snapshot:
    made = build(materials, generation, rigour)
    if isinstance(made, Problems):
        raise ReloadError(made.lines)
    return made


def _check_fixed(old: Document, new: Document) -> None:
    if names := fixed(old, new):
        raise ReloadError((f"a restart is needed to change {', '.join(names)}", *weaker(old, new)))
