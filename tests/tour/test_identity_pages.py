"""What the pages about agents and revocation show of a shell is what comes of it, at a gateway of their own."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.gateway import doorward
from tests.peers import ROOT
from tests.tour.console import Shown, shown, typed

DATE = re.compile(r"2026-\d\d-\d\d \d\d:\d\d|2027-\d\d-\d\d \d\d:\d\d")


def examples(page: str) -> list[Shown]:
    """The commands of a page up to the one about sessions, which need a client that has one; any date will do, and any operator."""
    text = (ROOT / "docs" / "identity" / page).read_text("utf-8").partition("## Sessions")[0]
    return [
        Shown(one.command, DATE.sub("…", one.output).replace("  ada  ", "  …  ").replace("BY   REASON", "BY … REASON"))
        for one in shown(text)
    ]


@pytest.mark.parametrize(("page", "least"), [("agents.md", 9), ("revocation.md", 4)])
def test_commands_do_what_the_page_shows(page: str, least: int, tmp_path: Path) -> None:
    commands = examples(page)
    assert len(commands) >= least
    with doorward(tmp_path, {"identity": {"issuers": {"corp": {"url": "https://idp.example.com"}}}}) as running:
        for name in ("one", "two"):
            running.admin.post("/v1/agents", {"id": name, "team": "web", "owner": "ada"})
        if page == "revocation.md":
            running.key("claude-desktop")
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DOORWARD_SOCKET": str(tmp_path / "state" / "control.sock"),
            "PYTHONUTF8": "1",
        }
        said = typed([one.command for one in commands], tmp_path, environment)
    for one, came in zip(commands, said, strict=True):
        assert one.is_like(came), f"$ {one.command}\nshown:\n{one.output}\ncame:\n{came}"
