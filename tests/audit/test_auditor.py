"""What an auditor asks and takes away."""

import json
from dataclasses import replace

import msgspec
import pytest

from doorward import verifier
from doorward.audit.query import Query
from doorward.domain.actors import Subject
from doorward.domain.errors import StoreError
from doorward.domain.ids import CallId, SubjectId
from doorward.domain.receipts import Event
from doorward.testing.stores.log import SIGNER
from tests.audit.recorders import Bench, bench
from tests.stores.told import intent, numbered, outcome

KEYS = [verifier.Key.parse(str(SIGNER.vkey))]


async def filled(calls: int = 3) -> Bench:
    at = bench()
    await at.recorder.start({})
    for number in range(calls):
        call = numbered(f"call-{number}")
        await at.recorder.intend(intent(call))
        await at.recorder.conclude(outcome(call))
    return at


@pytest.mark.anyio
async def test_calls_are_found_by_a_value_and_a_person_in_clear() -> None:
    at = await filled()
    call = numbered("call-ann")
    person = replace(call.principal, subject=Subject(SubjectId("ann"), frozenset()))
    await at.recorder.intend(intent(replace(call, arguments={"id": "4712"}, principal=person)))

    async def found(query: Query) -> list[int]:
        return [located.index for located in (await at.auditor.find(query)).leaves]

    assert await found(Query(touched="4711")) == [5, 3, 1]
    assert await found(Query(touched="4712")) == await found(Query(subject="ann")) == [7]
    assert await found(Query(touched="4711", subject="ann")) == []


@pytest.mark.anyio
async def test_everything_about_one_approval_is_found_by_its_reference() -> None:
    at = await filled(1)
    for type_, reference in (("approval_yes", "q1"), ("approval_granted", "q1"), ("approval_granted", "q2"), ("stop_set", None)):
        await at.recorder.note(Event(type_, "bob", {"approval": reference, "agent": "claude"}))
    assert [located.index for located in (await at.auditor.find(Query(approval="q1"))).leaves] == [4, 3]


@pytest.mark.anyio
@pytest.mark.parametrize("calls", [1, 2, 3, 127, 128, 300])
async def test_a_receipt_verifies_wherever_its_call_stands(calls: int) -> None:
    at = await filled(calls)
    for number in {0, calls // 2, calls - 1}:
        receipt = await at.auditor.receipt(CallId(f"call-{number}"))
        assert receipt is not None
        assert verifier.verify_receipt(receipt, KEYS, ()).remarks == ()


@pytest.mark.anyio
async def test_a_receipt_of_a_call_that_goes_on_says_so() -> None:
    at = await filled()
    await at.recorder.intend(intent(numbered("call-open")))
    receipt = await at.auditor.receipt(CallId("call-open"))
    assert receipt is not None
    assert verifier.verify_receipt(receipt, KEYS, ()).remarks == ("the call has no outcome yet",)
    assert await at.auditor.receipt(CallId("call-unknown")) is None


@pytest.mark.anyio
async def test_a_receipt_says_what_it_is_and_holds_the_leaves_as_they_are() -> None:
    at = await filled()
    receipt = json.loads(await at.auditor.receipt(CallId("call-1")) or b"")
    leaves = await at.auditor.of_call(CallId("call-1"))
    assert (receipt["format"], receipt["call"], receipt["vkey"]) == ("doorward-receipt/1", "call-1", str(SIGNER.vkey))
    assert [(part["index"], part["leaf"].encode()) for part in receipt["leaves"]] == [(found.index, found.leaf) for found in leaves]


@pytest.mark.anyio
async def test_contents_put_beside_another_leaf_are_not_opened() -> None:
    at = await filled()
    box = await at.log.box(3)
    assert box is not None
    at.log._boxes[1] = box
    with pytest.raises(StoreError, match="cannot be opened"):
        await at.auditor.side(1)
    at.log._boxes[3] = msgspec.structs.replace(box, sealed=box.sealed[:-1] + bytes([box.sealed[-1] ^ 1]))
    with pytest.raises(StoreError, match="cannot be opened"):
        await at.auditor.side(3)


@pytest.mark.anyio
async def test_contents_that_are_not_what_was_committed_to_are_said_to_be_false() -> None:
    """Somebody who has all keys seals other contents: the leaf still knows better."""
    at = await filled()
    wrapped = await at.log.data_key(1)
    box = await at.log.box(1)
    assert box is not None
    assert wrapped is not None
    false = at.recorder._kept.said("call-0/arguments", b"other").box
    assert false is not None
    at.log._boxes[1] = false
    with pytest.raises(StoreError, match="not what the leaf commits to"):
        await at.auditor.side(1)
