"""Which attributes a policy reads, found in its text: what may be cached, what must be converted, what an operator is shown.

INVARIANT: an attribute that is not found here cannot influence the policy. Whatever is not a plain path counts as a read
of everything below the last plain path.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

import msgspec
from cedarpy import pst


class Tree(msgspec.Struct, frozen=True):
    """What is read below one variable: the value itself (`is_whole`), or only the named parts, or only whether it is there."""

    is_whole: bool
    parts: Mapping[str, "Tree"]

    def __contains__(self, name: str) -> bool:
        """Whether an attribute of this name is read."""
        return self.is_whole or name in self.parts

    def below(self, name: str) -> "Tree":
        """What is read below an attribute."""
        return WHOLE if self.is_whole else self.parts.get(name, NOTHING)

    def __bool__(self) -> bool:
        """Whether anything is read at all."""
        return self.is_whole or bool(self.parts)

    def paths(self, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """Every path read, the shortest that says it all."""
        if self.is_whole or not self.parts:
            yield at
            return
        for name in sorted(self.parts):
            yield from self.parts[name].paths((*at, name))


WHOLE = Tree(True, {})
NOTHING = Tree(False, {})


class Reads(msgspec.Struct, frozen=True):
    """What one policy, or several together, read of a request."""

    context: Tree = NOTHING
    principal: Tree = NOTHING
    resource: Tree = NOTHING
    action: Tree = NOTHING

    @property
    def of_input(self) -> Tree:
        """What is read of the call's arguments."""
        return self.context.below("input")

    @property
    def is_of_arguments(self) -> bool:
        """Whether anything is read of the arguments, or derived of them."""
        return "input" in self.context or "derived" in self.context

    @property
    def is_of_call(self) -> bool:
        """Whether anything is read that one call alone has: its arguments, or what has flowed into its context. No other one is decided by it."""
        return self.is_of_arguments or "session" in self.context


def conditions(policy: pst.Template) -> Reads:
    """What the `when` and `unless` clauses of a policy read; its scope is not part of it."""
    trees = {"principal": NOTHING, "action": NOTHING, "resource": NOTHING, "context": NOTHING}
    for clause in policy.clauses:
        for variable, path, tree in _of(clause.expr):
            trees[variable] = merged(trees[variable], _below(path, tree))
    return Reads(**trees)


def together(several: Sequence[Reads]) -> Reads:
    """What any of several policies reads."""
    total = Reads()
    for one in several:
        total = Reads(
            merged(total.context, one.context),
            merged(total.principal, one.principal),
            merged(total.resource, one.resource),
            merged(total.action, one.action),
        )
    return total


def merged(one: Tree, other: Tree) -> Tree:
    """What either tree reads."""
    if not other:
        return one
    parts = dict(one.parts)
    for name, tree in other.parts.items():
        parts[name] = merged(parts[name], tree) if name in parts else tree
    return Tree(one.is_whole or other.is_whole, parts)


def _below(path: tuple[str, ...], tree: Tree) -> Tree:
    for name in reversed(path):
        tree = Tree(False, {name: tree})
    return tree


_Read = tuple[pst.VarName, tuple[str, ...], Tree]


def _of(expression: pst.Expr) -> Iterator[_Read]:
    match expression:
        case pst.Var() | pst.GetAttr():
            yield from _of_path(expression, (), WHOLE)
        case pst.HasAttr(base=base, attrs=attributes):
            yield from _of_path(base, attributes, NOTHING)
        case pst.UnaryOp(arg=inner) | pst.Like(base=inner):
            yield from _of(inner)
        case pst.BinaryOp(left=left, right=right):
            yield from _of_each((left, right))
        case pst.Is(base=base, in_expr=inside):
            yield from _of_each((base,) if inside is None else (base, inside))
        case pst.IfThenElse(cond=condition, then_expr=then, else_expr=otherwise):
            yield from _of_each((condition, then, otherwise))
        case pst.Set(elements=elements):
            yield from _of_each(elements)
        case pst.Record(fields=fields):
            yield from _of_each(tuple(fields.values()))
        case pst.BoolLit() | pst.LongLit() | pst.StringLit() | pst.EntityLit() | pst.Slot():
            return
        case _:
            assert_never(expression)


def _of_each(expressions: Sequence[pst.Expr]) -> Iterator[_Read]:
    for expression in expressions:
        yield from _of(expression)


def _of_path(expression: pst.Expr, path: tuple[str, ...], tree: Tree) -> Iterator[_Read]:
    """The read of a chain of attributes; where the chain does not start at a variable, what its start reads."""
    while isinstance(expression, pst.GetAttr):
        path = (expression.attr, *path)
        expression = expression.base
    if isinstance(expression, pst.Var):
        yield expression.name, path, tree
    else:
        yield from _of(expression)
