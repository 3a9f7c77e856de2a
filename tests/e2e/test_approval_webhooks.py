"""Questions by webhook and answers by webhook, with a running gateway: told beside the call, signed both ways, and never a yes by failing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.chat import SECRET, Chat, Json, chatting, passed_on
from tests.e2e.client import EXCHANGE, Client, Said
from tests.e2e.commands import asked, ordered
from tests.e2e.log import events, until
from tests.e2e.operating import GROUPS, Company, company
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, start, stop

pytestmark = pytest.mark.peer

POLICIES = (
    PERMIT_ALL
    + """
@id("finance-looks")
@reason("Somebody of finance looks at this first.")
@approval("finance")
forbid (principal, action == Action::"books/echo", resource);
"""
)
APPROVERS = {"corp:ines": ["finance"], "corp:somebody": ["finance"]}
"""The agent is somebody's."""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture
def chat() -> Iterator[Chat]:
    with chatting() as made:
        yield made


@pytest.fixture(scope="module")
def corp(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    place: Path = tmp_path_factory.mktemp("webhooks")
    (place / "hook.secret").write_text(SECRET)
    (place / "hook.secret").chmod(0o600)
    with company(place, witness, POLICIES) as made:
        yield made


def declare(corp: Company, **webhooks: Json) -> None:
    """Other webhooks come into force by a reload."""
    corp.document["approvals"] = {"wait_seconds": 0, "webhooks": webhooks}
    corp.change(GROUPS, POLICIES)


def call(corp: Company, mark: str) -> Said:
    with Client(corp.running.url("books"), corp.running.key(), EXCHANGE) as client:
        return client.call("echo", {"mark": mark})


def told(corp: Company, kind: str, approval: str) -> Json:
    """The leaf of this kind about a question, once it is there."""

    def found() -> Json | None:
        leaves = events(corp.running.directory / "state", kind)
        return next((leaf for leaf in leaves if leaf["fields"]["approval"] == approval), None)

    return until(found)


def test_a_service_is_told_and_passes_a_yes_back_once(corp: Company, chat: Chat, witness: Witness) -> None:
    declare(corp, chat=chat.config(approvers=APPROVERS, arguments=True))
    assert call(corp, "paid").reason == "pending"
    question = chat.asked()
    assert (question["arguments"], question["needs"]) == ({"mark": "paid"}, [{"team": "finance", "people": 1, "owner_may": False}])
    assert told(corp, "approval_told", question["approval"])["fields"]["channel"] == "chat"
    said = {"approval": question["approval"], "digest": question["digest"], "answer": "approve", "by": "corp:ines"}
    wrong = passed_on(corp.url, corp.ca_file, said, "m0", secret="whsec_" + "b2" * 16)
    own = passed_on(corp.url, corp.ca_file, {**said, "by": "corp:somebody"}, "m1")
    assert (wrong[0], own[0], call(corp, "paid").reason) == (401, 409, "pending")
    assert passed_on(corp.url, corp.ca_file, said, "m2") == (200, {"state": "approved", "missing": "", "warnings": []})
    assert call(corp, "paid").reason == ""
    assert passed_on(corp.url, corp.ca_file, said, "m2")[0] == 200
    assert call(corp, "paid").reason == "pending"
    assert witness.marks().count("paid") == 1
    assert told(corp, "approval_granted", question["approval"])["fields"]["door"] == "webhook chat"
    until(lambda: chat.of("approval.answered"))
    assert chat.wrong == []


def test_a_channel_that_fails_falls_to_the_next_and_where_all_fail_nothing_is_approved(corp: Company, chat: Chat, witness: Witness) -> None:
    chat.status = 500
    nobody = {**chat.config(), "url": "http://127.0.0.1:9/"}
    with chatting() as mail:
        declare(corp, chat=chat.config(), nobody=nobody, mail=mail.config())
        assert call(corp, "third").reason == "pending"
        question = mail.asked()
    failed = told(corp, "approval_told", question["approval"])["fields"]
    assert failed["channel"] == "mail"
    assert failed["failed"].startswith("chat: expected a status of 2xx, got 500; nobody: unreachable")
    declare(corp, chat=chat.config(), nobody=nobody)
    assert call(corp, "nowhere").reason == "pending"
    [waiting] = [one for one in asked(corp.running, "approval", "list")["approvals"] if one["id"] != question["approval"]][-1:]
    told(corp, "approval_untold", waiting["id"])
    assert waiting["state"] == "pending"
    digest = asked(corp.running, "approval", "show", waiting["id"])["digest"]
    ordered(corp.running, "approval", "approve", waiting["id"], "--digest", digest)
    assert call(corp, "nowhere").reason == ""
    assert SECRET not in corp.running.journal.read_text()


def test_a_channel_that_hangs_does_not_hold_up_the_call(corp: Company, chat: Chat) -> None:
    chat.status = 0
    with chatting() as mail:
        declare(corp, chat=chat.config(timeout_seconds=1), mail=mail.config())
        assert call(corp, "quick").reason == "pending"
        told_before = bool(mail.told)
        question = mail.asked()
    assert not told_before
    assert told(corp, "approval_told", question["approval"])["fields"]["failed"] == "chat: total_timeout: no whole answer within 1 s"


def test_what_waited_when_the_gateway_was_killed_is_told_by_the_next_one(corp: Company, chat: Chat) -> None:
    chat.status = 503
    declare(corp, chat=chat.config())
    assert call(corp, "late").reason == "pending"
    corp.running.kill()
    chat.status = 200
    again = start(corp.running.directory, {"IDP_SECRET": "a secret of tests, long enough for it"})
    try:
        until(lambda: any(chat.of("approval.asked")))
    finally:
        stop(again)
