"""Sinks that no alert could reach, or not as it is meant, are found before there is one."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from doorward.config.alerts import Alerts
from doorward.config.check_alerts import alerts
from doorward.config.ground import Ground
from doorward.config.model import Document
from doorward.domain.alerts import AlertKind

SECRET = "whsec_" + "b2" * 16
ENVIRONMENT = {"HOOK": SECRET, "SHORT": "whsec_c2hvcnQ="}
HOOK: dict[str, Any] = {"url": "https://chat.example.com/hook", "secret": "${env:HOOK}"}


def found(tmp_path: Path, **rules: Any) -> list[tuple[str, str]]:
    document = Document.model_validate({"alerts": rules})
    findings = list(alerts(document, Ground(tmp_path, ENVIRONMENT)))
    assert not any(SECRET in one.message or "c2hvcnQ" in one.message for one in findings)
    return [(one.weight.value, "".join(f".{step}" for step in one.path[1:])) for one in findings]


def test_without_a_word_every_kind_would_be_sent_to_nobody(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert Alerts().kinds == tuple(AlertKind)


def test_sound_sinks_have_no_findings(tmp_path: Path) -> None:
    servers = [{"host": "siem.example.com"}, {"host": "192.0.2.1", "port": 6514, "protocol": "tcp"}]
    assert found(tmp_path, webhooks={"chat": HOOK}, syslog=servers, kinds=["stop", "glass"], interval_seconds=10, per_hour=20) == []


@pytest.mark.parametrize(
    ("rules", "findings"),
    [
        ({"webhooks": {"chat": {**HOOK, "url": "chat"}}}, [("error", ".webhooks.chat.url")]),
        ({"webhooks": {"chat": {**HOOK, "url": "http://chat.example.com/"}}}, [("error", ".webhooks.chat.url")]),
        ({"webhooks": {"chat": {**HOOK, "url": "https://127.0.0.1/"}}}, [("error", ".webhooks.chat.url")]),
        ({"webhooks": {"chat": {**HOOK, "secret": SECRET}}}, [("error", ".webhooks.chat.secret")]),
        ({"webhooks": {"chat": {**HOOK, "secret": "${env:SHORT}"}}}, [("error", ".webhooks.chat.secret")]),
        ({"webhooks": {"chat": {**HOOK, "secret": "${env:NOT_THERE}"}}}, [("note", ".webhooks.chat.secret")]),
        ({"syslog": [{"host": "siem:514"}]}, [("error", ".syslog.0.host")]),
        ({"syslog": [{"host": "siem"}, {"host": "siem", "port": 514}]}, [("error", ".syslog.1")]),
        ({"kinds": ["stop", "stop"]}, [("error", ".kinds")]),
        ({"kinds": [], "webhooks": {"chat": HOOK}}, [("note", ".kinds")]),
    ],
    ids=str,
)
def test_what_cannot_work_is_found_where_it_stands(tmp_path: Path, rules: dict[str, Any], findings: list[tuple[str, str]]) -> None:
    assert found(tmp_path, **rules) == findings


@pytest.mark.parametrize("rules", [{"kinds": ["everything"]}, {"interval_seconds": 0}, {"per_hour": 1}, {"refusals": 0}], ids=str)
def test_what_is_no_rule_is_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Alerts.model_validate(rules)
