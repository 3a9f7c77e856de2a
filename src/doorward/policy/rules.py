"""A rule: one Cedar policy of a file with what its annotations say.

`@id` and `@reason` are required. On a `forbid`, `@approval("team")` or `@approval("2 of team")` asks people of that team instead
of denying (RULINGS 2), with `@owner("may")` also the owner of the agent, and `@exception("team")` lets that team lift it for one
agent. `@mode("observe")` evaluates the rule without letting it decide, `@public("no")` keeps its reason from agents.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import sha256

import msgspec
from cedarpy import PolicySet, pst
from msgspec.structs import replace

from doorward.domain.decisions import Need
from doorward.domain.ids import Digest, PolicyId
from doorward.policy.problems import Problem, Weight, cut, meant
from doorward.policy.reads import Reads, conditions
from doorward.policy.text import Piece, Spot, depth, find, first_bad, pieces, spot

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
OWN = "doorward."
"""Ids that start so are the gateway's own decisions."""
SHIPPED = "doorward/"
"""Ids that start so are those of policies that ship."""
_ANNOTATIONS = ("id", "reason", "approval", "owner", "exception", "mode", "public")
_PEOPLE = re.compile(r"([+-]?\d[\d.,]*)\s+of\b\s*(.*)", re.DOTALL)
"""How many of whom: `2 of finance`."""
_MOST_PEOPLE = 9
_DEEPEST = 384
"""Levels of a policy as `text.depth` counts them. Cedar takes 100 of its own, but counts them after parsing, for which 600 are too many."""


class Mode(StrEnum):
    """Whether a rule decides, or is only evaluated."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Origin(StrEnum):
    """Whose words policies are."""

    OPERATOR = "operator"
    SHIPPED = "shipped"


class Source(msgspec.Struct, frozen=True):
    """A policy file: the path it is told by, and its text."""

    path: str
    text: str
    team: str = ""
    """The team whose layer it belongs to; empty for the global layer."""
    origin: Origin = Origin.OPERATOR


class Rule(msgspec.Struct, frozen=True):
    """One policy: what its annotations say, where it stands, and what it reads."""

    id: PolicyId
    reason: str
    need: Need | None
    """Whose yes this `forbid` asks for, or None if it denies."""
    liftable_by: str | None
    """The team that may lift this `forbid` for one agent by an exception, or None if nobody may."""
    mode: Mode
    is_public: bool
    """Whether agents may read the reason."""
    source: Source
    piece: Piece
    text_digest: Digest
    """SHA-256 of its text: what an exception is bound to."""
    cedar: pst.Template
    reads: Reads

    @property
    def team(self) -> str:
        """The team whose upstreams alone it decides for; empty for the global layer."""
        return self.source.team

    @property
    def approver(self) -> str | None:
        """The team that is asked, or None if this `forbid` denies."""
        return None if self.need is None else self.need.team

    @property
    def effect(self) -> pst.Effect:
        """`permit` or `forbid`."""
        return self.cedar.effect

    def problem(self, word: str, message: str, weight: Weight = Weight.ERROR) -> Problem:
        """A problem at the first place where this rule says `word`, or at its start."""
        return replace(problem_at(self.source, self.piece, find(self.piece, word), self.id, message), weight=weight)

    @property
    def spot(self) -> Spot:
        """Where it begins."""
        return spot(self.source.text, self.piece.start)


def parse(source: Source) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """The rules of a file that are well-formed, and a problem for each that is not."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for piece in pieces(source.text):
        found = _rule(source, piece)
        if isinstance(found, Rule):
            rules.append(found)
        else:
            problems.extend(found)
    return tuple(rules), tuple(problems)


def problem_at(source: Source, piece: Piece, offset: int, rule: PolicyId | None, message: str) -> Problem:
    """A problem at an offset of a piece."""
    at = spot(source.text, piece.start + offset)
    return Problem(source.path, at.line, at.column, rule, message)


def _rule(source: Source, piece: Piece) -> Rule | tuple[Problem, ...]:
    if depth(piece) > _DEEPEST:
        return (problem_at(source, piece, 0, None, f"expected a policy of at most {_DEEPEST} levels, write several instead"),)
    try:
        parsed = PolicySet.from_str(piece.text)
    except ValueError as error:
        complaint = _plain(str(error))
        return (problem_at(source, piece, _place(piece, complaint), None, complaint),)
    try:
        cedar = _only(parsed.to_pst())
    except ValueError as error:
        return (problem_at(source, piece, 0, None, _plain(str(error))),)
    notes = cedar.annotations
    identity = PolicyId(notes["id"]) if _ID.fullmatch(notes.get("id", "")) else None
    wrong = tuple(
        problem_at(source, piece, find(piece, at), identity, message) for at, message in (*_wrong(cedar), *_of_others(source, notes))
    )
    if wrong or identity is None:
        return wrong
    return _made(source, piece, cedar, identity)


