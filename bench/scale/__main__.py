"""Measures how Doorward grows, and writes docs/growth.md; chapters may be named, and then the page is printed instead.

`python -m bench.scale [calls|sessions|streams|log]... [--receipts N] [--kept SHARE] [--chapters FILE]`: 10,000,000 receipts take about
half an hour and 25 GB, which is why they can be measured apart: what is measured is put into the file, and the page is made of what is there.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import machine
from bench.scale import calls, held, log
from bench.scale.figures import Chapter
from bench.scale.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "growth.md"
RECEIPTS = 10_000_000
KEPT = 0.1
RECEIPT_BYTES, SIDES_BYTES = 2_400, 1_000
"""What a receipt takes on the disk, and the side records beside it; rather more than less."""


def main(argv: Sequence[str] | None = None) -> int:
    """One run; the exit code is 1 where a bound is missed, 2 where there is no room."""
    parser = argparse.ArgumentParser("bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="only these")
    parser.add_argument("--receipts", type=int, default=RECEIPTS, help="of the log, two leaves each (default %(default)s)")
    parser.add_argument(
        "--kept", type=float, default=KEPT, help="the share of them, the newest, that has side records (default %(default)s)"
    )
    parser.add_argument("--chapters", type=Path, default=None, dest="file", help="where chapters measured apart come together, as JSON")
    parser.add_argument("--under", type=Path, default=None, help="a directory for what is measured, removed afterwards")
    chosen = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="doorward-scale-", dir=chosen.under) as name:
        directory = Path(name)
        needed = int(chosen.receipts * (RECEIPT_BYTES + chosen.kept * SIDES_BYTES))
        if shutil.disk_usage(directory).free < needed:
            print(f"{needed / 2**30:.1f} GiB are needed under {directory}; --under names another place", file=sys.stderr)
            return 2
        known = _chapters(log.Size(chosen.receipts, chosen.kept))
        made = {one: known[one](directory / one) for one in chosen.chapters or known}
        together = made if chosen.file is None else _together(chosen.file, made)
        measured = [together[one] for one in known if one in together]
        text = page(measured, machine.described(directory), datetime.now(UTC).date().isoformat())
    if len(measured) < len(known):
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written to {PAGE.parent.name}/{PAGE.name}", file=sys.stderr)
    return 0 if not any(chapter.missed for chapter in measured) else 1


def _together(file: Path, made: Mapping[str, Chapter]) -> Mapping[str, Chapter]:
    """What was measured now and before, kept for the next time."""
    before = msgspec.json.decode(file.read_bytes(), type=dict[str, Chapter]) if file.exists() else {}
    together = {**before, **made}
    file.write_bytes(msgspec.json.encode(together))
    return together


def _chapters(size: log.Size) -> Mapping[str, Callable[[Path], Chapter]]:
    """What can be measured, each under a directory of its own."""
    return {
        "calls": calls.chapter,
        "sessions": held.of_sessions,
        "streams": held.of_streams,
        "log": lambda directory: log.chapter(directory, size),
    }


if __name__ == "__main__":
    sys.exit(main())
