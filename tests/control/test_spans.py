"""Moments as operators write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from doorward.control.spans import Moment, micros
from tests.control.plane import NOW


class Given(BaseModel):
    at: Moment


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("2026-11-18T10:00:00Z", "2026-11-18T10:00:00.000000Z"),
        ("2026-11-18T10:00:00.25+01:00", "2026-11-18T09:00:00.250000Z"),
        ("2026-11-18T10:00:00 01:00", "2026-11-18T09:00:00.000000Z"),
        ("2026-11-18", "2026-11-18T00:00:00.000000Z"),
        ("90s", "2026-11-18T11:58:30.000000Z"),
        ("15m", "2026-11-18T11:45:00.000000Z"),
        ("24h", "2026-11-17T12:00:00.000000Z"),
        ("7d", "2026-11-11T12:00:00.000000Z"),
        ("9999999d", "1970-01-01T00:00:00.000000Z"),
        ("0001-01-02", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_a_moment_or_span_is_written_as_leaves_write_it(text: str, leaf: str) -> None:
    assert micros(Given(at=text).at, NOW) == leaf


@pytest.mark.parametrize("text", ["", "now", "5", "0s", "-5m", "5w", "2026-13-01", "10:00", "0001-01-01T00:00:00+01:00"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Given(at=text)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    try:
        moment = Given(at=text).at
    except ValidationError:
        return
    assert len(micros(moment, NOW) or "") == 27
