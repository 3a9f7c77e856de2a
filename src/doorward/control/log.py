"""Admin API: the log, for whoever has to answer what happened: leaves by question, contents beside them, proofs to take away."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from doorward.audit import checkpoint
from doorward.audit.anchor import Anchors
from doorward.audit.auditor import Auditor
from doorward.audit.checkpoint import CheckpointError, Vkey
from doorward.audit.export import VKEY, export
from doorward.audit.leaf import CALL_TYPES
from doorward.audit.query import MOST, Located, Query
from doorward.audit.recorder import Recorder
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.control.spans import Moment, micros
from doorward.domain.ids import CallId
from doorward.domain.receipts import Event


class LogQuery(Shape):
    """Leaves that meet every condition given."""

    since: Moment | None = Field(None, description="RFC 3339, or how long ago: `90s`, `15m`, `24h`, `7d`")
    until: Moment | None = Field(None, description="Before this moment; as `since`")
    type: str | None = Field(None, description="`intent`, `outcome`, `refusal`, `list`, or the name of an event")
    call: str | None = None
    agent: str | None = None
    subject: str | None = Field(None, description="In clear; needs the role auditor")
    actor: str | None = Field(None, description="An agent by whose rights another one acted")
    issuer: str | None = Field(None, description="Of the access token, by its name in the configuration")
    client: str | None = Field(None, description="`ISSUER:CLIENT`, the OAuth client of the access token")
    family: str | None = Field(None, description="The grant that the access token comes from")
    certificate: str | None = Field(None, description="Thumbprint of the connection's client certificate")
    team: str | None = Field(None, description="The agent's team, or the one that owns the upstream")
    upstream: str | None = None
    name: str | None = Field(None, description="Of a tool, prompt or resource, without prefix")
    effect: str | None = Field(None, description="`allow`, `ask`, `deny`, `refuse` or `observe`")
    reason: str | None = Field(None, description="Of a refusal, or the status of an outcome")
    policy: str | None = None
    observed: str | None = Field(None, description='A policy with `@mode("observe")` that matched')
    waiver: str | None = Field(None, description="An exception or break-glass that let the call pass")
    finding: str | None = Field(None, description="`guard/rule`")
    approval: str | None = None
    touched: str | None = Field(None, description="A value that some argument had, in clear; needs the role auditor")
    before: int | None = Field(None, ge=0, description="The `next` of the page before")
    limit: int = Field(100, ge=1, le=MOST)


class LeafView(Shape):
    """A leaf and its index in the tree. The object is for reading; what is hashed is its text, which a receipt holds."""

    index: int
    leaf: dict[str, Any]


class LeafPage(Shape):
    """Leaves, newest first; `next` is the `before` of the following page, null on the last one."""

    leaves: tuple[LeafView, ...]
    next: int | None


class LeafList(Shape):
    """Every leaf of one call, in order."""

    leaves: tuple[LeafView, ...]


class Content(Shape):
    """The clear text beside a leaf: JSON, cut to the cap unless `is_whole`."""

    index: int
    type: str
    text: str
    size_bytes: int
    is_whole: bool


class Contents(Shape):
    """What is still kept beside the leaves of one call."""

    contents: tuple[Content, ...]


class AnchorView(Shape):
    """How an outside copy of checkpoints does; `size` is that of the last one it took."""

    name: str
    size: int
    failure: str | None


class CheckpointView(Shape):
    """The newest signed checkpoint, and the key to verify it with."""

    checkpoint: str | None
    size: int
    vkey: str
    anchors: tuple[AnchorView, ...]


class Destination(Shape):
    """Where to write the log."""

    directory: str = Field(
        min_length=1, max_length=4096, description="An absolute path of the gateway's machine: new, empty or an earlier export"
    )


class Exported(Shape):
    """What was written."""

    directory: str
    size: int
    root: str


class ProvenLeaf(Shape):
    """A leaf's exact text, its index, and the way to the root."""

    index: int
    leaf: str
    proof: tuple[str, ...]


class Receipt(Shape):
    """A self-contained proof: a call's leaves, each with its way to the root of a signed checkpoint."""

    format: str
    call: str
    vkey: str
    checkpoint: str
    leaves: tuple[ProvenLeaf, ...]


