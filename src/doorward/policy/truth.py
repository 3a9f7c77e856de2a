"""What can be true together: conditions as alternatives of literals, and whether one alternative contradicts itself or implies another.

Everything said here is certain, and what is not certain is not said. Two things are taken as given: a rule that fails denies by
itself, whatever becomes of others (law 5), and what a literal reads is there while that literal is true or false.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations, product

import msgspec
from cedarpy import pst

from doorward.domain.actors import AuthnMethod, Bound
from doorward.domain.catalog import Reversibility
from doorward.domain.flow import Confidentiality, Integrity
from doorward.policy.atoms import (
    OPPOSITE,
    Among,
    Atom,
    Compared,
    Empty,
    Held,
    Holds,
    InRange,
    Instant,
    Opaque,
    Paired,
    Path,
    Patterned,
    Present,
    Value,
    Within,
    atom,
)
from doorward.policy.question import Uid

BRANCHES = 64
"""Alternatives that one rule is written out into; of a rule with more, nothing is said."""

_SINGLE = ("Team", "Agent", "User")
"""Kinds of which a principal stands in one at most."""
_DOMAINS: dict[Path, tuple[Value, ...]] = {
    Path("context", ("time", "hour")): tuple(range(24)),
    Path("context", ("time", "minute")): tuple(range(60)),
    Path("context", ("time", "weekday")): tuple(range(1, 8)),
    Path("context", ("authn",)): tuple(str(method) for method in AuthnMethod if method is not AuthnMethod.OWN),
    Path("context", ("bound",)): tuple(str(bound) for bound in Bound),
    Path("context", ("reversibility",)): tuple(str(one) for one in Reversibility),
    Path("context", ("session", "integrity")): tuple(str(one) for one in Integrity),
    Path("context", ("session", "confidentiality")): tuple(str(one) for one in Confidentiality),
}
"""All that can stand at a path."""


class Literal(msgspec.Struct, frozen=True):
    """An atom that is true, or false."""

    atom: Atom
    holds: bool

    def __invert__(self) -> "Literal":
        """The opposite."""
        return _literal(self.atom, not self.holds)

    @property
    def path(self) -> Path | None:
        """What it reads, where that is one thing."""
        return None if isinstance(self.atom, Opaque) else self.atom.path


Branch = frozenset[Literal]
"""Literals that are true together."""


class _TooManyError(Exception):
    """The way out where a condition has more alternatives than anybody wants to look through."""


def branches(cedar: pst.Template) -> tuple[Branch, ...] | None:
    """The alternatives in which a policy matches a principal, its action and resource aside; None where there are too many."""
    clauses = [(clause.expr, isinstance(clause, pst.When)) for clause in cedar.clauses]
    try:
        found = _every([_scope(cedar), *(_written(expression, is_wanted) for expression, is_wanted in clauses)])
    except _TooManyError:
        return None
    return tuple(branch for branch in found if not is_contradictory(branch))


def _literal(what: Atom, holds: bool) -> Literal:
    """A literal in the one form that equal ones share."""
    match what:
        case Compared(path=path, op="==" | "!=" as op, value=bool(value)):
            return Literal(Held(path), (value is (op == "==")) is holds)
        case Compared(path=path, op="==" | "!=" as op, value=tuple(uid)) if path.variable == "principal":
            return Literal(Within(_whose(path, uid), (uid,)), (op == "==") is holds)
        case Compared(path=path, op=op, value=value) if not holds:
            return Literal(Compared(path, OPPOSITE[op], value), True)
        case Paired(path=path, op="!=", other=other):
            return Literal(Paired(path, "==", other), not holds)
        case Among(path=path, values=(value,)):
            return _literal(Compared(path, "==", value), holds)
        case Within(path=path, uids=uids) if path.variable == "principal":
            return Literal(Within(_whose(path, uids[0]) if uids else path, uids), holds)
    return Literal(what, holds)


def _whose(path: Path, uid: Uid) -> Path:
    """A principal stands in a team if its team is that one, and in a user if its user is."""
    return Path("principal", ()) if path.parts in (("team",), ("user",)) and uid[0] in _SINGLE else path


def _scope(cedar: pst.Template) -> list[Branch]:
    match cedar.principal:
        case pst.ScopeEq(entity=pst.EntityUid() as uid) | pst.ScopeIn(entity=pst.EntityUid() as uid):
            return [frozenset({Literal(Within(Path("principal", ()), ((str(uid.type), uid.id),)), True)})]
        case pst.ScopeIsIn(entity=pst.EntityUid() as uid):
            return [frozenset({Literal(Within(Path("principal", ()), ((str(uid.type), uid.id),)), True)})]
    return [frozenset()]


def _written(expression: pst.Expr, is_wanted: bool) -> list[Branch]:
    """The alternatives in which an expression is true, or false."""
    match expression:
        case pst.BoolLit(value=value):
            return [frozenset()] if value is is_wanted else []
        case pst.UnaryOp(op="not", arg=inner):
            return _written(inner, not is_wanted)
        case pst.BinaryOp(op="and" | "or" as op, left=left, right=right):
            both = [_written(left, is_wanted), _written(right, is_wanted)]
            return _every(both) if (op == "and") is is_wanted else _any(both)
        case pst.IfThenElse(cond=condition, then_expr=then, else_expr=otherwise):
            first = _every([_written(condition, True), _written(then, is_wanted)])
            return _any([first, _every([_written(condition, False), _written(otherwise, is_wanted)])])
    return [frozenset({_literal(atom(expression), is_wanted)})]


def _any(several: Iterable[list[Branch]]) -> list[Branch]:
    found = list(dict.fromkeys(branch for one in several for branch in one))
    if len(found) > BRANCHES:
        raise _TooManyError
    return found


def _every(several: Sequence[list[Branch]]) -> list[Branch]:
    total: list[Branch] = [frozenset()]
    for one in several:
        if len(total) * len(one) > BRANCHES * BRANCHES:
            raise _TooManyError
        total = _any([[left | right for left, right in product(total, one)]])
    return total


def is_contradictory(branch: Branch) -> bool:
    """Whether these literals can never be true together."""
    return _is_missing(branch) or _clash(branch)


def implies(branch: Branch, wanted: Literal) -> bool:
    """Whether another literal is true wherever these are, if it is evaluated at all. `branch` does not contradict itself."""
    if wanted in branch:
        return True
    if isinstance(wanted.atom, Present):
        return wanted.holds and any(_is_below(path, wanted.atom.path) for path in _evaluated(branch))
    return _clash(branch | {~wanted})


def _is_missing(branch: Branch) -> bool:
    """Whether something is read of what is not there."""
    absent = [one.atom.path for one in branch if isinstance(one.atom, Present) and not one.holds]
    return any(_is_below(path, gone) for gone in absent for path in _evaluated(branch))


def _evaluated(branch: Branch) -> Iterator[Path]:
    """What must be there for these literals to have come out so."""
    for one in branch:
        if not isinstance(one.atom, Opaque) and (one.holds or not isinstance(one.atom, Present)):
            yield one.atom.path
        if isinstance(one.atom, Paired):
            yield one.atom.other


def _is_below(path: Path, other: Path) -> bool:
    return path.variable == other.variable and path.parts[: len(other.parts)] == other.parts


def _clash(branch: Branch) -> bool:
    if any(Literal(one.atom, not one.holds) in branch for one in branch):
        return True
    by_path: dict[Path, list[Literal]] = {}
    for one in branch:
        if one.path is not None:
            by_path.setdefault(one.path, []).append(one)
    return any(_is_nothing(path, literals) for path, literals in by_path.items())


def _is_nothing(path: Path, literals: Sequence[Literal]) -> bool:
    """Whether no value at a path makes all of these true."""
    choices, domain = _choices(literals), _DOMAINS.get(path)
    if choices is not None or domain is not None:
        possible = [value for value in choices or domain or () if domain is None or value in domain]
        return not any(all(_agrees(value, one) is not False for one in literals) for value in possible)
    return _is_out_of_bounds(literals) or _is_nobody(literals) or _is_nowhere(literals) or _is_empty_and_full(literals)


def _choices(literals: Sequence[Literal]) -> Sequence[Value] | None:
    """All values that may stand somewhere by these, where they name them."""
    for one in literals:
        match one.atom, one.holds:
            case Compared(op="==", value=value), True:
                return (value,)
            case Among(values=values), True:
                return values
    return None


def _agrees(value: Value, one: Literal) -> bool | None:
    """Whether a literal is as it says for a value; None where that is not known."""
    match one.atom:
        case Compared(op=op, value=other):
            return _compare(value, op, other)
        case Among(values=values):
            return (value in values) is one.holds
        case Patterned(pattern=pattern) if isinstance(value, str):
            return is_like(value, pattern) is one.holds
    return None


def _compare(value: Value, op: str, other: Value) -> bool | None:
    if op in ("==", "!="):
        return (value == other) is (op == "==")
    left, right = _number(value), _number(other)
    if left is None or right is None:
        return None
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _number(value: Value) -> Decimal | None:
    match value:
        case bool():
            return None
        case int() | Decimal():
            return Decimal(value)
        case Instant(milliseconds=milliseconds):
            return Decimal(milliseconds)
    return None


def is_like(text: str, pattern: Sequence[str | None]) -> bool:
    """Whether a text matches a pattern, as Cedar's `like` has it."""
    first, *rest = pattern or ("",)
    if first is not None:
        return text.startswith(first) and (is_like(text[len(first) :], rest) if rest else text == first)
    return not rest or any(is_like(text[start:], rest) for start in range(len(text) + 1))


