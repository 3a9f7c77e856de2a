"""Whoever asks for approval by the thousand, or by the megabyte, keeps nobody else from asking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.domain.actors import Subject
from doorward.domain.calls import Call
from doorward.domain.ids import SubjectId
from doorward.domain.reasons import Reason, Refused
from tests.approval.house import ASK, House
from tests.made import call, principal

pytestmark = pytest.mark.anyio

LARGE = "x" * 1_000_000


def large(agent: str, subject: str, number: int) -> Call:
    """A call as large as one may be."""
    by = replace(principal(agent), subject=Subject(SubjectId(subject), frozenset()))
    return call({"n": number, "text": LARGE}, by=by)


async def turned_away(house: House, one: Call) -> Reason:
    """Why a call does not go on."""
    with pytest.raises(Refused) as raised:
        await house.desk.clear(one, ASK)
    return raised.value.reason


async def test_a_few_agents_with_large_calls_leave_room_for_the_others() -> None:
    house = House()
    for agent in ("mallory", "mallet"):
        for subject in range(6):
            found = [await turned_away(house, large(agent, f"corp:p{subject}", number)) for number in range(20)]
            assert found[-1] is Reason.OVER_CONCURRENCY
    assert await turned_away(house, call({"amount": 7}, by=principal("claude"))) is Reason.PENDING


async def test_one_person_with_large_calls_leaves_room_for_the_others_of_the_same_agent() -> None:
    house = House()
    assert [await turned_away(house, large("claude", "corp:mallory", number)) for number in range(20)][-1] is Reason.OVER_CONCURRENCY
    assert await turned_away(house, large("claude", "corp:ada", 1)) is Reason.PENDING


async def test_an_agent_that_asks_for_thousands_of_people_leaves_room_for_the_others() -> None:
    house = House()
    by = principal("mallory")
    for number in range(2_500):
        acting = replace(by, subject=Subject(SubjectId(f"corp:p{number // 20}"), frozenset()))
        assert await turned_away(house, call({"n": number}, by=acting)) is Reason.PENDING
    acting = replace(by, subject=Subject(SubjectId("corp:another"), frozenset()))
    assert await turned_away(house, call({"n": 0}, by=acting)) is Reason.OVER_CONCURRENCY
    assert await turned_away(house, call({"n": 0}, by=principal("claude"))) is Reason.PENDING
