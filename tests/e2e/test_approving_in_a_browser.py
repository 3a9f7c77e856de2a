"""The way of an approver through a real browser: from the link in the chat, by the company's sign-in, to a yes that the agent's retry runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.chromium import IS_HERE, Chromium, Shown, chromium
from tests.e2e.chat import SECRET, Chat, chatting
from tests.e2e.client import EXCHANGE, Client, Said
from tests.e2e.log import until
from tests.e2e.operating import GROUPS, Company, company
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not IS_HERE, reason="the browser's package holds it for Linux on x86-64 alone")]

POLICIES = (
    PERMIT_ALL
    + """
@id("finance-looks")
@reason("Somebody of finance looks at this first.")
@approval("finance")
forbid (principal, action == Action::"books/echo", resource);
"""
)
HOSTILE = "</pre><script>document.title='taken over'</script><img src=x onerror=\"document.title='taken over'\">\u202egnp.exe"


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with chatting() as made:
        yield made


@pytest.fixture(scope="module")
def corp(witness: Witness, chat: Chat, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    place: Path = tmp_path_factory.mktemp("approving")
    (place / "hook.secret").write_text(SECRET)
    (place / "hook.secret").chmod(0o600)
    with company(place, witness, POLICIES) as made:
        made.document["approvals"] = {"wait_seconds": 0, "webhooks": {"chat": chat.config()}}
        made.change(GROUPS, POLICIES)
        yield made


def call(corp: Company, mark: str) -> Said:
    with Client(corp.running.url("books"), corp.running.key(), EXCHANGE) as client:
        return client.call("echo", {"mark": mark})


def comes(browser: Chromium, url: str, name: str) -> Shown:
    """Opens a link, and signs in on the way."""
    page = browser.go(url)
    if "/interaction/" not in page.url:
        return page
    browser.type("input[name=login]", name)
    browser.type("input[name=password]", "any")
    page = browser.click("button[type=submit]")
    while "/interaction/" in page.url:
        page = browser.click("button[type=submit]")
    # The sign-in leads back by itself.
    return until(lambda: found if (found := browser.look()).url == url else None)


def certificate(corp: Company) -> Path:
    return corp.running.directory / "operators.pem"


def test_a_link_leads_through_the_sign_in_to_the_call_and_a_yes_lets_the_retry_run(corp: Company, chat: Chat, witness: Witness) -> None:
    assert call(corp, "by hand").reason == "pending"
    asked = chat.asked(len(chat.of("approval.asked")) or 1)
    assert asked["link"] == f"{corp.url}/approvals/{asked['approval']}"
    with chromium(certificate(corp)) as browser:
        page = comes(browser, asked["link"], "ines")
        assert urlsplit(page.url).path == f"/approvals/{asked['approval']}"
        assert "by hand" in page.text
        assert asked["digest"] in page.text
        assert [button[1] for button in page.buttons] == ["approve", "reject", "edit"]
        told = browser.click("form:not(details form) button[value=approve]")
        assert "Approved" in told.text
        browser.go(f"{corp.url}/")
        left = browser.click("button")
        assert "Operators of this gateway sign in here." in left.text
        assert left.complaints == []
    assert call(corp, "by hand").reason == ""
    assert "by hand" in witness.marks()


def test_a_hostile_call_is_read_as_text_and_runs_no_script(corp: Company, witness: Witness) -> None:
    assert call(corp, HOSTILE).reason == "pending"
    with chromium(certificate(corp)) as browser:
        page = comes(browser, f"{corp.url}/approvals", "ines")
        page = browser.click("main table a")
        assert page.title.startswith("Approve this call?")
        assert "<script>document.title='taken over'</script>" in page.text
        assert "\\u202egnp.exe" in page.text
        assert page.complaints == []
        assert "Rejected" in browser.click("form:not(details form) button[value=reject]").text
    assert call(corp, HOSTILE).reason == "rejected"
    assert HOSTILE not in witness.marks()


def test_an_edit_is_looked_at_before_it_is_approved_and_the_agent_gets_what_was_approved(
    corp: Company, chat: Chat, witness: Witness
) -> None:
    count = len(chat.of("approval.asked"))
    assert call(corp, "too much").reason == "pending"
    link = chat.asked(count + 1)["link"]
    with chromium(certificate(corp)) as browser:
        comes(browser, link, "ines")
        browser.press("summary")
        browser.fill("textarea", '{"mark": "less"}')
        shown = browser.click("button[value=edit]")
        assert '-   "mark": "too much"' in shown.text
        assert '+   "mark": "less"' in shown.text
        assert "Approved" in browser.click("button[value=approve]").text
    assert call(corp, "too much").reason == ""
    assert ("less" in witness.marks(), "too much" in witness.marks()) == (True, False)
