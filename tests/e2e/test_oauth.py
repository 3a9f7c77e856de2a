"""Agents that know nothing but a URL, their people, and a company's own identity provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import oauth
from tests.e2e.client import Client
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


@pytest.mark.parametrize("agent", list(oauth.AGENTS))
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
