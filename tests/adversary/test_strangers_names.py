"""No stranger chooses by which name, and so with which rights, they are known here."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.config.check_enrol import enrolment
from doorward.config.identity import Identity
from doorward.domain.actors import AuthnMethod
from doorward.identity.identities import client
from doorward.identity.rules import Rule

MALLORY = client("self", "https://mallory.example/payroll")
"""The URL of a document about itself: whoever owns the host chose the name at its end."""


def identity(pattern: str, agent: str, **clients: Any) -> Identity:
    issuers = {"corp": {"url": "https://idp.example.com", "sign_in": {"client_id": "doorward"}}}
    rule = {"issuer": "self", "client": pattern, "agent": agent, "team": "tools", "owner": "ada"}
    return Identity.model_validate({"issuers": issuers, "authority": {"sign_in": "corp", "clients": clients}, "enrol": [rule]})


def is_refused(document: Identity) -> bool:
    return any(found.weight.value == "error" for found in enrolment(document))


@pytest.mark.parametrize("pattern", ["*", "h*", "https*", "https:*", "https:/*"])
def test_a_rule_by_which_anybodys_url_becomes_an_agent_of_its_own_choice_is_refused(pattern: str) -> None:
    document = identity(pattern, "{name}")
    rule = Rule(document.enrol[0])
    assert rule.takes(MALLORY, {})
    assert rule.enrolling(MALLORY, AuthnMethod.ACCESS_TOKEN, 0).agent.id == "payroll"
    assert is_refused(document)


@pytest.mark.parametrize(
    ("pattern", "agent", "clients"),
    [
        ("*", "desktop", {}),
        ("*", "{name}", {"documents": False}),
        ("*", "{name}", {"document_hosts": ["*.example.com"]}),
        ("dyn-*", "{name}", {"dynamic": True}),
        ("https://tools.example.com/*", "{name}", {}),
        ("https://*.example.com/*", "{name}", {}),
    ],
)
def test_rules_that_leave_strangers_no_choice_are_not(pattern: str, agent: str, clients: dict[str, Any]) -> None:
    assert not is_refused(identity(pattern, agent, **clients))
