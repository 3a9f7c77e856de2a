"""Credentials by OAuth are checked for who is asked, how Doorward proves itself, and whose tokens go where."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_oauth import oauth
from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.config.model import Document
from doorward.config.problems import ConfigError, dotted
from tests.certificates import authority

CORP = {"url": "https://idp.example.com"}
IDP = {"issuer": "https://idp.example.com", "client_id": "doorward", "client_secret": "${env:SECRET}"}
OWN = {"kind": "client_credentials", "server": IDP}
EXCHANGE = {"kind": "token_exchange", "server": IDP}
BEHALF = {"kind": "on_behalf_of", "server": IDP, "scopes": ["api://crm/.default"]}
BEARER = {"kind": "jwt_bearer", "server": {"issuer": "https://crm.example.com", "client_id": "doorward"}}
JAG = {"kind": "id_jag", "provider": IDP, "server": {"issuer": "https://crm.example.com", "client_id": "doorward"}}
HERE = "upstreams.crm.credential"
SIGNED = {**EXCHANGE, "subject_token": "signed"}


def found(root: Path, credential: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    upstream = {"url": "https://crm.example.com/mcp", **fields, "credential": credential}
    document = Document.model_validate({"upstreams": {"crm": upstream}, "identity": {"issuers": {"corp": CORP}}})
    findings = oauth(document, Ground(root, {"SECRET": "s", "KEY": "k"}))
    return [(finding.weight.value, dotted(finding.path).removeprefix(f"{HERE}.")) for finding in findings]


def server(**changed: Any) -> dict[str, Any]:
    """As itself, with a server that is sound but for what is changed; None takes a field away."""
    return {"kind": "client_credentials", "server": {name: value for name, value in {**IDP, **changed}.items() if value is not None}}


@pytest.mark.parametrize(
    "credential",
    [
        OWN,
        {**OWN, "scopes": ["crm.read"], "scopes_for": {"write": ["crm.write"]}, "resource": "", "audience": "crm"},
        server(issuer=None, token_url="https://idp.example.com/token", secret_in="post"),
        server(
            client_secret=None, client_key="${env:KEY}", key_id="k1", key_algorithm="PS256", key_audience="https://idp.example.com/token"
        ),
        server(issuer="http://127.0.0.1:8000", private=True, plain_http=True),
        EXCHANGE,
        {**EXCHANGE, "people_of": "corp", "actor_token": "signed", "discovery": OWN},
        {**SIGNED, "signed": {"people_of": "corp", "key": "${env:KEY}", "issuer": "https://mcp.example.com"}},
        BEHALF,
        {**BEHALF, "discovery": {"kind": "header", "value": "Bearer ${env:SECRET}"}},
        BEARER,
        JAG,
    ],
    ids=lambda credential: json.dumps(credential)[:60],
)
def test_a_sound_credential_has_no_findings(tmp_path: Path, credential: dict[str, Any]) -> None:
    assert found(tmp_path, credential) == []


@pytest.mark.parametrize(
    ("credential", "findings"),
    [
        (server(issuer=None), [("error", "server")]),
        (server(token_url="https://idp.example.com/token"), [("error", "server")]),
        (server(issuer="http://idp.example.com"), [("error", "server.issuer")]),
        (server(issuer="http://idp.example.com", plain_http=True), [("note", "server.issuer")]),
        (server(issuer="https://10.0.0.1"), [("error", "server.issuer")]),
        (server(issuer="https://u:p@idp.example.com"), [("error", "server.issuer")]),
        (server(issuer="https://idp.example.com?x=1"), [("error", "server.issuer")]),
        (server(client_secret=None), [("error", "server")]),
        (server(client_key="${env:KEY}"), [("error", "server")]),
        (server(client_secret="in the clear"), [("error", "server.client_secret")]),
        (server(client_secret="${env:NONE}"), [("note", "server.client_secret")]),
        (server(key_id="k1"), [("error", "server.key_id")]),
        (server(client_secret=None, client_key="${env:KEY}", secret_in="post"), [("error", "server.secret_in")]),
        (server(ca_file="none.pem"), [("error", "server.ca_file")]),
        (
            server(client_secret=None, tls={"certificate": "none.pem", "key": "none.key"}),
            [("error", "server.tls.certificate"), ("error", "server.tls.key")],
        ),
        ({**OWN, "scopes": ["two words"]}, [("error", "scopes[0]")]),
        ({**OWN, "scopes_for": {"write": ["a", 'b"']}}, [("error", "scopes_for.write[1]")]),
        ({**EXCHANGE, "people_of": "crop"}, [("error", "people_of")]),
        ({**EXCHANGE, "server": {**IDP, "issuer": "https://other.example.com"}}, [("error", HERE)]),
        ({**EXCHANGE, "server": {**IDP, "client_secret": None}}, [("error", "server")]),
        ({**EXCHANGE, "signed": {}}, [("error", "signed")]),
        ({**SIGNED, "people_of": "corp"}, [("error", "people_of")]),
        ({**SIGNED, "signed": {"people_of": "crop"}}, [("error", "signed.people_of")]),
        ({**SIGNED, "signed": {"key_id": "k"}}, [("error", "signed.key_id")]),
        ({**SIGNED, "signed": {"key": "in the clear"}}, [("error", "signed.key")]),
        ({**EXCHANGE, "discovery": server(client_secret="in the clear")}, [("error", "discovery.server.client_secret")]),
        ({**EXCHANGE, "discovery": {"kind": "header", "value": "Bearer me"}}, [("error", "discovery.value")]),
        ({**BEHALF, "server": {**IDP, "issuer": "https://other.example.com"}}, [("error", HERE)]),
        ({**JAG, "server": {"token_url": "https://crm.example.com/token", "client_id": "d"}}, [("error", "server.issuer")]),
        ({**JAG, "provider": {**IDP, "client_secret": None}}, [("error", "provider")]),
    ],
    ids=lambda value: json.dumps(value)[:80],
)
def test_what_is_wrong_with_a_credential_is_found_at_its_place(
    tmp_path: Path, credential: dict[str, Any], findings: list[tuple[str, str]]
) -> None:
    assert found(tmp_path, credential) == findings


def test_a_certificate_that_is_there_proves_a_client(tmp_path: Path) -> None:
    authority().leaf().written(tmp_path, "own")
    assert found(tmp_path, server(client_secret=None, tls={"certificate": "own.pem", "key": "own.key"})) == []


def test_what_a_token_is_for_is_said_where_there_are_several_addresses(tmp_path: Path) -> None:
    several: dict[str, Any] = {"url": None, "urls": ["https://a.example.com/mcp", "https://b.example.com/mcp"]}
    assert found(tmp_path, OWN, **several) == [("error", HERE)]
    assert found(tmp_path, {**OWN, "resource": "https://crm.example.com"}, **several) == []
    assert found(tmp_path, {**OWN, "resource": "https://crm.example.com/#x"}, **several) == [("error", "resource")]


def written(root: Path, credential: dict[str, Any]) -> Document:
    """A document with a credential, as it is read from a file."""
    fields = {
        "upstreams": {"crm": {"url": "https://crm.example.com/mcp", "credential": credential}},
        "policies": {"files": ["policy.cedar"]},
        "identity": {"issuers": {"corp": CORP}},
    }
    (root / "policy.cedar").write_text("permit (principal, action, resource);")
    return read(json.dumps(fields).encode(), root / "doorward.yaml", Ground(root, {"SECRET": "s"})).document


def test_a_document_with_one_is_read_as_it_is_written(tmp_path: Path) -> None:
    declared = {**EXCHANGE, "scopes": ["a", "b"], "discovery": OWN}
    credential = written(tmp_path, declared).upstreams["crm"].credential
    assert credential is not None
    assert credential.model_dump(mode="json", exclude_unset=True) == declared


def test_a_field_that_is_not_known_is_told_where_it_stands(tmp_path: Path) -> None:
    discovery = {"kind": "client_credentials", "server": {**IDP, "secret": "canary"}}
    with pytest.raises(ConfigError, match=r"upstreams\.crm\.credential\.discovery\.server") as raised:
        written(tmp_path, {**EXCHANGE, "discovery": discovery})
    assert "canary" not in str(raised.value)
