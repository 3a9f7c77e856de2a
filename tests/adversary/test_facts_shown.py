"""What is told beside the arguments of a call tells no more than the arguments would, and nothing of other arguments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.approval.desk import Approver
from doorward.approval.question import Question
from doorward.domain.actors import Subject
from doorward.domain.ids import GrantId, SubjectId
from doorward.domain.reasons import Refused
from tests import made
from tests.control.answering import ANSWERING, AUD, EVE, OTTO, TWO, came
from tests.control.door import RAY, NetworkDoor, network_door

pytestmark = pytest.mark.anyio

SAFE = (("derived.to.domains", '["friends.example"]'), ("finding", "pii/iban, high, at /arguments/note"))


async def asked(door: NetworkDoor) -> Question:
    """A call that two people must approve, with what policy and guards say of its arguments."""
    by = replace(made.principal(), subject=Subject(SubjectId("corp:uma"), frozenset()))
    with pytest.raises(Refused) as raised:
        await door.it.desk.clear(made.call({"to": "ann@friends.example"}, by=by), TWO, SAFE)
    found = door.it.desk.question(GrantId(str(raised.value.extra["approval"])))
    assert found is not None
    return found


async def test_who_may_not_see_the_arguments_does_not_see_what_was_derived_of_them(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await asked(door)
        for claims, sees in ((RAY, False), (AUD, True), (EVE, True)):
            page = await (await came(door, **claims)).get(f"/approvals/{question.id}")
            assert [text in page.text for text in ("friends.example", "pii/iban")] == [sees, sees], claims


async def test_who_is_asked_after_an_edit_is_not_told_facts_of_what_stood_there_before(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await asked(door)
        await door.it.desk.approve(question.id, Approver("corp:eve", frozenset({"ops"})), {"to": "mallory@evil.example"})
        otto = await came(door, **OTTO)
        page = (await otto.get(f"/approvals/{question.id}")).text
        shown = json.loads((await otto.get(f"/v1/approvals/{question.id}")).text)
        assert "<bdi>as the agent asked it: derived.to.domains</bdi>" in page
        assert [fact["name"] for fact in shown["facts"]] == ["as the agent asked it: derived.to.domains", "as the agent asked it: finding"]
