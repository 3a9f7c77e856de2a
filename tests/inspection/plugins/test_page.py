"""The page about guards says what is so: its example is a guard."""

import re
from pathlib import Path
from typing import Any

import pytest

from doorward.domain.findings import Finding, Severity
from doorward.inspection.port import SettingsError
from doorward.testing.guards import Bench, OfOthers

PAGE = Path(__file__).resolve().parents[3] / "docs" / "inspection" / "guards.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_example_is_a_guard() -> None:
    (block,) = BLOCKS
    names: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    guard = names["words"]({"words": ["plan"]})
    assert Bench(OfOthers(guard, "plans")).response({"content": [{"type": "text", "text": "the plan"}]}) == (
        Finding("plans", "word", Severity.HIGH, "/content/0/text", 4, 8),
    )
    with pytest.raises(SettingsError):
        names["words"]({})
