"""A gateway's process is closed to whoever runs as its user."""

import os
import subprocess
import sys

import pytest

LOOKING = """
import ctypes, resource, subprocess, sys
from doorward.app.closed import close_process
open_before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
close_process()
read = "import os, sys; sys.stdout.write(str(len(open(f'/proc/{os.getppid()}/environ', 'rb').read())))"
seen = subprocess.run([sys.executable, "-I", "-c", read], capture_output=True, text=True)
print(open_before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0], seen.stdout or "nothing")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such thing")
def test_a_closed_process_dumps_no_core_and_shows_its_children_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LOOKING], capture_output=True, text=True, check=True)
    before, after, core, seen = done.stdout.split()
    assert (before, after, core) == ("1", "0", "0")
    if os.geteuid() != 0:
        assert seen == "nothing"
