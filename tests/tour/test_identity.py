"""The configurations that the pages about identity and policies show are sound."""

import re
from pathlib import Path

import pytest

from doorward.app.examination import Against, examine
from tests.peers import ROOT

PAGES = (
    "README.md",
    *(str(path.relative_to(ROOT)) for room in ("identity", "policies") for path in sorted((ROOT / "docs" / room).glob("*.md"))),
)
EXAMPLES = [
    pytest.param(block.partition("```")[0], id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate((ROOT / page).read_text("utf-8").split("```yaml\n")[1:], 1)
    if not block.startswith("agents:")  # tests of policies, which tests/cli/test_testing_page.py runs
]
MISSING = re.compile(
    r"(?:note: )?\S+: (?:the file \S+ cannot be read: No such file or directory|no file \S+|no file matches .*|no policy is named, .*"
    r"|identity.issuers has no \S+|the tool \S+ cannot be checked: nothing of .*)"
)
"""What only the company has, or another page shows."""


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 12


@pytest.mark.parametrize("text", EXAMPLES)
def test_nothing_is_wrong_with_a_configuration_but_the_files_that_are_not_there(text: str, tmp_path: Path) -> None:
    path = tmp_path / "doorward.yaml"
    path.write_text(text)
    found = examine(path, Against.NOTHING)
    lines = [line.partition(": ")[2] for line in (*found.problems, *found.warnings, *found.notes)]
    assert [line for line in lines if not MISSING.fullmatch(line)] == []
