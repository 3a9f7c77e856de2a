"""What callers get while people must answer, with real clients: a page, a form, an error that names the page, or a wait with its word at the end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.agent import calling
from tests.e2e.client import EXCHANGE, REVISIONS, Client, Json
from tests.e2e.commands import asked, ordered
from tests.e2e.log import leaves, of_call, until
from tests.e2e.operating import GROUPS, Company, company
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, stop

POLICIES = (
    PERMIT_ALL
    + """
@id("somebody-looks")
@reason("A person looks at this first.")
@approval("finance")
forbid (principal, action == Action::"books/echo", resource);
"""
)
LONG = {"approvals": {"wait_seconds": 60}}


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


@pytest.fixture
def running(tmp_path: Path, witness: Witness) -> Iterator[Running]:
    """A gateway whose operators have no page; callers wait a minute."""
    with doorward(tmp_path, {"upstreams": {"books": http_upstream(witness.url)}, **LONG}, POLICIES) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def book() -> Iterator[Witness]:
    """The upstream of the company."""
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def corp(book: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A gateway whose operators have pages; callers wait a minute."""
    with company(tmp_path_factory.mktemp("waits"), book, POLICIES) as made:
        made.document |= LONG
        made.change(GROUPS, POLICIES)
        yield made


def waiting(running: Running) -> Json:
    """The question that waits, once there is one."""

    def found() -> Any:
        return next((one for one in asked(running, "approval", "list")["approvals"] if one["state"] == "pending"), None)

    return dict(until(found))


def approve(running: Running, question: str) -> None:
    """Says yes at the command line."""
    ordered(running, "approval", "approve", question, "--digest", asked(running, "approval", "show", question)["digest"])


@pytest.mark.peer
@pytest.mark.parametrize("answers", ["before", "after"])
def test_client_of_the_exchange_era_is_shown_the_page_and_its_call_runs_once(corp: Company, book: Witness, answers: str) -> None:
    mark = f"page, answered {answers} it comes again"
    with calling("sdk2 of 2026-07-28", corp.running.url("books"), corp.running.key(), {"mark": mark}) as agent:
        shown = agent.next("asked")
        question = waiting(corp.running)["id"]
        assert (shown["mode"], shown["url"], question in shown["message"]) == ("url", f"{corp.url}/approvals/{question}", True)
        if answers == "before":
            approve(corp.running, question)
            agent.told("accept")
        else:
            # To open a page is not to approve: the retry waits.
            agent.told("accept")
            approve(corp.running, question)
        assert mark in agent.text()
    assert book.marks().count(mark) == 1


@pytest.mark.peer
@pytest.mark.parametrize("client", ["sdk2 in session", "sdk1 of 2025-11-25"])
def test_client_of_2025_11_25_gets_its_error_and_calls_again(corp: Company, book: Witness, client: str) -> None:
    with calling(client, corp.running.url("books"), corp.running.key(), {"mark": client}) as agent:
        shown = agent.next("asked")
        question = waiting(corp.running)["id"]
        assert (shown["url"], shown["elicitationId"]) == (f"{corp.url}/approvals/{question}", question)
        approve(corp.running, question)
        agent.told("accept")
        assert client in agent.text()
    assert book.marks().count(client) == 1


def test_client_that_is_shown_no_page_is_asked_in_a_form_and_may_decline(running: Running, witness: Witness) -> None:
    with calling("sdk2 of 2026-07-28", running.url("books"), running.key(), {"mark": "form"}) as agent:
        shown = agent.next("asked")
        question = waiting(running)["id"]
        assert (shown["mode"], question in shown["message"], "url" in shown) == ("form", True, False)
        approve(running, question)
        agent.told("accept")
        assert "form" in agent.text()
    with calling("sdk2 of 2026-07-28", running.url("books"), running.key(), {"mark": "declined"}) as agent:
        agent.next("asked")
        question = waiting(running)["id"]
        approve(running, question)
        agent.told("decline")
        assert question in agent.text()
    assert witness.marks() == ["form"]


