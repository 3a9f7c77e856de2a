"""No file names the host of a package registry or a path of somebody's machine: set-up takes both from its surroundings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from checks.source import Violation, files

# In two halves, so that this file passes its own check.
REGISTRIES = tuple(
    f"{name}.{domain}"
    for name, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("npmmirror", "com"),
        ("yarnpkg", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("proxy.golang", "org"),
        ("sum.golang", "org"),
        ("rubygems", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("gcr", "io"),
        ("quay", "io"),
    )
)
HOST = re.compile("|".join(rf"(?<![\w-]){re.escape(host)}(?![\w-])" for host in REGISTRIES), re.IGNORECASE)
RESOLVED = re.compile(r"^--(?:extra-)?index-url|^--find-links|\"resolved\":\s*\"http")
MACHINE = re.compile(r"/(?:work/(?:main|shared|plan)\b|root/\.[a-z]|opt/(?:pypi|wheels))")
FORBIDDEN = {"a registry's host": HOST, "an address in a lock": RESOLVED, "a path of one machine": MACHINE}
BINARY = frozenset({".png", ".jpg", ".gif", ".ico", ".woff2", ".sqlite3"})


def in_text(path: str, text: str) -> Iterator[Violation]:
    """Every registry host, index setting and absolute machine path in one text."""
    for number, line in enumerate(text.splitlines(), 1):
        found = [(what, match.group()) for what, pattern in FORBIDDEN.items() if (match := pattern.search(line))]
        yield from (Violation(path, number, f"{what}: {words!r}") for what, words in found)


def in_tree(root: Path) -> Iterator[Violation]:
    """The same for every file that could be committed."""
    for file in files(root, "."):
        if file.suffix in BINARY or file.name in {"uv.lock", ".coverage"}:
            continue
        yield from in_text(file.relative_to(root).as_posix(), file.read_text("utf-8", errors="replace"))
