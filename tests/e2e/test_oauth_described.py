"""Clients that are the URL of a document about themselves (CIMD): the SDKs need no registration, people are asked, and asked again, as documented."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ordered
from tests.e2e.grants import authorize, call, granted, proven, redeemed, token, told
from tests.e2e.log import events
from tests.e2e.oauth import CALLBACK, CLIENT_KEY, ELSEWHERE, House, Visit, act, house
from tests.e2e.served import Site, site

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A web server that publishes documents about clients, over https."""
    with site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module")
def ours(published: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway that enrols the clients under one path of that server, and lets none register."""
    with house(tmp_path_factory.mktemp("described"), **_described(published)) as made:
        yield made


def _described(published: Site) -> dict[str, Any]:
    rule = {"issuer": "self", "client": f"{published.origin}/agents/*", "agent": "{name}", "team": "people", "owner": "platform"}
    clients = {"private": True, "ca_file": str(published.ca_file), "document_hosts": ["localhost"]}
    return {"identity": {"enrol": [rule]}, "clients": clients}


@pytest.mark.parametrize("agent", ["python", "python of 2025-11-25", "typescript"])
def test_an_agent_with_a_document_needs_no_registration(ours: House, published: Site, agent: str) -> None:
    name = agent.replace(" ", "-")
    document = published.describe(f"/agents/{name}")
    alice = Visit("alice")
    seen = act(agent, ours.running.url(), alice, [("up__echo", {"mark": f"described {agent}"})], document)
    assert seen.get("failed") is None, seen
    assert (seen["client"], bool(seen["results"][0].get("isError"))) == (document, False)
    assert f"described {agent}" in ours.witness.marks()
    assert [("localhost" in question, "An agent of tests" in question) for question in alice.questions] == [(True, True)]
    [first, *_] = ours.running.admin.get(f"/v1/log?agent={name}&limit=5")["leaves"]
    assert first
    assert events(ours.running.directory / "state", "client_registered") == []


@pytest.mark.parametrize("agent", ["python", "typescript"])
def test_an_agent_whose_person_says_no_gets_nothing(ours: House, published: Site, agent: str) -> None:
    alice = Visit("alice", answer="deny")
    document = published.describe(f"/agents/refused-{agent}")
    seen = act(agent, ours.running.url(), alice, [("up__echo", {"mark": "refused"})], document)
    assert "failed" in seen
    back = told(alice.pages[-1].url)
    assert (back["error"], back["iss"], "state" in back, "code" in back) == ("access_denied", ours.origin, True, False)
    assert "refused" not in ours.witness.marks()
    assert events(ours.running.directory / "state", "consent_refused")


def test_what_was_approved_is_not_asked_again_and_whatever_differs_is(ours: House, published: Site) -> None:
    at_host = published.describe("/agents/hosted", redirect_uris=[ELSEWHERE, CALLBACK])
    renamed = published.describe("/agents/renamed", redirect_uris=[ELSEWHERE])
    alice, bob = Visit("alice"), Visit("bob")
    counted = []

    def asks(visit: Visit, client: str, **changed: str) -> str:
        before = len(visit.questions)
        back = visit.consents(authorize(ours.running, client, redirect_uri=changed.pop("redirect_uri", ELSEWHERE), **changed))
        counted.append(len(visit.questions) - before)
        return told(back)["code"]

    for visit, client, changed in (
        (alice, at_host, {"scope": "mcp:read"}),
        (alice, at_host, {"scope": "mcp:read"}),
        (alice, at_host, {"scope": "mcp"}),
        (alice, at_host, {"scope": "mcp:read"}),
        (alice, at_host, {"prompt": "consent"}),
        (alice, at_host, {"resource": ours.running.url("up")}),
        (alice, renamed, {}),
        (bob, at_host, {}),
        (alice, at_host, {"redirect_uri": CALLBACK}),
        (alice, at_host, {"redirect_uri": CALLBACK}),
    ):
        asks(visit, client, **changed)
    assert counted == [1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    code = asks(Visit("alice", alice.browser), at_host)
    assert counted[-1] == 0
    tokens = granted(redeemed(ours.running, code, client_id=at_host, redirect_uri=ELSEWHERE))
    assert call(ours.running.url(), tokens["access_token"], mark="remembered").status == 200


def test_a_client_with_keys_of_its_own_must_sign(ours: House, published: Site) -> None:
    keys = published.publish("/agents/signs.jwks", {"keys": [CLIENT_KEY.as_dict(private=False)]})
    client = published.describe("/agents/signs", token_endpoint_auth_method="private_key_jwt", jwks_uri=keys)
    code = told(Visit("alice").consents(authorize(ours.running, client)))["code"]
    status, said = redeemed(ours.running, code, client_id=client)
    assert (status, said["error"]) == (401, "invalid_client")
    tokens = granted(redeemed(ours.running, code, client_id=client, **proven(ours.running, client)))
    assert call(ours.running.url(), tokens["access_token"]).status == 200


def test_who_was_revoked_sees_no_question_and_the_client_no_code(ours: House) -> None:
    mallory = Visit("mallory")
    ordered(ours.running, "revoke", "user", "corp:mallory", "--reason", "left")
    end = mallory.consents(authorize(ours.running))
    assert (mallory.questions, end.startswith(CALLBACK)) == ([], False)


@pytest.fixture
def another(published: Site, tmp_path: Path) -> Iterator[House]:
    """Another such gateway: of one host, each fetches ten documents in a minute."""
    with house(tmp_path, **_described(published)) as made:
        yield made


def test_a_document_that_is_wrong_leads_nowhere_and_its_redirect_is_not_gone_to(another: House, published: Site) -> None:
    wrong = {
        "another's": published.describe("/agents/thief", client_id=f"{published.origin}/agents/hosted"),
        "a slash more": published.describe("/agents/slash", client_id=f"{published.origin}/agents/slash/"),
        "no name": published.describe("/agents/nameless", client_name=None),
        "a script for a redirect": published.describe("/agents/script", redirect_uris=["javascript:alert(1)"]),
        "plain http for a redirect": published.describe("/agents/plain", redirect_uris=["http://evil.example/callback"]),
        "a secret": published.describe("/agents/secret", token_endpoint_auth_method="client_secret_post"),
        "moved": published.publish("/agents/moved", {}, 302, {"Location": f"{published.origin}/agents/hosted"}),
        "not there": f"{published.origin}/agents/nothing",
        "no JSON": published.publish("/agents/text", {}, 200, {"Content-Type": "text/html"}),
        "too large": published.describe("/agents/large", client_uri="x" * 6000),
    }
    for what, client in wrong.items():
        page = Visit("alice").browser.get(authorize(another.running, client))
        assert (page.status, page.url.partition("?")[0], page.forms) == (400, f"{another.origin}/oauth/authorize", []), what
    page = Visit("alice").browser.get(authorize(another.running, published.describe("/agents/eleventh")))
    assert (page.status, "too many" in page.text) == (503, True)
    assert "/agents/hosted" not in published.asked[-11:]


def test_a_document_that_no_rule_takes_or_at_no_listed_host_is_refused_before_anybody_signs_in(ours: House, published: Site) -> None:
    for client in (published.describe("/elsewhere/agent"), "https://documents.example/agent", "http://localhost/agent"):
        alice = Visit("alice")
        page = alice.browser.get(authorize(ours.running, client))
        assert (page.status, page.url.startswith(ours.origin)) == (400, True)
        assert token(ours.running, grant_type="authorization_code", client_id=client, code="x", redirect_uri=CALLBACK)[0] in (400, 401)
