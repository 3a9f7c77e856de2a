"""Whether declared facts can be derived at all: patterns that compile, directories that are absolute, lists that are there."""

import posixpath
from collections.abc import Iterator, Mapping

import re2

from doorward.config.facts import FactRule, LengthFact, MatchFact, MemberFact, PathFact
from doorward.config.ground import Found, Ground, error, note
from doorward.config.lists import ListError, declared, read_list
from doorward.config.model import Upstream
from doorward.config.problems import Step, quoted


def facts(upstreams: Mapping[str, Upstream], ground: Ground) -> Iterator[Found]:
    """Findings about every fact of every tool."""
    for upstream, tool, name, fact in declared(upstreams):
        yield from _fact(fact, ground, ("upstreams", upstream, "tools", tool, "facts", name))


def _fact(fact: FactRule, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    match fact:
        case PathFact():
            yield from _directories(fact, at)
        case MatchFact(pattern=pattern):
            yield from _pattern(pattern, at)
        case MemberFact():
            yield from _list(fact, ground, at)
        case LengthFact(unit="items", of=of) if of.endswith("/*"):
            yield note("this is the length of each element of a list; leave out the /* for the length of the list", *at, "of")


def _directories(fact: PathFact, at: tuple[Step, ...]) -> Iterator[Found]:
    places: list[tuple[str, tuple[Step, ...]]] = [(root, (*at, "roots", name)) for name, root in fact.roots.items()]
    if fact.base is not None:
        places.append((fact.base, (*at, "base")))
    for directory, place in places:
        if not directory.startswith("/") or posixpath.normpath(directory) != (directory.rstrip("/") or "/") or "\\" in directory:
            yield error(f"expected an absolute path without . and .., such as /srv/reports, got {quoted(directory)}", *place)
    if not fact.roots:
        yield note("without roots, policies can read the plain path alone", *at)


def _pattern(pattern: str, at: tuple[Step, ...]) -> Iterator[Found]:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as wrong:
        yield error(f"expected a pattern of RE2: {_said(wrong)}", *at, "pattern")
        return
    if pattern.startswith("^") or pattern.endswith("$"):
        yield note("the whole text has to match anyway, without ^ and $", *at, "pattern")


def _said(wrong: Exception) -> str:
    """What the engine says of a pattern; its bindings give it as bytes."""
    said = wrong.args[0] if wrong.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _list(fact: MemberFact, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    if fact.file is None:
        if not fact.values:
            yield error("expected values or a file with them", *at)
        return
    if fact.values:
        yield error("expected one of values and file, got both", *at, "file")
        return
    try:
        found = read_list(ground.root, fact.file)
    except ListError as wrong:
        yield error(str(wrong), *at, "file")
        return
    if not found:
        yield error("expected a file with one value a line, it holds none", *at, "file")
