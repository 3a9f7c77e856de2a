"""Ends as operators write them on the command line: after a span, or at a moment."""

import re
from datetime import UTC, datetime

import click

_SPAN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd])")
_MINUTES = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}


def minutes(span: str) -> float:
    """A span such as `15m`, `8h` or `7d` in minutes; a usage error for what is none."""
    found = _SPAN.fullmatch(span.strip())
    if found is None or not float(found[1]):
        raise click.BadParameter(f"expected a span such as 15m, 8h or 7d, got {span[:40]!r}")
    return float(found[1]) * _MINUTES[found[2]]


def moment(text: str) -> float:
    """A moment (RFC 3339, or a date for its beginning in UTC) in Unix seconds; a usage error for what is none."""
    try:
        found = datetime.fromisoformat(text.strip())
        return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).timestamp()
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"expected a moment such as 2026-12-24T18:00:00Z, got {text[:40]!r}") from error
