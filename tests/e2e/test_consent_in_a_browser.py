"""The way of a person through a real browser: signs in at the company's provider, reads who asks, and says yes or no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import IS_HERE, Chromium, Shown, chromium
from tests.e2e import oauth
from tests.e2e.test_oauth import POLICY, document
from tests.e2e.witness import witnessing
from tests.gateway import Running, doorward
from tests.oidc import RELYING_PARTY, provider

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not IS_HERE, reason="the browser's package holds it for Linux on x86-64 alone")]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with provider() as company, witnessing() as witness:
        place: Path = tmp_path_factory.mktemp("browser")
        with doorward(place, document(company, witness), POLICY, {"IDP_SECRET": str(RELYING_PARTY["client_secret"])}) as running:
            yield running


class Person(oauth.Visit):
    """Somebody at a real browser."""

    def __init__(self, name: str, browser: Chromium, answer: str) -> None:
        super().__init__(name)
        self.real, self.answer = browser, answer
        self.shown: list[Shown] = []

    def consents(self, url: str) -> str:
        """Goes all the way by hand."""
        self.real.go(url)
        self.real.type("input[name=login]", self.name)
        self.real.type("input[name=password]", "any")
        page = self.real.click("button[type=submit]")
        while "/interaction/" in page.url:
            page = self.real.click("button[type=submit]")
        self.shown.append(page)
        page = self.real.click(f"button[value={self.answer}]")
        self.shown.append(page)
        return page.url


def test_a_person_consents(gateway: Running) -> None:
    with chromium() as browser:
        alice = Person("alice", browser, "allow")
        seen = oauth.act("python", gateway.url(), alice, [("up__echo", {"mark": "hello"})])
    question = alice.shown[0]
    assert "An agent of tests" in question.text
    assert "alice" in question.text
    assert [button[1] for button in question.buttons][:2] == ["deny", "allow"]
    assert alice.shown[-1].complaints == []
    assert alice.shown[-1].url.startswith(f"{oauth.CALLBACK}?")
    assert "mark" in seen["results"][0]["content"][0]["text"]


def test_a_person_refuses_and_the_agent_is_told(gateway: Running) -> None:
    with chromium() as browser:
        alice = Person("alice", browser, "deny")
        seen = oauth.act("python", gateway.url(), alice, [])
    assert seen["failed"]
    assert "error=access_denied" in alice.shown[-1].url
