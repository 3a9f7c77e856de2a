"""Upstreams that let nobody in but by tokens of their own authorization server, behind a gateway that gets them: nobody ever clicks.

The provider is a real one. Upstreams verify each token as a resource server does, and say whose it is; one of them is another gateway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from tests.e2e.client import RECEIPT, Client, Said
from tests.e2e.grants import token
from tests.e2e.log import events, of_call, until
from tests.e2e.witness import Witness, tool, witnessing
from tests.exchanging import BEARER, SECRET, Provider, exchanging
from tests.gateway import Running, doorward, http_upstream
from tests.net.raw import Peer, response
from tests.upstream.kit import header_of, result

pytestmark = pytest.mark.peer

Json = dict[str, Any]

COURIER = "canary-courier-secret-0123456789abcdef"
ENVIRONMENT = {"IDP_SECRET": SECRET, "COURIER": COURIER}
REACH = {"private": True, "plain_http": True}
GROUPS = {"whoami": {"groups": ["read"]}, "write": {"groups": ["write"]}}


class Guarded(Witness):
    """An upstream that verifies each token, and says what it was told by it."""

    company: Provider

    def __init__(self) -> None:
        super().__init__()
        self.tools = [tool("whoami"), tool("write")]
        self.behaviours = {"whoami": self._told, "write": self._told}

    async def _told(self, peer: Peer, message: Json, head: bytes) -> None:
        token = (header_of(head, "Authorization") or "").removeprefix("Bearer ")
        claims = self.company.verified(token, self.url)
        said = {name: claims.get(name) for name in ("sub", "act", "client_id", "scope")}
        text = {"type": "text", "text": json.dumps(said)}
        await peer.send(response(result(message, {"content": [text], "resultType": "complete"})))


@dataclass(frozen=True, slots=True)
class Town:
    """A provider, the gateway, what is behind it, and the gateway behind it."""

    company: Provider
    running: Running
    upstreams: Mapping[str, Guarded]
    far: Running
    beyond: Witness

    def call(self, name: str, person: str) -> Said:
        """A tool called for somebody, by their own token of the provider."""
        with Client(self.running.url(), self.token(person)) as client:
            return client.call(name, {"mark": person})

    def told(self, name: str, person: str) -> Json:
        """What the upstream was told by the token that it was shown."""
        said = self.call(name, person).result
        return dict(json.loads(said["content"][0]["text"]))

    def token(self, person: str) -> str:
        return self.company.token_of(person, self.running.url())


def free_port() -> int:
    with closing(create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def behind(url: str, **credential: Any) -> Json:
    """An upstream of the gateway with a credential."""
    return http_upstream(url, credential=credential, tools=GROUPS)


def document(company: Provider, upstreams: Mapping[str, Guarded], far: Running, port: int) -> Json:
    """The gateway in front of everything."""
    idp = {"issuer": company.issuer, "client_id": "doorward", "client_secret": "${env:IDP_SECRET}", **REACH}
    partner = f"http://127.0.0.1:{far.port}"
    courier = {"issuer": partner, "client_id": "courier", "client_secret": "${env:COURIER}", **REACH}
    discovery = {"kind": "header", "value": "Bearer ${env:FAR_KEY}"}
    scopes: Json = {"scopes": ["read"], "scopes_for": {"write": ["write"]}}
    own = {"kind": "client_credentials", "server": idp, **scopes}
    return {
        "listen": {"port": port},
        "upstreams": {
            "own": behind(upstreams["own"].url, **own),
            "mine": behind(upstreams["mine"].url, kind="token_exchange", server=idp, **scopes, discovery=own),
            "named": behind(upstreams["named"].url, kind="jwt_bearer", server=idp, signed={"people_of": "corp"}, **scopes),
            "behalf": behind(upstreams["behalf"].url, kind="on_behalf_of", server=idp, scopes=["read"]),
            "far": http_upstream(
                far.url("beyond"),
                credential={
                    "kind": "id_jag",
                    "provider": idp,
                    "server": courier,
                    "scopes": ["mcp"],
                    "discovery": discovery,
                },
            ),
            "handed": http_upstream(
                far.url("beyond"),
                credential={"kind": "token_exchange", "server": {**courier, "client_id": "helper"}, "discovery": discovery},
            ),
        },
        "identity": {
            "issuers": {
                "corp": {"url": company.issuer, "algorithms": ["ES256"], **REACH},
                "partner": {"url": partner, "audiences": [far.url("beyond")], **REACH},
            },
            "enrol": [
                {"issuer": "corp", "client": "desk", "agent": "desk", "team": "sales", "owner": "ada"},
                {"issuer": "partner", "client": "courier", "agent": "courier", "team": "partners", "owner": "ada"},
            ],
        },
    }


def beyond(company: Provider, witness: Witness, port: int) -> Json:
    """The gateway behind it, whose own authority takes the provider's identity assertions."""
    known = {"name": "Courier", "grants": ["jwt-bearer"], "secret_sha256": sha256(COURIER.encode()).hexdigest(), "scopes": ["mcp"]}
    helper = {**known, "name": "Helper", "grants": ["token-exchange"]}
    sign_in = {"client_id": "nobody", "client_secret": "${env:IDP_SECRET}"}
    return {
        "listen": {"port": port},
        "upstreams": {"beyond": http_upstream(witness.url)},
        "identity": {
            "issuers": {"corp": {"url": company.issuer, "algorithms": ["ES256"], "sign_in": sign_in, **REACH}},
            "authority": {"sign_in": "corp", "known": {"courier": known, "helper": helper}, "assertions": ["corp"]},
            "enrol": [
                {"issuer": "self", "client": name, "agent": name, "team": "partners", "owner": "ben"} for name in ("courier", "helper")
            ],
        },
    }


