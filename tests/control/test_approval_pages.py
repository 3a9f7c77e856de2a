"""The pages of approvals: who sees what, whose answer counts, to exactly what was shown, and nothing of a call becomes mark-up."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from doorward.approval.question import State
from doorward.control.network import COOKIE
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, PolicyId
from doorward.domain.reasons import Reason, Refused
from tests import made
from tests.control.answering import ADA, ANSWERING, ASK, AUD, EVE, FAY, OTTO, TWO, buttons, came, hidden, pending, standing
from tests.control.door import ANN, ORIGIN, RAY, ZOE, network_door
from tests.control.test_signing import BEGIN, code, redeemed

pytestmark = pytest.mark.anyio

HOSTILE = {"text": '</pre><script>alert(1)</script>\u202e\u200b\u0007 {{ 7*7 }} "onload="x', "</textarea><b>": "&lt;"}


async def test_whoever_is_not_signed_in_signs_in_and_is_back_at_the_same_page(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question, eve = await pending(door), door.browser()
        path = f"/approvals/{question.id}"
        sent = await eve.get(path)
        assert (sent.status, sent.header("location")) == (303, f"/signin?next=%2Fapprovals%2F{question.id}")
        entered = await eve.sign_in(sent.header("location"), **EVE)
        assert f'content="0;url={path}"' in entered.text
        assert question.shown_digest in (await eve.get(path)).text


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example.com/",
        "//evil.example.com/approvals/q",
        "/approvals/../v1/me",
        "/approvals//evil.example.com",
        "/approvals/q?x=1",
        "/approvals/q#x",
        "/approvals/q%0d%0aset-cookie:x",
        "/approvals/\\evil.example.com",
        "/v1/me",
        "javascript:alert(1)",
        "/approvals/" + "q" * 65,
        "",
    ],
)
async def test_a_sign_in_leads_back_to_pages_of_approvals_alone(tmp_path: Path, place: str) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        answer = await door.browser().get(f"/signin?next={place.replace('%', '%25').replace('#', '%23').replace('?', '%3F')}")
        assert answer.status == 400
        both = await door.browser().get(f"{BEGIN}&next=/approvals")
        assert both.status == 400


async def test_a_link_from_elsewhere_takes_one_step_of_our_own_so_that_the_session_counts(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        stranger = door.browser()
        step = await stranger.get(f"/approvals/{question.id}", **{"sec-fetch-site": "cross-site"})
        assert step.status == 200
        assert f'content="0;url=/approvals/{question.id}"' in step.text
        assert question.shown_digest not in step.text
        assert (await stranger.get(f"/approvals/{question.id}", **{"sec-fetch-site": "same-origin"})).status == 303


async def test_an_approver_sees_everything_and_approves_exactly_that(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, subject="corp:uma", path="a", n=1)
        eve = await came(door, **EVE)
        page = await eve.get(f"/approvals/{question.id}")
        for text in ("claude", "ada", "corp:uma", "commit", "git", "Late reads are looked at.", "ask-late", "cannot be undone"):
            assert text in page.text
        assert hidden(page, "digest") == question.shown_digest
        assert buttons(page) == ["approve", "reject", "edit"]
        told = await eve.submit(f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": "approve", "note": "fine"})
        assert (told.status, "Approved" in told.text) == (200, True)
        assert standing(door, question).state is State.APPROVED
        name, by, fields = (await door.it.events())[-1]
        assert (name, by, fields["note"], fields["door"]) == ("approval_granted", "corp:eve", "fine", "page")


async def test_nothing_of_a_call_becomes_mark_up_and_nothing_of_it_is_hidden(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        ask = Ask((PolicyId("p<1>"),), (Need("ops"),), "<b>\u202elook</b>", Digest("b" * 64))
        question = await pending(door, ask, **HOSTILE)
        eve = await came(door, **EVE)
        page = await eve.get(f"/approvals/{question.id}")
        assert "script" not in re.sub(r"&lt;/?script&gt;", "", page.text)
        assert not {"\u202e", "\u200b", "\u0007"} & set(page.text)
        assert "<mark>\\u202e</mark><mark>\\u200b</mark><mark>\\u0007</mark>" in page.text
        assert "&lt;b&gt;<mark>U+202E</mark>look" in page.text
        assert "p&lt;1&gt;" in page.text
        assert "{{ 7*7 }}" in page.text
        text = unescape(page.text.split("<textarea")[1].partition(">\n")[2].partition("</textarea>")[0])
        assert json.loads(text) == HOSTILE
        policy = page.header("content-security-policy")
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy


async def test_a_call_of_many_bytes_is_shown_to_its_last_one(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, text="x" * 200_000 + "THE END", rows=list(range(2000)))
        page = await (await came(door, **EVE)).get(f"/approvals/{question.id}")
        assert page.text.count("THE END") == 2
        assert "\n    1999\n" in page.text


async def test_an_edit_is_shown_as_a_difference_before_it_is_approved(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question, path = await pending(door, amount=500, to="bob"), ""
        path = f"/approvals/{question.id}"
        eve = await came(door, **EVE)
        draft = {"digest": question.shown_digest, "answer": "edit", "edited": '{"to": "bob",\r\n "amount": 50}', "note": "less"}
        shown = await eve.submit(path, draft)
        assert standing(door, question).state is State.PENDING
        assert "<del>-   <bdi>&quot;amount&quot;</bdi>: 500,</del><ins>+   <bdi>&quot;amount&quot;</bdi>: 50,</ins>" in shown.text
        assert (hidden(shown, "note"), buttons(shown)) == ("less", ["approve", "draft"])
        fields = {name: hidden(shown, name) for name in ("digest", "edited", "note")}
        again = await eve.submit(path, {**fields, "answer": "draft"})
        assert "&#34;amount&#34;: 50," in again.text
        assert (await eve.submit(path, {**fields, "answer": "approve"})).status == 200
        assert standing(door, question).edited == b'{"amount":50,"to":"bob"}'
        assert [event for event, _, _ in await door.it.events()][-2:] == ["approval_edited", "approval_granted"]


@pytest.mark.parametrize("edited", ['{"a": 1, "a": 2}', "[1]", '{"a":', '{"a": NaN}', '{"a": "\\ud800"}'])
async def test_an_edit_that_is_no_call_is_given_back_with_why(tmp_path: Path, edited: str) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        eve = await came(door, **EVE)
        for answer in ("edit", "approve"):
            got = await eve.submit(
                f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": answer, "edited": edited, "note": "my note"}
            )
            assert got.status == 400
            assert "Not answered. The arguments are not JSON" in got.text
            assert unescape(got.text.split("<textarea")[1].partition(">\n")[2].partition("</textarea>")[0]) == edited
            assert hidden(got, "note") == "my note"
        assert standing(door, question) == question


async def test_an_edit_that_policy_would_not_let_through_is_told_before_it_is_approved(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        eve = await came(door, **EVE)
        door.it.unfit = ("the policy no-secrets denies it",)
        for answer in ("edit", "approve"):
            got = await eve.submit(
                f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": answer, "edited": '{"path": "secret"}'}
            )
            assert (got.status, "the policy no-secrets denies it" in got.text) == (409, True)
        assert standing(door, question) == question


async def test_what_has_changed_meanwhile_is_shown_again_and_not_answered(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        path = f"/approvals/{question.id}"
        eve, otto = await came(door, **EVE), await came(door, **OTTO)
        old = hidden(await eve.get(path), "digest")
        assert (await otto.submit(path, {"digest": old, "answer": "approve", "edited": '{"path": "b"}'})).status == 200
        told = [await eve.submit(path, {"digest": old, "answer": answer}) for answer in ("approve", "reject", "edit")]
        assert [(got.status, "has changed since it was shown to you" in got.text) for got in told] == [(409, True)] * 3
        now = standing(door, question)
        assert hidden(told[0], "digest") == now.shown_digest
        assert "What an approver has changed" in told[0].text
        assert "so far corp:otto" in told[0].text
        assert (now.state, len(now.yeses)) == (State.PENDING, 1)
        assert "Approved" in (await eve.submit(path, {"digest": now.shown_digest, "answer": "approve"})).text


async def test_a_yes_of_two_is_noted_and_who_has_said_it_is_not_counted_twice(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, TWO)
        fields = {"digest": question.shown_digest, "answer": "approve"}
        eve = await came(door, **EVE)
        assert "1 more of ops" in (await eve.submit(f"/approvals/{question.id}", fields)).text
        again = await eve.submit(f"/approvals/{question.id}", fields)
        assert (again.status, "has said yes already" in again.text) == (409, True)


async def test_a_no_is_told_and_a_yes_can_be_taken_back(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        one, other = await pending(door), await pending(door, path="b")
        eve = await came(door, **EVE)
        assert "Rejected" in (await eve.submit(f"/approvals/{one.id}", {"digest": one.shown_digest, "answer": "reject"})).text
        await eve.submit(f"/approvals/{other.id}", {"digest": other.shown_digest, "answer": "approve"})
        page = await eve.get(f"/approvals/{other.id}")
        assert (buttons(page), "Take the yes back" in page.text) == (["reject"], True)
        await eve.submit(f"/approvals/{other.id}", {"digest": other.shown_digest, "answer": "reject"})
        for arguments in ({"path": "a"}, {"path": "b"}):
            with pytest.raises(Refused) as raised:
                await door.it.desk.clear(made.call(arguments), ASK)
            assert raised.value.reason is Reason.REJECTED
        assert buttons(await eve.get(f"/approvals/{one.id}")) == []


@pytest.mark.parametrize(("claims", "subject"), [(ADA, ""), ({**EVE, "name": "Uma"}, "corp:uma"), (EVE, "corp:eve")])
async def test_the_owner_and_whom_the_agent_acts_for_may_say_no_alone(tmp_path: Path, claims: dict[str, Any], subject: str) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, subject=subject)
        person = await came(door, **claims)
        page = await person.get(f"/approvals/{question.id}")
        assert (buttons(page), "Somebody else must say yes" in page.text) == (["reject"], True)
        forced = await person.submit(f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": "approve"})
        edited = await person.submit(
            f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": "approve", "edited": '{"path": "b"}'}
        )
        assert (forced.status, edited.status) == (409, 409)
        assert standing(door, question) == question
        said = {"digest": question.shown_digest}
        assert (await person.change("POST", f"/v1/approvals/{question.id}/approve", said)).status == 409
        token = json.loads((await redeemed(door, await code(door.browser(), **claims))).text)["token"]
        bearer = {"authorization": f"Bearer {token}"}
        by_command = await door.ask("POST", f"/v1/approvals/{question.id}/approve", bearer, json.dumps(said).encode())
        assert (by_command.status, by_command.reason) == (409, "refused")
        assert standing(door, question) == question
        assert (await door.ask("GET", f"/approvals/{question.id}", bearer)).status == 303


async def test_viewers_do_not_see_what_a_call_carries_auditors_do_and_neither_answers(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, secret_word="xyzzy")
        path, fields = f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": "approve"}
        for claims, sees, may_try in ((RAY, False, False), (AUD, True, False), (FAY, True, True)):
            person = await came(door, **claims)
            page = await person.get(path)
            assert (page.status, "xyzzy" in page.text, buttons(page)) == (200, sees, [])
            assert (await person.submit(path, fields)).status == (409 if may_try else 403)
        assert (await door.browser().get(path)).status == 303
        assert standing(door, question) == question


async def test_what_waits_for_me_is_told_from_what_waits_for_others(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        mine = await pending(door)
        other = await pending(door, Ask((PolicyId("p"),), (Need("finance"),), "Money.", Digest("c" * 64)), path="c")
        page = await (await came(door, **EVE)).get("/approvals")
        first, _, second = page.text.partition("Waits for others")
        assert (mine.id in first, other.id in first, other.id in second) == (True, False, True)
        admin = await (await came(door, **ANN)).get("/approvals")
        assert "Waits for others" not in admin.text
        viewer = await (await came(door, **RAY)).get("/approvals")
        assert "<p>Nothing.</p>" in viewer.text


async def test_an_answer_needs_a_form_of_our_own_page(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        path, fields = f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": "approve"}
        eve = await came(door, **EVE)
        assert (await eve.submit(path, fields, origin="https://evil.example.com")).status == 403
        assert (await eve.submit(path, fields, origin="null")).status == 403
        sent = await door.ask("POST", path, {"cookie": f"{COOKIE}={eve.cookies[COOKIE]}"}, b"answer=approve")
        assert sent.status == 403
        away = {"origin": ORIGIN, "sec-fetch-site": "cross-site", "cookie": f"{COOKIE}={eve.cookies[COOKIE]}"}
        assert (await door.ask("POST", path, away, b"answer=approve")).status == 403
        assert (await door.browser().submit(path, fields)).status == 401
        assert standing(door, question) == question


async def test_a_role_or_session_that_is_gone_meanwhile_answers_nothing(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        fields = {"digest": question.shown_digest, "answer": "approve"}
        eve, zoe = await came(door, **EVE), door.browser()
        await zoe.sign_in(**ZOE)
        assert (await zoe.get(f"/approvals/{question.id}")).status == 303
        assert (await door.it.ask("POST", "/v1/stops", {"matter": "user:corp:eve", "reason": "left"}))[0] == 200
        assert (await eve.submit(f"/approvals/{question.id}", fields)).status == 403
        door.it.clock.at += 28_801
        assert (await eve.submit(f"/approvals/{question.id}", fields)).status == 401
        assert standing(door, question) == question


@pytest.mark.parametrize("fields", [{}, {"answer": "yes"}, {"answer": "edit"}, {"answer": "approve", "note": "n" * 501}])
async def test_what_is_no_answer_changes_nothing(tmp_path: Path, fields: dict[str, str]) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        got = await (await came(door, **EVE)).submit(f"/approvals/{question.id}", {"digest": question.shown_digest, **fields})
        assert got.status == 400
        assert standing(door, question) == question


async def test_while_the_log_cannot_be_written_nothing_is_approved_and_the_page_says_so(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        eve = await came(door, **EVE)
        door.it.log.broken = "no space"
        got = await eve.submit(f"/approvals/{question.id}", {"digest": question.shown_digest, "answer": "approve"})
        assert (got.status, "the log or the store cannot be written" in got.text.lower()) == (503, True)
        assert standing(door, question).state is State.REJECTED


async def test_a_question_that_is_not_there_and_another_host_name_are_told(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        eve = await came(door, **EVE)
        assert (await eve.get("/approvals/nothing")).status == 404
        moved = await eve.get("/approvals/q", host="10.0.0.5:8421")
        assert (moved.status, moved.header("location")) == (303, f"{ORIGIN}/approvals/q")
