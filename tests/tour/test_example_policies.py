"""The policies of the examples are what a reader may copy: their tests hold, and leave no policy out."""

import subprocess
import sys

import pytest

from tests.peers import ROOT

EXAMPLES = ("doorward.yaml", "company.yaml")


def told(example: str) -> tuple[int, str]:
    """What `doorward policy test` makes of an example, where no gateway ever was."""
    line = [sys.executable, "-m", "doorward", "policy", "test", "-c", f"examples/{example}", "--without-catalog", "--strict"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_tests_hold_and_leave_no_policy_out(example: str) -> None:
    assert told(example) == (0, "")


def test_the_company_shows_everything_that_policies_can_say() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "examples").rglob("company/**/*.cedar"))
    document = (ROOT / "examples" / "company.yaml").read_text("utf-8")
    assert [mark for mark in ('@approval("2 of', '@owner("may")', '@exception("', '@mode("observe")') if mark not in text] == []
    kinds = ("url", "path", "email", "sql", "decimal")
    assert [word for word in (*(f"kind: {kind}" for kind in kinds), "teams:", "break_glass:", "webhooks:") if word not in document] == []
