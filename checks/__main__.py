"""Runs every check of this package over the repository; ends with 1 and a list if a law is broken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from checks import dependencies, doors, hosts, limits, names, outbound, purity, tickets
from checks.source import Violation, sources

ROOT = Path(__file__).resolve().parent.parent


def all_violations(root: Path) -> Iterator[Violation]:
    """What is broken in the repository at `root`."""
    yield from hosts.in_tree(root)
    for source in sources(root, "src", "checks", "tools", "examples", "bench"):
        yield from limits.of_code(source)
    yield from dependencies.in_repository(root, sources(root, "src"))
    for source in sources(root, "src"):
        for check in (purity, tickets, doors, names, outbound):
            yield from check.violations(source)
    for source in sources(root, "tests"):
        yield from limits.of_file(source)


def main() -> int:
    """Print every violation and give the exit code."""
    found = sorted(set(all_violations(ROOT)))
    for violation in found:
        print(violation)
    print(f"{len(found)} violations of the laws" if found else "the laws hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
