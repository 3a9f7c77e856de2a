"""A replay: recorded calls, a page at a time, decided by other policies; off the event loop, and within bounds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from doorward.audit.auditor import Auditor
from doorward.audit.query import MOST, Located, Query
from doorward.audit.sides import Contents
from doorward.domain.actors import AuthnMethod
from doorward.domain.errors import StoreError
from doorward.policy.engine import Policies
from doorward.runtime.replay.causes import Cause
from doorward.runtime.replay.recorded import Recorded, person, recorded, verdict
from doorward.runtime.replay.restored import Present, Restorer, Text
from doorward.runtime.replay.tally import Tally

_SHARES = (("refusal", 2), ("intent", 1))
"""Leaves with decisions, and how much of the bound they may take: half for refusals, so that a flood of them hides no call."""


class Span(msgspec.Struct, frozen=True):
    """Which calls: moments as leaves write them."""

    since: str | None
    until: str | None
    agent: str | None = None
    upstream: str | None = None


class Bounds(msgspec.Struct, frozen=True):
    """How far a replay goes before it says that there is more."""

    calls: int = 100_000
    seconds: float = 120.0


BOUNDS = Bounds()


class Replayed(msgspec.Struct, frozen=True):
    """What came of it. `is_whole`: every call that was asked for was looked at, not the newest ones alone."""

    tally: Tally
    is_whole: bool


class Replay(msgspec.Struct, frozen=True):
    """Replays the log that an auditor reads."""

    auditor: Auditor
    monotonic: Callable[[], float]

    async def run(
        self, policies: Policies, present: Present, span: Span, bounds: Bounds = BOUNDS, gone: Callable[[], Awaitable[bool]] | None = None
    ) -> Replayed:
        """Decides the calls of a span by these policies and compares. Ends with its task, or once who asked is `gone`, after the page at hand.

        `policies` are asked by another thread: nobody else may ask them meanwhile.
        """
        work = _Work(Restorer(policies, present), Tally(), self.monotonic() + bounds.seconds, bounds.calls, gone)
        wholes = [await self._share(work, kind, work.left // share, span) for kind, share in _SHARES]
        return Replayed(work.tally, all(wholes))

    async def _share(self, work: "_Work", kind: str, most: int, span: Span) -> bool:
        """Looks at so many leaves of a type, the newest; whether these are all."""
        async for leaves in self._pages(kind, span):
            taken = leaves[:most]
            if not taken or self.monotonic() >= work.end or (work.gone is not None and await work.gone()):
                return False
            contents = await self.auditor.contents([leaf.index for leaf in taken])
            await asyncio.to_thread(_judge, work, taken, contents)
            most, work.left = most - len(taken), work.left - len(taken)
            if len(taken) < len(leaves):
                return False
        return True

    async def _pages(self, kind: str, span: Span) -> AsyncIterator[tuple[Located, ...]]:
        """Leaves of a type, newest first."""
        before: int | None = None
        while True:
            query = Query(
                since=span.since, until=span.until, type=kind, agent=span.agent, upstream=span.upstream, before=before, limit=MOST
            )
            page = await self.auditor.find(query)
            if page.leaves:
                yield page.leaves
            if page.next is None:
                return
            before = page.next


class _Work(msgspec.Struct):
    """A replay under way."""

    restorer: Restorer
    tally: Tally
    end: float
    left: int
    gone: Callable[[], Awaitable[bool]] | None


def _judge(work: _Work, leaves: tuple[Located, ...], contents: Contents) -> None:
    for located in leaves:
        leaf = recorded(located.leaf)
        told = person(leaf.principal)
        if told.method == AuthnMethod.OWN:
            continue
        before = verdict(leaf)
        if before is None:
            work.tally.skip(leaf)
        else:
            work.tally.add(told.agent, leaf, before, work.restorer.decide(leaf, text_of(leaf, located.index, contents)))


def text_of(leaf: Recorded, index: int, contents: Contents) -> Text:
    """The canonical bytes of a call, as its leaf commits to them."""
    if leaf.arguments is None or leaf.side is None:
        return Cause.ARGUMENTS
    try:
        opened = contents.of(index, f"{leaf.call}/arguments")
    except StoreError:
        return Cause.ALTERED
    if opened is None:
        return Cause.ARGUMENTS
    if opened.commitment is None:
        return Cause.CUT
    return opened.text if opened.commitment == leaf.arguments.commitment else Cause.ALTERED
