"""What every `FlowStore` must do, and every `LogStore` with the rises of its entries."""

import asyncio
from dataclasses import replace

from doorward.audit.leaf import encoded
from doorward.audit.store import Entry, LogStore
from doorward.domain.approvals import Grant
from doorward.domain.errors import UnrecordedError
from doorward.domain.flow import Confidentiality, Counts, Held, Integrity, Label, Rise
from doorward.domain.ids import CallId, Digest, GrantId
from doorward.domain.reasons import Refused
from doorward.flow.store import FlowStore
from doorward.testing.stores.rooms import Check, Opening

LABEL = Label(Integrity.UNTRUSTED, Confidentiality.RESTRICTED, frozenset({"customer", "santé"}))
HELD = Held(1, "key:k1", "claude", LABEL, frozenset({"pii/email"}), 1_700_000_000, 1_700_000_060, 1)
COUNTS = Counts(1, 3, 2, 1, 1_700_000_060, 1)
RISE = Rise(COUNTS, (HELD,))
_OTHER = Rise(Counts(2, 1, 0, 0, 1_700_000_070, 1), (replace(HELD, context=2, instance="key:k2", label=Label()),))


async def what_an_entry_does_to_a_context_is_there_with_it(opening: Opening[tuple[FlowStore, LogStore]]) -> None:
    """Labels, findings and counters, whole."""
    async with opening() as (store, log):
        assert await store.load() == ()
        await log.append(_intent("a", RISE))
        await log.append(_intent("b", _OTHER))
        await log.append(_intent("c", None))
    async with opening() as (store, log):
        assert set(await store.load()) == {(HELD, COUNTS), (_OTHER.held[0], _OTHER.counts)}


async def counters_alone_leave_the_label_as_it_is(opening: Opening[tuple[FlowStore, LogStore]]) -> None:
    """As most calls change nothing else."""
    more = COUNTS._replace(calls=4, tick=2)
    async with opening() as (store, log):
        await log.append(_intent("a", RISE))
        await log.append(_intent("b", Rise(more)))
        assert await store.load() == ((HELD, more),)


async def the_latest_counts_whichever_is_written_first(opening: Opening[tuple[FlowStore, LogStore]]) -> None:
    """An outcome that could not be written is written again later, behind intents that came after it."""
    later = Rise(COUNTS._replace(calls=9, tick=9), (replace(HELD, label=Label(), version=9),))
    async with opening() as (store, log):
        await log.append(_intent("a", later))
        await log.append(_outcome("a", RISE))
        assert await store.load() == ((later.held[0], later.counts),)
        # In one batch, where the store gathers them.
        last = Rise(COUNTS._replace(calls=11, tick=11), (replace(HELD, version=11),))
        between = Rise(COUNTS._replace(calls=10, tick=10), (replace(HELD, version=10),))
        await asyncio.gather(log.append(_intent("b", last)), log.append(_outcome("b", between)))
        assert await store.load() == ((last.held[0], last.counts),)


async def an_entry_that_is_not_written_does_nothing(opening: Opening[tuple[FlowStore, LogStore]]) -> None:
    """Its grant is gone."""
    grant = Grant(GrantId("nobody"), Digest("c1"), Digest("d1"), "claude", "bob", "2026-01-01T00:00:00Z")
    async with opening() as (store, log):
        try:
            await log.append(Entry(encoded({"type": "intent"}), opens=CallId("a"), uses=grant, rise=RISE))
        except (Refused, UnrecordedError):
            pass
        assert (await store.load(), await log.size()) == ((), 0)


async def contexts_that_made_room_are_gone_with_the_entry(opening: Opening[tuple[FlowStore, LogStore]]) -> None:
    """And what is left of them is there."""
    left = replace(HELD, context=3, instance="")
    async with opening() as (store, log):
        await log.append(_intent("a", RISE))
        await log.append(_intent("b", _OTHER._replace(held=(*_OTHER.held, left), gone=(1, 77))))
    async with opening() as (store, log):
        assert set(await store.load()) == {(_OTHER.held[0], _OTHER.counts), (left, Counts(3, 0, 0, 0, 0, 0))}


async def dropped_contexts_are_gone(opening: Opening[tuple[FlowStore, LogStore]]) -> None:
    """For good; unknown ones and none at all are no error. Counters that come late bring nothing back, nor meet the next of that number."""
    async with opening() as (store, log):
        await log.append(_intent("a", RISE))
        await log.append(_intent("b", _OTHER))
        await store.drop((1, 77))
        await store.drop(())
        await log.append(_outcome("a", Rise(COUNTS._replace(tick=8))))
        assert await store.load() == ((_OTHER.held[0], _OTHER.counts),)
    async with opening() as (store, log):
        assert await store.load() == ((_OTHER.held[0], _OTHER.counts),)
        await log.append(_intent("c", RISE))
        assert set(await store.load()) == {(HELD, COUNTS), (_OTHER.held[0], _OTHER.counts)}


FLOW: tuple[Check[tuple[FlowStore, LogStore]], ...] = (
    what_an_entry_does_to_a_context_is_there_with_it,
    counters_alone_leave_the_label_as_it_is,
    the_latest_counts_whichever_is_written_first,
    an_entry_that_is_not_written_does_nothing,
    contexts_that_made_room_are_gone_with_the_entry,
    dropped_contexts_are_gone,
)


def _intent(call: str, rise: Rise | None) -> Entry:
    return Entry(encoded({"type": "intent"}), opens=CallId(call), rise=rise)


def _outcome(call: str, rise: Rise) -> Entry:
    return Entry(encoded({"type": "outcome"}), closes=CallId(call), rise=rise)
