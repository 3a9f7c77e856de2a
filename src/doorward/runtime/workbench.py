"""The one place where a new generation is made: each change builds a whole snapshot first, and a failed build changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from doorward.catalog.offer import Offer, Shown, observe
from doorward.catalog.pins import FIRST_USE, Approval, Pins, PinStore, approve, first_use, withdrawn
from doorward.catalog.review import unmatched_rules
from doorward.catalog.suspicions import Suspicion, held, suspicions
from doorward.config.check import policy_layers
from doorward.config.diff import changes as changed
from doorward.config.load import Loaded, load
from doorward.config.model import Document
from doorward.config.problems import ConfigError, dotted
from doorward.domain.catalog import Kind, Pin, Standing, Trust
from doorward.domain.errors import DoorwardError, StoreError, UnrecordedError
from doorward.domain.ids import Generation, UpstreamId
from doorward.domain.receipts import Event, Scalar
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.runtime.build import Materials, Rigour, build
from doorward.runtime.fleet import is_same_server
from doorward.runtime.generations import Generations
from doorward.runtime.snapshot import Snapshot

Note = Callable[[Event], Awaitable[object]]
"""Tells the log of an event; durable when it returns."""

Adopt = Callable[[Snapshot, Snapshot], None]
"""Lets the rooms that hold live parts (fleet, limits, plans) go over from one snapshot to the next; called just before the swap."""

DRIFTS_TOLD = 32
"""Definitions of one look whose drift gets a leaf each: an upstream that changes all of its own every minute does not fill the log."""

_FIRST = Generation(1)


class ReloadError(DoorwardError):
    """A configuration that is not taken; the old one goes on. `problems`: a line each, with file and place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload brought."""

    generation: Generation
    changes: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A document and the policy files it names, read at one moment."""

    loaded: Loaded
    sources: tuple[Source, ...]


def read(path: Path) -> Read:
    """The document at a path and its policy files; raises `ReloadError` with every problem."""
    try:
        loaded = load(path)
        files = policy_layers(loaded.document.policies, path.resolve().parent)
        return Read(loaded, tuple(Source(str(file), file.read_text(encoding="utf-8"), team) for team, file in files))
    except ConfigError as error:
        raise ReloadError(error.lines) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReloadError((f"a policy file cannot be read: {error}",)) from error


def first(found: Read, pins: Pins) -> tuple[Materials, Snapshot]:
    """The materials and snapshot of a start, before any upstream has been seen; raises `ReloadError`."""
    materials = Materials(found.loaded.document, found.loaded.digest, found.sources, {}, pins)
    return materials, _built(materials, _FIRST, Rigour.LENIENT)