def _is_out_of_bounds(literals: Sequence[Literal]) -> bool:
    """Whether numbers are asked to be more than they may be at most."""
    compared = [(one.atom.op, one.atom.value) for one in literals if isinstance(one.atom, Compared)]
    numbers = [(op, number, _step(value)) for op, value in compared if (number := _number(value)) is not None]
    low = [number + (step if op == ">" else 0) for op, number, step in numbers if op in (">", ">=")]
    high = [number - (step if op == "<" else 0) for op, number, step in numbers if op in ("<", "<=")]
    return bool(low and high) and max(low) > min(high)


def _step(value: Value) -> Decimal:
    """The least by which two numbers of a sort differ in Cedar."""
    return Decimal("0.0001") if isinstance(value, Decimal) else Decimal(1)


def _is_nobody(literals: Sequence[Literal]) -> bool:
    """Whether a principal is asked to stand in two teams, or to be two agents, or to act for two people."""
    within = [(frozenset(one.atom.uids), one.holds) for one in literals if isinstance(one.atom, Within)]
    inside = [uids for uids, holds in within if holds]
    outside = [uids for uids, holds in within if not holds]
    if any(uids <= other for uids in inside for other in outside):
        return True
    for kind in _SINGLE:
        of_kind = [uids for uids in inside if all(uid[0] == kind for uid in uids)]
        if of_kind and not frozenset.intersection(*of_kind).difference(*outside):
            return True
    return False


