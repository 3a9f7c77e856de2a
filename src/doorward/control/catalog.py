"""Admin API: what upstreams offer, how it differs from what was accepted, and a person's yes to exactly what was shown."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Literal, TypeVar

import msgspec
from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.catalog.pins import Approval, HeldBackError, StaleApprovalError
from doorward.catalog.review import items, waiting
from doorward.config.model import Document
from doorward.control.operators import NOBODYS, Role
from doorward.control.orders import widen
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.domain.catalog import Kind, Standing
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import Digest, UpstreamId
from doorward.domain.receipts import Event
from doorward.runtime.generations import Generations
from doorward.runtime.programs import Programs, Shown
from doorward.runtime.workbench import ReloadError, Workbench
from doorward.upstream.sight import Sight

T = TypeVar("T")
PinnedKind = Literal["tool", "prompt", "template", "instructions", "program"]


class Narrow(Shape):
    """Which part of the catalogue."""

    upstream: str | None = None
    kind: PinnedKind | None = None
    standing: Literal["approved", "new", "drifted", "gone", "dropped"] | None = None


class Item(Shape):
    """One line of the catalogue; `note` says why something was dropped, or what is worth a look."""

    upstream: str
    kind: str
    name: str
    standing: str
    digest: str | None
    note: str


class ItemList(Shape):
    """The catalogue: offered, once accepted, or dropped."""

    items: tuple[Item, ...]


class Finding(Shape):
    """Something in a definition that a person should see; `pointer` (RFC 6901) says where."""

    rule: str
    severity: Literal["low", "medium", "high"]
    pointer: str
    detail: str


class Difference(Shape):
    """Something new or changed; `text` is the whole difference from what was accepted, and approving `digest` accepts exactly that.

    `hints`: the kinds of change, the gravest first. While a finding is high, an approval has to name its rule.
    """

    upstream: str
    kind: str
    name: str
    standing: str
    digest: str
    hints: tuple[str, ...]
    findings: tuple[Finding, ...]
    text: str


class DifferenceList(Shape):
    """What waits for a person."""

    items: tuple[Difference, ...]


class ItemDigest(Shape):
    """One definition as it was shown."""

    upstream: str
    kind: PinnedKind
    name: str
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="As `diff` gave it")
    despite: tuple[Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")], ...] = Field(
        (), max_length=64, description="Rules of high findings in spite of which it is accepted: each has to be named"
    )


class Approvals(Shape):
    """What to accept: all of it, or nothing."""

    items: tuple[ItemDigest, ...] = Field(min_length=1, max_length=4096)


class ItemKey(Shape):
    """One definition by name."""

    upstream: str
    kind: PinnedKind
    name: str


class Withdrawals(Shape):
    """What is to be withheld as new again."""

    items: tuple[ItemKey, ...] = Field(min_length=1, max_length=4096)


class Accepted(Shape):
    """How many definitions changed their standing, and the generation from which on."""

    count: int
    generation: int
    warnings: tuple[str, ...] = ()


class Seen(Shape):
    """What a fresh look at an upstream showed."""

    upstream: str
    era: str
    versions: tuple[str, ...]
    tools: int
    prompts: int
    resources: int
    templates: int
    waiting: int = Field(description="Definitions that are withheld until somebody accepts them")
    dropped: int = Field(description="Items that cannot be used; the catalogue says why")
    generation: int


class Catalog(msgspec.Struct, frozen=True):
    """The operations on definitions."""

    workbench: Workbench
    generations: Generations
    look: Callable[[UpstreamId], Awaitable[Sight]]
    """One governed look at an upstream, taken into the catalogue; raises `Refused`."""
    recorder: Recorder
    programs: Programs

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer, approver, named = Role.VIEWER, Role.APPROVER, self._of_named
        return (
            Route("GET", "/v1/catalog", viewer, "List definitions with their standing", self.all, gives=ItemList, query=Narrow),
            Route("GET", "/v1/catalog/diff", viewer, "Show what waits for approval", self.diff, gives=DifferenceList, query=Narrow),
            Route(
                "POST",
                "/v1/catalog/approve",
                approver,
                "Accept definitions as they were shown",
                self.approve,
                Approvals,
                Accepted,
                within=named,
            ),
            Route(
                "POST",
                "/v1/catalog/withdraw",
                approver,
                "Withhold accepted definitions again",
                self.withdraw,
                Withdrawals,
                Accepted,
                within=named,
            ),
            Route(
                "POST",
                "/v1/upstreams/{upstream}/refresh",
                approver,
                "Look at an upstream now",
                self.refresh,
                gives=Seen,
                within=self._of_path,
            ),
        )

    def _of_named(self, ask: Ask) -> frozenset[str]:
        """The teams of all upstreams that a body names."""
        assert isinstance(ask.body, Approvals | Withdrawals)
        return teams_of((one.upstream for one in ask.body.items), self.generations.current.document)

    def _of_path(self, ask: Ask) -> frozenset[str]:
        return teams_of((ask.path["upstream"],), self.generations.current.document)

    async def all(self, ask: Ask) -> ItemList:
        """Every definition and everything dropped, by upstream, kind and name."""
        snapshot, wanted = self.generations.current, ask.query
        assert isinstance(wanted, Narrow)
        if wanted.upstream is not None:
            _check_known(wanted.upstream, snapshot.document)
        found = (
            Item(upstream=one.upstream, kind=one.kind, name=one.name, standing=one.standing, digest=one.digest, note=one.note)
            for one in items(snapshot.index, snapshot.offers, snapshot.document)
        )
        every = (*found, *map(_program, self.programs.shown()))
        return ItemList(items=tuple(item for item in every if _is_wanted(item, wanted)))

    async def diff(self, ask: Ask) -> DifferenceList:
        """Everything new or drifted, whole."""
        snapshot, wanted = self.generations.current, ask.query
        assert isinstance(wanted, Narrow)
        if wanted.upstream is not None:
            _check_known(wanted.upstream, snapshot.document)
        found = (
            Difference(
                upstream=one.upstream,
                kind=one.kind,
                name=one.name,
                standing=one.standing,
                digest=one.digest,
                hints=one.hints,
                findings=tuple(
                    Finding(rule=found.rule, severity=found.severity.value, pointer=found.pointer, detail=found.detail)
                    for found in one.findings
                ),
                text=one.text,
            )
            for one in waiting(snapshot.index, snapshot.offers, self.workbench.pins)
        )
        # What a server is made of comes first: until that is accepted, nothing of it runs.
        every = (*map(_changed, (one for one in self.programs.shown() if one.standing is not Standing.APPROVED)), *found)
        return DifferenceList(items=tuple(item for item in every if _is_wanted(item, wanted)))

    async def approve(self, ask: Ask) -> Accepted:
        """Accepts exactly the given digests; 409 where one is not offered now, has unnamed high findings or a policy does not fit: none then."""
        wanted = ask.body
        assert isinstance(wanted, Approvals)
        given = tuple(
            Approval(UpstreamId(one.upstream), Kind(one.kind), one.name, Digest(one.digest), frozenset(one.despite)) for one in wanted.items
        )
        generation = await _fitting(self._accepted(given, ask.operator.name))
        return Accepted(count=len(given), generation=generation)

    async def _accepted(self, given: tuple[Approval, ...], by: str) -> int:
        programs = [one for one in given if one.kind is Kind.PROGRAM]
        definitions = tuple(one for one in given if one.kind is not Kind.PROGRAM)
        self.programs.check(programs)
        generation = await self.workbench.approve(definitions, by) if definitions else self.generations.current.generation
        await self.programs.approve(programs, by)
        return generation

    async def withdraw(self, ask: Ask) -> Accepted:
        """Takes acceptance back; 409 where a policy names what would be gone."""
        wanted = ask.body
        assert isinstance(wanted, Withdrawals)
        held = self.workbench.pins
        keys = tuple((UpstreamId(one.upstream), Kind(one.kind), one.name) for one in wanted.items)
        programs = [upstream for upstream, kind, _ in keys if kind is Kind.PROGRAM]
        known = {upstream for upstream in programs if self.programs.is_accepted(upstream)}
        missing = [
            f"{upstream} {kind} {name[:100]!r}"
            for upstream, kind, name in keys
            if (upstream not in known if kind is Kind.PROGRAM else held.get(upstream, kind, name) is None)
        ]
        if missing:
            raise ControlError(404, "not_accepted", f"nothing of these names was accepted: {', '.join(missing[:10])}")
        warnings: tuple[str, ...] = ()
        try:
            await self.programs.withdraw(programs, ask.operator.name)
            definitions = tuple(key for key in keys if key[1] is not Kind.PROGRAM)
            if definitions:
                await _fitting(self.workbench.withdraw(definitions, ask.operator.name))
        except StoreError as error:
            warnings = (f"it holds now, but would not survive a restart: {error}",)
        except UnrecordedError as error:
            warnings = (f"it holds now, but the log could not be told: {error}",)
        return Accepted(count=len(keys), generation=self.generations.current.generation, warnings=warnings)

    async def refresh(self, ask: Ask) -> Seen:
        """Asks an upstream for everything it offers, as a governed call of the gateway's own."""
        name = UpstreamId(ask.path["upstream"])
        _check_known(name, self.generations.current.document)
        event = Event("refresh_asked", ask.operator.name, {"upstream": name})
        sight = await widen(self.recorder, event, lambda: self.look(name))
        snapshot = self.generations.current
        offer = snapshot.offers.get(name)
        return Seen(
            upstream=name,
            era=sight.era,
            versions=sight.versions,
            tools=len(sight.tools),
            prompts=len(sight.prompts),
            resources=len(sight.resources),
            templates=len(sight.templates),
            waiting=sum(one.upstream == name for one in waiting(snapshot.index, snapshot.offers, self.workbench.pins)),
            dropped=len(offer.dropped) if offer is not None else 0,
            generation=snapshot.generation,
        )


