"""The few lines by which pages connect a company are a sound configuration."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import ROOT

PAGES = ("README.md", "docs/identity/README.md")


def shown(page: str) -> str:
    """The configuration that a page shows."""
    [text] = [block.partition("```")[0] for block in (ROOT / page).read_text("utf-8").split("```yaml\n")[1:]]
    return text


@pytest.mark.parametrize("page", PAGES)
def test_configuration_is_sound(page: str, tmp_path: Path) -> None:
    path = tmp_path / "doorward.yaml"
    path.write_text(shown(page))
    (tmp_path / "idp.secret").touch(0o600)
    (tmp_path / "idp.secret").write_text("a secret\n")
    done = subprocess.run(
        [sys.executable, "-m", "doorward", "check", "-c", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert [line for line in done.stderr.splitlines() if "note:" in line and "no policy is named" not in line] == []
