"""Who is revoked gets nothing more from our own authority, and nothing that was handed on in their name goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adversary.connected import connected, exchanged, gateway, own_token, refreshed
from tests.e2e.client import Client
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running
from tests.oidc import Provider, provider

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def company() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as running:
        yield running


@pytest.fixture
def running(company: Provider, witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with gateway(tmp_path_factory.mktemp("withdrawn"), company.issuer, witness.url) as made:
        yield made


def revoke(running: Running, matter: str) -> None:
    running.admin.post("/v1/stops", {"matter": matter, "reason": "a test", "effect": "revoked"})


def restore(running: Running, matter: str) -> None:
    running.admin.post("/v1/stops/lift", {"matter": matter, "effect": "revoked"})


def calls(running: Running, token: str) -> int:
    """The status of a call with a token."""
    with Client(running.url(), token) as client:
        return client.call("up__echo", {"mark": "x"}).status


def test_what_a_revoked_client_has_handed_on_ends_with_it(running: Running) -> None:
    parent = own_token(running, "lead-client")
    status, child = exchanged(running, parent)
    assert status == 200, child
    assert calls(running, child["access_token"]) == 200
    revoke(running, "client:self:lead-client")
    assert (calls(running, parent), calls(running, child["access_token"])) == (401, 401)
    assert exchanged(running, parent)[0] == 400


def test_what_a_stopped_client_has_handed_on_stands_still_with_it(running: Running) -> None:
    _, child = exchanged(running, own_token(running, "lead-client"))
    running.admin.post("/v1/stops", {"matter": "client:self:lead-client", "reason": "a test"})
    with Client(running.url(), child["access_token"]) as client:
        assert client.call("up__echo", {"mark": "x"}).reason == "stopped"


@pytest.mark.parametrize("matter", ["user:corp:alice", "client:self:desk-client"])
def test_whoever_is_revoked_has_no_grant_any_more_also_once_restored(running: Running, company: Provider, matter: str) -> None:
    tokens = connected(running, company, "alice")
    assert calls(running, tokens["access_token"]) == 200
    revoke(running, matter)
    assert calls(running, tokens["access_token"]) == 401
    assert refreshed(running, tokens["refresh_token"])[0] == 400
    restore(running, matter)
    assert refreshed(running, tokens["refresh_token"])[0] == 400
    assert calls(running, tokens["access_token"]) == 401


def test_a_revoked_client_gets_no_token_of_its_own(running: Running) -> None:
    own_token(running, "lead-client")
    revoke(running, "client:self:lead-client")
    with pytest.raises(AssertionError):
        own_token(running, "lead-client")