def _made(source: Source, piece: Piece, cedar: pst.Template, identity: PolicyId) -> Rule:
    notes = cedar.annotations
    return Rule(
        id=identity,
        reason=notes["reason"].strip(),
        need=_need(notes["approval"], notes.get("owner", "")) if "approval" in notes else None,
        liftable_by=notes["exception"].strip() if "exception" in notes else None,
        mode=Mode(notes.get("mode", Mode.ENFORCE)),
        is_public=notes.get("public", "yes") == "yes",
        source=source,
        piece=piece,
        text_digest=Digest(sha256(piece.text.encode()).hexdigest()),
        cedar=cedar,
        reads=conditions(cedar),
    )


def _only(parsed: pst.PolicySet) -> pst.Template:
    """The one policy of a piece; a template (with `?principal` or `?resource`) is none."""
    if parsed.templates:
        raise ValueError("a template with ?principal or ?resource is not a policy; write who is meant")
    (policy,) = parsed.static_policies.values()
    return policy


def _complaint(text: str) -> str | None:
    """What Cedar's parser says of a text, or None if it can read it."""
    try:
        PolicySet.from_str(text)
    except ValueError as error:
        return _plain(str(error))
    return None


def _plain(message: str) -> str:
    return " ".join(message.split())


def _place(piece: Piece, complaint: str) -> int:
    """Where a complaint is about: the token that the parser could not take, or what it found wrong in all it had read."""
    bad = first_bad(piece, _complaint)
    if bad < piece.tokens[-1].start or complaint.startswith("unexpected token"):
        return bad
    return find(piece, *(quoted or last for quoted, last in re.findall(r"`([^`]+)`|: @?(\w+)$", complaint)))


def _wrong(cedar: pst.Template) -> Iterator[tuple[str, str]]:
    """What is wrong with the annotations: the word to point at, and what to say."""
    notes = cedar.annotations
    yield from _wrong_names(notes)
    if "approval" in notes:
        yield from _wrong_approval(notes["approval"], cedar)
    if "exception" in notes and cedar.effect == "permit":
        yield "exception", "@exception stands on a forbid only: a permit has nothing that could be lifted"
    if "exception" in notes and not notes["exception"].strip():
        yield "exception", '@exception names nobody; write which team may lift it, such as @exception("security")'
    if "owner" in notes and "approval" not in notes:
        yield "owner", "@owner stands beside @approval only: it says whether the agent's owner may be the one who says yes"
    if notes.get("owner", "may") != "may":
        yield "owner", f'@owner is "may", or is left out, so that the owner may not; not {cut(notes["owner"])}'
    for name, allowed in (("mode", ("enforce", "observe")), ("public", ("yes", "no"))):
        if notes.get(name, allowed[0]) not in allowed:
            yield name, f'@{name} is "{allowed[0]}" or "{allowed[1]}", not {cut(notes[name])}'


def _of_others(source: Source, notes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """An id that is not the operators' to give."""
    taken = [start for start in (OWN, SHIPPED) if notes.get("id", "").startswith(start)]
    if taken and source.origin is Origin.OPERATOR:
        yield "id", f"ids that start with {taken[0]} are the gateway's own"


def _wrong_approval(text: str, cedar: pst.Template) -> Iterator[tuple[str, str]]:
    counted = _PEOPLE.fullmatch(text.strip())
    if cedar.effect == "permit":
        yield "approval", "@approval stands on a forbid only: on a permit, any wider permit would undo it"
    if not (counted[2] if counted else text.strip()):
        yield "approval", '@approval names nobody; write who may say yes, such as @approval("finance")'
    if counted and counted[1] not in {str(people) for people in range(1, _MOST_PEOPLE + 1)}:
        yield "approval", f'@approval asks 1 to {_MOST_PEOPLE} people, as in @approval("2 of finance"), not {cut(counted[1])}'


def _need(text: str, owner: str) -> Need:
    """The need that a well-formed @approval states."""
    counted = _PEOPLE.fullmatch(text.strip())
    people, team = (int(counted[1]), counted[2]) if counted else (1, text.strip())
    return Need(team, people, owner == "may")


def _wrong_names(notes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in notes:
        if name not in _ANNOTATIONS:
            yield name, f"there is no annotation @{name}{meant(name, _ANNOTATIONS)}"
    if "id" not in notes:
        yield "", 'the policy has no @id; put @id("a-name-of-its-own") before it'
    elif not _ID.fullmatch(notes["id"]):
        yield "id", f"@id is 1 to 128 letters, digits and . _ / -, starting with a letter or digit, not {cut(notes['id'])}"
    if not notes.get("reason", "").strip():
        yield "", 'the policy has no @reason; put @reason("why, in a sentence") before it'
