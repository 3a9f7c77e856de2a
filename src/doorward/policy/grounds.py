"""A ground: what stays as it is of the questions in a lane, so that Cedar is asked for a call only what that call can change.

The rules that read nothing of a call (`lanes.CALLED`) are asked once; the others for each call, with a context of only what they read.
INVARIANT: nothing but a plain yes is put together of these halves. Where a `forbid` matches, anything fails, Cedar cannot hold a place or no
permit matches, the whole panel is asked: it alone says denials and questions (law 5).
"""

from collections.abc import Mapping, Sequence

import msgspec
from cedarpy import PolicySet

from doorward.domain.decisions import Allow
from doorward.policy.lanes import CALLED, Lane, Parts, context, held, parted
from doorward.policy.memo import Memo
from doorward.policy.panel import ALLOWS, numbers, parsed, unopposed
from doorward.policy.project import Unheld, project_record
from doorward.policy.reads import Tree, together
from doorward.policy.rules import Rule
from doorward.policy.shapes import Fields


class Half(msgspec.Struct, frozen=True):
    """Some rules of a panel, asked by themselves."""

    positions: tuple[int, ...]
    """Theirs in the set."""
    cedar: PolicySet
    reads: Tree
    """What they read of the context."""

    def of(self, names: Sequence[str]) -> list[int]:
        """The positions of the rules that Cedar names."""
        return [self.positions[number] for number in numbers(names)]


class Halves(msgspec.Struct, frozen=True):
    """The rules of a panel apart: those that read nothing of a call, and those that do."""

    still: Half
    moving: Half
    parts: Parts
    """What the moving ones read."""


def halved(rules: Sequence[Rule], positions: Sequence[int]) -> Halves:
    """The halves of the rules at some positions."""
    moving = tuple(one for one in positions if any(name in rules[one].reads.context for name in CALLED))
    still = tuple(one for one in positions if one not in moving)
    asked = _half(rules, moving)
    return Halves(_half(rules, still), asked, parted(asked.reads))


def _half(rules: Sequence[Rule], positions: tuple[int, ...]) -> Half:
    some = [rules[position] for position in positions]
    return Half(positions, parsed(some), together([rule.reads for rule in some]).context)


class Ground(msgspec.Struct, frozen=True, eq=False):
    """What stays in one lane for all callers whom its rules cannot tell apart (`Lane.apart`)."""

    number: int
    """Of all grounds of a generation, this one."""
    lane: Lane
    rules: Sequence[Rule]
    """All of the set."""
    halves: Halves
    standing: dict[str, object]
    """What stays of the context, as plain values."""
    context: dict[str, object] | None
    """Of it what the moving rules read, in Cedar's JSON; None where Cedar cannot hold everything that is read of it."""
    permits: Sequence[int] | None
    """The positions of the still permits that match; None where the still rules leave no plain yes."""
    arguments: tuple[Fields, Tree] | None
    """The shape of the arguments and what is read of them, where the moving rules read nothing else of a call."""
    allows: Memo[tuple[str, ...], Allow] = msgspec.field(default_factory=lambda: Memo(ALLOWS))
    """The yes with each set of moving permits that has made one."""

    def question(self, values: Mapping[str, object]) -> str | None:
        """What the moving rules read, with the values of one call; None where Cedar cannot hold it."""
        if self.context is None:
            return None
        moving = held(self.lane.action, self.halves.parts.moving, values)
        return None if isinstance(moving, Unheld) else self._written(moving)

    def question_of(self, arguments: Mapping[str, object]) -> str | None:
        """The same where the moving rules read nothing of a call but its arguments (`arguments`)."""
        if self.context is None or self.arguments is None:
            return None
        found = project_record(arguments, *self.arguments)
        return None if isinstance(found, Unheld) else self._written({"input": found})

    def _written(self, moving: dict[str, object]) -> str | None:
        try:
            return msgspec.json.encode({**self.context, **moving} if self.context else moving).decode()
        except UnicodeEncodeError:
            return None

    def allow(self, written: str) -> Allow | None:
        """What all rules make of a question, where that is a plain yes."""
        if self.permits is None:
            return None
        names = unopposed(self.halves.moving.cedar, {**self.lane.request, "context": written}, self.lane.entities)
        if names is None or not (names or self.permits):
            return None
        return self.allows.get(names) or self.allows.put(names, self._yes(self.permits, names))

    def _yes(self, still: Sequence[int], names: Sequence[str]) -> Allow:
        return Allow(tuple(self.rules[position].id for position in sorted((*still, *self.halves.moving.of(names)))))


def grounded(number: int, lane: Lane, rules: Sequence[Rule], halves: Halves, standing: dict[str, object]) -> Ground:
    """The ground of a lane for callers of whom these values stay."""
    whole = context(lane.action, lane.parts.still, standing)
    stays = held(lane.action, halves.parts.still, standing)
    written = context(lane.action, halves.still.reads, standing)
    read = halves.parts.moving.parts
    arguments = (lane.action.input, read["input"]) if read.keys() == {"input"} else None
    if isinstance(whole, Unheld) or isinstance(stays, Unheld) or isinstance(written, Unheld):
        return Ground(number, lane, rules, halves, standing, None, None, arguments)
    names = unopposed(halves.still.cedar, {**lane.request, "context": written}, lane.entities)
    return Ground(number, lane, rules, halves, standing, stays, None if names is None else halves.still.of(names), arguments)
