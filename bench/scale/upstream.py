"""An upstream with as many tools as one likes: `/tools/FIRST-STOP` offers `echo_FIRST` to before `echo_STOP`, all of which answer as `echo`."""

from __future__ import annotations

import re

import uvloop

from bench.cores import LOAD_CORE, pin
from bench.speech import ECHO
from bench.upstream import Answers, serve

_SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
_CALLED = re.compile(rb'"name":"%b_\d+"' % ECHO.encode())


def tool(number: int) -> dict[str, object]:
    """One of its tools."""
    return {"name": named(number), "description": f"Says the text again, as number {number}.", "inputSchema": _SCHEMA}


def named(number: int) -> str:
    """The name of a tool."""
    return f"{ECHO}_{number}"


class Many(Answers):
    """What is said to each message."""

    __slots__ = ()

    def to(self, path: bytes, body: bytes) -> bytes:
        """The whole HTTP answer to a POST."""
        if path.startswith(b"/tools/"):
            self._tools.setdefault(path, _offer(path))
        return super().to(path, _CALLED.sub(b'"name":"%b"' % ECHO.encode(), body, count=1))


def _offer(path: bytes) -> list[dict[str, object]]:
    first, _, stop = path.removeprefix(b"/tools/").decode().partition("-")
    return [tool(number) for number in range(int(first), int(stop))]


if __name__ == "__main__":
    pin(LOAD_CORE)
    uvloop.run(serve(Many()))
