"""The page about the kit says what is so: its examples are run."""

import asyncio
import inspect
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_page_has_its_examples() -> None:
    assert len(BLOCKS) == 4


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"def (test_\w+)", block)[0])
def test_an_example_of_the_page_runs(block: str) -> None:
    names: dict[str, object] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    (example,) = [found for name, found in names.items() if name.startswith("test_") and callable(found)]
    running = example()
    if inspect.iscoroutine(running):
        asyncio.run(running)


def test_the_page_names_every_module() -> None:
    kit = {path.stem for path in (PAGE.parents[1] / "src" / "doorward" / "testing").iterdir() if not path.name.startswith("__")}
    assert kit == set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
