"""What a replay comes to: which decisions would change, how often, and of which nobody can say."""

from typing import TypeVar, assert_never

import msgspec

from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.runtime.replay.causes import Cause
from doorward.runtime.replay.recorded import Effect, Recorded, Verdict

K = TypeVar("K")

GROUPS = 1_000
"""Groups of each sort that are told apart; what falls into none of the first ones is counted together."""
_NAME = 200


class Change(msgspec.Struct, frozen=True):
    """Calls of one agent to one thing that were decided so and would be decided otherwise."""

    agent: str
    upstream: str
    kind: str
    name: str
    before: Verdict
    after: Verdict


class Unknown(msgspec.Struct, frozen=True):
    """Calls of one agent to one thing of which the same keeps everybody from saying how they would be decided."""

    agent: str
    upstream: str
    kind: str
    name: str
    before: Effect
    cause: Cause


class Count(msgspec.Struct):
    """How many, and when: moments as leaves write them."""

    calls: int = 0
    first: str = ""
    last: str = ""
    example: str = ""
    """The newest call."""

    def add(self, leaf: Recorded) -> None:
        """One more call; of calls of one moment the first to come is the newest."""
        self.calls += 1
        if not self.first or leaf.ts < self.first:
            self.first = leaf.ts
        if leaf.ts > self.last:
            self.last, self.example = leaf.ts, leaf.call


class Tally(msgspec.Struct):
    """Everything counted so far."""

    same: int = 0
    changes: dict[Change, Count] = msgspec.field(default_factory=dict)
    more_changes: Count = msgspec.field(default_factory=Count)
    unknowns: dict[Unknown, Count] = msgspec.field(default_factory=dict)
    more_unknowns: Count = msgspec.field(default_factory=Count)
    undecided: dict[str, int] = msgspec.field(default_factory=dict)
    """Calls that policy did not decide, by the reason they were refused for."""

    def skip(self, leaf: Recorded) -> None:
        """A call that policy did not decide."""
        reason = leaf.decision.reason or "other"
        self.undecided[reason] = self.undecided.get(reason, 0) + 1

    def add(self, agent: str, leaf: Recorded, before: Verdict, after: Decision | tuple[Cause, ...]) -> None:
        """A call that was decided so then, and would be decided so now."""
        if isinstance(after, tuple):
            unknown = Unknown(*_thing(agent, leaf), before.effect, after[0])
            _counted(self.unknowns, unknown, self.more_unknowns).add(leaf)
        else:
            self.compare(agent, leaf, before, said(after))

    def compare(self, agent: str, leaf: Recorded, before: Verdict, after: Verdict) -> None:
        """A call of which both verdicts are known."""
        if after.effect is before.effect:
            self.same += 1
        else:
            _counted(self.changes, Change(*_thing(agent, leaf), before, after), self.more_changes).add(leaf)

    @property
    def changed(self) -> int:
        """How many decisions would change."""
        return sum(count.calls for count in self.changes.values()) + self.more_changes.calls

    @property
    def unknown(self) -> int:
        """Of how many nobody can say."""
        return sum(count.calls for count in self.unknowns.values()) + self.more_unknowns.calls

    @property
    def calls(self) -> int:
        """Every call looked at."""
        return self.same + self.changed + self.unknown + sum(self.undecided.values())


def said(decision: Decision) -> Verdict:
    """A decision as a verdict."""
    policies = tuple(map(str, decision.policies))
    match decision:
        case Allow():
            return Verdict(Effect.ALLOW, policies)
        case Ask():
            return Verdict(Effect.ASK, policies)
        case Deny():
            return Verdict(Effect.DENY, policies)
        case _:
            assert_never(decision)


def _thing(agent: str, leaf: Recorded) -> tuple[str, str, str, str]:
    return agent, leaf.upstream, leaf.kind, leaf.name[:_NAME]


def _counted(counts: dict[K, Count], key: K, more: Count) -> Count:
    known = counts.get(key)
    if known is not None or len(counts) >= GROUPS:
        return known or more
    return counts.setdefault(key, Count())
