"""Whether those who may operate the gateway can reach its control socket, and nobody's file is in its place."""

import grp
import stat
from collections.abc import Iterator
from pathlib import Path

from doorward.config.ground import Found, error, note
from doorward.config.model import Control
from doorward.config.problems import quoted

SOCKET_BYTES = 107
"""The longest path of a Unix socket on Linux; macOS has 103."""
NAME = "control.sock"
"""The socket in the state directory, where no other is named."""


def control(rules: Control, root: Path, state: Path) -> Iterator[Found]:
    """Findings about the socket, its group and the operators."""
    path = state / NAME if rules.socket is None else root / rules.socket
    if rules.socket is not None:
        yield from _place(path)
    if len(str(path.absolute()).encode()) > SOCKET_BYTES:
        yield error(f"expected a path of at most {SOCKET_BYTES} bytes for the control socket, got {path}", "control", "socket")
    if rules.group is None and rules.operators:
        yield note(
            "nobody but the gateway's own user and root can open the socket; set control.socket and control.group", "control", "operators"
        )
    if rules.group is not None:
        yield from _group(rules.group, path, state)


def _place(path: Path) -> Iterator[Found]:
    if not path.parent.is_dir():
        yield error(f"expected a socket in a directory that exists, got {path}", "control", "socket")
    elif path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        yield error(f"{path} is there already, and no socket", "control", "socket")


def _group(name: str, path: Path, state: Path) -> Iterator[Found]:
    try:
        grp.getgrnam(name)
    except KeyError:
        yield error(f"this system has no group {quoted(name)}", "control", "group")
    if path.resolve().is_relative_to(state.resolve()):
        yield error("no group can reach a socket in the state directory; set control.socket to another place", "control", "group")