def _program(one: Shown) -> Item:
    """A manifest as a line of the catalogue."""
    note = f"nothing can be told of {', '.join(one.unknown)}: it may change unseen" if one.unknown else ""
    definition = one.definition
    return Item(
        upstream=definition.upstream, kind=definition.kind, name=definition.name, standing=one.standing, digest=definition.digest, note=note
    )


def _changed(one: Shown) -> Difference:
    """A manifest that waits for a person."""
    line = _program(one)
    return Difference(
        upstream=line.upstream,
        kind=line.kind,
        name=line.name,
        standing=line.standing,
        digest=one.definition.digest,
        hints=(),
        findings=(),
        text=one.text,
    )


async def _fitting(change: Awaitable[T]) -> T:
    """What comes of a change of the catalogue; 409 where it does not fit what is offered, or what policies read."""
    try:
        return await change
    except StaleApprovalError as error:
        raise ControlError(409, "changed", f"{error}; look again and approve what is shown then") from error
    except HeldBackError as error:
        raise ControlError(409, "held_back", "high findings have to be named one by one to accept what has them", error.reasons) from error
    except ReloadError as error:
        raise ControlError(409, "policies_do_not_fit", "nothing was changed, as policies would not fit any more", error.problems) from error


def _is_wanted(item: Item | Difference, wanted: Narrow) -> bool:
    return (
        wanted.upstream in (None, item.upstream) and wanted.kind in (None, item.kind) and wanted.standing in (None, item.standing)
    )  # fmt: skip


def teams_of(upstreams: Iterable[str], document: Document) -> frozenset[str]:
    """The teams of upstreams; nobody's where one of them is not in the document."""
    named = frozenset(upstreams)
    known = frozenset(document.upstreams[name].team for name in named if name in document.upstreams)
    return known if named <= document.upstreams.keys() else NOBODYS


def _check_known(upstream: str, document: Document) -> None:
    if upstream not in document.upstreams:
        known = ", ".join(document.upstreams) or "none"
        raise ControlError(404, "unknown_upstream", f"there is no upstream {upstream[:64]!r}, there are: {known}")
