"""Webhooks that could not be used, or not as they are meant, are found before anybody is asked."""

from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_approvals import approvals
from doorward.config.ground import Ground
from doorward.config.model import Document

SECRET = "whsec_" + "b2" * 16
ENVIRONMENT = {"HOOK": SECRET, "SHORT": "whsec_c2hvcnQ=", "PLAIN": "a" * 40}
SOUND: dict[str, Any] = {"url": "https://chat.example.com/hook", "secret": "${env:HOOK}", "approvers": {"corp:ada": ["finance"]}}
LISTEN = {"tls": {"certificate": "c.pem", "key": "c.key"}, "sign_in": "corp", "groups": {}}


def found(tmp_path: Path, name: str = "chat", listen: Any = LISTEN, **changed: Any) -> list[tuple[str, str]]:
    corp = {"url": "https://idp.example.com", "sign_in": {"client_id": "doorward"}}
    document = Document.model_validate(
        {
            "approvals": {"webhooks": {name: {**SOUND, **changed}}},
            "identity": {"issuers": {"corp": corp}},
            "control": {} if listen is None else {"listen": listen},
        }
    )
    findings = list(approvals(document, Ground(tmp_path, ENVIRONMENT)))
    assert not any(SECRET in one.message or "c2hvcnQ" in one.message for one in findings)
    return [(one.weight.value, "".join(f".{step}" for step in one.path[3:])) for one in findings]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"url": "http://127.0.0.1:9000/hook", "plain_http": True, "private": True},
        {"url": "https://chat.corp.internal/hook", "private": True},
        {"approvers": {}},
        {"arguments": True},
    ],
    ids=str,
)
def test_a_sound_webhook_has_no_findings(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert found(tmp_path, **changed) == []


@pytest.mark.parametrize(
    ("changed", "findings"),
    [
        ({"url": "chat"}, [("error", ".url")]),
        ({"url": "http://chat.example.com/hook"}, [("error", ".url")]),
        ({"url": "http://chat.example.com/hook", "plain_http": True}, [("note", ".url")]),
        ({"plain_http": True}, [("error", ".plain_http")]),
        ({"url": "https://127.0.0.1/hook"}, [("error", ".url")]),
        ({"url": "https://chat/hook"}, [("error", ".url")]),
        ({"url": "https://chat.example.com/hook?token=8fj39fjf93jf93jf93jf9"}, [("error", ".url")]),
        ({"url": "https://user:word@chat.example.com/"}, [("error", ".url")]),
        ({"secret": SECRET}, [("error", ".secret")]),
        ({"secret": "whsec_${env:HOOK}"}, [("error", ".secret")]),
        ({"secret": "${HOOK}"}, [("error", ".secret")]),
        ({"secret": "${env:SHORT}"}, [("error", ".secret")]),
        ({"secret": "${env:PLAIN}"}, [("error", ".secret")]),
        ({"secret": "${env:UNSET}"}, [("note", ".secret")]),
        ({"secret": "${file:gone}"}, [("note", ".secret")]),
        ({"approvers": {"ada": ["finance"]}}, [("error", ".approvers.ada")]),
        ({"approvers": {"corp:": ["finance"]}}, [("error", ".approvers.corp:")]),
        ({"approvers": {"cirp:ada": ["finance"]}}, [("error", ".approvers.cirp:ada")]),
        ({"approvers": {"corp:ada": []}}, [("note", ".approvers.corp:ada")]),
        ({"listen": None}, [("note", ".approvers")]),
        ({"listen": None, "approvers": {}}, []),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_found(tmp_path: Path, changed: dict[str, Any], findings: list[tuple[str, str]]) -> None:
    assert found(tmp_path, **changed) == findings


@pytest.mark.parametrize("name", ["a b", "a/b", "a.b", "-a", "a-", "ü", "a" * 65, "a%2f"])
def test_a_name_that_no_path_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, name) == [("error", "")]


def test_a_secret_in_a_file_that_others_may_read_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "hook.secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o644)
    assert found(tmp_path, secret="${file:hook.secret}") == [("note", ".secret")]
    file.chmod(0o600)
    assert found(tmp_path, secret="${file:hook.secret}") == []
