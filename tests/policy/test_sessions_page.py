"""The examples of `docs/policies/sessions.md` load, and do what the page says; it names every attribute there is."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask, Deny
from doorward.domain.flow import Confidentiality, Flow, Integrity, Label, Taint
from doorward.policy.session import SESSION, Said
from tests.policy.world import CREATE, PAY, call, loaded
from tests.policy.world import NOON as BARE

PAGE = (Path(__file__).parents[2] / "docs" / "policies" / "sessions.md").read_text("utf-8")
EXAMPLES = re.findall(r"```cedar\n(.*?)```", PAGE, re.DOTALL)
ALLOW_ALL = '@id("all")\n@reason("r")\npermit (principal, action, resource);'
LED = Label(Integrity.UNTRUSTED)
ILL = Label(confidentiality=Confidentiality.RESTRICTED, categories=frozenset({"health"}))


def test_the_page_names_every_attribute() -> None:
    rows = " ".join(re.findall(r"^\| (`context\.session\..*?) \|", PAGE, re.MULTILINE))
    assert set(re.findall(r"`(?:context\.session)?\.(\w+)`", rows)) == set(SESSION.fields)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_loads_without_a_word(text: str) -> None:
    assert loaded(text).warnings == ()


@pytest.mark.parametrize(
    ("identity", "question", "flow", "outcome"),
    [
        ("no-accounts-of-strangers", call(PAY, {"amount": 1, "to": "x"}), Flow(tainted=(Taint("/to", "mail"),)), Deny),
        ("no-accounts-of-strangers", call(PAY, {"amount": 1, "to": "x"}), Flow(tainted=(Taint("/memo", "mail"),)), Allow),
        ("issues-are-few", call(CREATE, {"owner": "x"}), Flow(LED, calls=21), Ask),
        ("issues-are-few", call(CREATE, {"owner": "x"}), Flow(LED, calls=20), Allow),
        ("health-stays", call(PAY, {"amount": 1, "to": "x"}), Flow(ILL), Deny),
        ("health-stays", call(PAY, {"amount": 1, "to": "x"}), Flow(is_too_confidential=True), Deny),
        ("health-stays", call(CREATE, {"owner": "x"}), Flow(ILL), Allow),
    ],
)
def test_an_example_does_what_the_page_says(identity: str, question: Call, flow: Flow, outcome: type) -> None:
    text = next(text for text in EXAMPLES if f'@id("{identity}")' in text)
    decision = loaded(text, ALLOW_ALL).decide(question, replace(BARE, session=Said(flow)))
    assert isinstance(decision, outcome)
