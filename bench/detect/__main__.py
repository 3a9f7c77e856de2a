"""Measures what guards find, room by room, and writes docs/detection.md; rooms may be named, and then nothing is written."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from bench import detect
from bench.detect.port import CORPORA, Family
from bench.detect.report import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "detection.md"
_NO_ROOMS = frozenset({"__main__", "port", "report"})


def main(named: list[str]) -> int:
    """One run; the exit code is 1 where a bound is not kept, 2 where there is nothing to measure with."""
    if not CORPORA.is_dir():
        print(f"there are no corpora at {CORPORA}; DOORWARD_CORPORA says where they are", file=sys.stderr)
        return 2
    families = [family for room in named or _rooms() for family in _families(room)]
    text = page(families, datetime.now(UTC).date().isoformat())
    if named:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written to {PAGE.parent.name}/{PAGE.name}", file=sys.stderr)
    return 0 if all(family.is_met for family in families) else 1


def _rooms() -> list[str]:
    """Every module beside this one that measures something (`families`)."""
    return sorted(module.name for module in iter_modules(detect.__path__) if module.name not in _NO_ROOMS)


def _families(room: str) -> list[Family]:
    measure = getattr(import_module(f"bench.detect.{room}"), "families", None)
    print(room if measure is not None else f"{room}: nothing of its own", file=sys.stderr)
    return list(measure()) if measure is not None else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
