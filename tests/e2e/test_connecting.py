"""People connect their own accounts at a service, and agents use them: with a real provider, a real protected server and real clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.chromium import IS_HERE, chromium
from tests.e2e.accounts import KEY, LINK, POLICY, Town, connect, consented, free_port, links, own_account, town
from tests.e2e.agent import calling
from tests.e2e.commands import asked, ordered, page
from tests.e2e.log import events, until
from tests.e2e.oauth import ENVIRONMENT
from tests.gateway import start, stop, write_config
from tests.oidc import provider, sign_in

pytestmark = pytest.mark.peer

TOOL = "crm__whoami"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """With the gateway's own account connected, so that what the service offers is known."""
    with town(tmp_path_factory.mktemp("accounts")) as made:
        shown = own_account(made)
        assert "The gateway" not in shown.text
        assert "is connected" in shown.text
        until(lambda: asked(made.running, "status")["upstreams"][0]["tools"] == 1)
        yield made


@pytest.fixture
def fresh(there: Town) -> Town:
    """With nobody's account."""
    for one in asked(there.running, "connection", "list")["connections"]:
        if one["user"]:
            ordered(there.running, "connection", "revoke", one["id"])
    return there


def test_two_people_connect_and_nobody_gets_the_others_account(fresh: Town) -> None:
    tokens = {name: fresh.token(name) for name in ("alice", "bob")}
    for name, token in tokens.items():
        shown = connect(Browser(), fresh.ask(token), name, account=name)
        assert (shown.status, "“crm” is connected" in shown.text) == (200, True), shown.text
    with ThreadPoolExecutor(8) as pool:
        names = ["alice", "bob"] * 20
        assert list(pool.map(lambda name: fresh.whoami(tokens[name]).text, names)) == names
    listed = asked(fresh.running, "connection", "list")["connections"]
    assert [(one["user"], one["upstream"], one["status"]) for one in listed] == [
        ("", "crm", "working"),
        ("corp:alice", "crm", "working"),
        ("corp:bob", "crm", "working"),
    ]
    assert "doorward_connections_working 3" in page(fresh.running, "/metrics")
    told = events(fresh.running.directory / "state", "connection_made")
    assert told
    assert "alice" not in str(told)
    # How every token of the service begins.
    assert "eyJ" not in fresh.running.journal.read_text() + page(fresh.running, "/metrics")


def test_a_link_is_nothing_to_anybody_else_and_the_same_as_one_that_leads_nowhere(fresh: Town) -> None:
    link = fresh.ask(fresh.token("alice"))
    bob = Browser()
    seen = sign_in(bob, bob.get(link), "bob")
    unknown = bob.get(f"{fresh.origin}/connect/{'0' * 64}")
    assert (seen.status, seen.text) == (404, unknown.text)
    assert link == fresh.ask(fresh.token("alice"))


@pytest.mark.parametrize("client", ["sdk2 of 2026-07-28", "sdk2 in session", "sdk1 of 2025-11-25"])
def test_a_client_that_can_show_pages_is_given_the_page_and_its_call_is_made(fresh: Town, client: str) -> None:
    with calling(client, fresh.running.url(), fresh.token("alice"), {}, tool=TOOL) as agent:
        shown = agent.next("asked")
        assert LINK.fullmatch(shown["url"])
        assert "crm" in shown["message"]
        connect(Browser(), shown["url"], "alice", account="alice")
        agent.told("accept")
        assert agent.text() == "alice"


def test_a_client_that_comes_again_with_nothing_connected_is_told_in_words(fresh: Town) -> None:
    with calling("sdk2 of 2026-07-28", fresh.running.url(), fresh.token("alice"), {}, tool=TOOL) as agent:
        link = agent.next("asked")["url"]
        agent.told("accept")
        assert link in agent.text()
    with calling("sdk2 of 2026-07-28", fresh.running.url(), fresh.token("alice"), {}, tool=TOOL) as agent:
        agent.next("asked")
        agent.told("decline")
        assert "did not want to connect" in agent.text()


