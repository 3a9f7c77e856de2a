"""Files that are there whole, or as they were."""

import stat
from pathlib import Path

import pytest

from doorward.config.whole import write_whole


def test_a_file_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    (tmp_path / "kept.new").write_bytes(b"of a process that died")
    for raw in (b"first", b"second"):
        write_whole(path, raw, 0o600)
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (raw, 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write_whole(path, b"first", 0o600)
    (tmp_path / "kept.new").mkdir()
    with pytest.raises(OSError, match=r"kept\.new"):
        write_whole(path, b"second", 0o600)
    assert path.read_bytes() == b"first"
