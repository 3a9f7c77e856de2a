"""A panel: the rules that can match one question, asked together.

Law 5 lives here. Cedar skips a policy that fails to evaluate, so that a failing `forbid` would allow; whoever asks a panel
gets a denial instead, for any error of any rule.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec
from cedarpy import Entities, PolicySet

from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import Digest, PolicyId
from doorward.policy.cedar import Request, judge
from doorward.policy.memo import Memo
from doorward.policy.needs import merged
from doorward.policy.problems import cut
from doorward.policy.reads import Reads, Tree, together
from doorward.policy.rules import Rule

ALLOWS = 64
"""Sets of permits of one panel whose yes is kept as it is."""
UNPERMITTED = "no policy permits it"


class Match(StrEnum):
    """What came of one rule."""

    MATCHED = "matched"
    DID_NOT_MATCH = "did not match"
    FAILED = "failed"


_VALUE = re.compile(r"`-?\d+`")
"""A number of the call, as Cedar repeats it where it overflows: reasons are recorded in clear."""

_FAILED = re.compile(r"policy `policy(\d+)`: (.*)", re.DOTALL)


class Panel(msgspec.Struct, frozen=True):
    """Some rules in the order of their files, parsed together, and what they read."""

    rules: tuple[Rule, ...]
    reads: Reads
    cedar: PolicySet
    permits: PolicySet
    """The permits alone: whether one matches where a `forbid` does."""
    allows: Memo[tuple[str, ...], Allow] = msgspec.field(default_factory=lambda: Memo(ALLOWS))
    """The yes of each set of permits that has made one."""

    def decide(self, request: Request, entities: Entities, lifted: frozenset[PolicyId] | None = None) -> Decision:
        """What the rules together make of a question. `lifted`: an exception permits it, and these `forbid`s do not count."""
        result = judge(request, self.cedar, entities)
        if result.diagnostics.errors:
            return self._failed(result.diagnostics.errors)
        names = result.diagnostics.reason
        if result.allowed and names:
            return self.allows.get(names) or self.allows.put(names, Allow(_ids(self._rules(names))))
        deciding = self._rules(names)
        if lifted is not None:
            deciding = tuple(rule for rule in deciding if rule.id not in lifted)
            return _weighed(deciding) if deciding else Allow(())
        if not deciding:
            return Deny((), UNPERMITTED)
        decision = _weighed(deciding)
        if isinstance(decision, Ask) and not judge(request, self.permits, entities).allowed:
            return Deny(decision.policies, UNPERMITTED)
        return decision

    def match(self, request: Request, entities: Entities) -> Match:
        """What comes of a panel of one rule."""
        found = judge(request, self.cedar, entities).diagnostics
        if found.errors:
            return Match.FAILED
        return Match.MATCHED if found.reason else Match.DID_NOT_MATCH

    def _rules(self, names: Sequence[str]) -> tuple[Rule, ...]:
        return tuple(self.rules[position] for position in numbers(names))

    def _failed(self, errors: Sequence[str]) -> Deny:
        veiled = [_VALUE.sub("…", error) for error in errors]
        found = sorted((int(match[1]), match[2]) for error in veiled if (match := _FAILED.search(error)) is not None)
        if len(found) < len(errors):
            return Deny((), f"the policies could not be evaluated: {cut(veiled[0], 200)}")
        told = "; ".join(f"policy {self.rules[position].id} could not be evaluated: {cut(text, 200)}" for position, text in found)
        return Deny(tuple(self.rules[position].id for position, _ in found), told)

    def readers(self, path: tuple[str, ...]) -> tuple[PolicyId, ...]:
        """The rules that read something at a path of the context, above it or below it."""
        return tuple(rule.id for rule in self.rules if _meets(rule.reads.context, path))


def unopposed(policies: PolicySet, request: Request, entities: Entities) -> tuple[str, ...] | None:
    """The permits of some rules that match, by Cedar's names for them, if any do; None where a `forbid` matches or anything fails."""
    result = judge(request, policies, entities)
    found = result.diagnostics
    if found.errors or not (result.decision == "Allow" or (result.decision == "Deny" and not found.reason)):
        return None
    return found.reason


def numbers(names: Iterable[str]) -> list[int]:
    """The numbers of the rules that Cedar names, in their order."""
    return sorted(int(name.removeprefix("policy")) for name in names)


def panel(rules: Sequence[Rule]) -> Panel:
    """A panel of these rules."""
    permits = [rule for rule in rules if rule.effect == "permit"]
    return Panel(tuple(rules), together([rule.reads for rule in rules]), parsed(rules), parsed(permits))


def _weighed(deciding: Sequence[Rule]) -> Deny | Ask:
    """What some `forbid`s that match come to where the call is permitted: a denial if one of them does not ask."""
    needs = [rule.need for rule in deciding if rule.need is not None]
    if len(needs) < len(deciding):
        return _forbidden(deciding)
    return Ask(_ids(deciding), merged(needs), "; ".join(rule.reason for rule in deciding), _basis(deciding))


def _forbidden(deciding: Sequence[Rule]) -> Deny:
    """The denial of some `forbid`s that match; the first public reason is told to the agent."""
    public = next((rule.reason for rule in deciding if rule.is_public), None)
    return Deny(_ids(deciding), "; ".join(rule.reason for rule in deciding), public)


def parsed(rules: Sequence[Rule]) -> PolicySet:
    """Some rules as Cedar takes them, which names them by their numbers."""
    return PolicySet.from_str("\n".join(rule.piece.text for rule in rules))


def _basis(rules: Sequence[Rule]) -> Digest:
    """What a grant is bound to: the texts of the rules that ask, in order."""
    total = sha256()
    for rule in rules:
        total.update(bytes.fromhex(rule.text_digest))
    return Digest(total.hexdigest())


def _ids(rules: Sequence[Rule]) -> tuple[PolicyId, ...]:
    return tuple(rule.id for rule in rules)


def _meets(read: Tree, path: tuple[str, ...]) -> bool:
    if not read:
        return False
    for name in path:
        if not read.is_whole and not read.parts:
            return True
        if name not in read:
            return False
        read = read.below(name)
    return True
