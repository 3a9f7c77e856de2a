"""Guards of others, found by name in an installed package and made with their settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from doorward.config.guards import GuardRule
from doorward.config.references import Resolver
from doorward.domain.findings import Finding, Severity
from doorward.inspection.plugins.opening import GuardError, Kept, opened, panel
from doorward.inspection.plugins.panel import message_of
from doorward.inspection.view import Carrier
from tests.inspection.plugins.packages import installed
from tests.made import call

pytestmark = pytest.mark.anyio

MESSAGE = message_of(Carrier.NOTICE, call(), {"level": "info", "data": "the plan is out"})


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is there."""
    monkeypatch.syspath_prepend(str(installed(tmp_path)))


def made(rules: Mapping[str, Mapping[str, object]], before: Mapping[str, Kept] | None = None) -> Mapping[str, Kept]:
    declared = {name: GuardRule.model_validate(rule) for name, rule in rules.items()}
    return opened(declared, Resolver(Path("/nowhere"), {"WORD": "plan"}), lambda *what: None, before or {})


@pytest.mark.parametrize("use", ["words", "later-words"])
async def test_a_guard_of_another_package_looks_with_its_settings(use: str) -> None:
    kept = made({"plans": {"use": use, "settings": {"words": ["${env:WORD}", "$${x}"], "severity": "medium"}, "milliseconds": 30_000}})
    assert await panel(kept).look(MESSAGE, 50) == (Finding("plans", "word", Severity.MEDIUM, "/data", 4, 8),)
    assert (kept["plans"].seat.about, dict(kept["plans"].seat.rules)) == ("Words that the operator names.", {"word": Severity.HIGH})


def test_no_package_is_loaded_that_is_not_named() -> None:
    sys.modules.pop("others_guards", None)
    assert made({}) == {}
    assert "others_guards" not in sys.modules


def test_a_guard_whose_declaration_stays_is_the_same_one() -> None:
    rule = {"use": "words", "settings": {"words": ["a"]}}
    first = made({"one": rule, "two": rule})
    again = made({"two": rule, "one": {**rule, "mode": "observe"}}, first)
    assert [name for name in again if again[name] is first[name]] == ["two"]
    assert [seat.name for seat in panel(again).seats] == ["two", "one"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"use": "wods"}, "expected one installed package that brings the guard wods, there are 0"),
        ({"use": "words"}, "expected a list of words"),
        ({"use": "words", "settings": {"word": "a"}}, "unknown settings word; known are severity and words"),
        # What it raised may say its settings.
        ({"use": "never", "settings": {"key": "s3cret"}}, "never cannot be made, it raised RuntimeError"),
        ({"use": "nothing"}, "expected nothing to make something with a method look"),
    ],
)
def test_a_guard_that_cannot_be_had_is_an_error_that_says_why(rule: Mapping[str, object], why: str) -> None:
    with pytest.raises(GuardError) as raised:
        made({"mine": rule})
    assert str(raised.value) == f"inspection.guards.mine: {why}"
