"""Keys of the database that could never be had are found before there is one."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from doorward.config.check_encryption import encryption
from doorward.config.encryption import FileKey
from doorward.config.ground import Ground
from doorward.config.model import Document

OPENBAO = {"address": "https://bao.example.com", "auth": {"kind": "token", "token": "${env:T}"}}


def found(tmp_path: Path, rules: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    document = Document.model_validate({"encryption": rules, **more})
    return [(".".join(str(step) for step in one.path[1:]), one.message) for one in encryption(document, Ground(tmp_path, {}))]


def test_without_a_word_the_key_is_a_file_in_the_state_directory(tmp_path: Path) -> None:
    assert (found(tmp_path, {}), Document().encryption.key) == ([], FileKey())
    assert Document.model_validate({"encryption": {"key": {"path": "a.key"}}}).encryption.key == FileKey(path="a.key")


def test_sound_places_have_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, {"key": {"kind": "openbao", "key": "gateway"}, "former": [{}]}, secrets={"openbao": OPENBAO}) == []


def test_what_leads_nowhere_is_told_with_its_place(tmp_path: Path) -> None:
    wrong = {"key": {"kind": "openbao"}, "former": [{"path": "none/a.key"}, {"kind": "openbao"}]}
    assert found(tmp_path, wrong) == [
        ("key.kind", "expected secrets.openbao to say where OpenBao is, and how to sign in there"),
        ("former.0.path", f"no directory {tmp_path / 'none'}"),
        ("former.1.kind", "expected secrets.openbao to say where OpenBao is, and how to sign in there"),
        ("former.1", "expected a place that the key was in before, this is where it is now"),
    ]


@pytest.mark.parametrize(
    "key", [{"kind": "vault"}, {"kind": "openbao", "mount": "../sys"}, {"kind": "keyring", "name": ""}, {"pat": "a"}, "a"]
)
def test_what_is_no_place_is_refused(key: object) -> None:
    with pytest.raises(ValidationError):
        Document.model_validate({"encryption": {"key": key}})