def _is_nowhere(literals: Sequence[Literal]) -> bool:
    """Whether an address is asked to be in two networks that have none in common, or not in one that holds the other."""
    inside = [network for one in literals if isinstance(one.atom, InRange) and one.holds and (network := _network(one.atom)) is not None]
    outside = [
        network for one in literals if isinstance(one.atom, InRange) and not one.holds and (network := _network(one.atom)) is not None
    ]
    if any(not _overlap(one, other) for one, other in combinations(inside, 2)):
        return True
    return any(_is_in(one, other) for one in inside for other in outside)


def _network(one: InRange) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(one.network, strict=False)
    except ValueError:
        return None


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _is_in(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    match one, other:
        case (IPv4Network(), IPv4Network()) | (IPv6Network(), IPv6Network()):
            return one.subnet_of(other)  # type: ignore[arg-type]  # both are of one version
    return False


def _is_empty_and_full(literals: Sequence[Literal]) -> bool:
    """Whether a set is asked to be empty and to hold something; or to hold what it is asked not to."""
    held = {value for one in literals if isinstance(one.atom, Holds) and one.holds and one.atom.is_all for value in one.atom.values}
    if held and any(isinstance(one.atom, Empty) and one.holds for one in literals):
        return True
    return any(isinstance(one.atom, Holds) and not one.holds and _is_held(one.atom, held) for one in literals)


def _is_held(one: Holds, held: set[Value]) -> bool:
    return set(one.values) <= held if one.is_all else not held.isdisjoint(one.values)
