"""The facts that a document declares, ready to be derived."""

import logging
from importlib import import_module
from typing import assert_never

from doorward.config.facts import DecimalFact, EmailFact, FactRule, LengthFact, MatchFact, MemberFact, PathFact, SqlFact, UrlFact
from doorward.config.lists import declared as every
from doorward.config.model import Document
from doorward.config.problems import dotted
from doorward.domain.ids import UpstreamId
from doorward.policy.facts.email import Email
from doorward.policy.facts.fact import EVERY, Fact, Unfit
from doorward.policy.facts.kind import Kind
from doorward.policy.facts.numbers import Length, Number
from doorward.policy.facts.path import Path
from doorward.policy.facts.segments import without_dots
from doorward.policy.facts.truths import Match, Member
from doorward.policy.facts.url import Url


def declared(document: Document) -> tuple[Fact, ...]:
    """Every fact of every tool. The document has been checked, so that all of its options can be used."""
    return tuple(_fact(upstream, tool, name, rule) for upstream, tool, name, rule in every(document.upstreams))


def _fact(upstream: str, tool: str, name: str, rule: FactRule) -> Fact:
    place = dotted(("upstreams", upstream, "tools", tool, "facts", name))
    return Fact(UpstreamId(upstream), tool, name, steps(rule.of), _kind(rule), place)


def steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer (RFC 6901)."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _kind(fact: FactRule) -> Kind:
    match fact:
        case UrlFact():
            return Url()
        case PathFact(base=base, roots=roots):
            return Path(None if base is None else _plain(base), {name: _plain(root) for name, root in roots.items()})
        case EmailFact():
            return Email()
        case SqlFact(dialect=dialect):
            return _sql(dialect)
        case DecimalFact():
            return Number()
        case LengthFact(unit=unit):
            return Length(unit)
        case MatchFact(pattern=pattern):
            return Match(pattern)
        case MemberFact(values=values):
            # Without values its file has gone since it was checked; nobody may take that for an answer.
            return Member(frozenset(values)) if values else Unfit("its list cannot be read", Member(frozenset()), EVERY in steps(fact.of))
        case _:
            assert_never(fact)


def _plain(directory: str) -> str:
    return without_dots(directory).rstrip("/") or "/"


def _sql(dialect: str) -> Kind:
    """The parser of SQL is loaded here and nowhere else: it takes a third of a second and 20 MB, which nobody pays who has no SQL."""
    kind: Kind = import_module("doorward.policy.facts.sql").Sql(dialect)
    # Its warnings repeat the SQL, and with it whatever an agent has put there.
    logging.getLogger("sqlglot").disabled = True
    return kind
