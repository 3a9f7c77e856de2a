"""Law 10: how big a file, a function and a parameter list may be, how deep and how branched, and where imports stand.

Branches are counted more strictly than McCabe's figure counts them: every `if`, `elif`, `for`, `while`, `except`,
`case` (but not a bare `case _`), conditional expression and comprehension `if`, and each further operand of `and`/`or`.
Nesting counts the blocks that decide or repeat (`if`, `for`, `while`, `try`, `match`); an `elif` is no deeper than its
`if`, and `with` only opens a scope.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.source import Source, Violation

FILE_LINES = 400
FUNCTION_LINES = 60
BRANCHES = 10
PARAMETERS = 6
NESTING = 2

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Deciding = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.Match)


def of_file(source: Source) -> Iterator[Violation]:
    """The limit that tests are held to as well."""
    lines = source.text.count("\n") + 1
    if lines > FILE_LINES + 1:
        yield source.violation(FILE_LINES, f"{lines - 1} lines, at most {FILE_LINES} are allowed in a file")


def of_code(source: Source) -> Iterator[Violation]:
    """All limits of law 10 for one file."""
    yield from of_file(source)
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield from _of_function(source, node)
    yield from _hidden_imports(source)


def _of_function(source: Source, function: Function) -> Iterator[Violation]:
    measured = (
        ("lines", FUNCTION_LINES, (function.end_lineno or function.lineno) - function.lineno + 1),
        ("branches", BRANCHES, branches(function)),
        ("parameters", PARAMETERS, parameters(function)),
        ("levels of nesting", NESTING, nesting(function)),
    )
    for what, most, found in measured:
        if found > most:
            yield source.violation(function.lineno, f"{function.name} has {found} {what}, at most {most} are allowed")


def parameters(function: Function) -> int:
    """How many parameters a function takes, `self` and `cls` not counted."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    if positional and positional[0].arg in {"self", "cls", "mcs"}:
        positional = positional[1:]
    return len(positional) + len(given.kwonlyargs) + sum(extra is not None for extra in (given.vararg, given.kwarg))


def branches(function: Function) -> int:
    """How many decisions a function takes; those of functions inside it are its own as well."""
    return sum(_weight(node) for node in ast.walk(function))


def _weight(node: ast.AST) -> int:
    match node:
        case ast.match_case(pattern=ast.MatchAs(pattern=None), guard=None):
            return 0
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While() | ast.ExceptHandler() | ast.IfExp() | ast.match_case():
            return 1
        case ast.comprehension(ifs=conditions):
            return len(conditions)
        case ast.BoolOp(values=operands):
            return len(operands) - 1
        case _:
            return 0


def nesting(function: Function) -> int:
    """How deep the blocks of a function stand in one another; a function inside it begins anew."""
    return max((_depth(statement) for statement in function.body), default=0)


def _depth(node: ast.AST) -> int:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return 0
    own = 1 if isinstance(node, Deciding) else 0
    alternative = _else_if(node)
    inner = [_depth(child) for child in ast.iter_child_nodes(node) if child is not alternative]
    deepest = own + max(inner, default=0)
    return deepest if alternative is None else max(deepest, _depth(alternative))


def _else_if(node: ast.AST) -> ast.If | None:
    match node:
        case ast.If(orelse=[ast.If() as alternative]):
            return alternative
    return None


def _hidden_imports(source: Source) -> Iterator[Violation]:
    hidden = {
        inner.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, (*FUNCTIONS, ast.ClassDef))
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    for line in sorted(hidden):
        yield source.violation(line, "an import inside a function or class, imports stand at the top of the file")
