"""The page about secrets of others names every rule, with its weight."""

import re
from pathlib import Path

from doorward.domain.findings import Severity
from doorward.inspection.secrets.keyed import KEYED
from doorward.inspection.secrets.table import RULES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "inspection" / "secrets.md"
LISTED = re.compile(r"`([a-z0-9_]+)`(?: \((medium|low)\))?(?=, | \|)")


def test_the_page_lists_the_rules_and_their_weight() -> None:
    lists = PAGE.read_text().partition("## Code")[2]
    told = {name: Severity(weight or "high") for name, weight in LISTED.findall(lists)}
    told |= {rule.name: Severity.MEDIUM for rule in KEYED if rule.name in told}
    assert told == {rule.name: rule.severity for rule in RULES}
