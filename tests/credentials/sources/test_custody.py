"""What is held of sources: read once for each owner, looked at again, renewed, replaced before its end, given back; outages change nothing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.references import Remote, UnresolvedError
from doorward.credentials.sources.custody import Custody, Kept
from doorward.credentials.sources.held import Taken
from doorward.credentials.sources.port import GoneError, SourceError
from tests.credentials.sources.shelf import Shelf, Time, Told, custody

pytestmark = pytest.mark.anyio

NAME = Remote("shelf", "creds/reader", "username")
PASSWORD = Remote("shelf", "creds/reader", "password")
OUTAGE = SourceError("it is down")


async def moved(held: Custody, time: Time, seconds: float) -> None:
    """Time passes second by second, and what is due is looked after, as `run` does."""
    for _ in range(int(seconds)):
        time.pass_by(1.0)
        await held.tick()


def password(taken: Taken) -> str:
    return taken.value(PASSWORD)


async def test_all_references_to_a_place_share_one_reading() -> None:
    shelf, time = Shelf(lends_for=60), Time()
    taken = await custody(shelf, time).take("crm", [NAME, PASSWORD, NAME])
    assert shelf.reads == ["creds/reader"]
    assert (taken.value(NAME), password(taken)) == ("u", "password of creds/reader/1")


async def test_each_owner_has_a_credential_of_its_own() -> None:
    shelf, time = Shelf(lends_for=60), Time()
    held = custody(shelf, time)
    crm, erp = await held.take("crm", [PASSWORD]), await held.take("erp", [PASSWORD])
    assert password(crm) != password(erp)
    await crm.release()
    assert shelf.revoked == ["creds/reader/1"]
    assert erp.is_current()


async def test_who_takes_again_gets_the_same_and_it_is_given_back_with_the_last() -> None:
    shelf, time = Shelf(lends_for=60), Time()
    held = custody(shelf, time)
    first, second = await held.take("crm", [PASSWORD]), await held.take("crm", [PASSWORD])
    assert (password(first), shelf.reads) == (password(second), ["creds/reader"])
    await first.release()
    await first.release()
    assert shelf.revoked == []
    await second.release()
    assert (shelf.revoked, held.loans()) == (["creds/reader/1"], 0)


async def test_a_field_that_is_not_there_gives_back_what_was_taken_for_it() -> None:
    shelf, time = Shelf(lends_for=60), Time()
    with pytest.raises(UnresolvedError, match="shelf:creds/reader has no field pin"):
        await custody(shelf, time).take("crm", [Remote("shelf", "creds/reader", "pin")])
    assert shelf.revoked == ["creds/reader/1"]


async def test_a_loan_is_renewed_after_half_of_its_life_and_stays_the_same() -> None:
    shelf, time = Shelf(lends_for=60, renewals=[60.0] * 10), Time()
    held = custody(shelf, time)
    taken = await held.take("crm", [PASSWORD])
    await moved(held, time, 29)
    assert shelf.renewed == []
    await moved(held, time, 271)
    assert len(shelf.renewed) == 10
    assert (shelf.reads, taken.is_current()) == (["creds/reader"], True)


async def test_before_the_most_it_may_live_another_is_borrowed_and_the_old_one_holds_until_it_is_given_back() -> None:
    shelf, time, told = Shelf(lends_for=60, renewals=[60.0, 30.0]), Time(), Told()
    held = custody(shelf, time, told)
    old = await held.take("crm", [PASSWORD])
    await moved(held, time, 59)
    assert old.is_current()
    await moved(held, time, 2)
    assert (old.is_current(), shelf.reads, shelf.revoked) == (False, ["creds/reader"] * 2, [])
    new = await held.take("crm", [PASSWORD])
    assert (password(old), password(new)) == ("password of creds/reader/1", "password of creds/reader/2")
    await old.release()
    assert (shelf.revoked, new.is_current(), told.events) == (["creds/reader/1"], True, ["secret_rotated"])


async def test_a_loan_that_cannot_be_renewed_is_replaced_after_two_thirds_of_its_life() -> None:
    shelf, time = Shelf(lends_for=90), Time()
    held = custody(shelf, time)
    taken = await held.take("crm", [PASSWORD])
    await moved(held, time, 59)
    assert shelf.reads == ["creds/reader"]
    await moved(held, time, 2)
    assert (shelf.reads, taken.is_current()) == (["creds/reader"] * 2, False)


async def test_during_an_outage_a_loan_goes_on_to_its_end_and_not_beyond() -> None:
    shelf, time, told = Shelf(lends_for=60, renewals=[60.0]), Time(), Told()
    held = custody(shelf, time, told)
    taken = await held.take("crm", [PASSWORD])
    shelf.trouble = OUTAGE
    await moved(held, time, 59)
    assert taken.is_current()
    assert told.said == [("secret_not_renewed", "it is down")]
    assert held.troubles == {}
    await moved(held, time, 16)
    assert not taken.is_current()
    with pytest.raises(SourceError, match="it is down"):
        await held.take("crm", [PASSWORD])
    assert held.troubles == {("shelf", "creds/reader"): "it is down"}
    # Asked ever less often, never more than once a second.
    assert len(shelf.renewed) < 25


async def test_after_an_outage_it_is_renewed_as_if_nothing_had_been() -> None:
    shelf, time = Shelf(lends_for=60, renewals=[60.0, 60.0]), Time()
    held = custody(shelf, time)
    taken = await held.take("crm", [PASSWORD])
    shelf.trouble = OUTAGE
    await moved(held, time, 45)
    shelf.trouble = None
    await moved(held, time, 5)
    assert (taken.is_current(), shelf.reads) == (True, ["creds/reader"])


async def test_what_was_borrowed_under_a_token_that_was_replaced_is_borrowed_anew_at_once() -> None:
    shelf, time = Shelf(lends_for=600, renewals=[600.0]), Time()
    held = custody(shelf, time)
    taken = await held.take("crm", [PASSWORD])
    shelf.is_sound = False
    await moved(held, time, 1)
    assert (taken.is_current(), shelf.renewed, len(shelf.reads)) == (False, [], 2)


async def test_a_changed_secret_is_seen_within_its_refreshing_and_needs_no_restart() -> None:
    shelf, time, told = Shelf(), Time(), Told()
    held = custody(shelf, time, told)
    taken = await held.take("crm", [PASSWORD])
    await moved(held, time, 61)
    assert (len(shelf.reads), taken.is_current()) == (2, True)
    shelf.fields, shelf.version = {"username": "u", "password": "another"}, "2"
    await moved(held, time, 60)
    assert not taken.is_current()
    again = await held.take("crm", [PASSWORD])
    # It was read when it was seen to have changed, and not once more.
    assert (password(again), len(shelf.reads), told.events) == ("another", 3, ["secret_rotated"])


async def test_a_secret_that_was_taken_away_is_used_no_longer() -> None:
    shelf, time = Shelf(), Time()
    held = custody(shelf, time)
    taken = await held.take("crm", [PASSWORD])
    shelf.trouble = OUTAGE
    await moved(held, time, 600)
    assert taken.is_current()
    shelf.trouble = GoneError("it is not there")
    await moved(held, time, 16)
    assert not taken.is_current()


async def test_a_clock_that_jumps_ahead_makes_it_look_early_and_one_that_jumps_back_changes_nothing() -> None:
    shelf, time = Shelf(lends_for=60, renewals=[60.0] * 9), Time()
    held = custody(shelf, time)
    taken = await held.take("crm", [PASSWORD])
    time.wall += 86_400
    await moved(held, time, 1)
    assert len(shelf.renewed) == 1
    time.wall -= 10 * 86_400
    await moved(held, time, 29)
    assert len(shelf.renewed) == 1
    await moved(held, time, 1)
    assert len(shelf.renewed) == 2
    assert taken.is_current()


async def test_a_slow_source_holds_up_no_other_secret() -> None:
    shelf, quick, time = Shelf(lends_for=60, renewals=[60.0]), Shelf(lends_for=60, renewals=[60.0] * 3), Time()
    held = Custody({"shelf": Kept(shelf, 60, None), "quick": Kept(quick, 60, None)}, time.clocks, Told())
    await held.take("crm", [PASSWORD])
    await held.take("crm", [Remote("quick", "x", "password")])
    shelf.renewals, shelf.gate = [1.0], asyncio.Event()
    time.pass_by(31)
    looking = asyncio.ensure_future(held.tick())
    await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert quick.renewed == ["x/1"]
    shelf.gate.set()
    await looking


async def test_a_source_that_fails_in_its_own_way_holds_up_no_other() -> None:
    class Odd(Shelf):
        async def upkeep(self) -> None:
            raise ZeroDivisionError("canary-of-odd")

    shelf, time, told = Shelf(lends_for=60, renewals=[60.0]), Time(), Told()
    held = Custody({"odd": Kept(Odd(), 60, None), "shelf": Kept(shelf, 60, None)}, time.clocks, told)
    await held.take("crm", [PASSWORD])
    await moved(held, time, 31)
    assert shelf.renewed == ["creds/reader/1"]
    assert set(told.said) == {("secret_source_failed", "odd: ZeroDivisionError")}


async def test_closing_gives_everything_back_and_closes_the_sources_within_seconds() -> None:
    shelf, time, told = Shelf(lends_for=60), Time(), Told()
    held = custody(shelf, time, told)
    for owner in ("crm", "erp"):
        await held.take(owner, [PASSWORD])
    await held.close()
    assert (sorted(shelf.revoked), shelf.is_closed, held.loans()) == (["creds/reader/1", "creds/reader/2"], True, 0)


async def test_a_source_that_is_declared_otherwise_is_closed_once_nothing_of_it_is_used() -> None:
    old, new, time = Shelf(lends_for=60), Shelf(lends_for=60), Time()
    held = custody(old, time)
    taken = await held.take("crm", [PASSWORD])
    held.adopt({"shelf": Kept(new, 60.0, None)})
    await moved(held, time, 2)
    assert (taken.is_current(), old.is_closed) == (False, False)
    again = await held.take("crm", [PASSWORD])
    await taken.release()
    await moved(held, time, 1)
    assert (old.revoked, old.is_closed, new.reads, again.is_current()) == (["creds/reader/1"], True, ["creds/reader"], True)


async def test_what_comes_of_a_source_that_was_replaced_meanwhile_is_given_back() -> None:
    old, time = Shelf(lends_for=60, gate=asyncio.Event()), Time()
    held = custody(old, time)
    taking = asyncio.ensure_future(held.take("crm", [PASSWORD]))
    await asyncio.sleep(0)
    held.adopt({})
    assert old.gate is not None
    old.gate.set()
    with pytest.raises(SourceError, match="was changed meanwhile"):
        await taking
    assert (old.revoked, held.loans()) == (["creds/reader/1"], 0)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(["crm", "erp"])),
        st.tuples(st.just("release"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(1, 70)),
        st.tuples(st.just("outage"), st.booleans()),
        st.tuples(st.just("unsound"), st.none()),
    ),
    max_size=25,
)


@given(STEPS, st.lists(st.sampled_from([60.0, 20.0]), max_size=5))
def test_whatever_happens_nothing_borrowed_is_forgotten_and_no_owner_has_anothers(
    steps: list[tuple[str, object]], renewals: list[float]
) -> None:
    async def play() -> None:
        shelf, time = Shelf(lends_for=60, renewals=[*renewals]), Time()
        held, out = custody(shelf, time), list[tuple[str, Taken]]()
        for step, what in steps:
            await _step(step, what, (shelf, time, held), out)
            owners: dict[str, set[str]] = {}
            for owner, taken in out:
                owners.setdefault(password(taken), set()).add(owner)
            assert all(len(who) == 1 for who in owners.values())
        shelf.trouble = None
        for _, taken in out:
            await taken.release()
        await moved(held, time, 2)
        assert held.loans() == 0

    asyncio.run(play())


async def _step(step: str, what: object, around: tuple[Shelf, Time, Custody], out: list[tuple[str, Taken]]) -> None:
    shelf, time, held = around
    match step, what:
        case "take", str(owner):
            try:
                out.append((owner, await held.take(owner, [PASSWORD])))
            except SourceError:
                return
        case "release", int(at) if at < len(out):
            await out.pop(at)[1].release()
        case "pass", int(seconds):
            time.pass_by(seconds - 1)
            await moved(held, time, 1)
        case "outage", bool(is_down):
            shelf.trouble = OUTAGE if is_down else None
        case "unsound", None:
            shelf.is_sound = not shelf.is_sound