@pytest.mark.peer
@pytest.mark.parametrize("client", ["sdk2 of 2026-07-28", "sdk2 in session", "sdk1 of 2025-11-25"])
def test_client_that_cannot_ask_anybody_waits_hears_so_and_gets_its_result(running: Running, witness: Witness, client: str) -> None:
    with calling(client, running.url("books"), running.key(), {"mark": client}, who="nobody") as agent:
        question = waiting(running)["id"]
        progress, total, message = agent.next("progress")
        assert (0 < progress < 60, total, question in message) == (True, 60, True)
        approve(running, question)
        assert client in agent.text()
    assert witness.marks() == [client]
    told = (leaf for leaf in leaves(running.directory / "state") if leaf.get("name") == "echo")
    refused, intent = (leaf for leaf in told if leaf["type"] in ("refusal", "intent"))
    assert (refused["decision"]["reason"], refused["approval"]["id"]) == ("pending", question)
    assert (intent["approval"]["id"], intent["call"] == refused["call"]) == (question, False)


@pytest.mark.parametrize("revision", REVISIONS)
def test_who_has_waited_long_enough_is_told_how_to_come_again(tmp_path: Path, witness: Witness, revision: str) -> None:
    document = {"upstreams": {"books": http_upstream(witness.url)}, "approvals": {"wait_seconds": 0.3}}
    with (
        doorward(tmp_path, document, POLICIES) as running,
        Client(running.url("books"), running.key(), revision) as client,
    ):
        said = client.call("echo", {"mark": "later"})
        question = waiting(running)["id"]
        assert (said.reason, question in said.text) == ("pending", True)
        approve(running, question)
        ran = client.call("echo", {"mark": "later"})
        assert (ran.reason, witness.marks()) == ("", ["later"])
        intent, _ = of_call(running.directory / "state", ran.receipt)
        assert intent["approval"]["id"] == question


@pytest.mark.parametrize("revision", REVISIONS)
def test_who_is_revoked_while_it_waits_gets_nothing_for_a_yes(running: Running, witness: Witness, revision: str) -> None:
    with Client(running.url("books"), running.key("leaver"), revision) as client:
        pending = client.begin_call("echo", {"mark": "left"})
        question = waiting(running)["id"]
        ordered(running, "agent", "revoke", "leaver")
        said = pending.said()
        assert said.reason in ("unauthenticated", "revoked")
        approve(running, question)
    assert witness.marks() == []


def test_what_a_client_was_handed_opens_after_a_kill(running: Running, witness: Witness) -> None:
    key = running.key()
    forms: Json = {"elicitation": {}}
    params = {"name": "echo", "arguments": {"mark": "kept"}}
    with Client(running.url("books"), key, EXCHANGE, forms) as client:
        unfinished = client.ask("tools/call", params).result
        assert (unfinished["resultType"], list(unfinished["inputRequests"])) == ("input_required", ["dev.doorward/approval"])
    approve(running, waiting(running)["id"])
    running.kill()
    again = start(running.directory)
    try:
        accepted = {"dev.doorward/approval": {"action": "accept", "content": {}}}
        retry = {**params, "inputResponses": accepted, "requestState": unfinished["requestState"]}
        with Client(again.url("books"), key, EXCHANGE, forms) as client:
            assert "kept" in client.ask("tools/call", retry).text
        assert [call["arguments"] for call in witness.calls()] == [{"mark": "kept"}]
        assert "inputResponses" not in witness.calls()[0]
    finally:
        assert stop(again) == 0


def test_gateway_that_goes_down_lets_who_waits_go_with_the_word(running: Running, witness: Witness) -> None:
    with Client(running.url("books"), running.key(), EXCHANGE) as client:
        pending = client.begin_call("echo", {"mark": "drained"})
        question = waiting(running)["id"]
        running.process.terminate()
        said = pending.said()
        assert (said.reason, question in said.text) == ("pending", True)
    assert stop(running) == 0
    assert witness.marks() == []
