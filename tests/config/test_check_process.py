"""Processes that not everybody shares are checked for what contradicts one another, and for tokens that do not fit."""

from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_oauth import oauth
from doorward.config.check_upstreams import upstreams
from doorward.config.check_user import user
from doorward.config.ground import Ground
from doorward.config.model import Document
from doorward.config.problems import dotted

SERVER = {"token_url": "https://login.example.com/token", "client_id": "doorward", "client_secret": "${env:SECRET}"}
MACHINE = {"kind": "client_credentials", "server": SERVER, "resource": "urn:crm"}
EXCHANGE = {"kind": "token_exchange", "server": SERVER, "resource": "urn:crm", "people_of": "corp"}
SIGNED = {"kind": "jwt_bearer", "server": SERVER, "resource": "urn:crm"}
GITHUB = {
    "kind": "user",
    "authorization_url": "https://github.com/login/oauth/authorize",
    "token_url": "https://github.com/login/oauth/access_token",
    "client_id": "Iv1.0",
    "client_secret": "${env:SECRET}",
    "resource": "",
}
LOGIN = {"kind": "user", "issuer": "https://login.example.com", "scopes": ["read"], "resource": "urn:crm"}
TOKEN = {"TOKEN": "${credential}"}
HERE = "upstreams.crm."


def found(root: Path, credential: dict[str, Any] | None, **stdio: Any) -> list[str]:
    upstream = {"stdio": {"command": ["sh"], **stdio}, "credential": credential}
    issuers = {"corp": {"url": "https://corp.example.com"}}
    document = Document.model_validate({"upstreams": {"crm": upstream}, "identity": {"issuers": issuers}})
    ground = Ground(root, {"SECRET": "s", "PATH": "/bin:/usr/bin"})
    findings = [*upstreams(document.upstreams, ground), *oauth(document, ground), *user(document, ground)]
    return [dotted(one.path).removeprefix(HERE) for one in findings if one.weight.value == "error"]


@pytest.mark.parametrize(
    ("credential", "stdio"),
    [
        (None, {"per": "agent"}),
        (None, {"per": "user", "most": 4, "idle_seconds": 60}),
        (None, {"processes": 3}),
        (MACHINE, {"env": TOKEN}),
        (MACHINE, {"env": TOKEN, "processes": 3}),
        (MACHINE, {"env": {"HEADER": "Bearer ${credential}", "HOST": "${env:SECRET}"}, "per": "agent"}),
        (GITHUB, {"env": TOKEN, "per": "user"}),
        (LOGIN, {"env": TOKEN, "per": "principal"}),
        ({**GITHUB, "discovery": {"kind": "none"}}, {"env": TOKEN, "per": "user"}),
        ({**SIGNED, "discovery": MACHINE}, {"env": TOKEN, "per": "principal"}),
        (EXCHANGE, {"env": TOKEN, "per": "principal"}),
    ],
)
def test_a_sound_declaration_has_no_errors(tmp_path: Path, credential: dict[str, Any] | None, stdio: dict[str, Any]) -> None:
    assert found(tmp_path, credential, **stdio) == []


@pytest.mark.parametrize(
    ("credential", "stdio", "told"),
    [
        (None, {"per": "agent", "processes": 2}, ["stdio.processes"]),
        (None, {"most": 4}, ["stdio.most"]),
        (None, {"idle_seconds": 60}, ["stdio.idle_seconds"]),
        (None, {"env": TOKEN}, ["stdio.env.TOKEN"]),
        (MACHINE, {}, ["credential"]),
        (MACHINE, {"env": {"A": "${credential}${env:SECRET}"}}, ["stdio.env.A"]),
        (MACHINE, {"env": {"A": "${credential}${credential}"}}, ["stdio.env.A"]),
        (MACHINE, {"env": {"A": "${credential} ghp_" + "a1B2" * 9}}, ["stdio.env.A"]),
        ({**MACHINE, "scopes_for": {"read": ["r"]}}, {"env": TOKEN}, ["credential.scopes_for"]),
        ({"kind": "none"}, {}, ["credential"]),
        ({"value": "${env:SECRET}"}, {}, ["credential"]),
        ({"kind": "basic", "username": "u", "password": "${env:SECRET}"}, {"env": TOKEN}, ["credential"]),
        ({"kind": "assertion"}, {"env": TOKEN}, ["credential"]),
        (GITHUB, {"env": TOKEN}, ["stdio.per"]),
        (GITHUB, {"env": TOKEN, "per": "agent"}, ["stdio.per"]),
        ({**GITHUB, "resource": None}, {"env": TOKEN, "per": "user"}, ["credential"]),
        ({**LOGIN, "scopes": []}, {"env": TOKEN, "per": "user"}, ["credential"]),
        ({**LOGIN, "issuer": None}, {"env": TOKEN, "per": "user"}, ["credential"]),
        ({**GITHUB, "discovery": {"kind": "header", "value": "${env:SECRET}"}}, {"env": TOKEN, "per": "user"}, ["credential.discovery"]),
        (EXCHANGE, {"env": TOKEN, "per": "user"}, ["stdio.per"]),
        (SIGNED, {"env": TOKEN, "per": "everybody"}, ["stdio.per"]),
        ({**EXCHANGE, "resource": None}, {"env": TOKEN, "per": "principal"}, ["credential"]),
    ],
)
def test_what_does_not_fit_is_told_where_it_stands(
    tmp_path: Path, credential: dict[str, Any] | None, stdio: dict[str, Any], told: list[str]
) -> None:
    assert found(tmp_path, credential, **stdio) == told
