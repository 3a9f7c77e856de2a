"""STYLE's hard rules on names: no empty words in files and classes, and no boolean parameters in public signatures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from checks.source import Source, Violation

EMPTY_WORDS = frozenset(
    {"manager", "handler", "handlers", "helper", "helpers", "util", "utils", "service", "data", "info", "base", "common", "misc"}
)
"""Words that fit anything and therefore say nothing."""

WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
FLAGS_ALLOWED = ("src/doorward/cli/",)
"""A command's flags are booleans of the command line, not of a signature that code calls."""


def violations(source: Source) -> Iterator[Violation]:
    """Every empty name and every public boolean parameter in one file."""
    for part in source.path.with_suffix("").parts[2:]:
        if found := _empty_word(part):
            yield source.violation(1, f"the path says {found!r}, a file is named for what it holds")
    for statement in source.tree.body:
        yield from _of_statement(source, statement)


def _of_statement(source: Source, statement: ast.stmt) -> Iterator[Violation]:
    match statement:
        case ast.ClassDef(name=name, body=body):
            if found := _empty_word(name):
                yield source.violation(statement.lineno, f"class {name} says {found!r}, name it for what it is")
            for inner in body if not name.startswith("_") else ():
                yield from _of_statement(source, inner)
        case ast.FunctionDef(name=name, args=given) | ast.AsyncFunctionDef(name=name, args=given) if _is_public(name):
            flags = [flag for flag in (*given.posonlyargs, *given.args, *given.kwonlyargs) if _is_boolean(flag.annotation)]
            for flag in flags if not str(source.path).startswith(FLAGS_ALLOWED) else ():
                yield source.violation(statement.lineno, f"{name} takes the boolean {flag.arg}, use two functions or an enum")


def _empty_word(name: str) -> str | None:
    return next((word.lower() for word in WORD.findall(name) if word.lower() in EMPTY_WORDS), None)


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name in {"__init__", "__call__", "__new__"}


def _is_boolean(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id="bool") | ast.Constant(value="bool"):
            return True
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_boolean(left) or _is_boolean(right)
        case _:
            return False
