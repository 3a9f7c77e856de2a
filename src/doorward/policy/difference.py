"""How two sets of policies differ: file by file as text, and policy by policy by their ids. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import unified_diff
from pathlib import PurePath

import msgspec

from doorward.domain.ids import PolicyId
from doorward.policy.rules import Source, parse

_Pair = tuple[Source | None, Source | None]


class FileChange(msgspec.Struct, frozen=True):
    """A file that is not the same in both sets."""

    path: str
    team: str
    text: str
    """A unified diff."""


class Difference(msgspec.Struct, frozen=True):
    """What came, what went and what is another, from one set to the other; policies by id, sorted."""

    files: tuple[FileChange, ...]
    added: tuple[PolicyId, ...]
    removed: tuple[PolicyId, ...]
    changed: tuple[PolicyId, ...]


def over(in_force: Iterable[Source], candidate: Iterable[Source]) -> tuple[Source, ...]:
    """A candidate in place of the layers it has files for; every other layer as it is."""
    files = tuple(candidate)
    layers = {source.team for source in files}
    return (*files, *(source for source in in_force if source.team not in layers))


def difference(before: Sequence[Source], after: Sequence[Source]) -> Difference:
    """How the second set differs from the first. What is no policy by itself (it cannot be read) shows in the text alone."""
    old, new = _policies(before), _policies(after)
    return Difference(
        tuple(_file(*pair) for pair in _paired(before, after) if _text(pair[0]) != _text(pair[1]) or None in pair),
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _policies(sources: Iterable[Source]) -> Mapping[PolicyId, tuple[str, str]]:
    """Layer and text of each policy; the first one of an id."""
    found: dict[PolicyId, tuple[str, str]] = {}
    for source in sources:
        for rule in parse(source)[0]:
            found.setdefault(rule.id, (source.team, rule.piece.text))
    return found


def _paired(before: Sequence[Source], after: Sequence[Source]) -> list[_Pair]:
    """Files of both sets that are the same one: by layer and path, or else by a name that only one of each side has."""
    there = {(source.team, source.path): source for source in after}
    pairs: list[_Pair] = [(source, there.pop((source.team, source.path), None)) for source in before]
    lone = [source for source, other in pairs if source is not None and other is None]
    by_name = {_name(source): source for source in there.values() if _is_alone(source, list(there.values())) and _is_alone(source, lone)}
    for number, (source, other) in enumerate(pairs):
        if source is not None and other is None and (found := by_name.get(_name(source))) is not None:
            pairs[number] = (source, found)
            del there[found.team, found.path]
    return sorted([*pairs, *((None, source) for source in there.values())], key=_key)


def _is_alone(source: Source, others: Sequence[Source]) -> bool:
    return sum(_name(other) == _name(source) for other in others) <= 1


def _name(source: Source) -> tuple[str, str]:
    return source.team, PurePath(source.path).name


def _key(pair: _Pair) -> tuple[str, str]:
    source = pair[1] or pair[0]
    assert source is not None
    return source.team, source.path


def _file(before: Source | None, after: Source | None) -> FileChange:
    team, path = _key((before, after))
    lines = unified_diff(
        _text(before).splitlines(),
        _text(after).splitlines(),
        before.path if before is not None else "/dev/null",
        after.path if after is not None else "/dev/null",
        lineterm="",
    )
    return FileChange(path, team, "\n".join(lines))


def _text(source: Source | None) -> str:
    return "" if source is None else source.text
