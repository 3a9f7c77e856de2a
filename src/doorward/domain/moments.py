"""Moments as texts: Unix seconds in UTC, for machines as RFC 3339 and for people."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """To the second, such as `2026-11-18T12:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def rfc3339_millis(seconds: float) -> str:
    """To the millisecond, such as `2026-11-18T12:00:00.250Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def spoken(seconds: float) -> str:
    """For people, such as `2026-11-18 12:00:00 UTC`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
