"""A process that nobody else looks into and that leaves no memory behind when it crashes (prctl(2) PR_SET_DUMPABLE, setrlimit(2) RLIMIT_CORE).

Servers that Doorward starts run as its user. Without this any of them could read its environment and memory in `/proc`, and with them
the credentials of every other upstream.
"""

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def close_process() -> None:
    """Closes this process; where the system has no such thing (other than Linux), no core is dumped, and that is all."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
