"""Access tokens of our own authority that are tied to a client certificate (RFC 8705): stolen, they are worth nothing."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.certificates import Issued
from tests.e2e.commands import ordered
from tests.e2e.secured import Place, client, is_over, named, principal, print_of, said
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream

SECRET = "a secret of tests, of more than thirty-two bytes"
ISSUER = {"url": "https://127.0.0.1:9", "private": True, "sign_in": {"client_id": "doorward"}}
"""Nobody signs in here."""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("bound"))


@pytest.fixture(scope="module")
def gateway(place: Place, witness: Witness) -> Iterator[Running]:
    known = {"name": "Nightly report", "secret_sha256": sha256(SECRET.encode()).hexdigest(), "grants": ["client_credentials"]}
    document = {
        "listen": place.listen(),
        "identity": {
            "issuers": {"corp": ISSUER},
            "authority": {"sign_in": "corp", "known": {"report": known}},
            "require_bound": True,
        },
        "upstreams": {"up": http_upstream(witness.url)},
    }
    with doorward(place.directory, document) as running:
        ordered(running, "agent", "add", "report", "--team", "ci", "--method", "access_token", "--identity", "client:self:report")
        yield running


def asks_for_token(gateway: Running, tls: ssl.SSLContext) -> tuple[int, dict[str, Any]]:
    """Status and answer of a token request on a connection of its own."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": "report",
        "client_secret": SECRET,
        "resource": f"https://127.0.0.1:{gateway.port}/mcp",
        "scope": "mcp",
    }
    connection = http.client.HTTPSConnection("localhost", gateway.port, timeout=10, context=tls)
    try:
        connection.request("POST", "/oauth/token", urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def token(gateway: Running, place: Place, shown: Issued) -> str:
    status, answer = asks_for_token(gateway, place.context(shown))
    assert (status, answer.get("token_type")) == (200, "Bearer"), answer
    return str(answer["access_token"])


def test_token_is_good_on_connections_of_its_certificate_alone(gateway: Running, place: Place) -> None:
    mine, thiefs = place.root.leaf(named("mine")), place.root.leaf(named("mine"))
    stolen = token(gateway, place, mine)
    who = principal(gateway, said(gateway, place.context(mine), stolen))
    assert (who["agent"], who["method"], who["client"]) == ("report", "access_token", "report")
    assert (who["bound"], who["certificate"]) == ("certificate", print_of(mine))
    for elsewhere in (place.context(thiefs), place.context()):
        assert said(gateway, elsewhere, stolen).status == 401
    assert said(gateway, place.context(mine), stolen).status == 200


def test_token_is_not_given_without_a_certificate_where_it_would_not_be_accepted(gateway: Running, place: Place) -> None:
    status, answer = asks_for_token(gateway, place.context())
    assert (status, "access_token" in answer) == (400, False)


def test_revoked_certificate_takes_its_tokens_along(gateway: Running, place: Place, witness: Witness) -> None:
    shown = place.root.leaf(named("along"))
    held = token(gateway, place, shown)
    with client(gateway, place.context(shown), held) as one:
        assert one.call("up__echo").status == 200
        ordered(gateway, "revoke", f"certificate:{print_of(shown)}", "--reason", "A leak")
        is_over(one)
        assert one.call("up__echo").status == 401
    assert said(gateway, place.context(place.root.leaf(named("along"))), held).status == 401


def test_client_that_was_revoked_and_restored_needs_another_token(gateway: Running, place: Place) -> None:
    shown = place.root.leaf(named("restored"))
    held = token(gateway, place, shown)
    with client(gateway, place.context(shown), held) as one:
        assert one.call("up__echo").status == 200
        ordered(gateway, "revoke", "client:self:report", "--reason", "A leak")
        assert one.call("up__echo").status == 401
        assert asks_for_token(gateway, place.context(shown))[0] in {400, 401}
        ordered(gateway, "resume", "client:self:report", "--revoked")
        assert one.call("up__echo").status == 401
        one.key = token(gateway, place, shown)
        assert one.call("up__echo").status == 200
