"""A gateway that speaks TLS itself: the whole way of a person and an agent, and tokens that are bound to a certificate (RFC 8705)."""

import http.client
import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser import Browser
from tests.certificates import Issued
from tests.e2e.grants import VERIFIER, authorize, claims_of, granted, proven, told
from tests.e2e.oauth import CALLBACK, ENVIRONMENT, POLICIES, Visit, act, document, write_keys
from tests.e2e.secured import Place, client, named, url
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward
from tests.oidc import RELYING_PARTY, provider

pytestmark = pytest.mark.peer


@dataclass(frozen=True)
class Secured:
    """A gateway at a public https URL, and what it takes to speak to it."""

    place: Place
    running: Running
    witness: Witness

    def posted(self, fields: dict[str, str], shown: Issued | None = None) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers on a connection with this certificate, or with none."""
        connection = http.client.HTTPSConnection("localhost", self.running.port, timeout=20, context=self.place.context(shown))
        with closing(connection):
            connection.request("POST", "/oauth/token", urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def call(self, token: str, shown: Issued | None = None) -> int:
        """The status of a call with a token on a connection with this certificate, or with none."""
        with client(self.running, self.place.context(shown), token) as one:
            return one.call("up__echo", {"mark": "over TLS"}).status

    def visit(self, name: str) -> Visit:
        """A person whose browser trusts the gateway."""
        return Visit(name, Browser(stops_at=(CALLBACK,), context=self.place.context()))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """One that asks for client certificates and does without."""
    place = Place(tmp_path_factory.mktemp("tls"))
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    origin = f"https://localhost:{port}"
    party = {**RELYING_PARTY, "application_type": "web", "redirect_uris": [f"{origin}/oauth/callback"]}
    write_keys(place.directory)
    with provider((party,)) as company, witnessing() as witness:
        listen = {**place.listen(), "port": port, "public_url": origin}
        whole = {**document(company.issuer, witness.url, {}), "listen": listen}
        with doorward(place.directory, whole, POLICIES, ENVIRONMENT) as running:
            yield Secured(place, running, witness)


@pytest.mark.parametrize("agent", ["python", "typescript"])
def test_an_agent_and_its_person_go_the_whole_way_over_tls(ours: Secured, agent: str) -> None:
    ca_file = str(ours.place.directory / "roots.pem")
    trust = {**os.environ, "SSL_CERT_FILE": ca_file, "NODE_EXTRA_CA_CERTS": ca_file}
    issuer = f"https://localhost:{ours.running.port}"
    known = {"client": {"client_id": "desk", "issuer": issuer, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}}
    alice = ours.visit("alice")
    seen = act(agent, url(ours.running), alice, [("up__echo", {"mark": f"over TLS {agent}"})], kept=known, **trust)
    assert seen.get("failed") is None, seen
    assert (len(alice.questions), f"over TLS {agent}" in ours.witness.marks()) == (1, True)
    cookies = {name for host, name in alice.browser.jar if host == f"localhost:{ours.running.port}"}
    assert {name.startswith("__Host-doorward-") for name in cookies} == {True}
    assert told(alice.pages[-1].url)["iss"] == issuer


def test_a_token_that_was_asked_for_with_a_certificate_is_good_with_it_alone(ours: Secured) -> None:
    mine, others = ours.place.root.leaf(named("one")), ours.place.root.leaf(named("two"))
    fields = {"grant_type": "client_credentials", "resource": url(ours.running)}
    issuer = f"https://localhost:{ours.running.port}"
    bound = granted(ours.posted(fields | proven(ours.running, "night", aud=issuer), mine))
    assert (bound["token_type"], list(claims_of(bound["access_token"])["cnf"])) == ("Bearer", ["x5t#S256"])
    assert [ours.call(bound["access_token"], shown) for shown in (mine, others, None)] == [200, 401, 401]
    plain = granted(ours.posted(fields | proven(ours.running, "night", aud=issuer)))
    assert "cnf" not in claims_of(plain["access_token"])


def test_a_refresh_token_outlives_the_certificate_and_serves_no_other_holder(ours: Secured) -> None:
    mine, renewed, others = (ours.place.root.leaf(named(name)) for name in ("one", "one", "two"))
    asked = authorize(ours.running, resource=url(ours.running)).replace("http://127.0.0.1", "https://localhost", 1)
    code = told(ours.visit("alice").consents(asked))["code"]
    fields = {"grant_type": "authorization_code", "client_id": "desk", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    had = granted(ours.posted(fields, mine))
    again = {"grant_type": "refresh_token", "client_id": "desk", "refresh_token": had["refresh_token"]}
    assert [ours.posted(again, shown)[0] for shown in (None, others)] == [400, 400]
    after = granted(ours.posted(again, renewed))
    assert [ours.call(after["access_token"], shown) for shown in (renewed, mine)] == [200, 401]
