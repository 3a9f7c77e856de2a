"""Sources of secrets are checked where they are declared, and every reference has one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from doorward.config.load import load
from doorward.config.mentions import mentions
from doorward.config.model import Document
from doorward.config.problems import ConfigError

AUTH = {"kind": "approle", "role_id": "a-role", "secret_id": "${file:secret-id}"}
BAO = {"address": "https://bao.example.com:8200", "auth": AUTH}


def wrong(tmp_path: Path, secrets: Mapping[str, Any], value: str = "", **more: Any) -> dict[str, str]:
    """The problems of a document with these sources, by path; `value`: of a header."""
    credential = {"credential": {"value": value}} if value else {}
    upstreams = {"crm": {"url": "https://crm.example.com/mcp", **credential}}
    (tmp_path / "doorward.yaml").write_text(json.dumps({"upstreams": upstreams, "secrets": secrets, **more}))
    try:
        load(tmp_path / "doorward.yaml")
    except ConfigError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


def test_a_document_with_sources_is_sound(tmp_path: Path) -> None:
    assert wrong(tmp_path, {"openbao": BAO, "rotate_after_days": 90}, "Bearer ${openbao:secret/crm#token}") == {}


def test_a_reference_needs_its_source(tmp_path: Path) -> None:
    assert wrong(tmp_path, {}, "${openbao:secret/crm#token}") == {
        "upstreams.crm.credential.value": "OpenBao is not declared; say under secrets.openbao where it is and how to sign in"
    }
    assert wrong(tmp_path, {"openbao": BAO}, "${openboa:secret/crm#token}") == {
        "upstreams.crm.credential.value": 'no source is called "openboa"; did you mean "openbao"?'
    }
    assert wrong(tmp_path, {}, "${openbao:crm}") == {
        "upstreams.crm.credential.value": "expected ${openbao:path#field} such as ${openbao:secret/ci#token}, with the mount first, "
        "got a ${openbao:…} of another form"
    }


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"address": "http://bao.example.com:8200"}, "address", "expected https; if http is meant, say plain_http: true"),
        ({"plain_http": True}, "plain_http", "plain_http is said of an https url; one of them is a mistake"),
        (
            {"address": "https://bao.example.com/v1"},
            "address",
            "expected scheme, host and port alone, such as https://bao.example.com:8200",
        ),
        (
            {"address": "https://10.0.0.7:8200"},
            "address",
            "this address is loopback, private or otherwise special-use; if that is meant, say private: true",
        ),
        ({"auth": {**AUTH, "secret_id": "canary-in-clear"}}, "auth.secret_id", None),
        (
            {"auth": {**AUTH, "secret_id": "${openbao:secret/own#id}"}},
            "auth.secret_id",
            "a source of secrets is opened with what stands in variables and files",
        ),
        ({"auth": {"kind": "token", "token": "canary-in-clear"}}, "auth.token", None),
        ({"auth": {"kind": "ldap"}}, "auth.kind", 'expected "token", "approle", "jwt" or "kubernetes", got the text "ldap"'),
        ({"auth": {"kind": "jwt", "role": "r"}}, "auth", 'the field "token" is missing'),
    ],
)
def test_what_is_wrong_with_an_openbao_is_said_without_its_secrets(tmp_path: Path, given: Any, path: str, message: str | None) -> None:
    found = wrong(tmp_path, {"openbao": {**BAO, **given}})
    assert list(found) == [f"secrets.openbao.{path}"]
    [said] = found.values()
    assert message is None or said == message
    assert "canary" not in said


def test_a_source_of_others_must_be_installed(tmp_path: Path) -> None:
    assert wrong(tmp_path, {"sources": {"aws-sm": {"region": "eu-central-1"}}}) == {
        "secrets.sources.aws-sm": "no installed package brings a source of this name; none is installed"
    }
    assert wrong(tmp_path, {"sources": {"env": {}}}) == {"secrets.sources.env": "this source is Doorward's own"}


def test_references_are_found_wherever_they_are_read_and_nowhere_else() -> None:
    document = Document.model_validate(
        {
            "upstreams": {
                "crm": {"url": "https://crm.example.com/mcp", "team": "sales", "credential": {"value": "Bearer ${env:CRM}"}},
                "db": {"stdio": {"command": ["db", "${env:LITERAL}"], "env": {"A": "${file:a}${env:B}", "C": "plain", "D": "${oops"}}},
            },
            "alerts": {"webhooks": {"soc": {"url": "https://soc.example.com/", "secret": "${keyring:doorward/soc}"}}},
            "secrets": {"openbao": BAO},
        }
    )
    assert [(str(mention.pointer), mention.path, mention.owner(document)) for mention in mentions(document)] == [
        ("${env:CRM}", ("upstreams", "crm", "credential", "value"), "sales"),
        ("${file:a}", ("upstreams", "db", "stdio", "env", "A"), "platform"),
        ("${env:B}", ("upstreams", "db", "stdio", "env", "A"), "platform"),
        ("${keyring:doorward/soc}", ("alerts", "webhooks", "soc", "secret"), ""),
        ("${file:secret-id}", ("secrets", "openbao", "auth", "secret_id"), ""),
    ]


@pytest.mark.parametrize("reference", ["${env:A}", "${file:a}", "${openbao:secret/a#b}", "${keyring:a/b}"])
def test_references_in_arguments_are_refused(tmp_path: Path, reference: str) -> None:
    upstreams = {"db": {"stdio": {"command": ["db", reference]}}}
    assert list(wrong(tmp_path, {"openbao": BAO}, upstreams=upstreams)) == ["upstreams.db.stdio.command[1]"]
