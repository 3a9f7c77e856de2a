"""Answers of people over the admin API: to exactly what was shown, by whom policy named, with the operator's name in the log."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from doorward.approval.desk import Terms
from doorward.approval.question import State
from doorward.control.answers import Answers
from doorward.control.operators import Operator, Role
from doorward.domain.catalog import Reversibility, Target
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, GrantId, PolicyId
from doorward.domain.reasons import Reason, Refused
from tests import made
from tests.control.plane import ANN, DOCUMENT, ME, NOW, Plane, plane

pytestmark = pytest.mark.anyio

ASK = Ask((PolicyId("ask-late"),), (Need("ops"),), "Late reads are looked at.", Digest("b" * 64))
APPROVER: dict[str, object] = {**DOCUMENT, "control": {"operators": {str(ANN): "approver"}}}


async def pending(it: Plane, ask: Ask = ASK, of: Target | None = None, **arguments: object) -> str:
    """The reference of a call that waits."""
    with pytest.raises(Refused) as raised:
        await it.desk.clear(made.call(arguments or {"path": "a\u202eb"}, to=of), ask)
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
            "chain_owners": [],
            "subject": "",
            "upstream": "git",
            "kind": "tool",
            "name": "commit",
            "reversibility": "irreversible",
            "policies": ["ask-late"],
            "approvers": ["ops"],
            "needs": [{"team": "ops", "people": 1, "by": [], "owner_may": False}],
            "reason": "Late reads are looked at.",
            "asked_at": NOW,
            "expires_at": NOW + 86_400,
            "is_edited": False,
            "decided_by": "",
            "decided_at": None,
        }
        assert listed == {"approvals": [view]}
        assert (await it.ask("GET", f"/v1/approvals/{reference}", uid=ANN))[0] == 403
        call = made.call({"path": "a\u202eb"})
        _, shown = await it.ask("GET", f"/v1/approvals/{reference}")
        assert shown == {
            "approval": view,
            "canonical": call.canonical.decode(),
            "shown": '{\n  "path": "a\\u202eb"\n}',
            "digest": call.digest,
            "asked_digest": call.digest,
            "definition": "d1",
            "risk": "It cannot be undone, as far as anybody has said.",
            "facts": [],
            "edit": None,
        }


async def test_a_call_is_shown_whole_however_long_it_is(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        arguments: dict[str, Any] = {"path": "x" * 300_000, "count": Decimal("0.10000000000000000000000000001")}
        reference = await pending(it, **arguments)
        _, shown = await it.ask("GET", f"/v1/approvals/{reference}")
        assert shown["canonical"] == made.call(arguments).canonical.decode()
        assert len(shown["shown"]) > 300_000
        assert "0.10000000000000000000000000001" in shown["shown"]


async def test_what_waits_is_listed_with_what_is_hardest_to_undo_first(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for at, kind in enumerate((Reversibility.READ, Reversibility.IRREVERSIBLE, Reversibility.REVERSIBLE, Reversibility.COMPENSABLE)):
            it.clock.at = NOW + at
            await pending(it, of=replace(made.target(), reversibility=kind), kind=kind.value)
        answered = await pending(it, path="first")
        assert (await it.ask("POST", f"/v1/approvals/{answered}/approve", await digest(it, answered)))[0] == 200
        _, listed = await it.ask("GET", "/v1/approvals")
        assert [(one["reversibility"], one["state"]) for one in listed["approvals"]] == [
            ("irreversible", "pending"),
            ("compensable", "pending"),
            ("reversible", "pending"),
            ("read", "pending"),
            ("irreversible", "approved"),
        ]


async def test_a_yes_lets_the_call_through_once_and_names_who_gave_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        body = {**await digest(it, reference), "note": "seen it"}
        heard = {"state": "approved", "digest": body["digest"], "missing": "", "warnings": []}
        assert await it.ask("POST", f"/v1/approvals/{reference}/approve", body) == (200, heard)
        grant = await it.desk.clear(made.call({"path": "a\u202eb"}), ASK)
        assert (grant.id, grant.approved_by) == (reference, ME)
        fields = {"approval": reference, "agent": "claude", "upstream": "git", "name": "commit", **body}
        assert (await it.events())[-1] == ("approval_granted", ME, fields)


async def test_each_of_several_people_is_told_to_the_log_and_the_last_one_with_all(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.operators[ANN] = Operator("ann", Role.APPROVER, frozenset({"ops"}))
        reference = await pending(it, ask=replace(ASK, needs=(Need("ops", people=2),)))
        body = await digest(it, reference)
        _, first = await it.ask("POST", f"/v1/approvals/{reference}/approve", body, uid=ANN)
        assert (first["state"], first["missing"]) == ("pending", "1 more of ops")
        status, again = await it.ask("POST", f"/v1/approvals/{reference}/approve", body, uid=ANN)
        assert (status, again["reason"]) == (409, "refused")
        _, shown = await it.ask("GET", f"/v1/approvals/{reference}")
        assert shown["approval"]["needs"] == [{"team": "ops", "people": 2, "by": ["ann"], "owner_may": False}]
        _, last = await it.ask("POST", f"/v1/approvals/{reference}/approve", body)
        assert (last["state"], last["missing"]) == ("approved", "")
        told = [(event, by, fields.get("people")) for event, by, fields in await it.events() if event.startswith("approval")]
        assert told == [("approval_yes", "ann", None), ("approval_granted", ME, f"ann, {ME}")]


async def test_an_admin_speaks_for_every_team_and_is_one_person(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it, ask=replace(ASK, needs=(Need("legal"), Need("ops", people=2))))
        _, heard = await it.ask("POST", f"/v1/approvals/{reference}/approve", await digest(it, reference))
        assert (heard["state"], heard["missing"]) == ("pending", "1 more of ops")


async def test_an_edit_is_checked_shown_with_its_changes_and_named_by_its_own_digest(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.operators[ANN] = Operator("ann", Role.AUDITOR)
        reference = await pending(it, amount=Decimal("10.50"), to="bob", ask=replace(ASK, needs=(Need("ops", people=2),)))
        before = await digest(it, reference)
        edited = made.call({"amount": Decimal("9.99"), "to": "b\u200bob"})
        body = f'{{"digest": "{before["digest"]}", "edited": {{"to": "b\u200bob", "amount": 9.990}}}}'
        it.unfit = ("amount: too small",)
        status, answer = await it.ask("POST", f"/v1/approvals/{reference}/approve", body)
        assert (status, answer["reason"], answer["problems"]) == (409, "edit_refused", ["amount: too small"])
        it.unfit = ()
        _, heard = await it.ask("POST", f"/v1/approvals/{reference}/approve", body)
        assert heard == {"state": "pending", "digest": edited.digest, "missing": "1 more of ops", "warnings": []}
        _, shown = await it.ask("GET", f"/v1/approvals/{reference}")
        assert (shown["digest"], shown["asked_digest"]) == (edited.digest, before["digest"])
        assert shown["shown"] == '{\n  "amount": 9.99,\n  "to": "b\\u200bob"\n}'
        assert shown["edit"]["arguments"] == '{"amount":9.99,"to":"b\u200bob"}'
        assert shown["edit"]["changes"].splitlines() == ["/amount", "  -10.5", "  +9.99", "/to", "  -bob", "  +b⟨U+200B⟩ob"]
        assert (await it.ask("POST", f"/v1/approvals/{reference}/approve", before))[1]["reason"] == "changed"
        told = [(event, fields["digest"], fields.get("was")) for event, _, fields in await it.events() if event.startswith("approval")]
        assert told == [("approval_edited", edited.digest, before["digest"]), ("approval_yes", edited.digest, None)]


async def test_arguments_that_no_caller_could_send_are_no_edit(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it, amount=1)
        shown = (await digest(it, reference))["digest"]
        for edited in ('{"a": 1, "a": 2}', '{"a": "\\ud800"}', '{"a": 1e999}'):
            status, answer = await it.ask("POST", f"/v1/approvals/{reference}/approve", f'{{"digest": "{shown}", "edited": {edited}}}')
            assert (status, answer["reason"]) == (400, "invalid_body")
        assert [question.yeses for question in it.desk.questions()] == [()]


async def test_what_nobody_answers_in_time_is_told_to_the_log(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        reference = await pending(it)
        it.clock.at += Terms().answer_seconds
        answers = Answers(it.desk, it.recorder)
        await answers.sweep()
        event, by, fields = (await it.events())[-1]
        assert (event, by, fields["approval"]) == ("approval_expired", "doorward", reference)
        await answers.sweep()
        assert len([event for event, _, _ in await it.events() if event == "approval_expired"]) == 1


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