@contextmanager
def town(directory: Path) -> Iterator[Town]:
    """All of it."""
    port, far_port = free_port(), free_port()
    origin, far_origin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{far_port}"
    with ExitStack() as stack:
        keys = f"{origin}/.well-known/jwks.json"
        company = stack.enter_context(exchanging(trusted={origin: keys}, known_as={far_origin: "courier"}))
        upstreams = {name: Guarded() for name in ("own", "mine", "named", "behalf")}
        for upstream in upstreams.values():
            upstream.company = company
            stack.enter_context(witnessing(upstream))
        witness = stack.enter_context(witnessing())
        far = stack.enter_context(doorward(directory / "far", beyond(company, witness, far_port), environment=ENVIRONMENT))
        environment = {**ENVIRONMENT, "FAR_KEY": far.key("gateway")}
        whole = document(company, upstreams, far, port)
        running = stack.enter_context(doorward(directory / "near", whole, environment=environment))
        made = Town(company, running, upstreams, far, witness)
        with Client(running.url(), made.token("alice")) as client:
            until(lambda: len({one["name"].partition("__")[0] for one in client.ask("tools/list").result["tools"]}) == 6)
        yield made


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as made:
        yield made


def test_doorward_itself_is_one_client_to_an_upstream_with_no_more_scope_than_a_tool_needs(ours: Town) -> None:
    itself = {"sub": "doorward", "act": None, "client_id": "doorward"}
    assert [ours.told("own__whoami", name) for name in ("alice", "bob")] == [{**itself, "scope": "read"}] * 2
    assert ours.told("own__write", "alice") == {**itself, "scope": "read write"}


def test_people_are_themselves_to_an_upstream_by_an_exchanged_token(ours: Town) -> None:
    for name in ("alice", "bob"):
        assert ours.told("mine__whoami", name) == {"sub": name, "act": {"sub": "doorward"}, "client_id": "doorward", "scope": "read"}


def test_people_are_themselves_by_what_doorward_signs_and_the_agent_is_named(ours: Town) -> None:
    assert ours.told("named__whoami", "bob") == {"sub": "bob", "act": {"sub": "desk"}, "client_id": "doorward", "scope": "read"}


