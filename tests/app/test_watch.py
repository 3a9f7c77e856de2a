"""Whether a configuration has changed on disk."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.app.watch import Watch
from doorward.config.model import Document, Policies

DOCUMENT = Document(policies=Policies(files=("*.cedar",)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "doorward.yaml").write_text("{}")
    (tmp_path / "a.cedar").write_text("1")
    return tmp_path / "doorward.yaml"


def replaced(path: Path) -> None:
    """As editors and `kubectl` do: another file of the same size and time under the same name."""
    before = path.stat()
    other = path.with_suffix(".new")
    other.write_text(path.read_text())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)


CHANGES: list[tuple[str, Callable[[Path], object]]] = [
    ("the document is longer", lambda path: path.write_text("{ }")),
    ("the document is replaced by its like", replaced),
    ("the document is gone", Path.unlink),
    ("a policy is another", lambda path: (path.parent / "a.cedar").write_text("22")),
    ("a policy is new", lambda path: (path.parent / "b.cedar").write_text("1")),
    ("a policy is gone", lambda path: (path.parent / "a.cedar").unlink()),
]


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in CHANGES])
def test_a_change_is_seen_once(path: Path, change: Callable[[Path], object]) -> None:
    watch = Watch(path, DOCUMENT)
    assert not watch.has_changed(DOCUMENT)
    change(path)
    assert watch.has_changed(DOCUMENT)
    assert not watch.has_changed(DOCUMENT)


def test_what_no_policy_pattern_names_is_not_watched(path: Path) -> None:
    watch = Watch(path, DOCUMENT)
    (path.parent / "notes.txt").write_text("x")
    assert not watch.has_changed(DOCUMENT)


def test_what_changed_since_it_was_read_is_seen_at_the_first_look(path: Path) -> None:
    watch = Watch(path, DOCUMENT)
    path.write_text("{ }")
    assert watch.has_changed(DOCUMENT)


def test_a_list_of_a_fact_is_watched_like_the_document(path: Path) -> None:
    listed = {"of": "/number", "kind": "member", "file": "accounts.txt"}
    tool = {"facts": {"ours": listed}}
    document = Document.model_validate({"upstreams": {"bank": {"url": "https://bank.example.com/mcp", "tools": {"pay": tool}}}})
    (path.parent / "accounts.txt").write_text("DE-1\n")
    watch = Watch(path, document)
    assert not watch.has_changed(document)
    (path.parent / "accounts.txt").write_text("DE-2\n")
    assert watch.has_changed(document)
