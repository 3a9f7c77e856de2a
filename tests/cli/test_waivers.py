"""Exceptions and broken glasses on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.domain.ids import AgentId
from tests.cli.operating import Operating, operating
from tests.control.plane import DOCUMENT, ME

POLICY = """\
@id("reads") @reason("Reading is fine.") permit (principal, action, resource);
@id("no-git") @reason("Not this.") @exception("security") forbid (principal, action in Action::"git", resource);
"""
NAMED: dict[str, Any] = {**DOCUMENT, "policies": {"files": ["policy.cedar"], "break_glass": {"operators": [ME], "minutes": 15}}}
OPEN = ("break-glass", "open", "claude", "--for", "5m", "--reason", "everything is down")


def known(at: Operating) -> None:
    at.said("agent", "add", "claude", "--team", "support", "--owner", "ada")


def test_an_exception_is_added_listed_and_ended(tmp_path: Path) -> None:
    with operating(tmp_path, policy=POLICY) as at:
        known(at)
        added = at.said("exception", "add", "claude", "git", "--reason", "the audit needs it", "--for", "7d", "--lift", "no-git")
        assert added == "exception waiver-1: claude may git until 2026-11-25 12:00:00 UTC\n"
        assert [line.split() for line in at.said("exception", "list").splitlines()] == [
            ["EXCEPTION", "AGENT", "ACTION", "LIFTS", "UNTIL", "BY", "REASON"],
            ["waiver-1", "claude", "git", "no-git", "2026-11-25", "12:00", ME, "the", "audit", "needs", "it"],
        ]
        at.said("agent", "revoke", "claude")
        assert at.told("exception", "list").stderr == "! waiver-1: agent 'claude' is revoked\n"
        assert at.said("exception", "end", "waiver-1") == "exception waiver-1 has ended\n"
        assert at.asked("exception", "list") == {"exceptions": []}
        assert "no exception that holds now is called 'waiver-1'" in at.told("exception", "end", "waiver-1").stderr


def test_an_exception_ends_at_a_moment_and_is_printed_as_json(tmp_path: Path) -> None:
    with operating(tmp_path, policy=POLICY) as at:
        known(at)
        words = ("exception", "add", "claude", "git", "--reason", "r", "--until", "2026-12-24T18:00:00+01:00", "--json")
        assert json.loads(at.said(*words)) == {"id": "waiver-1", "ends": 1_798_131_600.0, "warnings": []}


def test_a_suspended_agent_gets_one_and_the_exit_code_says_that_it_is_of_no_use_yet(tmp_path: Path) -> None:
    with operating(tmp_path, policy=POLICY) as at:
        known(at)
        at.said("agent", "suspend", "claude")
        result = at.told("exception", "add", "claude", "git", "--reason", "r", "--for", "1h")
        assert (result.exit_code, result.stderr) == (3, "! agent 'claude' is suspended\n")


def test_the_glass_is_broken_after_asking_back_with_all_that_it_means(tmp_path: Path) -> None:
    with operating(tmp_path, NAMED) as at:
        known(at)
        refused = at.told(*OPEN, typed="n\n")
        assert (refused.exit_code, at.it.kept.all()) == (1, ())
        assert "!! Whatever policy denies claude, or would ask a person about, passes: everything, for 5m." in refused.stderr
        broken = at.told(*OPEN, typed="y\n")
        assert broken.stdout == (
            "THE GLASS IS BROKEN for claude (everything) until 2026-11-18 12:05:00 UTC; end it with: doorward break-glass close waiver-1\n"
        )
        assert at.said("break-glass", "list").splitlines()[1].split() == [
            "waiver-1", "claude", "everything", "2026-11-18", "12:05:00", "UTC", ME, "everything", "is", "down",
        ]  # fmt: skip
        assert at.told("break-glass", "close", "waiver-1", typed="\n").exit_code == 1
        assert len(at.it.kept.of(AgentId("claude"))) == 1
        assert at.said("break-glass", "close", "waiver-1", "--yes") == "waiver-1 has ended; policy decides again\n"
        assert at.asked("break-glass", "list") == {"broken": []}


def test_in_a_script_it_is_as_loud_and_gives_json(tmp_path: Path) -> None:
    with operating(tmp_path, NAMED) as at:
        known(at)
        result = at.told("break-glass", "open", "claude", "git", "--for", "0.5h", "--reason", "everything is down", "--yes")
        assert result.stderr.endswith("Error: expected at most 15 minutes (policies.break_glass), got 30\n")
        result = at.told(*OPEN, "--yes", "--json")
        assert (json.loads(result.stdout)["id"], result.stderr.count("!! ")) == ("waiver-1", 3)


def test_who_is_not_named_is_told_so(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        known(at)
        assert "names nobody who may" in at.told(*OPEN, "--yes").stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("exception", "add", "claude", "git", "--reason", "r"), "either --for or --until"),
        (("exception", "add", "claude", "git", "--reason", "r", "--for", "1h", "--until", "2026-12-24"), "either --for or --until"),
        (("exception", "add", "claude", "git", "--for", "1h"), "Missing option '--reason'"),
        (("exception", "add", "claude", "git", "--reason", "r", "--for", "soon"), "expected a span"),
        (("exception", "add", "claude", "git", "--reason", "r", "--for", "0d"), "expected a span"),
        (("exception", "add", "claude", "git", "--reason", "r", "--until", "soon"), "expected a moment"),
        (("break-glass", "open", "claude", "--reason", "r"), "Missing option '--for'"),
        (("break-glass", "open", "claude", "--for", "5m"), "Missing option '--reason'"),
    ],
)
def test_what_has_no_end_or_no_reason_is_a_usage_error(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    with operating(tmp_path) as at:
        result = at.told(*words)
        assert (result.exit_code, why in result.stderr) == (2, True)
