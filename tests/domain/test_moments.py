"""Moments as texts."""

from doorward.domain.moments import rfc3339, rfc3339_millis, spoken

NOON = 1_795_003_200.25


def test_a_moment_is_written_in_utc_for_machines_and_for_people() -> None:
    assert (rfc3339(NOON), rfc3339_millis(NOON), spoken(NOON)) == (
        "2026-11-18T12:00:00Z",
        "2026-11-18T12:00:00.250Z",
        "2026-11-18 12:00:00 UTC",
    )
