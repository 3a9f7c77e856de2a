"""A source file read once: its path in the repository, its text, its syntax tree, and what its names stand for."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LEFT_OUT = frozenset({"node_modules", "__pycache__", "var", "build", "dist", "htmlcov"})
"""Directories that are not committed, besides the hidden ones."""

HIDDEN_BUT_OURS = frozenset({".ci", ".github"})


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One place that breaks a law."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file."""

    path: PurePosixPath
    """Relative to the repository."""
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        """A source from its text."""
        return cls(PurePosixPath(path), text, ast.parse(text, path))

    @property
    def module(self) -> str:
        """The dotted name this file is imported by."""
        return ".".join(self.path.with_suffix("").parts).removeprefix("src.").removesuffix(".__init__")

    def violation(self, line: int, message: str) -> Violation:
        """A violation in this file."""
        return Violation(str(self.path), line, message)


def files(root: Path, *folders: str) -> Iterator[Path]:
    """Every file under the given folders of `root` that could be committed, in a fixed order."""
    for folder in folders:
        for directory, inner, names in os.walk(root / folder):
            inner[:] = sorted(name for name in inner if _is_ours(name))
            yield from (Path(directory, name) for name in sorted(names))


def _is_ours(directory: str) -> bool:
    return directory in HIDDEN_BUT_OURS or not (directory.startswith(".") or directory in LEFT_OUT)


def sources(root: Path, *folders: str) -> Iterator[Source]:
    """Every Python file under the given folders, parsed."""
    for file in files(root, *folders):
        if file.suffix == ".py":
            yield Source.of(file.relative_to(root).as_posix(), file.read_text("utf-8"))


class Names:
    """What the names of a module stand for, as dotted origins: what it imports, and the classes it defines."""

    def __init__(self, tree: ast.Module, module: str) -> None:
        self._origins = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef)}
        for node in ast.walk(tree):
            self._origins.update(_imported(node))

    def origin(self, node: ast.expr) -> str | None:
        """The dotted origin of a name or attribute chain; None when its root was neither imported nor defined here."""
        match node:
            case ast.Name(id=name):
                return self._origins.get(name)
            case ast.Attribute(value=value, attr=attribute):
                root = self.origin(value)
                return None if root is None else f"{root}.{attribute}"
        return None


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Import(names=aliases):
            for alias in aliases:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        case ast.ImportFrom(module=str(module), names=aliases):
            for alias in aliases:
                yield alias.asname or alias.name, f"{module}.{alias.name}"
