"""What is done about findings of a call: an operator's rules, first match first, and the table for the rest.

INVARIANT: no rule lets go of what is `held`: there it may ask for more than the table does, never for less. Each finding is disposed of by
itself, so that another one never loosens a message.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from doorward.config.dispositions import DispositionRule
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.findings import FAILED, Direction, Disposition, Finding, Severity
from doorward.policy.dispose import DEFAULT, OTHER, Row, Table, dispose, hardest

HELD_GUARDS: Mapping[str, str] = MappingProxyType(
    {
        "own_secrets": "a credential of the gateway's own is nobody's to send or to see",
        "size": "nobody has looked at a message that is too large to be looked at",
        "chain": "nobody has looked at all of a message that has too many findings",
    }
)
"""Guards that no rule loosens, and why."""
HELD_RULES: Mapping[str, str] = MappingProxyType(
    {
        "schema_uncheckable": "nobody has checked what the tool's schema says",
        **dict.fromkeys(sorted(FAILED), "the guard that should have looked has not"),
    }
)
"""The same of rules, whichever guard reports them."""

_THEN: Mapping[str, Disposition] = MappingProxyType(
    {
        "pass": Disposition.PASS,
        "label": Disposition.LABEL,
        "spotlight": Disposition.SPOTLIGHT,
        "mask": Disposition.REDACT,
        "ask": Disposition.ASK,
        "block": Disposition.BLOCK,
    }
)
_ANY = "*"


def is_held(finding: Finding) -> bool:
    """Whether a finding is one that no rule loosens."""
    return finding.guard in HELD_GUARDS or finding.rule in HELD_RULES


class Rule(msgspec.Struct, frozen=True):
    """One rule, ready: an empty set fits everything."""

    place: int
    """Where it stands among the rules of the document; the first is 0."""
    guards: frozenset[str]
    rules: frozenset[str]
    severities: frozenset[Severity]
    agents: frozenset[str]
    teams: frozenset[str]
    upstreams: frozenset[str]
    tools: frozenset[str]
    pointers: tuple[tuple[str, ...], ...]
    then: Disposition

    def fits(self, finding: Finding, call: Call) -> bool:
        """Whether this is a finding, and a call, that it is about; guard and direction have been looked at."""
        agent, target = call.principal.agent, call.target
        return (
            _has(self.rules, finding.rule)
            and (not self.severities or finding.severity in self.severities)
            and _has(self.agents, agent.id)
            and _has(self.teams, agent.team)
            and _has(self.upstreams, target.upstream)
            and (not self.tools or (target.kind is Kind.TOOL and target.name in self.tools))
            and (not self.pointers or _is_below(finding.pointer, self.pointers))
        )


class Dispositions:
    """What is done about findings of any call. `observed`: guards that are only recorded, whatever else is said."""

    __slots__ = ("_by_guard", "_observed", "_others", "_table")

    def __init__(self, table: Table = DEFAULT, rules: Sequence[DispositionRule] = (), observed: Iterable[str] = ()) -> None:
        self._table = table
        self._observed = frozenset(observed)
        every = [(compiled(place, rule), frozenset(rule.directions or Direction)) for place, rule in enumerate(rules)]
        named = {guard for rule, _ in every for guard in rule.guards}
        self._by_guard = {(guard, way): _of(every, guard, way) for guard in named for way in Direction}
        self._others = {way: _of(every, None, way) for way in Direction}

    def of(self, finding: Finding, direction: Direction, call: Call) -> Disposition:
        """What is done about one finding of a message of this call that travels this way."""
        if finding.guard in self._observed:
            return Disposition.PASS
        rule = self.rule(finding, direction, call)
        if rule is None:
            return dispose(finding, direction, self._table)
        if is_held(finding):
            # INVARIANT: tightened at most.
            return hardest((dispose(finding, direction, self._table), rule.then))
        return rule.then

    def rule(self, finding: Finding, direction: Direction, call: Call) -> Rule | None:
        """The first rule that fits; None where the table stands."""
        rules = self._by_guard.get((finding.guard, direction), self._others[direction])
        return next((rule for rule in rules if rule.fits(finding, call)), None)

    def about(self, guard: str, direction: Direction) -> tuple[Rule, ...]:
        """Every rule that could fit a finding of a guard, in their order."""
        return self._by_guard.get((guard, direction), self._others[direction])

    def row(self, guard: str, direction: Direction) -> Row:
        """What is done about findings of a guard that no rule fits."""
        return self._table.get((guard, direction), OTHER[direction])


def compiled(place: int, rule: DispositionRule) -> Rule:
    """A rule of a document, ready."""
    return Rule(
        place=place,
        guards=frozenset(rule.guards),
        rules=frozenset(rule.rules),
        severities=frozenset(rule.severities),
        agents=frozenset(rule.agents),
        teams=frozenset(rule.teams),
        upstreams=frozenset(rule.upstreams),
        tools=frozenset(rule.tools),
        pointers=tuple(map(_steps, rule.pointers)),
        then=_THEN[rule.then],
    )


def _of(every: Sequence[tuple[Rule, frozenset[str]]], guard: str | None, way: Direction) -> tuple[Rule, ...]:
    return tuple(rule for rule, ways in every if way in ways and (not rule.guards or guard in rule.guards))


def _has(names: frozenset[str], name: str) -> bool:
    return not names or name in names


def _steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer (RFC 6901), as text."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _is_below(pointer: str, patterns: Iterable[tuple[str, ...]]) -> bool:
    steps = _steps(pointer)
    return any(
        len(pattern) <= len(steps) and all(wanted in (_ANY, step) for wanted, step in zip(pattern, steps, strict=False))
        for pattern in patterns
    )
