"""`make bench`: measures everything in one run and writes docs/benchmarks.md; `--quick` takes under a minute and writes nothing."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import noisy
from bench.plan import FULL, QUICK
from bench.report import page
from bench.run import WrongAnswerError, run, server

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def main() -> int:
    """One run; the exit code is 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures direct calls, the floor and Doorward in one run.")
    parser.add_argument("--quick", action="store_true", help="one short round; prints the page instead of writing it")
    quick = parser.parse_args().quick
    try:
        figures = run(QUICK if quick else FULL, _say)
        _say("quiet agents beside noisy ones")
        with server("bench.upstream") as upstream:
            waits = [] if quick else list(noisy.rows(upstream.port, noisy.AMONG))
    except WrongAnswerError as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    text = page(figures, waits, datetime.now(UTC).date().isoformat())
    if quick:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written to {PAGE.parent.name}/{PAGE.name}", file=sys.stderr)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
