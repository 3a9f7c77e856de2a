"""A real client that has to wait for people, as a process that says what comes, line by line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.peers import ROOT, python_of

_SDK2 = (sys.executable, str(ROOT / "tests/clients/asked_with_sdk2.py"))
_SDK1 = (python_of("sdk1"), str(ROOT / "tests/clients/asked_with_sdk1.py"))

CLIENTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sdk2 of 2026-07-28": (_SDK2, ("2026-07-28",)),
    "sdk2 in session": (_SDK2, ("legacy",)),
    "sdk1 of 2025-11-25": (_SDK1, ()),
}
"""The command of each, and what follows URL and key."""


@dataclass(slots=True)
class Agent:
    """One call on its way."""

    process: subprocess.Popen[str]
    progress: list[tuple[float, float, str]] = field(default_factory=list)
    """What it has heard on the way so far."""

    def next(self, kind: str) -> Any:
        """The next thing of a kind that it says; fails where it says another, but for progress, or ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            [(said, what)] = json.loads(line).items()
            if said == kind:
                return what
            assert said == "progress", line
            self.progress.append(tuple(what))
        raise AssertionError(f"it ended with {self.process.wait()}")

    def told(self, word: str) -> None:
        """Its person has done what was asked: `accept`, or not: `decline`, `cancel`."""
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def text(self) -> str:
        """The text of its result."""
        return str(self.next("result")["content"][0]["text"])


@contextmanager
def calling(client: str, url: str, key: str, arguments: Mapping[str, Any], who: str = "asked", tool: str = "echo") -> Iterator[Agent]:
    """A client that calls once; `who`: `asked`, or `nobody` if there is nobody that it could ask."""
    command, mode = CLIENTS[client]
    words = [*command, url, key, *mode, who, tool, json.dumps(arguments)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Agent(process)
        finally:
            process.kill()
