"""Files with an operator's own words and documents: read or listed together with the document, so that a change of theirs is one of it."""

from collections.abc import Iterator
from pathlib import Path

from doorward.config.lists import ListError, read_list
from doorward.config.model import Document
from doorward.config.personal import DictionaryRule, DocumentsRule, Stamp

MOST_FILES = 4096
"""Documents of one rule."""


def filled(document: Document, root: Path) -> Document:
    """The document with the words of its lists in place and its files found; what cannot be read, which `check_own` tells, stays without."""
    rules = document.inspection
    if not rules.documents and not any(rule.file is not None for rule in rules.dictionaries.values()):
        return document
    dictionaries = {name: _worded(rule, root) for name, rule in rules.dictionaries.items()}
    documents = {name: rule.stamped(stamps(rule, root)) for name, rule in rules.documents.items()}
    return document.model_copy(update={"inspection": rules.model_copy(update={"dictionaries": dictionaries, "documents": documents})})


def files(document: Document, root: Path) -> tuple[Path, ...]:
    """Every file that is read, each once, sorted."""
    lists = {root / rule.file for rule in document.inspection.dictionaries.values() if rule.file is not None}
    return tuple(sorted(lists.union(*(matching(rule, root) for rule in document.inspection.documents.values()))))


def matching(rule: DocumentsRule, root: Path) -> list[Path]:
    """The files of a rule's patterns, each once, sorted."""
    return sorted({path for pattern in rule.files for path in _matches(pattern, root)})


def stamps(rule: DocumentsRule, root: Path) -> tuple[Stamp, ...]:
    """The files of a rule, as they are now."""
    return tuple(_stamps(rule, root))


def _stamps(rule: DocumentsRule, root: Path) -> Iterator[Stamp]:
    for path in matching(rule, root)[:MOST_FILES]:
        try:
            found = path.stat()
        except OSError:
            continue
        yield str(path), found.st_ctime_ns, found.st_size


def _worded(rule: DictionaryRule, root: Path) -> DictionaryRule:
    if rule.file is None:
        return rule
    try:
        return rule.model_copy(update={"words": read_list(root, rule.file)})
    except ListError:
        return rule


def _matches(pattern: str, root: Path) -> list[Path]:
    anchor = Path(pattern).anchor
    try:
        found = (Path(anchor) if anchor else root).glob(pattern.removeprefix(anchor))
        return [path for path in found if path.is_file()]
    except (ValueError, NotImplementedError, OSError):
        return []
