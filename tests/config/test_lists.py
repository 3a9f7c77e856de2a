"""Lists in files are read with the document, whole or not at all."""

from pathlib import Path

import pytest

from doorward.config.facts import MemberFact
from doorward.config.ground import Ground
from doorward.config.lists import BYTES, ListError, declared, files, read_list
from doorward.config.load import read

TEXT = b"""\
upstreams:
  a:
    url: https://a.example.com
    tools:
      t: {facts: {known: {of: /to, kind: member, file: known.txt}, target: {of: /url, kind: url}}}
      u: {groups: [read]}
"""


def test_the_values_of_a_list_stand_in_the_document_that_is_used(tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("# friends\nann@example.com\n\n  bob@example.com  \n")
    document = read(TEXT, tmp_path / "doorward.yaml", Ground(tmp_path, {})).document
    found = {(upstream, tool, name): fact for upstream, tool, name, fact in declared(document.upstreams)}
    assert found["a", "t", "known"] == MemberFact(of="/to", kind="member", values=("ann@example.com", "bob@example.com"), file="known.txt")
    assert files(document, tmp_path) == (tmp_path / "known.txt",)


def test_a_list_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (BYTES + 1))
    (tmp_path / "latin").write_bytes(b"a\xe9")
    for name, message in [
        ("big", f"expected a list of at most {BYTES} bytes"),
        ("latin", "expected UTF-8, byte 2 of the list is not"),
        ("none", f"the list {tmp_path}/none cannot be read: No such file or directory"),
        ("a\0b", "expected the path of a file"),
    ]:
        with pytest.raises(ListError) as raised:
            read_list(tmp_path, name)
        assert str(raised.value) == message
