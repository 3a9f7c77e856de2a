"""What becomes of a question while nobody answers: policies change below a held caller, time runs out, the gateway goes down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.client import REVISIONS, Client, Json
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import of_call, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, stop, write_config
from tests.peers import everything

POLICIES = (
    PERMIT_ALL
    + """
@id("somebody-looks")
@reason("A person looks at this first.")
@approval("finance")
forbid (principal, action in Action::"books", resource)
unless { action == Action::"books/resources/read" && context.input.uri == "test://static-binary" };
"""
)
UNRELATED = POLICIES + '@id("more")\n@reason("Of nobody.")\nforbid (principal == Agent::"nobody", action, resource);\n'
STRICTER = POLICIES.replace("A person looks at this first.", "A person looks at this first, with care.")
CLOSED = PERMIT_ALL + '@id("closed")\n@reason("It is closed.")\nforbid (principal, action in Action::"books", resource);\n'


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


def document(url: str, **approvals: float) -> Json:
    """One upstream that people are asked about."""
    return {"upstreams": {"books": http_upstream(url)}, "approvals": {"wait_seconds": 20, **approvals}}


@pytest.fixture
def running(tmp_path: Path, witness: Witness) -> Iterator[Running]:
    """A gateway whose callers wait for twenty seconds."""
    with doorward(tmp_path, document(witness.url), POLICIES) as gateway:
        yield gateway


def waiting(running: Running, *, but: str = "") -> str:
    """The question that waits, once there is one other than that."""

    def found() -> str | None:
        pending = (one["id"] for one in asked(running, "approval", "list")["approvals"] if one["state"] == "pending")
        return next((one for one in pending if one != but), None)

    return until(found)


def open_ones(running: Running) -> set[str]:
    """What waits for people, or for the call to be made."""
    return {one["id"] for one in asked(running, "approval", "list")["approvals"] if one["state"] in ("pending", "approved")}


def answer(running: Running, approval: str, word: str = "approve", *more: str) -> str:
    """An answer to what stands there now."""
    digest = asked(running, "approval", "show", approval)["digest"]
    return ordered(running, "approval", word, approval, "--digest", digest, *more)


def reloaded(running: Running, witness: Witness, policies: str) -> None:
    """Other policies come into force."""
    write_config(running.directory, document(witness.url), policies)
    ordered(running, "reload")


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_held_caller_gets_its_result_although_another_policy_has_come(running: Running, witness: Witness, revision: str) -> None:
    with Client(running.url("books"), running.key(), revision) as client:
        pending = client.begin_call("echo", {"mark": "held"}, progressToken="mine")
        approval = waiting(running)
        reloaded(running, witness, UNRELATED)
        answer(running, approval)
        said = pending.said()
    assert (said.reason, witness.marks()) == ("", ["held"])
    assert all(notice["params"]["progressToken"] == "mine" for notice in said.notices)
    intent = of_call(running.directory / "state", said.receipt)[0]
    assert (intent["approval"]["id"], intent["decision"]["set"]) == (approval, asked(running, "status")["policies"])


def test_what_was_said_under_another_policy_lets_no_held_call_through(running: Running, witness: Witness) -> None:
    with Client(running.url("books"), running.key()) as client:
        pending = client.begin_call("echo", {"mark": "held"})
        first = waiting(running)
        reloaded(running, witness, STRICTER)
        answer(running, first)
        # The policy that asked is another one: it asks anew, and what waits goes on waiting for that.
        second = waiting(running, but=first)
        assert witness.marks() == []
        answer(running, second)
        said = pending.said()
        if said.reason == "pending":
            assert second in said.text
            said = client.call("echo", {"mark": "held"})
        assert (said.reason, witness.marks()) == ("", ["held"])


def test_a_policy_that_denies_by_now_denies_what_was_approved(running: Running, witness: Witness) -> None:
    with Client(running.url("books"), running.key()) as client:
        pending = client.begin_call("echo", {"mark": "held"})
        approval = waiting(running)
        reloaded(running, witness, CLOSED)
        answer(running, approval)
        assert pending.said().reason in ("forbidden", "unknown_target")
    assert witness.marks() == []


def test_a_held_caller_is_told_a_no_at_once(running: Running, witness: Witness) -> None:
    with Client(running.url("books"), running.key()) as client:
        pending = client.begin_call("echo", {"mark": "no"})
        answer(running, waiting(running), "reject")
        assert pending.said().reason == "rejected"
    assert witness.marks() == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_gateway_that_goes_down_lets_its_held_callers_go_with_the_word(running: Running, witness: Witness, revision: str) -> None:
    with Client(running.url("books"), running.key(), revision) as client:
        pending = client.begin_call("echo", {"mark": "drained"})
        approval = waiting(running)
        running.process.terminate()
        said = pending.said()
        assert (said.reason, approval in said.text) == ("pending", True)
    assert stop(running) == 0
    again = start(running.directory)
    try:
        answer(again, approval)
        with Client(again.url("books"), running.keys["tester"], revision) as client:
            assert client.call("echo", {"mark": "drained"}).reason == ""
        assert witness.marks() == ["drained"]
    finally:
        assert stop(again) == 0


def test_questions_and_grants_end_by_themselves_and_no_late_answer_counts(tmp_path: Path, witness: Witness) -> None:
    short = document(witness.url, wait_seconds=0, answer_minutes=0.03, use_minutes=0.02)
    with doorward(tmp_path, short, POLICIES) as running, Client(running.url("books"), running.key()) as client:

        def call() -> str:
            return client.call("echo", {"mark": "late"}).reason

        assert call() == "pending"
        first = waiting(running)
        digest = asked(running, "approval", "show", first)["digest"]
        until(lambda: first not in open_ones(running))
        assert told(running, "approval", "approve", first, "--digest", digest)[0] == 1
        # It is asked anew; a yes that is not used in time is none.
        assert call() == "pending"
        second = waiting(running, but=first)
        answer(running, second)
        until(lambda: second not in open_ones(running))
        assert call() == "pending"
        third = waiting(running, but=second)
        answer(running, third)
        assert call() == ""
    assert witness.marks() == ["late"]


def test_an_approver_reads_the_call_whole_and_nothing_in_it_acts_on_the_terminal(running: Running) -> None:
    hostile = "x" * 100_000 + "\x1b[2Japproved\u202egnp.exe\u200b\r" + "end of it"
    with Client(running.url("books"), running.key()) as client:
        pending = client.begin_call("echo", {"mark": hostile})
        approval = waiting(running)
        text = ordered(running, "approval", "show", approval)
        assert ("x" * 1000 in text, "end of it" in text, text.count("x") >= 100_000) == (True, True, True)
        assert not any(mark in text for mark in ("\x1b", "\u202e", "\u200b", "\r"))
        whole = asked(running, "approval", "show", approval)["approval"]
        assert (whole["reversibility"], whole["policies"], whole["agent"]) == ("irreversible", ["somebody-looks"], "tester")
        answer(running, approval, "reject")
        assert pending.said().reason == "rejected"


@pytest.mark.peer
@pytest.mark.parametrize("revision", REVISIONS)
def test_prompts_and_resources_wait_for_people_as_well_and_a_resource_cannot_be_edited_into_another(tmp_path: Path, revision: str) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(everything())
        running = stack.enter_context(doorward(tmp_path, document(url, wait_seconds=0), POLICIES))
        with Client(running.url("books"), running.key(), revision) as client:
            reading: Json = {"uri": "test://static-text"}
            assert client.ask("resources/read", {"uri": "test://static-binary"}).result["contents"]
            assert client.ask("resources/read", reading).reason == "pending"
            first = waiting(running)
            digest = asked(running, "approval", "show", first)["digest"]
            edit = ("approval", "approve", first, "--digest", digest, "--set", "/uri=test://static-binary")
            assert told(running, *edit)[0] == 1
            answer(running, first)
            assert client.ask("resources/read", reading).result["contents"][0]["uri"] == "test://static-text"
            getting: Json = {"name": "test_prompt_with_arguments", "arguments": {"arg1": "one", "arg2": "two"}}
            assert client.ask("prompts/get", getting).reason == "pending"
            second = waiting(running, but=first)
            answer(running, second, "approve", "--set", "/arg2=three")
            got = client.ask("prompts/get", getting).result
            assert "three" in str(got["messages"]), got
            assert "two" not in str(got["messages"])
