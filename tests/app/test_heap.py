"""What is freed goes back to the system; run in a process of its own, as the heap belongs to all tests of this one."""

import subprocess
import sys

import pytest

_RUN = """
import ctypes
from doorward.app.heap import give_back, keep_few_arenas

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4

keep_few_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
blocks = [libc.malloc(60_000) for _ in range(600)]
for block in blocks:
    ctypes.memset(block, 1, 60_000)
last = libc.malloc(60_000)
for block in blocks:
    libc.free(block)
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library's heap is asked on Linux only")
def test_pages_that_were_freed_below_what_is_in_use_are_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", _RUN], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 20_000
