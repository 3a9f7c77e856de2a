"""Every direct dependency is declared and explained: pyproject.toml, docs/decisions/dependencies.md and imports agree."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from checks.source import Source, Violation

DECLARED_IN = "pyproject.toml"
EXPLAINED_IN = "docs/decisions/dependencies.md"
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9._-]+")

DISTRIBUTIONS = {"re2": "google-re2", "ruamel": "ruamel.yaml", "pydantic_core": "pydantic"}
"""Modules whose distribution has another name; pydantic-core is released as a part of pydantic."""


def in_repository(root: Path, sources: Iterable[Source]) -> Iterator[Violation]:
    """What is undeclared, unexplained, or explained without being there."""
    declared = _declared(root)
    explained = set(ROW.findall((root / EXPLAINED_IN).read_text("utf-8")))
    for name in sorted(declared - explained):
        yield Violation(DECLARED_IN, 1, f"{name} has no row in {EXPLAINED_IN}")
    for name in sorted(explained - declared):
        yield Violation(EXPLAINED_IN, 1, f"{name} is no dependency")
    for source in sources:
        yield from _undeclared(source, {_normal(name) for name in declared})


def _declared(root: Path) -> set[str]:
    project = tomllib.loads((root / DECLARED_IN).read_text("utf-8"))["project"]
    optional = project.get("optional-dependencies", {}).values()
    requirements = [*project["dependencies"], *(requirement for extra in optional for requirement in extra)]
    return {match.group() for requirement in requirements if (match := NAME.match(requirement))}


def _undeclared(source: Source, declared: set[str]) -> Iterator[Violation]:
    imports = [(module, node) for node in ast.walk(source.tree) for module in _imported(node)]
    for module, node in imports:
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names and top != "doorward" and _normal(DISTRIBUTIONS.get(top, top)) not in declared:
            yield source.violation(getattr(node, "lineno", 1), f"import of {top}, which {DECLARED_IN} does not declare")


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(module=str(module)):
            yield module


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
