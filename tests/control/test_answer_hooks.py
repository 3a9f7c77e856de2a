"""Signed answers of a service: whom it may speak for and what for, once, of now, and nothing for strangers."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from doorward.approval.question import State
from doorward.control import answer_hooks
from doorward.domain.ids import Digest
from tests import made
from tests.control.answering import ANSWERING, ASK, TWO, no, passed_on, pending, signed, standing, yes
from tests.control.door import ORIGIN, Got, network_door

pytestmark = pytest.mark.anyio

URL = "/hooks/approvals/chat"


async def test_a_signed_yes_of_somebody_who_may_lets_the_call_through_and_the_log_says_who_and_how(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        got = await passed_on(door, yes(question, note="seen in chat"))
        assert (got.status, json.loads(got.text)) == (200, {"state": "approved", "missing": "", "warnings": []})
        assert (await door.it.desk.clear(made.call({"path": "a"}), ASK)).approved_by == "corp:eve"
        fields = {"approval": question.id, "agent": "claude", "upstream": "git", "name": "commit", "digest": question.shown_digest}
        event = ("approval_granted", "corp:eve", {**fields, "note": "seen in chat", "door": "webhook chat"})
        assert (await door.it.events())[-1] == event


async def test_a_signed_no_holds(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        assert json.loads((await passed_on(door, no(question))).text)["state"] == "rejected"
        assert (await door.it.events())[-1][:2] == ("approval_rejected", "corp:eve")


async def test_two_people_of_one_service_count_as_two_and_one_as_one(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        assert json.loads((await passed_on(door, yes(question), "m1")).text)["missing"] == "1 more of ops"
        again = await passed_on(door, yes(question), "m2")
        assert (again.status, again.reason) == (409, "refused")
        assert json.loads((await passed_on(door, yes(question, "corp:otto"), "m3")).text)["state"] == "approved"


async def test_an_edit_is_checked_by_policy_and_keeps_its_digits(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        body = json.dumps(yes(question)).encode()[:-1] + b', "edited": {"n": 12345678901234567890.123}}'
        got = await door.ask("POST", URL, signed(door, body), body)
        assert got.status == 200
        assert standing(door, question).edited == b'{"n":12345678901234567890.123}'
        other = await pending(door, path="b")
        door.it.unfit = ("policy denies it",)
        refused = await passed_on(door, yes(other, edited={"path": "/etc"}), "m2")
        assert (refused.status, refused.reason) == (409, "edit_refused")
        assert standing(door, other).state is State.PENDING


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("corp:ada", "refused"),
        ("corp:fay", "refused"),
        ("corp:mallory", "unknown_approver"),
        ("ann", "unknown_approver"),
        ("other:eve", "unknown_approver"),
        ("", "unknown_approver"),
    ],
)
async def test_the_owner_people_of_other_teams_and_strangers_approve_nothing(tmp_path: Path, by: str, reason: str) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        got = await passed_on(door, yes(question, by))
        assert got.reason == reason
        assert standing(door, question).state is State.PENDING


async def test_whom_the_agent_acts_for_does_not_answer_through_a_service_either(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, subject="corp:eve")
        assert (await passed_on(door, yes(question))).reason == "refused"


async def test_whoever_is_stopped_or_revoked_answers_nothing(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        assert (await door.it.ask("POST", "/v1/stops", {"matter": "user:corp:eve", "reason": "left"}))[0] == 200
        got = await passed_on(door, yes(question))
        assert (got.status, got.reason) == (403, "barred")
        assert standing(door, question).state is State.PENDING


async def test_a_webhook_without_approvers_only_tells(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        assert (await passed_on(door, yes(await pending(door)), name="mail")).reason == "unknown_approver"


async def test_what_comes_twice_has_its_effect_once_and_is_told_the_same(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        first = await passed_on(door, yes(question))
        count = len(await door.it.events())
        assert await passed_on(door, yes(question)) == first
        assert len(await door.it.events()) == count
        assert len(standing(door, question).yeses) == 1
        other = await passed_on(door, no(question))
        assert (other.status, other.reason) == (409, "used_id")
        assert standing(door, question).state is State.PENDING


async def test_what_comes_twice_at_once_has_its_effect_once(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        got: list[Got] = []

        async def sends() -> None:
            got.append(await passed_on(door, yes(question)))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(sends)
        assert sorted({one.status for one in got}) in ([200], [200, 409])
        assert len(standing(door, question).yeses) == 1


async def test_a_yes_that_comes_again_after_a_no_does_nothing_even_with_another_id(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        await passed_on(door, yes(question), "m1")
        await passed_on(door, no(question, "corp:otto"), "m2")
        assert (await passed_on(door, yes(question), "m1")).status == 200
        assert (await passed_on(door, yes(question), "m3")).reason == "refused"
        assert standing(door, question).state is State.REJECTED


async def test_a_message_whose_answer_could_not_be_kept_may_come_again(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        door.it.log.broken = "no space"
        assert (await passed_on(door, yes(question))).reason == "unrecorded"
        assert standing(door, question).state is State.REJECTED
        door.it.log.broken = None
        other = await pending(door, path="b")
        assert (await passed_on(door, yes(other))).status == 200


async def test_a_yes_to_what_was_edited_meanwhile_is_none(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        await passed_on(door, yes(question, "corp:otto", edited={"path": "b"}), "m1")
        got = await passed_on(door, yes(question), "m2")
        assert (got.status, got.reason) == (409, "changed")
        assert (await passed_on(door, yes(standing(door, question)), "m3")).status == 200


@pytest.mark.parametrize("off", [-301, 301])
async def test_clocks_that_are_far_apart_are_refused(tmp_path: Path, off: int) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        body = json.dumps(yes(await pending(door))).encode()
        assert (await door.ask("POST", URL, signed(door, body, off=off), body)).status == 401
        near = await door.ask("POST", URL, signed(door, body, off=off - 1 if off > 0 else off + 1), body)
        assert near.status == 200


async def test_strangers_are_told_the_same_whatever_is_wrong(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        body = json.dumps(yes(question)).encode()
        right = signed(door, body)
        wrong: list[tuple[str, Any, bytes]] = [
            (URL, signed(door, body, secret="whsec_" + "b2" * 16), body),
            ("/hooks/approvals/unknown", right, body),
            (URL, right, body.replace(b"corp:eve", b"corp:oto")),
            (URL, {**right, "webhook-id": "m2"}, body),
            (URL, {**right, "webhook-timestamp": "1"}, body),
            (URL, {**right, "webhook-signature": ""}, body),
            (URL, {**right, "webhook-signature": right["webhook-signature"].replace("v1,", "v1a,")}, body),
            (URL, {}, body),
            (URL, [*right.items(), ("webhook-signature", "v1,x")], body),
            (URL, [*right.items(), ("webhook-id", "m1")], body),
        ]
        told = {((got := await door.ask("POST", path, headers, raw)).status, got.text) for path, headers, raw in wrong}
        assert len(told) == 1
        assert next(iter(told))[0] == 401
        assert standing(door, question).state is State.PENDING
        assert (await door.ask("POST", URL, right, body)).status == 200


async def test_a_webhook_that_a_reload_takes_away_is_unknown_at_once(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        await door.change({**ANSWERING, "approvals": {}})
        assert (await passed_on(door, yes(question))).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"a": 1, "a": 2}',
        b'{"approval": "x"}',
        b'{"approval": "x", "digest": "' + b"a" * 64 + b'", "answer": "maybe", "by": "corp:eve"}',
        b'{"approval": "x", "digest": "' + b"a" * 64 + b'", "answer": "approve", "by": "corp:eve", "admin": true}',
        b'{"approval": "x", "digest": "' + b"a" * 64 + b'", "answer": "reject", "by": "corp:eve", "edited": {}}',
        b'{"approval": "x", "digest": "' + b"a" * 64 + b'", "answer": "approve", "by": "corp:eve", "edited": [1]}',
        b'{"approval": "x", "digest": "' + b"A" * 64 + b'", "answer": "approve", "by": "corp:eve"}',
    ],
)
async def test_what_is_no_answer_is_refused(tmp_path: Path, body: bytes) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        got = await door.ask("POST", URL, signed(door, body), body)
        assert (got.status, got.reason) == (400, "invalid_body")


async def test_a_question_that_is_not_there_is_not(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        said = {"approval": "x", "digest": Digest("a" * 64), "answer": "approve", "by": "corp:eve"}
        assert (await passed_on(door, said)).status == 404


async def test_a_large_message_a_page_of_another_site_another_method_and_another_host_are_refused(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        large = b" " * (answer_hooks.BODY_BYTES + 1)
        assert (await door.ask("POST", URL, signed(door, large), large)).status == 413
        body = json.dumps(yes(await pending(door))).encode()
        assert (await door.ask("POST", URL, {**signed(door, body), "origin": "https://evil.example.com"}, body)).status == 403
        assert (await door.ask("POST", URL, {**signed(door, body), "host": "evil.example.com"}, body)).status == 403
        assert (await door.ask("GET", URL, signed(door, body))).status == 405
        for path in ("/hooks/approvals/", "/hooks/approvals/chat/", "/hooks/approvals/a/b", "/hooks/approvals/ch%2Fat"):
            assert (await door.ask("POST", path, signed(door, body), body)).status == 404


async def test_one_address_cannot_hammer_it(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        statuses = [(await door.ask("POST", URL, {}, b"{}")).status for _ in range(61)]
        assert (statuses[:60], statuses[60]) == ([401] * 60, 429)
        door.it.clock.at += 60
        body = json.dumps(yes(await pending(door))).encode()
        assert (await door.ask("POST", URL, signed(door, body), body)).status == 200


async def test_neither_a_session_nor_a_bearer_token_is_needed_nor_any_help(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        body = json.dumps(yes(await pending(door))).encode()
        assert (await door.ask("POST", URL, {"authorization": "Bearer dwo_x", "origin": ORIGIN}, body)).status == 401
