"""What `docs/policies/testing.md` shows of tests and lint is what comes of them."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.peers import ROOT
from tests.tour.console import Shown, shown, typed

PAGE = (ROOT / "docs" / "policies" / "testing.md").read_text("utf-8")
FIRST, MORE = re.findall(r"```cedar\n(.*?)```", PAGE, re.DOTALL)
(TESTS,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
TRIED, LINTED, _ = shown(PAGE)


def said(directory: Path, what: Shown, policy: str) -> str:
    """What a command of the page says in a directory with its files."""
    (directory / "policies" / "tests").mkdir(parents=True)
    document = {"upstreams": {"bank": {"url": "https://bank.example.com/mcp"}}, "policies": {"files": ["policies/*.cedar"]}}
    (directory / "doorward.yaml").write_text(json.dumps(document))
    (directory / "policies" / "bank.cedar").write_text(policy)
    (directory / "policies" / "tests" / "payments.yaml").write_text(TESTS)
    (answer,) = typed([what.command], directory, {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    return answer


@pytest.mark.parametrize(("what", "policy"), [(TRIED, FIRST), (LINTED, f"{FIRST}\n{MORE}")], ids=["test", "lint"])
def test_a_command_of_the_page_says_what_is_shown(tmp_path: Path, what: Shown, policy: str) -> None:
    answer = said(tmp_path, what, policy)
    assert what.is_like(answer), answer


def test_the_page_names_every_rule_of_lint() -> None:
    sources = [(ROOT / "src" / "doorward" / "policy" / f"{name}.py").read_text("utf-8") for name in ("lint", "breadth", "slips")]
    rules = {rule for text in sources for rule in re.findall(r'= \("([a-z-]+)", Gravity', text)} | {"load"}
    assert set(re.findall(r"^\| `([a-z-]+)` \| (?:error|warning|note)", PAGE, re.MULTILINE)) == rules
