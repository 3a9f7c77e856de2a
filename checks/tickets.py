"""The tickets of the spine are made in `call/pipeline.py` alone, and principals in `identity/` alone (law 3).

Elsewhere these classes may stand where they only say what is expected: in annotations, in subscripts, in `case` patterns and
in `isinstance`. Whatever else could make one (a call, an alias, a subclass, `cast`, `replace`, a converter) is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.source import Names, Source, Violation

MAKERS = {
    "doorward.domain.tickets.Admitted": PurePosixPath("src/doorward/call/pipeline.py"),
    "doorward.domain.tickets.Authorized": PurePosixPath("src/doorward/call/pipeline.py"),
    "doorward.domain.tickets.Inspected": PurePosixPath("src/doorward/call/pipeline.py"),
    "doorward.domain.tickets.Clearance": PurePosixPath("src/doorward/call/pipeline.py"),
    "doorward.domain.tickets.Recorded": PurePosixPath("src/doorward/call/pipeline.py"),
    "doorward.domain.actors.Principal": PurePosixPath("src/doorward/identity"),
}
"""What is guarded, and the file or room that may make it."""

REPLACERS = frozenset({"dataclasses.replace", "copy.replace", "msgspec.structs.replace"})


def violations(source: Source) -> Iterator[Violation]:
    """Every use of a guarded class that could make one outside of its place."""
    names = Names(source.tree, source.module)
    harmless = {id(part) for node in ast.walk(source.tree) for place in _saying(node) for part in ast.walk(place)}
    named = [use for node in ast.walk(source.tree) if id(node) not in harmless for use in _named(node, names)]
    replaced = [use for node in ast.walk(source.tree) for use in _replaced(node, names)]
    for guarded, line in named + replaced:
        if not source.path.is_relative_to(MAKERS[guarded]):
            what = guarded.rpartition(".")[2]
            yield source.violation(line, f"{what} could be made here, only {MAKERS[guarded]} makes one")


def _named(node: ast.AST, names: Names) -> Iterator[tuple[str, int]]:
    """The guarded class that a node names, and the line."""
    if isinstance(node, ast.Name | ast.Attribute) and (guarded := _guarded(node, names)):
        yield guarded, node.lineno


def _guarded(node: ast.AST | None, names: Names) -> str | None:
    if not isinstance(node, ast.Name | ast.Attribute):
        return None
    origin = names.origin(node)
    return origin if origin in MAKERS else None


def _saying(node: ast.AST) -> Iterator[ast.expr]:
    """The parts of a node in which a class only says what is expected."""
    match node:
        case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.FunctionDef(returns=ast.expr() as returns) | ast.AsyncFunctionDef(returns=ast.expr() as returns):
            yield returns
        case ast.Subscript(slice=inside):
            yield inside
        case ast.MatchClass(cls=expected):
            yield expected
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, expected]):
            yield expected


def _replaced(node: ast.AST, names: Names) -> Iterator[tuple[str, int]]:
    """Calls in a function that copy a parameter of a guarded class with other contents."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    guarded = {parameter.arg: found for parameter in taken if (found := _guarded(parameter.annotation, names))}
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=function, args=[ast.Name(id=name), *_]) if name in guarded and names.origin(function) in REPLACERS:
                yield guarded[name], inner.lineno
