"""Moments as operators write them: RFC 3339, or how long ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator

from doorward.audit.leaf import moment

_AGO = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _checked(text: str) -> str:
    """The text, if it is a moment; a space where a URL had a plus sign is put right."""
    given = text.strip().replace(" ", "+") if "T" in text else text.strip()
    if _AGO.fullmatch(given) is None and _instant(given) is None:
        raise ValueError("expected a moment such as 2026-11-21T10:00:00Z or a span such as 15m, 24h, 7d")
    return given


Moment = Annotated[str, AfterValidator(_checked)]
"""A moment or a span before now."""


def micros(given: Moment | None, now: float) -> str | None:
    """The moment as leaves write it, so that texts compare as moments do; none is before 1970. None for none."""
    if given is None:
        return None
    ago = _AGO.fullmatch(given)
    if ago is not None:
        return moment(max(0, int((now - int(ago[1]) * _UNITS[ago[2]]) * 1_000_000)))
    instant = _instant(given)
    assert instant is not None
    return moment(max(0, (instant - _EPOCH) // timedelta(microseconds=1)))


def _instant(text: str) -> datetime | None:
    """The instant of an RFC 3339 text; a date alone is its beginning in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
