"""What lets more through than it looks like: permits for everybody, and patterns that fit more than is meant."""

import re
from collections.abc import Iterator, Sequence

from cedarpy import pst

from doorward.policy.atoms import Path, Patterned, Present, atoms
from doorward.policy.cover import Book
from doorward.policy.problems import cut
from doorward.policy.remarks import Gravity, Remark, Surroundings, remark
from doorward.policy.rules import Mode, Rule
from doorward.policy.telling import named
from doorward.policy.truth import Literal, branches

_EVERYTHING = ("everything", Gravity.WARNING)
_ANY_AGENT = ("any-agent", Gravity.WARNING)
_ANY_AGENT_IF = ("any-agent", Gravity.NOTE)
_ALWAYS = ("matches-all", Gravity.WARNING)
_LOOSE_HOST = ("loose-host", Gravity.WARNING)
_LOOSE_PATH = ("loose-path", Gravity.WARNING)

_GRAVE = frozenset({"write", "destructive", "external"})
_WHO = frozenset({"issuer", "client", "certificate"})
"""What of the context says who calls."""

_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_OPEN_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
"""A URL that ends before its host does."""
_ROOTED = re.compile(r"(?:/|~/|\.{1,2}/|[A-Za-z]:[\\/]|file://|[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+/[^/])")
"""The beginning of a path, or of a URL with more than its host."""


def broad(rule: Rule, book: Book, rules: Sequence[Rule], around: Surroundings) -> Iterator[Remark]:
    """What is broad about one policy among all."""
    if rule.effect == "permit" and rule.mode is Mode.ENFORCE:
        yield from _for_everybody(rule, book, around)
    for pattern in dict.fromkeys(one for one in atoms(rule.cedar) if isinstance(one, Patterned)):
        if not any(pattern.pattern):
            what = f"asks `{named(pattern.path)} like {cut(pattern.text)}`, which every text is"
            yield remark(_ALWAYS, rule, pattern.text, what, "say what is meant, or leave it out")
        elif _opens(rule, pattern):
            yield from _loose(rule, pattern, book, rules)


def _for_everybody(rule: Rule, book: Book, around: Surroundings) -> Iterator[Remark]:
    everyone = "every agent, anonymous ones too," if around.anonymous else "every agent"
    if _is_unbounded(rule.cedar):
        where = f"of every upstream of team {cut(rule.team)}" if rule.team else "of every upstream"
        yield remark(_EVERYTHING, rule, "permit", f"lets {everyone} do everything {where}", "say who, what and where")
        return
    grave = [name for name in sorted(book.actions(rule)) if book.known.actions[name].groups & _GRAVE]
    open_ones = [branch for branch in branches(rule.cedar) or () if not any(_is_of_caller(one) for one in branch)]
    if grave and open_ones:
        more = f" and {len(grave) - 1} more" if len(grave) > 1 else ""
        told = f"lets {everyone} call {cut(grave[0])}{more}, which may write, destroy or reach outside"
        found = _ANY_AGENT_IF if all(open_ones) else _ANY_AGENT
        yield remark(found, rule, "principal", told, "name a team, an agent or a group of people, unless everybody is meant")


def _is_unbounded(cedar: pst.Template) -> bool:
    """Whether a policy has no condition and a bare scope."""
    parts = (cedar.principal, cedar.action, cedar.resource)
    return not cedar.clauses and all(isinstance(part, pst.ScopeAny | pst.ScopeIs) for part in parts)


def _is_of_caller(one: Literal) -> bool:
    """Whether a literal depends on who calls."""
    paths = [one.path, getattr(one.atom, "other", None)]
    return any(path is not None and (path.variable == "principal" or bool(_WHO & set(path.parts[:1]))) for path in paths)


def _opens(rule: Rule, pattern: Patterned) -> bool:
    """Whether it is by fitting a pattern that a call gets through."""
    wanted = Literal(pattern, rule.effect == "permit")
    return any(wanted in branch for branch in branches(rule.cedar) or ())


def _loose(rule: Rule, pattern: Patterned, book: Book, rules: Sequence[Rule]) -> Iterator[Remark]:
    """What else fits a pattern on a host or a path."""
    told = f"lets through what is like {cut(pattern.text)}, and so is"
    if (other := _other_host(pattern)) is not None:
        yield remark(_LOOSE_HOST, rule, pattern.text, f"{told} {cut(other)}", _derived("url", "host"))
        return
    first = pattern.pattern[0] or ""
    if len(pattern.pattern) > 1 and _ROOTED.match(first) and not _no_dots(rule, pattern.path, book, rules):
        other = f"{first[: first.rfind('/') + 1]}../x"
        yield remark(_LOOSE_PATH, rule, pattern.text, f"{told} {cut(other)}", f'{_derived("path", "root")}, or forbid `like "*..*"`')


def _other_host(pattern: Patterned) -> str | None:
    """A text that fits a pattern and has a host that was hardly meant."""
    first, *rest = pattern.pattern
    if first is None:
        host = _HOST.match(rest[0] or "")
        return None if host is None else f"evil-{host.group()}"
    if rest and _OPEN_HOST.fullmatch(first):
        return f"{first}.evil.example/{''.join(piece or '' for piece in rest[1:])}"
    return None


def _derived(kind: str, attribute: str) -> str:
    return f"declare a fact of kind `{kind}` for the argument, and compare its `{attribute}`"


def _no_dots(rule: Rule, path: Path, book: Book, rules: Sequence[Rule]) -> bool:
    """Whether `..` at a path is forbidden for all that a policy is about."""
    guards = [other for other in rules if other.effect == "forbid" and other.mode is Mode.ENFORCE and other.need is None]
    guarded = {name for other in guards if _forbids_dots(other, path) for name in book.actions(other)}
    return book.actions(rule) <= guarded


def _forbids_dots(rule: Rule, path: Path) -> bool:
    """Whether a policy forbids whatever has a `..` at a path."""
    dots = Literal(Patterned(path, (None, "..", None)), True)
    return any(dots in branch and branch <= {dots, Literal(Present(path), True)} for branch in branches(rule.cedar) or ())
