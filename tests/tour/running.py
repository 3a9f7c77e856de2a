"""The tour as processes: its programs started as `make` starts them, in a directory of the test's own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import ROOT

WAIT_SECONDS = 200
READY = "Doorward is ready."


def tour(program: str, directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One run of `examples.run` or `examples.demo` to its end."""
    return subprocess.run(_line(program, directory, *words), capture_output=True, text=True, timeout=WAIT_SECONDS, cwd=ROOT, check=False)


@contextmanager
def open_tour(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """`examples.run` on a free port, ready; its welcome is read from its output up to the last line. Ended with SIGTERM."""
    line = _line("run", directory, "--port", "0")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_SECONDS)


def until(process: subprocess.Popen[str], last: str) -> str:
    """What a process says up to a line that begins so; fails with all of it where the process ends before."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith(last):
            return said
    raise AssertionError(f"it ended with {process.wait()} and said: {said}")


def _line(program: str, directory: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", f"examples.{program}", "--directory", str(directory), *words]
