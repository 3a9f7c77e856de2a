"""Processes are looked after with all their children, and nothing of them is left."""

import sys
import time
from pathlib import Path

import pytest

from bench.peers.processes import accepts, family, free_port, resident, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def _said(directory: Path) -> str:
    deadline = time.monotonic() + 20
    while not (text := (directory / "said.txt").read_text()).endswith("\n") and time.monotonic() < deadline:
        time.sleep(0.01)
    return text.strip()


def test_a_child_in_a_session_of_its_own_is_of_the_family_and_ends_with_it(tmp_path: Path) -> None:
    with started([sys.executable, "-c", _PARENT], {}, tmp_path) as process:
        child = int(_said(tmp_path))
        known = family(process.pid)
        assert set(known) == {process.pid, child}
        assert resident(known) > resident([child]) > 0
    assert family(child) == {}
    assert resident(known) == 0.0


def test_a_process_sees_its_own_environment_and_little_of_ours(tmp_path: Path) -> None:
    with started([sys.executable, "-c", "import os; print(*os.environ)"], {"OWN": "1"}, tmp_path):
        seen = set(_said(tmp_path).split())
    assert "OWN" in seen
    assert seen <= {"OWN", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}


def test_nobody_listens_on_a_free_port() -> None:
    assert not accepts(free_port())
