"""Until when a draw counts."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission.budgets.windows import SLOTS, Calendar, Sliding

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "America/Santiago", "Asia/Kathmandu")


def unix(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("kind", "at", "until"),
    [
        ("day", "2026-11-21T00:00:00", "2026-11-22T00:00:00"),
        ("day", "2026-11-21T23:59:59", "2026-11-22T00:00:00"),
        ("week", "2026-11-23T00:00:00", "2026-11-30T00:00:00"),
        ("week", "2026-11-22T12:00:00", "2026-11-23T00:00:00"),
        ("month", "2026-12-31T12:00:00", "2027-01-01T00:00:00"),
        ("month", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
    ],
)
def test_a_calendars_window_ends_where_the_next_begins_in_its_zone(kind: str, at: str, until: str) -> None:
    assert Calendar(kind, BERLIN)(unix(at)) == unix(until)  # type: ignore[arg-type]


def test_the_day_on_which_clocks_are_set_back_has_25_hours() -> None:
    start = unix("2026-10-25T00:00:00")
    assert Calendar("day", BERLIN)(start) - start == 25 * 3600


@given(st.sampled_from(ZONES), st.sampled_from(("day", "week", "month")), st.integers(0, 4_000_000_000), st.integers(0, 40 * 86_400))
def test_ends_of_a_calendar_lie_ahead_never_go_back_and_hang_on_nothing_asked_before(zone: str, kind: str, at: int, later: int) -> None:
    window = Calendar(kind, ZoneInfo(zone))  # type: ignore[arg-type]
    first, second = window(at), window(at + later)
    assert at < first <= second
    assert second == Calendar(kind, ZoneInfo(zone))(at + later)  # type: ignore[arg-type]
    assert first - at <= 32 * 86_400


@given(st.integers(60, 366 * 86_400), st.integers(0, 4_000_000_000))
def test_what_slides_counts_for_its_whole_length_and_at_most_a_sixtieth_longer(seconds: int, at: int) -> None:
    counts = Sliding(seconds)(at) - at
    assert seconds < counts <= seconds + -(-seconds // SLOTS)
