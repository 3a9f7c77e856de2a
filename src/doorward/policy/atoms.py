"""Atoms: the single questions that a policy's conditions are made of, where they compare something of the request with a literal.

What is found here is for whoever proposes changes or looks for slips; no decision rests on it. An expression that is none of
these is `Opaque`: true or false, nobody knows here.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import assert_never

import msgspec
from cedarpy import pst

from doorward.policy.question import Uid


class Path(msgspec.Struct, frozen=True):
    """A chain of attributes below a variable: `context.input.amount`."""

    variable: pst.VarName
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.variable, *self.parts))

    @property
    def of_derived(self) -> tuple[str, ...]:
        """The names below `context.derived`; empty where it leads elsewhere."""
        return self.parts[1:] if self.variable == "context" and self.parts[:1] == ("derived",) else ()

    @property
    def of_input(self) -> tuple[str, ...]:
        """The names below `context.input`; empty where it leads elsewhere."""
        return self.parts[1:] if self.variable == "context" and self.parts[:1] == ("input",) else ()


class Instant(msgspec.Struct, frozen=True):
    """A literal moment, in Unix milliseconds."""

    milliseconds: int
    text: str


class Range(msgspec.Struct, frozen=True):
    """A literal address or network."""

    text: str


Value = bool | int | str | Decimal | Instant | Range | Uid


class Compared(msgspec.Struct, frozen=True):
    """`path op literal`; `op` is one of ==, !=, <, <=, >, >=."""

    path: Path
    op: str
    value: Value


class Paired(msgspec.Struct, frozen=True):
    """Two paths compared with each other, or one asked whether it stands in the other (`in`)."""

    path: Path
    op: str
    other: Path


class Patterned(msgspec.Struct, frozen=True):
    """`path like pattern`; None stands for `*`."""

    path: Path
    pattern: tuple[str | None, ...]

    @property
    def text(self) -> str:
        """The pattern as it is written."""
        return "".join("*" if piece is None else piece.replace("*", r"\*") for piece in self.pattern)


class Present(msgspec.Struct, frozen=True):
    """`… has attribute`."""

    path: Path


class Held(msgspec.Struct, frozen=True):
    """An attribute that is itself true or false."""

    path: Path


class Among(msgspec.Struct, frozen=True):
    """A literal set contains what stands at a path."""

    path: Path
    values: tuple[Value, ...]


class Holds(msgspec.Struct, frozen=True):
    """The set at a path contains all of these, or any of them."""

    path: Path
    values: tuple[Value, ...]
    is_all: bool


class Subset(msgspec.Struct, frozen=True):
    """A literal set contains everything in the set at a path."""

    path: Path
    values: tuple[Value, ...]


class Empty(msgspec.Struct, frozen=True):
    """The set at a path has no elements."""

    path: Path


class Within(msgspec.Struct, frozen=True):
    """An entity at a path is one of these or stands in one of them."""

    path: Path
    uids: tuple[Uid, ...]


class InRange(msgspec.Struct, frozen=True):
    """An address at a path lies in a network."""

    path: Path
    network: str


class Opaque(msgspec.Struct, frozen=True):
    """Anything else."""

    expression: pst.Expr


Atom = Compared | Paired | Patterned | Present | Held | Among | Holds | Subset | Empty | Within | InRange | Opaque

_OPS: Mapping[str, str] = {
    "eq": "==",
    "not_eq": "!=",
    "less": "<",
    "less_eq": "<=",
    "greater": ">",
    "greater_eq": ">=",
    "decimal_less_than": "<",
    "decimal_less_eq": "<=",
    "decimal_greater": ">",
    "decimal_greater_eq": ">=",
}
_TURNED: Mapping[str, str] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
OPPOSITE: Mapping[str, str] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def atoms(cedar: pst.Template) -> Iterator[Atom]:
    """Every atom of the conditions of a policy, in their order."""
    for clause in cedar.clauses:
        yield from below(clause.expr)


def below(expression: pst.Expr) -> Iterator[Atom]:
    """Every atom of an expression."""
    match expression:
        case pst.BinaryOp(op="and" | "or", left=left, right=right):
            yield from below(left)
            yield from below(right)
        case pst.UnaryOp(op="not", arg=inner):
            yield from below(inner)
        case pst.IfThenElse(cond=condition, then_expr=then, else_expr=otherwise):
            for one in (condition, then, otherwise):
                yield from below(one)
        case pst.BoolLit():
            return
        case _:
            yield atom(expression)


def atom(expression: pst.Expr) -> Atom:
    """What one expression that is no connective asks."""
    match expression:
        case pst.BinaryOp():
            return _of_two(expression)
        case pst.Like(base=base, pattern=pattern) if (at := path(base)) is not None:
            return Patterned(at, _pieces(pattern))
        case pst.HasAttr(base=base, attrs=attributes) if (at := path(base)) is not None:
            return Present(Path(at.variable, (*at.parts, *attributes)))
        case pst.UnaryOp(op="is_empty", arg=inner) if (at := path(inner)) is not None:
            return Empty(at)
        case pst.Is(base=base, in_expr=pst.EntityLit(value=uid)) if (at := path(base)) is not None:
            return Within(at, ((str(uid.type), uid.id),))
        case pst.GetAttr() if (at := path(expression)) is not None:
            return Held(at)
    return Opaque(expression)


def _of_two(expression: pst.BinaryOp) -> Atom:
    left, right = path(expression.left), path(expression.right)
    if (op := _OPS.get(expression.op)) is not None:
        return _compared(op, left or value(expression.left), right or value(expression.right)) or Opaque(expression)
    if expression.op == "in" and left is not None:
        return _in(left, right or _uids(expression.right)) or Opaque(expression)
    return _of_set(expression, left, right) or Opaque(expression)


def _in(left: Path, right: Path | tuple[Uid, ...] | None) -> Atom | None:
    if isinstance(right, Path):
        return Paired(left, "in", right)
    return None if right is None else Within(left, right)


def _of_set(expression: pst.BinaryOp, left: Path | None, right: Path | None) -> Atom | None:
    if left is not None:
        return _of_own_set(left, expression)
    elements = values(expression.left)
    if right is None or elements is None:
        return None
    match expression.op:
        case "contains":
            return Among(right, elements)
        case "contains_all":
            return Subset(right, elements)
        case "contains_any":
            return Holds(right, elements, False)
    return None


def _of_own_set(at: Path, expression: pst.BinaryOp) -> Atom | None:
    """What is asked of a set, or a network, that the request holds."""
    one, several = value(expression.right), values(expression.right)
    match expression.op:
        case "contains" if one is not None:
            return Holds(at, (one,), True)
        case "contains_all" | "contains_any" if several is not None:
            return Holds(at, several, expression.op == "contains_all")
        case "is_in_range" if isinstance(one, Range):
            return InRange(at, one.text)
    return None


def _compared(op: str, left: Path | Value | None, right: Path | Value | None) -> Atom | None:
    if left is None or right is None:
        return None
    if isinstance(left, Path):
        return Paired(left, op, right) if isinstance(right, Path) else Compared(left, op, right)
    return Compared(right, _TURNED[op], left) if isinstance(right, Path) else None


def path(expression: pst.Expr) -> Path | None:
    """The chain of attributes that an expression is, or None."""
    parts: list[str] = []
    while isinstance(expression, pst.GetAttr):
        parts.append(expression.attr)
        expression = expression.base
    return Path(expression.name, tuple(reversed(parts))) if isinstance(expression, pst.Var) else None


def value(expression: pst.Expr) -> Value | None:
    """The literal that an expression is, or None."""
    match expression:
        case pst.BoolLit(value=found) | pst.LongLit(value=found) | pst.StringLit(value=found):
            return found
        case pst.EntityLit(value=uid):
            return str(uid.type), uid.id
        case pst.UnaryOp(op="neg", arg=pst.LongLit(value=found)):
            return -found
        case pst.UnaryOp(op="decimal", arg=pst.StringLit(value=text)):
            return _decimal(text)
        case pst.UnaryOp(op="ip", arg=pst.StringLit(value=text)):
            return Range(text)
        case pst.UnaryOp(op="datetime", arg=pst.StringLit(value=text)):
            return _instant(text)
    return None


def values(expression: pst.Expr) -> tuple[Value, ...] | None:
    """The literals of a literal set, or None."""
    if not isinstance(expression, pst.Set):
        return None
    found = [value(element) for element in expression.elements]
    held = tuple(one for one in found if one is not None)
    return held if len(held) == len(found) else None


def _uids(expression: pst.Expr) -> tuple[Uid, ...] | None:
    one = value(expression)
    found = (one,) if one is not None else values(expression)
    if found is None or not all(isinstance(uid, tuple) for uid in found):
        return None
    return tuple(uid for uid in found if isinstance(uid, tuple))


def _pieces(pattern: tuple[pst.PatternElem, ...]) -> tuple[str | None, ...]:
    """A pattern as literal texts and wildcards."""
    found: list[str | None] = []
    for element in pattern:
        match element:
            case pst.Wildcard():
                found.append(None)
            case pst.Char(value=character):
                last = found.pop() if found and found[-1] is not None else ""
                found.append((last or "") + character)
            case _:
                assert_never(element)
    return tuple(found)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _instant(text: str) -> Instant | None:
    try:
        moment = datetime.fromisoformat(f"{text}T00:00:00+00:00" if _DATE.fullmatch(text) else text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return Instant(round(aware.timestamp() * 1000), text)
