"""Answers of people over the admin API: to exactly what was shown, by whom policy named, with the operator's name in the log."""

from pathlib import Path
from typing import Any

import pytest

from doorward.approval.question import State
from doorward.control.operators import Operator, Role
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, GrantId, PolicyId
from doorward.domain.reasons import Reason, Refused
from tests import made
from tests.control.plane import ANN, DOCUMENT, ME, NOW, Plane, plane

pytestmark = pytest.mark.anyio

ASK = Ask((PolicyId("ask-late"),), (Need("ops"),), "Late reads are looked at.", Digest("b" * 64))
APPROVER: dict[str, object] = {**DOCUMENT, "control": {"operators": {str(ANN): "approver"}}}


async def pending(it: Plane, **arguments: object) -> str:
    """The reference of a call that waits."""
    with pytest.raises(Refused) as raised:
        await it.desk.clear(made.call(arguments or {"path": "a\u202eb"}), ASK)
    assert raised.value.reason is Reason.PENDING
    return str(raised.value.extra["approval"])


async def digest(it: Plane, reference: str) -> dict[str, Any]:
    return {"digest": (await it.ask("GET", f"/v1/approvals/{reference}"))[1]["digest"]}


async def test_a_question_is_listed_without_and_shown_with_its_arguments(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        _, listed = await it.ask("GET", "/v1/approvals", uid=ANN)
        view = {
            "id": reference,
            "state": "pending",
            "agent": "claude",
            "owner": "ada",
            "upstream": "git",
            "kind": "tool",
            "name": "commit",
            "policies": ["ask-late"],
            "approvers": ["ops"],
            "reason": "Late reads are looked at.",
            "asked_at": NOW,
            "expires_at": NOW + 86_400,
            "decided_by": "",
            "decided_at": None,
        }
        assert listed == {"approvals": [view]}
        assert (await it.ask("GET", f"/v1/approvals/{reference}", uid=ANN))[0] == 403
        call = made.call({"path": "a\u202eb"})
        _, shown = await it.ask("GET", f"/v1/approvals/{reference}")
        assert shown == {"approval": view, "canonical": call.canonical.decode(), "digest": call.digest, "definition": "d1"}


async def test_a_yes_lets_the_call_through_once_and_names_who_gave_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        body = {**await digest(it, reference), "note": "seen it"}
        assert await it.ask("POST", f"/v1/approvals/{reference}/approve", body) == (200, {"warnings": []})
        grant = await it.desk.clear(made.call({"path": "a\u202eb"}), ASK)
        assert (grant.id, grant.approved_by) == (reference, ME)
        fields = {"approval": reference, "agent": "claude", "upstream": "git", "name": "commit", **body}
        assert (await it.events())[-1] == ("approval_granted", ME, fields)


async def test_a_yes_to_another_digest_is_none(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        status, answer = await it.ask("POST", f"/v1/approvals/{reference}/approve", {"digest": "0" * 64})
        assert (status, answer["reason"]) == (409, "changed")
        assert [question.state for question in it.desk.questions()] == [State.PENDING]


async def test_a_no_holds_for_the_same_call(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        assert (await it.ask("POST", f"/v1/approvals/{reference}/reject", await digest(it, reference)))[0] == 200
        with pytest.raises(Refused) as raised:
            await it.desk.clear(made.call({"path": "a\u202eb"}), ASK)
        assert raised.value.reason is Reason.REJECTED
        assert (await it.events())[-1][0] == "approval_rejected"


async def test_an_approver_speaks_for_its_own_groups_alone(tmp_path: Path) -> None:
    async with plane(tmp_path, APPROVER) as it:
        reference = await pending(it)
        body = await digest(it, reference)
        status, answer = await it.ask("POST", f"/v1/approvals/{reference}/approve", body, uid=ANN)
        assert (status, answer["reason"]) == (409, "refused")
        assert [event for event, _, _ in await it.events()] == ["gateway_started"]
        it.operators[ANN] = Operator(f"uid {ANN}", Role.APPROVER, frozenset({"ops"}))
        assert (await it.ask("POST", f"/v1/approvals/{reference}/approve", body, uid=ANN))[0] == 200
        question = it.desk.question(GrantId(reference))
        assert question is not None
        assert (question.state, question.decided_by) == (State.APPROVED, f"uid {ANN}")


async def test_a_yes_that_the_log_could_not_be_told_of_is_taken_back(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        body = await digest(it, reference)
        it.log.broken = "no space"
        status, answer = await it.ask("POST", f"/v1/approvals/{reference}/approve", body)
        assert (status, answer["reason"]) == (503, "unrecorded")
        question = it.desk.question(GrantId(reference))
        assert question is not None
        assert question.state is State.REJECTED


async def test_what_does_not_wait_is_not_found(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("GET", "/v1/approvals/nothing"))[0] == 404
        assert (await it.ask("POST", "/v1/approvals/nothing/approve", {"digest": "0" * 64}))[0] == 404