def test_a_client_without_pages_gets_the_link_in_the_text_and_in_the_data(fresh: Town) -> None:
    said = fresh.whoami(fresh.token("alice"))
    found = LINK.search(said.text)
    assert found is not None
    assert said.result["isError"] is True
    assert said.result["_meta"]["dev.doorward/connect"] == found[0]


def test_a_person_sees_what_is_connected_ends_it_and_connects_for_one_agent_alone(fresh: Town) -> None:
    token, browser = fresh.token("alice"), Browser()
    link = fresh.ask(token)
    connect(browser, link, "alice", account="alice", agents="one")
    assert fresh.whoami(token).text == "alice"
    [mine] = asked(fresh.running, "connection", "list", "--user", "corp:alice")["connections"]
    assert mine["agent"] == "desk"
    listed = browser.get(f"{fresh.origin}/connections")
    assert "desk" in listed.text
    [form] = [form for form in listed.forms if form.action.endswith("/connections/revoke")]
    after = browser.submit(listed, form, dict(form.buttons))
    assert (after.url, "Nothing yet" in after.text) == (f"{fresh.origin}/connections", True)
    again = browser.submit(listed, form, dict(form.buttons))
    assert (again.status, "not open" in again.text) == (403, True)
    fresh.ask(token)
    [offer] = [one for one in links(after) if "/connect/to/" in one]
    connect(browser, offer, "alice", account="alice")
    assert fresh.whoami(token).text == "alice"


def test_another_browser_than_the_one_that_began_connects_nothing(fresh: Town) -> None:
    token = fresh.token("alice")
    link = fresh.ask(token)
    mallory = Browser(stops_at=(f"{fresh.origin}/connections/callback",))
    left = connect(mallory, link, "alice", account="mallory").url
    alice = Browser()
    sign_in(alice, alice.get(link), "alice")
    shown = alice.get(left)
    assert (shown.status, "This browser has not begun" in shown.text) == (400, True)
    fresh.ask(token)


def test_a_link_for_the_gateways_own_account_is_good_once(there: Town) -> None:
    link = ordered(there.running, "connection", "connect", "crm").strip()
    browser = Browser()
    shown = browser.get(link)
    assert (shown.status, "for the gateway itself" in shown.text) == (200, True)
    assert browser.get(link).status == 200
    gone = Browser(stops_at=(there.service.issuer,))
    gone.submit(shown, shown.forms[0], {})
    assert Browser().submit(shown, shown.forms[0], {}).status == 404
    assert Browser().get(link).status == 404


@pytest.mark.skipif(not IS_HERE, reason="the browser's package holds it for Linux on x86-64 alone")
def test_a_person_goes_the_whole_way_in_a_real_browser(fresh: Town) -> None:
    token = fresh.token("alice")
    with chromium() as real:
        shown = real.go(fresh.ask(token))
        for _ in range(2):
            # At the company, then at the service.
            real.type("input[name=login]", "alice")
            real.type("input[name=password]", "any")
            shown = real.click("button[type=submit]")
            while "/interaction/" in shown.url:
                shown = real.click("button[type=submit]")
            if "/connect/" in shown.url:
                assert "Connect your account at “crm”?" in shown.text
                assert shown.complaints == []
                real.click("button.act")
        assert "“crm” is connected" in shown.text
        assert shown.complaints == []
        listed = real.go(f"{fresh.origin}/connections")
        assert "End it" in listed.text
        assert fresh.whoami(token).text == "alice"
        ended = real.click("button[name=connection]")
        assert "Nothing yet" in ended.text
        assert ended.complaints == []
    fresh.ask(token)


