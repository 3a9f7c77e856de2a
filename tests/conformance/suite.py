"""The official conformance suite, run from the server's side against a URL and judged by what each check wrote.

The suite's own exit code counts what a revision requires. We also count what came after the release and what is pending
there, and leave out extensions only. What is expected to fail is listed with a reason, and must fail.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from tests.peers import SUITE, node

EXPECTED = Path(__file__).with_name("expected.yaml")
REVISIONS = ("2025-11-25", "2026-07-28")
SUITE_SECONDS = 110
"""Shorter than the time-out of a test, so that the output is there to be read."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A scenario that may fail for now, and why."""

    scenario: str
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """What one check of one scenario found."""

    scenario: str
    id: str
    status: str
    message: str


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One run of the suite."""

    exit_code: int
    required: frozenset[str]
    """What the revision requires."""
    counted: frozenset[str]
    """What we count: all that is no extension."""
    checks: tuple[Check, ...]
    expected: tuple[Expected, ...]
    output: str

    @property
    def failed(self) -> dict[str, list[str]]:
        """Counted scenarios with a failed check or without any that passed, and what was said."""
        said = {scenario: [check for check in self.checks if check.scenario == scenario] for scenario in self.counted}
        failures = {scenario: [f"{c.id}: {c.message}" for c in checks if c.status == "FAILURE"] for scenario, checks in said.items()}
        silent = {scenario: ["no check passed"] for scenario, checks in said.items() if not any(c.status == "SUCCESS" for c in checks)}
        return {**silent, **{scenario: messages for scenario, messages in failures.items() if messages}}

    @property
    def surprises(self) -> list[str]:
        """Everything that is not as expected: failures that are not listed, and listed ones that passed. Empty when all is well."""
        listed = {entry.scenario for entry in self.expected}
        unlisted = [f"{scenario} fails: {'; '.join(messages)}" for scenario, messages in self.failed.items() if scenario not in listed]
        stale = [f"{scenario} is expected to fail and does not" for scenario in listed - self.failed.keys()]
        is_red = bool(self.required & self.failed.keys())
        odd = [f"the suite ended with {self.exit_code}\n{self.output}"] if (self.exit_code != 0) != is_red else []
        return sorted(unlisted) + sorted(stale) + odd


def expected_for(revision: str) -> tuple[Expected, ...]:
    """What `expected.yaml` lists for a revision."""
    listed = YAML(typ="safe").load(EXPECTED)[revision]
    return tuple(Expected(entry["scenario"], entry["reason"]) for entry in listed)


def run_suite(url: str, revision: str, expected: Sequence[Expected] = ()) -> SuiteResult:
    """Run what `revision` requires (and what is pending for it) against the MCP endpoint at `url`."""
    command = [node(), str(SUITE / "dist" / "index.js"), "server", "--url", url, "--requirements", revision]
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [*command, "--output-dir", place], cwd=place, capture_output=True, text=True, timeout=SUITE_SECONDS, check=False
        )
        checks = tuple(check for file in sorted(Path(place).glob("*/checks.json")) for check in _checks(file))
    requirements = YAML(typ="safe").load(SUITE / "requirements" / f"{revision}.yaml")
    required = frozenset(requirements["server"])
    return SuiteResult(done.returncode, required, required | _unscored(requirements), checks, tuple(expected), done.stdout + done.stderr)


def _unscored(requirements: Mapping[str, list[Mapping[str, str]]]) -> frozenset[str]:
    """Scenarios that the suite runs without scoring, although they are no extension."""
    entries = requirements["not_scored"]
    return frozenset(entry["scenario"] for entry in entries if entry["leg"] == "server" and entry["reason"] != "extension")


def _checks(file: Path) -> list[Check]:
    """The checks in one scenario's folder, which is named `server-<scenario>-<ISO time>`."""
    scenario = file.parent.name.removeprefix("server-")[: -len("-2026-01-01T00-00-00-000Z")]
    return [Check(scenario, c["id"], c["status"], c.get("errorMessage") or "") for c in json.loads(file.read_text())]
