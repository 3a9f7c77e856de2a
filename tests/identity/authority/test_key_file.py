"""The file of private keys: whole or not there, and its owner's alone."""

from pathlib import Path

import pytest

from doorward.identity.authority.key_file import NAME, KeyFile, KeyFileError
from doorward.identity.authority.keys import StoredKey

KEYS = (StoredKey("a", 2**255 + 1, 1.5), StoredKey("b", 7, 2.5))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / NAME)
    assert file.read() == ()
    file.write(KEYS[:1])
    file.write(KEYS)
    assert KeyFile(tmp_path / NAME).read() == KEYS
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_reach_is_not_read(tmp_path: Path, mode: int) -> None:
    KeyFile(tmp_path / NAME).write(KEYS)
    (tmp_path / NAME).chmod(mode)
    with pytest.raises(KeyFileError, match="0600"):
        KeyFile(tmp_path / NAME).read()


@pytest.mark.parametrize("text", [b"", b"{}", b'[{"kid": "a"}]', b'[{"kid": "a", "scalar": "SECRET", "signs_from": 1}]'])
def test_a_damaged_file_is_refused_without_saying_what_is_in_it(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / NAME
    path.touch(0o600)
    path.write_bytes(text)
    with pytest.raises(KeyFileError) as caught:
        KeyFile(path).read()
    assert "SECRET" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be written"):
        KeyFile(tmp_path / "nowhere" / NAME).write(KEYS)
