"""Agents that know nothing but a URL, their people, and a company's own identity provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import oauth
from tests.e2e.client import Client
from tests.e2e.commands import ordered
from tests.e2e.grants import claims_of
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.oidc import RELYING_PARTY, Provider, provider

pytestmark = pytest.mark.peer

POLICY = """
@id("alice")
@reason("Alice herself.")
permit (principal, action, resource) when { principal has user && principal.user == User::"corp:alice" };
@id("sales")
@reason("Everybody in sales.")
permit (principal in Group::"corp:sales", action, resource);
@id("robot")
@reason("The company's robot.")
permit (principal == Agent::"robot", action, resource);
"""


@pytest.fixture(scope="module")
def company() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as running:
        yield running


def document(company: Provider, witness: Witness, **authority: Any) -> dict[str, Any]:
    """A gateway that lets people in with the company's provider, and the company's robots with its tokens."""
    sign_in = {"client_id": RELYING_PARTY["client_id"], "client_secret": "${env:IDP_SECRET}", "scopes": ["profile", "email", "groups"]}
    issuer = {"url": company.issuer, "plain_http": True, "private": True, "algorithms": ["RS256"], "sign_in": sign_in}
    return {
        "upstreams": {"up": http_upstream(witness.url)},
        "identity": {
            "issuers": {"corp": issuer},
            "authority": {"sign_in": "corp", "clients": {"dynamic": True}, **authority},
            "enrol": [
                {"issuer": "self", "client": "*", "agent": "desktop", "team": "people", "owner": "platform"},
                {"issuer": "corp", "client": "robot", "agent": "robot", "team": "machines", "owner": "platform"},
            ],
        },
    }


@pytest.fixture(scope="module")
def gateway(company: Provider, witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place: Path = tmp_path_factory.mktemp("oauth")
    with doorward(place, document(company, witness), POLICY, {"IDP_SECRET": str(RELYING_PARTY["client_secret"])}) as running:
        yield running


@pytest.mark.parametrize("agent", [*oauth.AGENTS, *oauth.EARLIER])
def test_an_agent_discovers_registers_has_its_person_sign_in_and_calls(gateway: Running, agent: str) -> None:
    alice = oauth.Visit("alice")
    seen = oauth.act(agent, gateway.url(), alice, [("up__echo", {"mark": "hello"})])
    assert "up__echo" in seen["tools"]
    assert not seen["results"][0].get("isError")
    assert "An agent of tests" in alice.pages[0].text
    log = gateway.admin.get("/v1/log?agent=desktop&limit=5")["leaves"]
    assert log


def test_a_program_of_the_company_calls_with_the_token_of_its_provider(gateway: Running, company: Provider) -> None:
    token = company.token_for_robot(gateway.url())
    assert Client(gateway.url(), token).call("up__echo", {"mark": "hello"}).text


@pytest.mark.parametrize("agent", ["python", "typescript"])
def test_an_agent_connects_to_one_upstream_alone(gateway: Running, witness: Witness, agent: str) -> None:
    seen = oauth.act(agent, gateway.url("up"), oauth.Visit("alice"), [("echo", {"mark": f"alone {agent}"})])
    assert seen.get("failed") is None, seen
    assert sorted(seen["tools"]) == ["echo", "other", "stream", "wait"]
    assert claims_of(seen["token"]["access_token"])["aud"] == gateway.url("up")
    assert f"alone {agent}" in witness.marks()


def test_an_agent_whose_token_is_over_goes_on_with_the_next_and_asks_nobody_again(gateway: Running, witness: Witness) -> None:
    alice = oauth.Visit("alice")
    seen = oauth.act("python", gateway.url(), alice, [("up__echo", {"mark": "refreshed in time"})], kept={"expires": True})
    assert seen.get("failed") is None, seen
    assert (seen["given"], len(alice.questions), "refreshed in time" in witness.marks()) == (2, 1, True)


def test_an_agent_that_is_told_its_token_is_over_goes_on_with_the_next_and_asks_nobody(gateway: Running, witness: Witness) -> None:
    first = oauth.act("typescript", gateway.url(), oauth.Visit("alice"), [])
    had = {**first["token"], "access_token": first["token"]["access_token"] + "x"}
    alice, calls = oauth.Visit("alice"), [("up__echo", {"mark": "refreshed when told"})]
    seen = oauth.act("typescript", gateway.url(), alice, calls, kept={"token": had, "client": {"client_id": first["client"]}})
    assert seen.get("failed") is None, seen
    assert (alice.pages, "refreshed when told" in witness.marks()) == ([], True)
    family, before = (claims_of(one["token"]["access_token"])["fam"] for one in (seen, first))
    assert (family == before, seen["token"]["refresh_token"] == first["token"]["refresh_token"]) == (True, False)


@pytest.mark.parametrize("agent", ["python", "typescript"])
def test_an_agent_whose_grant_was_ended_asks_its_person_again(gateway: Running, witness: Witness, agent: str) -> None:
    first = oauth.act(agent, gateway.url(), oauth.Visit("alice"), [])
    family = claims_of(first["token"]["access_token"])["fam"]
    ordered(gateway, "revoke", "family", family, "--reason", "lost laptop")
    client = {"client_id": first["client"], "issuer": f"http://127.0.0.1:{gateway.port}", "redirect_uris": [oauth.CALLBACK]}
    alice = oauth.Visit("alice")
    calls = [("up__echo", {"mark": f"again {agent}"})]
    seen = oauth.act(agent, gateway.url(), alice, calls, kept={"token": first["token"], "client": client})
    assert seen.get("failed") is None, seen
    assert (len(alice.questions), f"again {agent}" in witness.marks()) == (1, True)
    assert claims_of(seen["token"]["access_token"])["fam"] != family


AT_THE_COMPANY: dict[str, Any] = {
    "client_id": "desktop",
    "redirect_uris": [oauth.CALLBACK],
    "application_type": "native",
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
}


@pytest.fixture(scope="module")
def alone(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Provider]]:
    """A gateway without an authority of its own: clients get their tokens from the company's provider, and are known there."""
    with provider((AT_THE_COMPANY,)) as company:
        issuer = {"url": company.issuer, "plain_http": True, "private": True, "algorithms": ["RS256"]}
        rule = {"issuer": "corp", "client": "desktop", "agent": "desktop", "team": "people", "owner": "platform"}
        whole = {"upstreams": {"up": http_upstream(witness.url)}, "identity": {"issuers": {"corp": issuer}, "enrol": [rule]}}
        with doorward(tmp_path_factory.mktemp("alone"), whole, POLICY) as running:
            yield running, company


@pytest.mark.parametrize("agent", ["python", "typescript"])
def test_an_agent_that_the_company_knows_needs_no_authority_of_ours(alone: tuple[Running, Provider], witness: Witness, agent: str) -> None:
    running, company = alone
    client = {"client_id": "desktop", "issuer": company.issuer, "redirect_uris": [oauth.CALLBACK], "token_endpoint_auth_method": "none"}
    calls = [("up__echo", {"mark": f"by corp {agent}"})]
    seen = oauth.act(agent, running.url(), oauth.Visit("alice"), calls, kept={"client": client})
    assert seen.get("failed") is None, seen
    said = claims_of(seen["token"]["access_token"])
    assert (said["iss"], said["aud"], f"by corp {agent}" in witness.marks()) == (company.issuer, running.url(), True)
    refused = oauth.act(agent, running.url(), oauth.Visit("bob"), [("up__echo", {"mark": f"bob {agent}"})], kept={"client": client})
    assert "failed" in refused
    assert f"bob {agent}" not in witness.marks()
