"""What journals keep, and how they are bounded."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.ids import SessionId
from doorward.serving.resume import Journals, Kept

pytestmark = pytest.mark.anyio

ONE, TWO = SessionId("one"), SessionId("two")


def journals(**bounds: int) -> Journals:
    ids = count()
    return Journals(Kept(**bounds), lambda: 0.0, lambda: f"j{next(ids)}")


async def test_reader_gets_what_was_kept_and_what_comes() -> None:
    kept = journals()
    journal = kept.open(ONE)
    journal.prime()
    journal.add(b"1")
    reading = journal.after(0, "reader")
    assert await anext(reading) == b"id: j0-1\ndata: 1\n\n"
    journal.add(b"2")
    journal.add(b"3")
    assert await anext(reading) == b"id: j0-2\ndata: 2\n\n"
    journal.end()
    assert [event async for event in reading] == [b"id: j0-3\ndata: 3\n\n"]


async def test_new_reader_ends_the_one_before() -> None:
    journal = journals().open(ONE)
    journal.add(b"1")
    first = journal.after(-1, "first")
    await anext(first)
    second = journal.after(-1, "second")
    await anext(second)
    assert [event async for event in first] == []


async def test_dropped_journal_ends_its_reader_and_keeps_no_more() -> None:
    kept = journals()
    journal = kept.open(ONE)
    journal.add(b"1")
    reading = journal.after(-1, "reader")
    await anext(reading)
    kept.forget(ONE)
    assert [event async for event in reading] == []
    assert journal.add(b"2").endswith(b"data: 2\n\n")
    assert (kept.size, kept.find(ONE, "j0-0")) == (0, None)


def test_oldest_journal_of_a_session_makes_room_for_its_newest() -> None:
    kept = journals(journals=2)
    for _ in range(3):
        kept.open(ONE)
    other = kept.open(TWO)
    assert [kept.find(ONE, f"j{number}-0") is not None for number in range(3)] == [False, True, True]
    assert kept.find(TWO, "j3-0") == (other, 0)


def test_answer_larger_than_a_session_may_keep_is_not_kept() -> None:
    kept = journals(session_bytes=100)
    journal = kept.open(ONE)
    assert journal.add(b"x" * 200).endswith(b"x\n\n")
    assert (journal.is_kept, kept.size) == (False, 0)


@given(st.lists(st.tuples(st.sampled_from([ONE, TWO, SessionId("three")]), st.integers(0, 3), st.integers(0, 120)), max_size=40))
def test_bounds_hold_whatever_is_kept(steps: list[tuple[SessionId, int, int]]) -> None:
    kept = journals(journals=2, session_bytes=400, total_bytes=700)
    opened = {session: kept.open(session) for session in (ONE, TWO, SessionId("three"))}
    for session, action, size in steps:
        match action:
            case 0:
                opened[session] = kept.open(session)
            case 1:
                kept.forget(session)
            case _:
                opened[session].add(b"x" * size)
        held = [journal for shelf in kept._shelves.values() for journal in shelf.journals.values()]
        assert kept.size == sum(journal.size for journal in held) == sum(len(frame) for journal in held for frame in journal._frames)
        assert kept.size <= 700
        assert all(len(shelf.journals) <= 2 and shelf.size <= 400 for shelf in kept._shelves.values())