def test_who_is_revoked_has_no_account_any_more(fresh: Town) -> None:
    bob = fresh.token("bob")
    connect(Browser(), fresh.ask(bob), "bob", account="bob")
    assert fresh.whoami(bob).text == "bob"
    ordered(fresh.running, "revoke", "user", "corp:bob", "--reason", "has left")
    try:
        assert fresh.whoami(bob).status == 401
        assert asked(fresh.running, "connection", "list", "--user", "corp:bob")["connections"] == []
        shown = sign_in(browser := Browser(), browser.get(f"{fresh.origin}/connections"), "bob")
        assert (shown.status, "no access" in shown.text) == (403, True)
    finally:
        ordered(fresh.running, "resume", "--revoked", "user", "corp:bob")


def test_an_account_that_the_service_has_forgotten_is_broken_and_connected_again(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as first, town(tmp_path, first, port) as made:
        own_account(made)
        until(lambda: asked(made.running, "status")["upstreams"][0]["tools"] == 1)
        token, browser = made.token("alice"), Browser()
        connect(browser, made.ask(token), "alice", account="alice")
        assert made.whoami(token).text == "alice"
        first.close()
        with provider(clients=[], registration=True, rotates=True, port=port, keys=[KEY]):
            # Its upstream takes no token of before, and it gives no new one for what it has forgotten.
            link = until(lambda: made.link(token))
            warned = " ".join(asked(made.running, "status")["warnings"])
            assert "1 of the accounts that people have connected do not work any more" in warned
            assert "doorward_connections_broken" in page(made.running, "/metrics")
            listed = browser.get(f"{made.origin}/connections")
            assert "does not work any more" in listed.text
            shown = browser.get(link)
            assert "Connect it again" in shown.text
            assert "is connected" in consented(browser, shown, "alice").text
            assert made.whoami(token).text == "alice"


def test_people_connect_where_the_gateway_is_no_authorization_server(tmp_path: Path) -> None:
    with town(tmp_path, has_authority=False) as made:
        browser = Browser()
        listed = sign_in(browser, browser.get(f"{made.origin}/connections"), "alice")
        assert (listed.status, "Nothing yet" in listed.text) == (200, True)
        [offer] = [one for one in links(listed) if "/connect/to/" in one]
        assert "is connected" in connect(browser, offer, "alice", account="alice").text
        [mine] = asked(made.running, "connection", "list")["connections"]
        assert (mine["user"], mine["status"], mine["scopes"]) == ("corp:alice", "working", ["mcp"])
        assert browser.get(f"{made.origin}/oauth/authorize").status == 404


def test_accounts_outlive_a_restart_and_links_do_not(tmp_path: Path) -> None:
    with town(tmp_path) as made:
        own_account(made)
        until(lambda: asked(made.running, "status")["upstreams"][0]["tools"] == 1)
        alice, bob = made.token("alice"), made.token("bob")
        connect(Browser(), made.ask(alice), "alice", account="alice")
        path = made.ask(bob).removeprefix(made.origin)
        stop(made.running)
        again = start(made.running.directory, ENVIRONMENT)
        try:
            there = replace(made, running=again)
            browser = Browser()
            shown = sign_in(browser, browser.get(there.origin + path), "bob")
            assert (shown.status, "/connections" in shown.text) == (404, True)
            assert there.whoami(there.token("alice")).text == "alice"
            assert there.ask(there.token("bob")).removeprefix(there.origin) == path
            assert browser.get(there.origin + path).status == 200
        finally:
            stop(again)


def test_pages_come_and_go_with_the_configuration(tmp_path: Path) -> None:
    with town(tmp_path) as made:
        whole = json.loads((tmp_path / "doorward.yaml").read_text())
        without = {**whole, "upstreams": {"crm": {**whole["upstreams"]["crm"], "credential": {"kind": "none"}}}}
        browser = Browser()
        assert sign_in(browser, browser.get(f"{made.origin}/connections"), "alice").status == 200
        write_config(tmp_path, without, POLICY)
        ordered(made.running, "reload")
        assert browser.get(f"{made.origin}/connections").status == 404
        write_config(tmp_path, whole, POLICY)
        ordered(made.running, "reload")
        assert browser.get(f"{made.origin}/connections").status == 200
        own_account(made)
        until(lambda: asked(made.running, "status")["upstreams"][0]["tools"] == 1)
