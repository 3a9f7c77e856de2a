"""What a page shows of a shell: the commands of its `console` blocks, what it says comes of them, and whether that is what came."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
WAIT_SECONDS = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """One command, and the output that a reader is shown; `…` stands for whatever varies."""

    command: str
    output: str

    def is_like(self, said: str) -> bool:
        """Whether an output is what is shown: `…` alone on a line stands for lines, within one for characters; blanks count as one."""
        lines = [r"(?:[^\n]*\n)*?" if line.strip() == "…" else f"{_pattern(line)}\n" for line in self.output.splitlines()]
        wanted = "".join(lines)
        return re.fullmatch(wanted, "".join(f"{' '.join(line.split())}\n" for line in said.splitlines())) is not None


def shown(page: str) -> Iterator[Shown]:
    """Every command of a page, in order."""
    for block in BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *rest = part.splitlines()
            more = list(takewhile(lambda line: line.startswith("> "), rest))
            command = "\n".join([first, *(line.removeprefix("> ") for line in more)])
            yield Shown(command, "".join(f"{line}\n" for line in rest[len(more) :]))


def typed(commands: list[str], directory: Path, environment: Mapping[str, str], answers: str = "") -> list[str]:
    """What each command said, all typed into one shell; both streams as one, as on a screen. `answers` are typed where one asks back."""
    script = "exec 2>&1\n" + "".join(f"{command}\nprintf '{MARK}'\n" for command in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        input=answers,
        capture_output=True,
        text=True,
        cwd=directory,
        env=dict(environment),
        timeout=WAIT_SECONDS,
        check=False,
    )
    *said, _ = done.stdout.split(MARK)
    return said


def _pattern(line: str) -> str:
    words = " ".join(line.split())
    return r"[^\n]*".join(re.escape(piece) for piece in words.split("…")).replace(r"[^\n]*\ ", r"[^\n]*\ ?")
