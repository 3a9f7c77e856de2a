"""A file that was written in place under its old time, or can be read only now, is looked at again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.app.watch import stamps


def rewritten(file: Path) -> None:
    """As `cp -p` does, with a text of the same length."""
    before = file.stat()
    file.write_text(file.read_text().replace("permit", "forbid"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def opened(file: Path) -> None:
    file.chmod(0o644)


@pytest.mark.parametrize("change", [rewritten, opened])
def test_a_change_that_leaves_time_size_and_inode_as_they_were_is_a_change(tmp_path: Path, change: Callable[[Path], None]) -> None:
    file = tmp_path / "policy.cedar"
    file.write_text("permit (principal, action, resource);")
    file.chmod(0o600)
    seen = stamps([file])
    assert stamps([file]) == seen
    change(file)
    assert stamps([file]) != seen
