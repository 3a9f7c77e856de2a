"""What server processes are made of, and whether that is accepted: asked before each start, told to people like any other definition.

A manifest is pinned as the catalogue pins definitions: by its digest, in the same store, by the same people. LAW: nothing is started
that has changed since it was accepted; an answer that cannot be made durable is no yes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from doorward.catalog.drift import changes, render
from doorward.catalog.index import accepted_body
from doorward.catalog.pins import FIRST_USE, NOTHING, Approval, Pins, PinStore, StaleApprovalError
from doorward.config.model import Document
from doorward.config.supply import Pin as Rule
from doorward.domain.catalog import Definition, Kind, Pin, Standing
from doorward.domain.ids import UpstreamId
from doorward.domain.moments import rfc3339
from doorward.domain.receipts import Event
from doorward.wire.canonical import define

NAME = "program"
"""Under which every upstream's manifest is pinned: there is one of each."""


class Shown(msgspec.Struct, frozen=True):
    """A manifest before people: what it is, where it stands, and the whole difference from what was accepted."""

    definition: Definition
    standing: Standing
    text: str
    unknown: tuple[str, ...]
    """Parts of which nothing can be told, such as an image by its tag: they may change unseen."""


class Means(msgspec.Struct, frozen=True):
    """What programs are kept and told with."""

    store: PinStore
    note: Callable[[Event], Awaitable[object]]
    """Tells the log of an event; durable when it returns."""
    now: Callable[[], float]
    document: Callable[[], Document]


def _nobody(upstream: UpstreamId) -> None:
    """Nobody wants to know."""


class Programs:
    """The manifests of all processes as they were last measured (`upstream.supply.port.Supply`)."""

    __slots__ = ("_lock", "_means", "_seen", "released", "stopped")

    def __init__(self, means: Means) -> None:
        self._means = means
        self._seen: dict[UpstreamId, Definition] = {}
        self._lock = asyncio.Lock()
        self.released: Callable[[UpstreamId], None] = _nobody
        """Hears that an upstream which was held back may be tried again."""
        self.stopped: Callable[[UpstreamId], None] = _nobody
        """Hears that what runs of an upstream is accepted no more."""

    async def accepts(self, upstream: UpstreamId, manifest: Mapping[str, object]) -> bool:
        """Whether a process made of this may be started; the first one seen is accepted for good where the configuration says so."""
        definition = define(upstream, Kind.PROGRAM, NAME, dict(manifest))
        async with self._lock:
            is_news = self._seen.get(upstream) != definition
            self._seen[upstream] = definition
            rule = self._rule(upstream)
            if rule.digest is not None:
                is_accepted = definition.digest == rule.digest
            else:
                is_accepted = await self._is_pinned(definition, rule)
            if is_news and not is_accepted:
                await self._means.note(Event("definition_drifted", "doorward", _fields(definition)))
            return is_accepted

    async def _is_pinned(self, definition: Definition, rule: Rule) -> bool:
        pins = self._pins()
        if rule.trust == "first-use" and pins.is_untouched(definition.upstream, Kind.PROGRAM, NAME):
            await self._keep(definition, FIRST_USE)
            return True
        return pins.standing(definition) is Standing.APPROVED

    def shown(self, upstream: UpstreamId | None = None) -> tuple[Shown, ...]:
        """Every manifest that was measured, by upstream; those that were accepted and not measured since are not among them."""
        pins, known = self._pins(), self._means.document().upstreams
        seen = sorted((name, one) for name, one in self._seen.items() if upstream in (None, name) and name in known)
        return tuple(self._shown(definition, pins) for _, definition in seen)

    def _shown(self, definition: Definition, pins: Pins) -> Shown:
        rule, pin = self._rule(definition.upstream), pins.get(definition.upstream, Kind.PROGRAM, NAME)
        standing = pins.standing(definition)
        if rule.digest is not None:
            standing = Standing.APPROVED if rule.digest == definition.digest else Standing.DRIFTED
        text = render(changes(None if pin is None else accepted_body(pin), definition.body))
        return Shown(definition, standing, text, tuple(_unknown(definition.body)))

    async def approve(self, approvals: Iterable[Approval], by: str) -> None:
        """Accepts manifests as they were shown, all or none; raises `StaleApprovalError` where something else was measured by now."""
        wanted = tuple(approvals)
        async with self._lock:
            self.check(wanted)
            for one in wanted:
                await self._keep(self._seen[one.upstream], by)
        for one in wanted:
            self.released(one.upstream)

    def check(self, approvals: Iterable[Approval]) -> None:
        """Raises `StaleApprovalError` unless all of this is what was measured last."""
        stale = [one for one in approvals if (seen := self._seen.get(one.upstream)) is None or seen.digest != one.digest]
        if stale:
            raise StaleApprovalError(stale)

    def is_accepted(self, upstream: UpstreamId) -> bool:
        """Whether anything is accepted of an upstream's processes."""
        return self._pins().get(upstream, Kind.PROGRAM, NAME) is not None

    async def withdraw(self, upstreams: Iterable[UpstreamId], by: str) -> None:
        """Takes acceptance back: what runs is ended, and nothing of it is started again until it is accepted anew."""
        stamp = rfc3339(self._means.now())
        async with self._lock:
            names = tuple(upstreams)
            await self._means.store.put(Pin(name, Kind.PROGRAM, NAME, NOTHING, b"{}", by, stamp) for name in names)
            for name in names:
                await self._means.note(Event("definition_withdrawn", by, {"upstream": name, "kind": Kind.PROGRAM.value, "name": NAME}))
        for name in names:
            self.stopped(name)

    async def _keep(self, definition: Definition, by: str) -> None:
        """Told to the log first, and durable before anything is started on it."""
        await self._means.note(Event("definition_approved", by, _fields(definition)))
        stamp = rfc3339(self._means.now())
        await self._means.store.put([Pin(definition.upstream, Kind.PROGRAM, NAME, definition.digest, definition.canonical, by, stamp)])

    def _pins(self) -> Pins:
        return Pins(pin for pin in self._means.store.all() if pin.kind is Kind.PROGRAM)

    def _rule(self, upstream: UpstreamId) -> Rule:
        config = self._means.document().upstreams.get(upstream)
        return Rule() if config is None or config.stdio is None else config.stdio.pin


def _fields(definition: Definition) -> dict[str, str]:
    return {"upstream": definition.upstream, "kind": Kind.PROGRAM.value, "name": NAME, "definition": definition.digest}


def _unknown(manifest: Mapping[str, object]) -> list[str]:
    parts = manifest.get("parts")
    told = [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    return [f"{part.get('sort')} {part.get('name')}" for part in told if not part.get("sha256")]