def test_an_identity_assertion_opens_another_gateway_in_the_persons_name(ours: Town) -> None:
    said = ours.call("far__echo", "alice").result
    assert said["content"] == [{"type": "text", "text": '{"mark": "alice"}'}]
    assert "alice" in ours.beyond.marks()
    intents = [leaf for leaf in events(ours.far.directory / "state", "intent") if leaf["principal"]["agent"] == "courier"]
    assert intents
    assert all(leaf["principal"]["subject"] for leaf in intents)


def test_a_token_of_another_gateways_authority_is_exchanged_there_for_one_with_a_longer_chain(ours: Town) -> None:
    resource, far = ours.far.url("beyond"), f"http://127.0.0.1:{ours.far.port}"
    assertion = ours.company.assertion_of("alice", far, resource)
    shown = {"client_id": "courier", "client_secret": COURIER, "resource": resource}
    status, said = token(ours.far, grant_type=BEARER, assertion=assertion, **shown)
    assert status == 200, said
    with Client(ours.running.url(), said["access_token"]) as client:
        assert client.call("handed__echo", {"mark": "handed"}).result["content"][0]["text"] == '{"mark": "handed"}'
        # The other way takes tokens of the company's provider alone, and this one is shown to nobody there.
        assert "takes access tokens of `corp`" in client.call("mine__whoami").error["message"]
    [intent] = [leaf for leaf in events(ours.far.directory / "state", "intent") if leaf["principal"]["agent"] == "helper"]
    assert [actor["agent"] for actor in intent["principal"]["act"]] == ["courier"]
    assert said["access_token"].encode() not in b"".join(ours.beyond.requests)


def test_everybody_at_once_is_still_themselves(ours: Town) -> None:
    people = [f"person-{number}" for number in range(12)] * 3
    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(lambda name: ours.told("mine__whoami", name)["sub"], people))
    assert told == people


def test_the_receipt_names_kind_audience_scope_and_end(ours: Town) -> None:
    said = ours.call("mine__whoami", "alice").result
    outcome = of_call(ours.running.directory / "state", said["_meta"][RECEIPT])[-1]
    lease = outcome["credential"]
    url = ours.upstreams["mine"].url
    assert (lease["kind"], lease["audience"], lease["scope"]) == ("token_exchange", url.removesuffix("/mcp"), "read")
    assert lease["expires"]


def test_an_agent_that_acts_for_nobody_is_told_so(ours: Town) -> None:
    with Client(ours.running.url(), ours.running.key("robot")) as client:
        said = client.call("mine__whoami").error
        assert "this agent acts for nobody" in said["message"]
        assert json.loads(client.call("own__whoami").result["content"][0]["text"])["sub"] == "doorward"


def test_no_upstream_log_or_file_ever_holds_a_token_that_was_presented_or_a_secret(ours: Town) -> None:
    token = ours.token("alice")
    with Client(ours.running.url(), token) as client:
        for name in ("own__whoami", "mine__whoami", "named__whoami", "behalf__whoami", "far__echo"):
            client.call(name, {"mark": "x"})
    seen = b"".join(b"".join(one.requests) for one in (*ours.upstreams.values(), ours.beyond))
    kept = b"".join(path.read_bytes() for side in (ours.running, ours.far) for path in side.directory.rglob("*") if path.is_file())
    for secret in (token, token.rpartition(".")[2], SECRET, COURIER):
        assert secret.encode() not in seen
        assert secret.encode() not in kept
    assert any(form.get("subject_token") == token for form in ours.company.seen())


def test_what_is_leased_goes_on_while_the_provider_is_gone(tmp_path: Path) -> None:
    with town(tmp_path) as ours:
        token = ours.token("alice")
        with Client(ours.running.url(), token) as client, Client(ours.running.url(), ours.token("bob")) as other:
            first = client.call("mine__whoami").result["content"]
            ours.company.process.kill()
            ours.company.process.wait(10)
            assert client.call("mine__whoami").result["content"] == first
            said = other.call("mine__whoami")
            assert (said.error["code"], "No credential" in said.error["message"]) == (5032, True)
