"""Run as a script, in place of a server's program: asks Linux to kill this process when its parent dies, then becomes the program.

`python -I -S leash.py PARENT_PID PROGRAM [ARGUMENT …]`. PR_SET_PDEATHSIG (prctl(2)) survives `execve`, is set here and not between
fork and exec in the gateway (which has threads), and is checked against a parent that died meanwhile. It reaches the program only,
not what the program starts: those are in its process group, which the gateway kills, and lose their standard input.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Does not return unless the program cannot be run."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
        sys.exit(1)
    # As the gateway gave it: this interpreter may have put LC_CTYPE into its own copy (PEP 538).
    given = Path("/proc/self/environ").read_bytes().split(b"\0")
    environment = dict(pair.split(b"=", 1) for pair in given if b"=" in pair)
    try:
        os.execve(command[0], command, environment)  # noqa: S606 -- to become a declared program, without a shell, is the purpose
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