class Workbench:
    """Holds the materials, and makes one generation after the other."""

    __slots__ = (
        "_adopt",
        "_generations",
        "_lock",
        "_materials",
        "_note",
        "_notes",
        "_now",
        "_path",
        "_rejected",
        "_store",
        "_unfit",
        "suspicions",
    )

    def __init__(self, path: Path, materials: Materials, generations: Generations, places: "Places") -> None:
        self._path = path
        self._materials = materials
        self._generations = generations
        self._store, self._note, self._adopt, self._now = places.pins, places.note, places.adopt, places.now
        self._lock = asyncio.Lock()
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
        current = self._generations.current
        rules = tuple(f"{dotted(path)}: {sentence}" for path, sentence in unmatched_rules(current.index, current.document))
        return self._notes + rules + tuple(str(warning) for warning in current.policies.warnings)

    @property
    def offers(self) -> Mapping[UpstreamId, Offer]:
        """What each upstream showed last."""
        return self._materials.offers

    @property
    def pins(self) -> Pins:
        """Everything that was accepted."""
        return self._materials.pins

    def heed(self, notes: Iterable[object]) -> None:
        """Keeps what the reading of the document in force had to say."""
        self._notes = tuple(str(note) for note in notes)

    async def reload(self, by: str) -> Reloaded:
        """Reads document and policies again; raises `ReloadError`, and keeps the old ones then. What is in force already makes no generation."""
        async with self._lock:
            unfit = self._unfit
            try:
                found = await asyncio.to_thread(read, self._path)
                if (found.loaded.digest, found.sources) == (self._materials.digest, self._materials.sources):
                    self._rejected = ()
                    return Reloaded(self._generations.current.generation, (), self.warnings)
                _keep_in_place(self._materials.document, found.loaded.document)
                offers = _still_offered(self._materials, found.loaded.document)
                wanted = Materials(found.loaded.document, found.loaded.digest, found.sources, offers, self._materials.pins)
                candidate = await asyncio.to_thread(self._candidate, wanted)
            except ReloadError as error:
                # What was wrong with the candidate is said once; what does not fit what is in force stays said.
                self._rejected, self._unfit = error.problems, unfit
                await self._note(Event("config_rejected", by, {"problem": error.problems[0][:500], "problems": len(error.problems)}))
                raise
            told = changed(self._materials.document, found.loaded.document)
            await self._note(_config_event(candidate.snapshot, by, told))
            await self._take(candidate, by)
            self._rejected = ()
            self.heed(found.loaded.notes)
            return Reloaded(candidate.snapshot.generation, told, self.warnings)

    async def saw(self, name: UpstreamId, shown: Shown) -> None:
        """Takes what an upstream shows into the next generation, if it shows anything else than before."""
        async with self._lock:
            if name not in self._materials.document.upstreams:
                return
            offer = await asyncio.to_thread(observe, name, shown, self._now())
            before = self._materials.offers.get(name)
            wanted = replace(self._materials, offers={**self._materials.offers, name: offer})
            if before is not None and _alike(before, offer):
                self._materials = wanted
                return
            await self._tell_drift(offer)
            await self._go_over(await asyncio.to_thread(self._tolerated, wanted))

    async def approve(self, items: tuple[Approval, ...], by: str) -> Generation:
        """Accepts definitions as they were shown.

        Raises `StaleApprovalError` when something else is offered by now, and `ReloadError` when a policy reads of one of them what
        it no longer has: the policy is to be mended first, and nothing is accepted.
        """
        async with self._lock:
            pins = approve(self._materials.offers, items, by, self._stamp())
            wanted = replace(self._materials, pins=self._materials.pins.having(pins))
            candidate = await asyncio.to_thread(self._strict, wanted)
            await self._keep(pins, by)
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

    def _strict(self, wanted: Materials) -> "Candidate":
        """The next generation of a person's making; raises `ReloadError` where a policy does not fit it."""
        return Candidate(wanted, _built(wanted, self._generations.next(), Rigour.STRICT), ())

    def _tolerated(self, wanted: Materials) -> "Candidate":
        """The next generation after an upstream showed something else: what does not fit is withheld or warned of, and stops nobody."""
        try:
            return self._candidate(wanted)
        except ReloadError:
            return Candidate(wanted, _built(wanted, self._generations.next(), Rigour.LENIENT), ())

    def _candidate(self, wanted: Materials) -> "Candidate":
        """The next generation with what first use accepts; without it, where a policy does not fit that (it stays withheld then).

        Raises `ReloadError` where the policies do not even fit what was accepted before.
        """
        pins = self._first_uses(wanted)
        whole = self._accepting(wanted, pins)
        if isinstance(whole, Candidate):
            self._unfit = ()
            return whole
        self._unfit = _told(whole)
        if not pins:
            raise ReloadError(self._unfit)
        return self._fitting(wanted, pins)

    def _fitting(self, wanted: Materials, pins: tuple[Pin, ...]) -> "Candidate":
        """The next generation with what fits of these pins, upstream by upstream: what one shows keeps no other out."""
        best = self._strict(wanted)
        for name in dict.fromkeys(pin.upstream for pin in pins):
            more = self._accepting(wanted, (*best.accepted, *(pin for pin in pins if pin.upstream == name)))
            best = more if isinstance(more, Candidate) else best
        return best

    def _accepting(self, wanted: Materials, pins: tuple[Pin, ...]) -> "Candidate | Problems":
        """The next generation with these pins accepted, or what does not fit them."""
        accepting = replace(wanted, pins=wanted.pins.having(pins))
        snapshot = build(accepting, self._generations.next(), Rigour.STRICT)
        return snapshot if isinstance(snapshot, Problems) else Candidate(accepting, snapshot, pins)

    def _first_uses(self, wanted: Materials) -> tuple[Pin, ...]:
        """Pins for what upstreams trusted on first use show for the first time, but for what a person should see."""
        self.suspicions = suspicions(wanted.offers)
        waiting = held(self.suspicions)
        trusted = {name for name, upstream in wanted.document.upstreams.items() if upstream.trust is Trust.FIRST_USE}
        stamp = self._stamp()
        return tuple(
            pin for name, offer in wanted.offers.items() if name in trusted for pin in first_use(offer, wanted.pins, waiting, stamp)
        )

    async def _take(self, candidate: "Candidate", by: str) -> None:
        """Goes over to what the log was told of; raises `ReloadError` where a room cannot, and says in the log that it did not happen."""
        try:
            await self._go_over(candidate)
        except DoorwardError as error:
            self._rejected = (f"the configuration cannot be taken over: {error}",)
            await self._note(Event("change_failed", by, {"event": "config_loaded", "why": str(error)[:500]}))
            if isinstance(error, StoreError | UnrecordedError):
                raise
            raise ReloadError(self._rejected) from error

    async def _go_over(self, candidate: "Candidate") -> None:
        await self._keep(candidate.accepted, FIRST_USE)
        self._adopt(self._generations.current, candidate.snapshot)
        self._materials = candidate.materials
        self._generations.swap(candidate.snapshot)

    async def _keep(self, pins: tuple[Pin, ...], by: str) -> None:
        """Pins are told to the log and on disk before any call can rest on them; those that could not be told of are not kept."""
        if not pins:
            return
        for pin in pins:
            fields = {"upstream": pin.upstream, "kind": pin.kind.value, "name": pin.name[:200], "definition": pin.digest}
            await self._note(Event("definition_approved", by, fields))
        await self._store.put(pins)

    async def _tell_drift(self, offer: Offer) -> None:
        """A leaf for each definition that has drifted since the last look; of a whole catalogue for the first ones, and a count."""
        before = self._materials.offers.get(offer.upstream)
        held = before.definitions if before is not None else {}
        news = [one for key, one in offer.definitions.items() if key not in held or held[key].digest != one.digest]
        drifted = [definition for definition in news if self._materials.pins.standing(definition) is Standing.DRIFTED]
        for one in drifted[:DRIFTS_TOLD]:
            fields = {"upstream": one.upstream, "kind": one.kind.value, "name": one.name[:200], "definition": one.digest}
            await self._note(Event("definition_drifted", "doorward", fields))
        if len(drifted) > DRIFTS_TOLD:
            more = len(drifted) - DRIFTS_TOLD
            await self._note(Event("definitions_drifted", "doorward", {"upstream": offer.upstream, "more": more}))

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A generation that is built and not yet current."""

    materials: Materials
    snapshot: Snapshot
    accepted: tuple[Pin, ...]
    """What it accepts for being the first seen; not yet kept."""


@dataclass(frozen=True, slots=True)
class Places:
    """What the workbench writes to, and the clock it writes by."""

    pins: PinStore
    note: Note
    adopt: Adopt
    now: Callable[[], float]


def _built(materials: Materials, generation: Generation, rigour: Rigour) -> Snapshot:
    made = build(materials, generation, rigour)
    if isinstance(made, Problems):
        raise ReloadError(_told(made))
    return made


def _told(problems: Problems) -> tuple[str, ...]:
    return tuple(str(problem) for problem in problems.items)


def _alike(one: Offer, other: Offer) -> bool:
    """Whether two looks at an upstream showed the same."""
    return (
        {key: definition.digest for key, definition in one.definitions.items()}
        == {key: definition.digest for key, definition in other.definitions.items()}
        and {uri: definition.digest for uri, definition in one.resources.items()}
        == {uri: definition.digest for uri, definition in other.resources.items()}
        and one.dropped == other.dropped
        and one.capabilities == other.capabilities
    )


def _still_offered(held: Materials, new: Document) -> Mapping[UpstreamId, Offer]:
    """What upstreams showed, but for those that are another server from now on: of these nothing is known until they are looked at."""
    old = held.document.upstreams
    return {name: offer for name, offer in held.offers.items() if name in new.upstreams and is_same_server(old[name], new.upstreams[name])}


def _keep_in_place(old: Document, new: Document) -> None:
    """Some fields take a restart; a reload that changes them is refused rather than half taken."""
    fixed = [name for name in ("listen", "state") if getattr(old, name) != getattr(new, name)]
    # Our own authority is among those that the listener believes, and the listener stays.
    fixed += ["identity.ca"] if _domain(old) != _domain(new) else []
    fixed += ["control.listen"] if new.control.listen is not None and _door(old) != _door(new) else []
    fixed += ["audit.origin"] if old.audit.origin != new.audit.origin else []
    fixed += [f"control.{name}" for name in ("socket", "group") if getattr(old.control, name) != getattr(new.control, name)]
    if fixed:
        raise ReloadError((f"a restart is needed to change {', '.join(fixed)}",))


def _domain(document: Document) -> str | None:
    return None if document.identity.ca is None else document.identity.ca.trust_domain


def _door(document: Document) -> object:
    """What of the network door is fixed; whom it lets in is not, and without a word of it in the document that is nobody."""
    listen = document.control.listen
    return None if listen is None else (listen.host, listen.port, listen.public_url, listen.tls)


def _config_event(snapshot: Snapshot, by: str, told: tuple[str, ...]) -> Event:
    fields: dict[str, Scalar] = {
        "generation": snapshot.generation,
        "config": snapshot.document_digest,
        "policies": snapshot.policies.digest,
        "changes": "; ".join(told)[:2000],
    }
    return Event("config_loaded", by, fields)
