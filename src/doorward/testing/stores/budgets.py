"""What every `BudgetStore` must do, and every `LogStore` with the draws and corrections of its entries."""

import asyncio

from msgspec.structs import replace

from doorward.admission.budgets.store import BudgetStore, Raise, Spent
from doorward.audit.leaf import encoded
from doorward.audit.store import Entry, LogStore
from doorward.domain.budgets import Draw, OverdrawnError
from doorward.domain.ids import CallId
from doorward.testing.stores.rooms import Check, Opening

NOW = 1_700_000_000
END = NOW + 3600
CALLERS = 64

DRAW = Draw("payments", "payments@1", '["claude"]', NOW, END, 30, 100, "0.30")
RAISE = Raise("r1", "payments", "payments@1", '["claude"]', 500, "Quarter's end.", "corp:ada", NOW, NOW + 60.5, ("Ada",))


async def what_is_drawn_is_never_more_than_the_limit(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """However many come at once: as many are written as fit, the others are told what was left."""
    async with opening() as (store, log):
        written = [log.append(_intent(f"call-{number}", DRAW._replace(units=7))) for number in range(CALLERS)]
        came = await asyncio.gather(*written, return_exceptions=True)
        assert sum(not isinstance(one, BaseException) for one in came) == 14
        assert {str(one) for one in came if isinstance(one, BaseException)} == {"budget payments holds 2 units, 7 were asked for"}
        assert await log.size() == 14
        await log.append(_intent("last", DRAW._replace(units=2)))
    async with opening() as (store, log):
        assert await store.spent(NOW) == (Spent(DRAW.ledger, DRAW.key, END, 100),)


async def a_call_draws_on_all_of_its_budgets_or_on_none(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """In whichever order they are asked."""
    small = DRAW._replace(budget="small", ledger="small@1", limit=29)
    async with opening() as (store, log):
        assert await _is_overdrawn(log, _intent("a", DRAW, small))
        assert await _is_overdrawn(log, _intent("b", small, DRAW))
        assert (await store.spent(NOW), await log.size()) == ((), 0)


async def keys_and_ledgers_are_counted_apart(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """A whole budget is there for each."""
    async with opening() as (store, log):
        whole = DRAW._replace(units=100)
        draws = (whole, whole._replace(key='["other"]'), whole._replace(ledger="payments@2"))
        for number, one in enumerate(draws):
            await log.append(_intent(f"call-{number}", one))
        assert len(await store.spent(NOW)) == 3


async def what_has_stopped_counting_leaves_room(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """At the second that it ends, and not before; what ends later counts also for who asks by a clock that was set back."""
    async with opening() as (store, log):
        whole = DRAW._replace(units=100)
        await log.append(_intent("a", whole))
        assert await _is_overdrawn(log, _intent("b", DRAW._replace(at=END - 1, until=END + 3600)))
        await log.append(_intent("c", whole._replace(at=END, until=END + 3600)))
        assert await _is_overdrawn(log, _intent("d", DRAW._replace(at=NOW - 7200, until=NOW - 3600)))
        assert await store.spent(END) == (Spent(DRAW.ledger, DRAW.key, END + 3600, 100),)


async def an_outcome_corrects_what_its_intent_drew(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """Once, and only while the intent stands open; more than was reserved counts as well."""
    async with opening() as (store, log):
        await log.append(_intent("a", DRAW))
        await log.append(_outcome("a", DRAW._replace(units=10)))
        await log.append(_outcome("a", DRAW._replace(units=10)))
        await log.append(_outcome("never", DRAW))
        # In one batch, where the store gathers them.
        both = log.append(_intent("b", DRAW)), log.append(_outcome("b", DRAW._replace(units=-5)))
        await asyncio.gather(*both)
    async with opening() as (store, log):
        assert await store.spent(NOW) == (Spent(DRAW.ledger, DRAW.key, END, 20 + 35),)


async def an_intent_that_was_not_written_gives_nothing_back(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """Whoever waited for it may have hung up before it was told that the budget did not hold it."""
    async with opening() as (store, log):
        await log.append(_intent("a", DRAW._replace(units=90)))
        refused, closed = log.append(_intent("b", DRAW)), log.append(_outcome("b", DRAW))
        await asyncio.gather(refused, closed, return_exceptions=True)
        assert isinstance(refused.exception(), OverdrawnError)
        assert await store.spent(NOW) == (Spent(DRAW.ledger, DRAW.key, END, 90),)


async def sums_that_do_not_count_are_swept(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """And no others."""
    async with opening() as (store, log):
        await log.append(_intent("a", DRAW))
        await log.append(_intent("b", DRAW._replace(until=END + 1)))
        await store.sweep(END)
    async with opening() as (store, log):
        assert await store.spent(0) == (Spent(DRAW.ledger, DRAW.key, END + 1, 30),)


async def it_is_known_when_sums_were_swept(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """The latest moment, and only where there was something to sweep."""
    async with opening() as (store, log):
        assert await store.swept() == 0
        await store.sweep(END)
        assert await store.swept() == 0
        await log.append(_intent("a", DRAW))
        await store.sweep(END + 5)
        await log.append(_intent("b", DRAW))
        await store.sweep(END + 2)
        await store.sweep(END + 9)
    async with opening() as (store, log):
        assert (await store.swept(), await store.spent(0)) == (END + 5, ())


async def raises_are_kept_whole_until_they_are_dropped(opening: Opening[tuple[BudgetStore, LogStore]]) -> None:
    """Unknown ones and none at all are no error."""
    for_all = replace(RAISE, id="r2", key=None, names=())
    async with opening() as (store, _):
        await store.put(RAISE)
        await store.put(for_all)
    async with opening() as (store, _):
        assert set(await store.raises()) == {RAISE, for_all}
        await store.drop(("r1", "nobody"))
        await store.drop(())
    async with opening() as (store, _):
        assert await store.raises() == (for_all,)


BUDGETS: tuple[Check[tuple[BudgetStore, LogStore]], ...] = (
    what_is_drawn_is_never_more_than_the_limit,
    a_call_draws_on_all_of_its_budgets_or_on_none,
    keys_and_ledgers_are_counted_apart,
    what_has_stopped_counting_leaves_room,
    an_outcome_corrects_what_its_intent_drew,
    an_intent_that_was_not_written_gives_nothing_back,
    sums_that_do_not_count_are_swept,
    it_is_known_when_sums_were_swept,
    raises_are_kept_whole_until_they_are_dropped,
)


def _intent(call: str, *draws: Draw) -> Entry:
    return Entry(encoded({"type": "intent"}), opens=CallId(call), draws=draws)


def _outcome(call: str, *returns: Draw) -> Entry:
    return Entry(encoded({"type": "outcome"}), closes=CallId(call), returns=returns)


async def _is_overdrawn(log: LogStore, entry: Entry) -> bool:
    try:
        await log.append(entry)
    except OverdrawnError:
        return True
    return False
