"""Who may know the drivers, the control plane and the outer doors, where the floors alone would allow it.

`app` is the only module that names a store; the commands reach a running gateway through `client` alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.source import Source, Violation

DOORS = {
    "doorward.stores": ("src/doorward/app", "src/doorward/stores", "src/doorward/testing"),
    "doorward.serving": ("src/doorward/app", "src/doorward/serving", "src/doorward/testing"),
    "doorward.control": ("src/doorward/app", "src/doorward/control", "src/doorward/testing"),
    "doorward.console": ("src/doorward/app", "src/doorward/console"),
}
"""A package, and the places that may import from it."""


def violations(source: Source) -> Iterator[Violation]:
    """Every import of a door's inside from a place that should not know it."""
    imports = [(module, node) for node in ast.walk(source.tree) for module in _modules(node)]
    for module, node in imports:
        places = DOORS.get(".".join(module.split(".")[:2]))
        if places is not None and not _stands_in(source.path, places):
            yield source.violation(getattr(node, "lineno", 1), f"import of {module}, only {', '.join(places)} may")


def _modules(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(module="doorward", names=aliases):
            yield from (f"doorward.{alias.name}" for alias in aliases)
        case ast.ImportFrom(module=str(module)):
            yield module


def _stands_in(path: PurePosixPath, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(place) or path == PurePosixPath(f"{place}.py") for place in places)
