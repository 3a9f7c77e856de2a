"""Checks of what is found by form, place, word and likeness: names of rules and countries, pointers, files that are there."""

from collections.abc import Iterator
from pathlib import Path

from doorward.config.ground import Found, Ground, error, note
from doorward.config.lists import ListError, read_list
from doorward.config.model import Document
from doorward.config.own_files import MOST_FILES, matching
from doorward.config.personal import DictionaryRule, DocumentsRule, FieldRule
from doorward.config.problems import Step, meant, quoted

MOST_WORDS = 100_000
"""Of one dictionary: what a set of patterns takes."""

MOST_BYTES = 4 * 2**20
"""Of one document: a thousand pages."""

MOST_TOTAL_BYTES = 64 * 2**20

_AT: tuple[Step, ...] = ("inspection",)


def own(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about field rules, dictionaries and documents."""
    rules = document.inspection
    for place, field in enumerate(rules.fields):
        yield from _field(field, document, (*_AT, "fields", place))
    for name, dictionary in rules.dictionaries.items():
        yield from _dictionary(dictionary, ground.root, (*_AT, "dictionaries", name))
    for name, documents in rules.documents.items():
        yield from _documents(documents, ground.root, (*_AT, "documents", name))


def _field(field: FieldRule, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    for place, pointer in enumerate(field.pointers):
        if not pointer.startswith("/") or pointer == "/":
            yield error(f"expected a JSON pointer such as /patients/*/diagnosis, got {quoted(pointer)}", *at, "pointers", place)
        elif pointer.startswith(("/structuredContent/", "/arguments/")):
            yield note("pointers are into the arguments or the structured result; leave its own name out", *at, "pointers", place)
    for place, upstream in enumerate(field.upstreams):
        if upstream not in document.upstreams:
            yield note(f"there is no upstream {quoted(upstream)}{meant(upstream, document.upstreams)}", *at, "upstreams", place)


def _dictionary(rule: DictionaryRule, root: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    if rule.file is not None and rule.words:
        yield error("expected one of words and file, got both", *at, "file")
        return
    try:
        words = rule.words if rule.file is None else read_list(root, rule.file)
    except ListError as wrong:
        yield error(str(wrong), *at, "file")
        return
    if not any(word.strip() for word in words):
        yield error("expected words, or a file with one on each line", *at)
    if len(words) > MOST_WORDS:
        yield error(f"expected at most {MOST_WORDS} words", *at)


def _documents(rule: DocumentsRule, root: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    found = matching(rule, root)
    if not found:
        yield error(f"no file matches in {root}", *at, "files")
    if len(found) > MOST_FILES:
        yield error(f"expected at most {MOST_FILES} files", *at, "files")
        return
    total = 0
    for path in found:
        try:
            size = path.stat().st_size
        except OSError as wrong:
            yield error(f"{path} cannot be read: {wrong.strerror}", *at, "files")
            continue
        total += size
        if size > MOST_BYTES:
            yield error(f"expected documents of at most {MOST_BYTES} bytes, {path} has {size}", *at, "files")
    if total > MOST_TOTAL_BYTES:
        yield error(f"expected documents of at most {MOST_TOTAL_BYTES} bytes together", *at, "files")