class Log(msgspec.Struct, frozen=True):
    """The operations on the log."""

    auditor: Auditor
    recorder: Recorder
    anchors: Anchors
    now: Callable[[], float]

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer = Role.VIEWER
        return (
            Route("GET", "/v1/log", viewer, "Find leaves", self.find, gives=LeafPage, query=LogQuery),
            Route("GET", "/v1/log/calls/{call}", viewer, "Show the leaves of one call", self.call, gives=LeafList),
            Route(
                "GET", "/v1/log/calls/{call}/contents", Role.AUDITOR, "Show arguments and result of one call", self.contents, gives=Contents
            ),
            Route("GET", "/v1/log/checkpoint", viewer, "Show the newest checkpoint", self.newest, gives=CheckpointView),
            Route("POST", "/v1/log/checkpoint", Role.AUDITOR, "Sign a checkpoint now", self.seal, gives=CheckpointView),
            Route("POST", "/v1/log/export", Role.ADMIN, "Write the log to a directory", self.export, Destination, Exported),
            Route("GET", "/v1/receipts/{call}", viewer, "Prove one call", self.receipt, gives=Receipt),
        )

    async def find(self, ask: Ask) -> LeafPage:
        """One page of leaves, newest first."""
        wanted = ask.query
        assert isinstance(wanted, LogQuery)
        if ask.operator.role < Role.AUDITOR and (wanted.subject is not None or wanted.touched is not None):
            # Whoever may ask which calls touched a value could guess every value, one by one.
            raise ControlError(403, "forbidden", "to ask for subjects and values needs the role auditor")
        given = wanted.model_dump(exclude={"since", "until"})
        since, until = (micros(moment, self.now()) for moment in (wanted.since, wanted.until))
        page = await self.auditor.find(Query(since=since, until=until, **given))
        return LeafPage(leaves=tuple(_view(located) for located in page.leaves), next=page.next)

    async def call(self, ask: Ask) -> LeafList:
        """The leaves of a call; 404 if there are none."""
        return LeafList(leaves=tuple(_view(located) for located in await self._leaves(ask)))

    async def contents(self, ask: Ask) -> Contents:
        """What a call carried, in clear; that somebody looked is told to the log before."""
        leaves = await self._leaves(ask)
        await self.recorder.note(Event("contents_read", ask.operator.name, {"call": ask.path["call"]}))
        return Contents(contents=tuple([content for located in leaves if (content := await self._content(located)) is not None]))

    async def newest(self, ask: Ask) -> CheckpointView:
        """The newest checkpoint."""
        return self._checkpoint(self.auditor.store.checkpoint())

    async def seal(self, ask: Ask) -> CheckpointView:
        """A checkpoint over everything there is now."""
        return self._checkpoint(await self.auditor.store.seal())

    async def export(self, ask: Ask) -> Exported:
        """Writes tiles, entries, checkpoints and key; the log is told before."""
        wanted = ask.body
        assert isinstance(wanted, Destination)
        directory = Path(wanted.directory)
        _check_destination(directory, self.auditor.vkey)
        await self.recorder.note(Event("log_exported", ask.operator.name, {"directory": str(directory)}))
        try:
            tree = await export(self.auditor.store, self.auditor.vkey, directory)
        except OSError as error:
            raise ControlError(409, "not_written", f"the export cannot be written: {error}") from error
        return Exported(directory=str(directory), size=tree.size, root=tree.root.hex())

    async def receipt(self, ask: Ask) -> Receipt:
        """A proof file; 404 for a call that the log does not know."""
        found = await self.auditor.receipt(CallId(ask.path["call"]))
        if found is None:
            raise _unknown(ask)
        return Receipt.model_validate_json(found)

    async def _leaves(self, ask: Ask) -> tuple[Located, ...]:
        leaves = await self.auditor.of_call(CallId(ask.path["call"]))
        if not leaves:
            raise _unknown(ask)
        return leaves

    async def _content(self, located: Located) -> Content | None:
        kind = str(json.loads(located.leaf)["type"])
        opened = await self.auditor.side(located.index) if kind in CALL_TYPES else None
        if opened is None:
            return None
        return Content(
            index=located.index,
            type=kind,
            text=opened.text.decode("utf-8", "replace"),
            size_bytes=opened.size_bytes,
            is_whole=opened.commitment is not None,
        )

    def _checkpoint(self, note: bytes | None) -> CheckpointView:
        standings = self.anchors.standings
        return CheckpointView(
            checkpoint=note.decode() if note is not None else None,
            size=checkpoint.parse(note)[1].size if note is not None else 0,
            vkey=str(self.auditor.vkey),
            anchors=tuple(AnchorView(name=one.anchor.name, size=one.size, failure=one.failure) for one in standings),
        )


def _view(located: Located) -> LeafView:
    return LeafView(index=located.index, leaf=json.loads(located.leaf))


def _unknown(ask: Ask) -> ControlError:
    return ControlError(404, "unknown_call", f"the log knows no call {ask.path['call'][:64]!r}")


def _check_destination(directory: Path, vkey: Vkey) -> None:
    """The gateway writes with its own rights: only into what is new, empty, or an earlier export of this log."""
    if not directory.is_absolute():
        raise ControlError(400, "invalid_body", f"an absolute path was expected, not {str(directory)[:200]!r}")
    try:
        is_free = not directory.exists() or not any(directory.iterdir()) or _is_export(directory, vkey)
    except OSError as error:
        raise ControlError(409, "not_written", f"{directory} cannot be read: {error.strerror}") from error
    if not is_free:
        raise ControlError(409, "not_empty", f"{directory} holds something else than an export of this log; name a new directory")


def _is_export(directory: Path, vkey: Vkey) -> bool:
    try:
        return Vkey.parse((directory / VKEY).read_text("utf-8")) == vkey
    except (OSError, UnicodeDecodeError, CheckpointError):
        return False
