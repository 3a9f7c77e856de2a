"""Upstreams with accounts of people's own are checked for who is asked, and for what Doorward proves itself with."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_user import user
from doorward.config.ground import Ground
from doorward.config.model import Document
from doorward.config.problems import dotted

USER = {"kind": "user"}
KNOWN = {**USER, "issuer": "https://login.example.com", "client_id": "doorward", "client_secret": "${env:SECRET}"}
GITHUB = {
    **USER,
    "authorization_url": "https://github.com/login/oauth/authorize",
    "token_url": "https://github.com/login/oauth/access_token",
    "client_id": "Iv1.0",
    "client_secret": "${env:SECRET}",
    "scopes": ["repo"],
    "resource": "",
    "account_url": "https://api.github.com/user",
}
HERE = "upstreams.crm.credential"


def found(root: Path, credential: dict[str, Any]) -> list[tuple[str, str]]:
    upstream = {"url": "https://crm.example.com/mcp", "credential": credential}
    document = Document.model_validate({"upstreams": {"crm": upstream}})
    findings = user(document, Ground(root, {"SECRET": "s"}))
    return [(finding.weight.value, dotted(finding.path).removeprefix(HERE).removeprefix(".")) for finding in findings]


@pytest.mark.parametrize(
    "credential",
    [
        USER,
        KNOWN,
        GITHUB,
        {**USER, "issuer": "http://127.0.0.1:8000", "private": True, "plain_http": True},
        {**USER, "parameters": {"access_type": "offline"}, "resource": "urn:crm"},
        {**USER, "discovery": {"kind": "none"}},
        {**USER, "discovery": {"kind": "header", "value": "Bearer ${env:SECRET}"}},
    ],
    ids=lambda credential: json.dumps(credential)[:60],
)
def test_a_sound_declaration_has_no_findings(tmp_path: Path, credential: dict[str, Any]) -> None:
    assert found(tmp_path, credential) == []


@pytest.mark.parametrize(
    ("credential", "told"),
    [
        ({**USER, "client_id": "doorward", "client_secret": "${env:SECRET}"}, [("error", "client_id")]),
        ({**USER, "client_secret": "${env:SECRET}"}, [("error", "client_secret")]),
        ({**KNOWN, "client_key": "${env:SECRET}"}, [("error", "")]),
        ({**KNOWN, "client_secret": "hunter2"}, [("error", "client_secret")]),
        ({**KNOWN, "client_secret": None}, [("note", "client_id")]),
        ({**GITHUB, "authorization_url": None}, [("error", "")]),
        ({**GITHUB, "token_url": None}, [("error", ""), ("error", "client_id")]),
        ({**GITHUB, "client_id": None, "client_secret": None}, [("error", "")]),
        ({**USER, "issuer": "http://login.example.com"}, [("error", "issuer")]),
        ({**USER, "issuer": "https://10.0.0.1"}, [("error", "issuer")]),
        ({**GITHUB, "account_url": "javascript:alert(1)"}, [("error", "account_url")]),
        ({**USER, "scopes": ["a b"]}, [("error", "scopes[0]")]),
        ({**USER, "parameters": {"redirect_uri": "https://evil.example.com"}}, [("error", "parameters.redirect_uri")]),
        ({**USER, "resource": "ftp://crm.example.com"}, [("error", "resource")]),
        ({**USER, "discovery": {"kind": "header", "value": "Bearer abc"}}, [("error", "discovery.value")]),
        ({**USER, "ca_file": "none.pem"}, [("error", "ca_file")]),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_what_would_not_work_or_would_give_a_secret_away_is_found(
    tmp_path: Path, credential: dict[str, Any], told: list[tuple[str, str]]
) -> None:
    assert found(tmp_path, credential) == told
