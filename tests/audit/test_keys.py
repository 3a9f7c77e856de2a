"""Key files: made once, private, and never replaced in silence."""

import stat
from pathlib import Path

import pytest

from doorward.audit.keys import KeyFileError, LogKeys, make, read, rotate_signing
from tests.audit.recorders import draws


def test_keys_are_made_once_and_read_from_then_on(tmp_path: Path) -> None:
    first = make(tmp_path, draws())
    assert make(tmp_path, lambda count: b"x" * count) == read(tmp_path) == first
    assert len({first.signing, first.audit, first.side}) == 3


def test_key_files_are_their_owners_alone(tmp_path: Path) -> None:
    make(tmp_path, draws())
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "log.key": 0o600,
        "audit.key": 0o600,
        "side.key": 0o600,
    }


def test_keys_say_nothing_of_themselves(tmp_path: Path) -> None:
    keys = make(tmp_path, draws())
    assert keys.signing.hex() not in repr(keys)
    assert repr(keys.signing) not in repr(keys)


@pytest.mark.parametrize("name", ["log.key", "audit.key", "side.key"])
def test_a_lost_key_is_not_replaced_for_a_log_that_has_leaves(tmp_path: Path, name: str) -> None:
    make(tmp_path, draws())
    (tmp_path / name).unlink()
    with pytest.raises(KeyFileError, match=name):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"abc", b"zz" * 32, b"ab" * 31, b"\xff" * 64])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    make(tmp_path, draws())
    (tmp_path / "log.key").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"log\.key"):
        read(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make(tmp_path, draws())
    (tmp_path / "audit.key").chmod(0o640)
    with pytest.raises(KeyFileError, match=r"owner alone \(0600\), its mode is 0640"):
        read(tmp_path)


def test_a_key_that_was_half_written_by_a_dead_process_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "log.key.new").write_bytes(b"half")
    assert isinstance(make(tmp_path, draws()), LogKeys)


def test_a_signing_key_is_replaced_and_the_old_one_kept(tmp_path: Path) -> None:
    before, draw = make(tmp_path, draws()), draws()
    for _ in range(2):
        draw(1)
        rotate_signing(tmp_path, draw)
    after = read(tmp_path)
    assert (after.audit, after.side, after.signing != before.signing) == (before.audit, before.side, True)
    assert sorted(path.name for path in tmp_path.glob("log.key*")) == ["log.key", "log.key.retired-1", "log.key.retired-2"]
    assert (tmp_path / "log.key.retired-1").read_text().strip() == before.signing.hex()
