"""The whole run, as short as it can be: so that what measures keeps up with what is measured."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)
def test_a_quick_run_measures_everything_and_writes_page_and_chart(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--into", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "benchmarks.md").read_text("utf-8").startswith("# Benchmarks")
    assert (tmp_path / "benchmarks.svg").read_text("utf-8").startswith("<svg ")
