"""Every relative link in the repository's Markdown leads to something, and every anchor to a heading."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from checks.source import files
from tests.peers import ROOT

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)

PAGES = sorted(path for path in files(ROOT, ".") if path.suffix == ".md" and ".venv" not in path.parts)


def broken(page: Path, text: str) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    prose = CODE.sub(lambda code: "x" * len(code[0]) if "](" in code[0] else code[0], FENCE.sub("", text))
    for found in LINK.finditer(prose):
        target = found[1] or found[2]
        if not ELSEWHERE.match(target) and not leads(page, target):
            yield target


def leads(page: Path, target: str) -> bool:
    """Whether a relative link leads to a file, or to a heading of one."""
    name, _, anchor = unquote(target).partition("#")
    path = page.parent / name if name else page
    if not path.exists() or not path.resolve().is_relative_to(ROOT):
        return False
    return not anchor or path.suffix != ".md" or anchor in anchors(path.read_text("utf-8"))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as common renderers make them."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page, page.read_text("utf-8"))) == []


def test_dead_links_are_found() -> None:
    text = "[a](README.md) [b](nowhere.md) [c](#two-words) [d](#three)\n`[e](nowhere)`\n```\n[f](nowhere)\n```\n[g]: docs/none.md\n\n# Two words!\n"
    page = ROOT / "imagined.md"
    assert [target for target in broken(page, text) if not target.startswith("#")] == ["nowhere.md", "docs/none.md"]
    assert "two-words" in anchors(text)
