"""How a run of the suite is judged."""

import json
from pathlib import Path

from tests.conformance.suite import Check, Expected, SuiteResult, _checks


def result(*checks: Check, expected: tuple[Expected, ...] = (), exit_code: int = 0) -> SuiteResult:
    return SuiteResult(exit_code, frozenset({"a"}), frozenset({"a", "b"}), checks, expected, "output")


PASSED = (Check("a", "a1", "SUCCESS", ""), Check("b", "b1", "SUCCESS", ""))
B_FAILED = (PASSED[0], Check("b", "b1", "FAILURE", "why"))


def test_a_run_in_which_all_passes_holds_no_surprise() -> None:
    assert result(*PASSED).surprises == []
    assert result(*PASSED, Check("extension", "x", "FAILURE", "")).surprises == []


def test_an_unlisted_failure_a_stale_entry_and_a_silent_scenario_are_surprises() -> None:
    assert result(*B_FAILED).surprises == ["b fails: b1: why"]
    assert result(*B_FAILED, expected=(Expected("b", "later"),)).surprises == []
    assert result(*PASSED, expected=(Expected("b", "later"),)).surprises == ["b is expected to fail and does not"]
    assert result(PASSED[0]).surprises == ["b fails: no check passed"]
    assert result(PASSED[0], Check("b", "b1", "SKIPPED", "")).surprises == ["b fails: no check passed"]


def test_an_exit_code_that_contradicts_the_checks_is_a_surprise() -> None:
    assert result(*PASSED, exit_code=1).surprises == ["the suite ended with 1\noutput"]
    a_failed = (Check("a", "a1", "FAILURE", "why"), PASSED[1])
    assert result(*a_failed, expected=(Expected("a", "later"),), exit_code=1).surprises == []
    assert result(*a_failed, expected=(Expected("a", "later"),), exit_code=0).surprises == ["the suite ended with 0\noutput"]


def test_checks_are_read_with_the_name_of_their_scenario(tmp_path: Path) -> None:
    file = tmp_path / "server-server-sse-polling-2026-11-21T09-59-24-429Z" / "checks.json"
    file.parent.mkdir()
    file.write_text(json.dumps([{"id": "x", "status": "FAILURE", "errorMessage": "why"}, {"id": "y", "status": "SUCCESS"}]))
    assert _checks(file) == [Check("server-sse-polling", "x", "FAILURE", "why"), Check("server-sse-polling", "y", "SUCCESS", "")]
