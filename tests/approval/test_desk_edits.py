"""The desk, where an approver puts other arguments in place of the caller's."""

from decimal import Decimal

import anyio
import pytest

from doorward.approval.desk import Approver, DeskError
from doorward.approval.question import State
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Need
from doorward.domain.ids import Digest
from doorward.domain.reasons import Reason
from tests.approval.house import ASK, BOB, CALL, CAROL, House, asking
from tests.made import call, target

pytestmark = pytest.mark.anyio

TWO = asking(Need("finance", 2))
EDITED = call({"amount": 5, "note": "less"}, by=CALL.principal)


async def test_the_grant_of_an_edit_is_for_the_original_call_and_carries_the_other_arguments() -> None:
    house = House()
    reference = await house.asked()
    approved = await house.desk.approve(reference, BOB, {"note": "less", "amount": Decimal("5.0")})
    assert (approved.state, approved.shown_digest) == (State.APPROVED, EDITED.digest)
    grant = await house.desk.clear(CALL, ASK)
    assert (grant.digest, grant.edited, grant.approved_by) == (CALL.digest, b'{"amount":5,"note":"less"}', "bob")
    assert house.consumed(grant)


async def test_the_edited_call_itself_is_another_question() -> None:
    house = House()
    await house.desk.approve(await house.asked(), BOB, EDITED.arguments)
    assert (await house.refusal(EDITED)).reason is Reason.PENDING


async def test_an_edit_voids_every_earlier_yes_and_counts_as_its_editors() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB)
    edited = await house.desk.approve(reference, CAROL, EDITED.arguments)
    assert ([yes.by for yes in edited.yeses], edited.state) == (["carol"], State.PENDING)
    approved = await house.desk.approve(reference, BOB)
    assert (approved.state, approved.edited) == (State.APPROVED, b'{"amount":5,"note":"less"}')


async def test_an_edit_back_to_what_the_agent_asked_is_none() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB, EDITED.arguments)
    back = await house.desk.approve(reference, CAROL, {"amount": 7})
    assert (back.edited, back.shown_digest, [yes.by for yes in back.yeses]) == (None, CALL.digest, ["carol"])


async def test_the_same_arguments_are_a_plain_yes() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB)
    approved = await house.desk.approve(reference, CAROL, {"amount": Decimal("7.0")})
    assert (approved.state, approved.edited, len(approved.yeses)) == (State.APPROVED, None, 2)


async def test_a_yes_to_what_was_edited_meanwhile_is_none() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB, EDITED.arguments)
    with pytest.raises(DeskError, match="edited meanwhile"):
        await house.desk.approve(reference, CAROL, shown=CALL.digest)
    assert (await house.desk.approve(reference, CAROL, shown=EDITED.digest)).state is State.APPROVED


@pytest.mark.parametrize("is_edit_first", [False, True])
async def test_a_yes_that_races_an_edit_never_counts_for_it(is_edit_first: bool) -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    late: list[DeskError] = []

    async def approve() -> None:
        try:
            await house.desk.approve(reference, BOB)
        except DeskError as error:
            late.append(error)

    async def edit() -> None:
        await house.desk.approve(reference, CAROL, EDITED.arguments, CALL.digest)

    async with anyio.create_task_group() as tasks:
        for one in (edit, approve) if is_edit_first else (approve, edit):
            tasks.start_soon(one)
    row = house.row(reference)
    assert (row.edited is not None, [yes.by for yes in row.yeses], row.state) == (True, ["carol"], State.PENDING)
    assert len(late) == is_edit_first


async def test_bytes_edited_after_the_approval_need_another_one() -> None:
    house = House()
    grant = await house.granted()
    for changed in ({"amount": 8}, {"amount": "7"}, {"amount": 7, "to": "eve"}, {}):
        assert (await house.refusal(call(changed))).reason is Reason.PENDING
    assert (await house.refusal(call({"amount": 7}, extras={"later": True}))).reason is Reason.PENDING
    assert await house.desk.clear(CALL, ASK) == grant


async def test_what_is_approved_cannot_be_edited_any_more() -> None:
    house = House()
    grant = await house.granted()
    with pytest.raises(DeskError):
        await house.desk.approve(grant.id, CAROL, EDITED.arguments)
    assert await house.desk.clear(CALL, ASK) == grant


async def test_an_edit_survives_a_restart() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB, EDITED.arguments)
    await house.restart()
    assert (await house.desk.approve(reference, CAROL, shown=EDITED.digest)).state is State.APPROVED
    await house.restart()
    assert (await house.desk.clear(CALL, TWO)).edited == b'{"amount":5,"note":"less"}'


@pytest.mark.parametrize(
    "arguments",
    [{"a": "\ud800"}, {"a": Decimal("1e999")}, {"a": "x" * 300_000}, {"a": object()}, {"a": float("nan")}],
)
async def test_what_no_call_could_carry_is_no_edit(arguments: dict[str, object]) -> None:
    house = House()
    reference = await house.asked()
    with pytest.raises(DeskError):
        await house.desk.approve(reference, BOB, arguments)
    assert house.row(reference).yeses == ()


async def test_a_resource_is_never_another_one() -> None:
    house = House()
    what = call({"uri": "file:///a"}, to=target(kind=Kind.RESOURCE, name="file:///a"), method="resources/read")
    reference = await house.asked(what)
    with pytest.raises(DeskError, match="no arguments to edit"):
        await house.desk.approve(reference, BOB, {"uri": "file:///b"})


async def test_who_may_not_say_yes_edits_nothing() -> None:
    house = House()
    reference = await house.asked()
    for by in (Approver("ada", frozenset({"finance"})), Approver("eve", frozenset({"ops"}))):
        with pytest.raises(DeskError):
            await house.desk.approve(reference, by, EDITED.arguments)
    assert (house.row(reference).edited, house.row(reference).edited_digest) == (None, Digest(""))
