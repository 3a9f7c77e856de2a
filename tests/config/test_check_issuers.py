"""Issuers that cannot be told apart, reached safely or understood are found before anything is served."""

from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_issuers import issuers
from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.config.model import Document
from doorward.config.problems import dotted

CORP = {"url": "https://idp.example.com"}


def found(root: Path, declared: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    fields.setdefault("identity", {})["issuers"] = declared
    document = Document.model_validate(fields)
    findings = issuers(document, Ground(root, {"SECRET": "s"}))
    return [(finding.weight.value, dotted(finding.path).removeprefix("identity.issuers.")) for finding in findings]


@pytest.mark.parametrize(
    "issuer",
    [
        {},
        {"url": "https://corp.okta.example/oauth2/default", "preset": "okta", "scopes": {"*": ["mcp"], "r": ["mcp:read", "mcp:git:read"]}},
        {"preset": "entra", "audiences": ["11111111-2222-3333-4444-555555555555"]},
        {"preset": "google", "audiences": ["x.apps.googleusercontent.com"]},
        {"url": "http://127.0.0.1:8000", "plain_http": True, "private": True},
        {"sign_in": {"client_id": "doorward", "client_secret": "${env:SECRET}"}},
        {"groups_url": "https://graph.example.com/{subject}", "sign_in": {"client_id": "d", "client_secret": "${env:SECRET}"}},
    ],
    ids=str,
)
def test_a_sound_issuer_has_no_findings(tmp_path: Path, issuer: dict[str, Any]) -> None:
    assert found(tmp_path, {"corp": {**CORP, **issuer}}, upstreams={"git": {"url": "https://git.example.com/mcp"}}) == []


@pytest.mark.parametrize(
    ("issuer", "findings"),
    [
        ({"url": "http://idp.example.com"}, [("error", "corp.url")]),
        ({"url": "http://idp.example.com", "plain_http": True}, [("note", "corp.url")]),
        ({"url": "https://127.0.0.1"}, [("error", "corp.url")]),
        ({"url": "https://idp"}, [("error", "corp.url")]),
        ({"url": "https://idp.example.com?x=1"}, [("error", "corp.url")]),
        ({"url": "https://idp.example.com#x"}, [("error", "corp.url")]),
        ({"url": "https://user:secret@idp.example.com"}, [("error", "corp.url")]),
        ({"url": "idp.example.com"}, [("error", "corp.url")]),
        ({"plain_http": True}, [("error", "corp.plain_http")]),
        ({"jwks_url": "http://idp.example.com/keys"}, [("error", "corp.jwks_url")]),
        ({"groups_url": "https://graph.example.com/me"}, [("error", "corp.groups_url"), ("error", "corp.groups_url")]),
        ({"preset": "entra"}, [("error", "corp.audiences")]),
        ({"preset": "google"}, [("note", "corp.audiences")]),
        ({"types": ["application/JWT"]}, [("note", "corp.types")]),
        ({"ca_file": "none.pem"}, [("error", "corp.ca_file")]),
        ({"scopes": {"a": ["everything"]}}, [("error", "corp.scopes.a")]),
        ({"scopes": {"a": ["mcp:git:write"]}}, [("error", "corp.scopes.a")]),
        ({"scopes": {"a": ["mcp:gti"]}}, [("note", "corp.scopes.a")]),
        ({"sign_in": {"client_id": "d", "client_secret": "hunter2"}}, [("error", "corp.sign_in.client_secret")]),
        ({"sign_in": {"client_id": "d", "client_secret": "hunter2${env:SECRET}"}}, [("error", "corp.sign_in.client_secret")]),
        ({"sign_in": {"client_id": "d", "client_secret": "${SECRET}"}}, [("error", "corp.sign_in.client_secret")]),
        ({"sign_in": {"client_id": "d", "client_secret": "${env:NONE}"}}, [("note", "corp.sign_in.client_secret")]),
    ],
    ids=str,
)
def test_what_is_wrong_with_an_issuer_is_found(tmp_path: Path, issuer: dict[str, Any], findings: list[tuple[str, str]]) -> None:
    assert found(tmp_path, {"corp": {**CORP, **issuer}}, upstreams={"git": {"url": "https://git.example.com/mcp"}}) == findings


def test_a_token_can_be_of_one_issuer_only(tmp_path: Path) -> None:
    assert found(tmp_path, {"one": CORP, "two": CORP}) == [("error", "two.url")]
    assert found(tmp_path, {"one": CORP, "two": {"url": "https://idp.example.com/"}}) == [("note", "two.url")]
    assert found(tmp_path, {"self": CORP}) == [("error", "self")]


def test_our_own_authority_is_no_issuer_beside_itself(tmp_path: Path) -> None:
    identity = {"authority": {"sign_in": "corp"}}
    listen = {"public_url": "https://mcp.example.com"}
    assert found(tmp_path, {"ours": {"url": "https://mcp.example.com"}}, identity=identity, listen=listen) == [("error", "ours.url")]


def test_where_clients_call_another_address_than_the_one_that_is_bound_it_must_be_said(tmp_path: Path) -> None:
    assert found(tmp_path, {"corp": CORP}, listen={"host": "10.0.0.1"}) == [("note", "listen.public_url")]
    assert found(tmp_path, {"corp": {**CORP, "audiences": ["api"]}}, listen={"host": "10.0.0.1"}) == []


PAGE = Path(__file__).parents[2] / "docs" / "identity" / "tokens.md"
EXAMPLES = [part.partition("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```yaml\n")[1:]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_the_page_is_sound(tmp_path: Path, example: str) -> None:
    (tmp_path / "entra.secret").write_text("s")
    (tmp_path / "entra.secret").chmod(0o600)
    ground = Ground(tmp_path, {})
    document = read(example.encode(), tmp_path / "doorward.yaml", ground).document
    assert [finding.message for finding in issuers(document, ground)] == []
