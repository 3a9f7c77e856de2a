"""`make bench`: measures everything in one run and writes docs/benchmarks.md and its chart.

`--quick`, or `BENCH_QUICK=1`, measures the same in a fraction of the time, tells little of the machine, and writes only where `--into` says.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import noisy
from bench.drawn import drawn
from bench.measure import WrongAnswerError, server
from bench.plan import FULL, QUICK
from bench.report import page
from bench.run import run

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, CHART = "benchmarks.md", "benchmarks.svg"


def main() -> int:
    """One run; the exit code is 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures direct calls, the floor and Doorward in one run.")
    parser.add_argument("--quick", action="store_true", help="one short round; prints the page unless it is told where to write it")
    parser.add_argument(
        "--into", type=Path, help="the directory that page and chart are written to; default: docs, of a run that is not quick"
    )
    given = parser.parse_args()
    quick = given.quick or os.environ.get("BENCH_QUICK", "0") not in ("", "0")
    try:
        figures = run(QUICK if quick else FULL, _say)
        _say("quiet agents beside noisy ones")
        with server("bench.upstream") as upstream:
            waits = list(noisy.rows(upstream.port, noisy.BRIEF if quick else noisy.AMONG))
    except WrongAnswerError as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    date = datetime.now(UTC).date().isoformat()
    text, image = page(figures, waits, date), drawn(figures, date)
    into = given.into or (None if quick else DOCS)
    if into is None:
        print(text)
        return 0
    (into / PAGE).write_text(text, encoding="utf-8")
    (into / CHART).write_text(image, encoding="utf-8")
    print(f"written to {into.name}/{PAGE} and {into.name}/{CHART}", file=sys.stderr)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
