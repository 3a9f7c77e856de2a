"""Charts as SVG."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.chart import Axis, Bar, Panel, Scale, Tone, axis, chart, number

SVG = "{http://www.w3.org/2000/svg}"
BARS = (Bar("direct", 40_000, 36_000, 43_000, Tone.BOUND), Bar("a <gateway> & more", 2_000, 1_900, 2_100))
VALUES = st.lists(st.floats(min_value=0.001, max_value=1e7), min_size=1, max_size=8)


def _drawn(scale: Scale = Scale.LINEAR) -> ET.Element:
    text = chart("Speed", "Calls & answers.", [Panel("Calls", "calls/s", BARS, scale)], [(Tone.OURS, "ours")])
    return ET.fromstring(text)


def _panel(values: list[float], scale: Scale) -> Panel:
    return Panel("", "", [Bar("", value, value, value) for value in values], scale)


def test_a_chart_says_in_words_what_it_shows() -> None:
    drawn = _drawn()
    said = {found.get("id"): found.text for found in drawn if found.get("id")}
    assert said == {"title": "Speed", "desc": "Calls & answers. Calls (calls/s): direct 40,000, a <gateway> & more 2,000."}
    assert (drawn.get("role"), drawn.get("aria-labelledby")) == ("img", "title desc")


def test_bars_begin_at_nought_and_are_as_long_as_their_values() -> None:
    bars = [found for found in _drawn().iter(f"{SVG}rect") if found.get("class") in {"bound", "ours"} and found.get("width") != "11"]
    widths = [float(found.get("width", "")) for found in bars]
    assert {found.get("x") for found in bars} == {"250"}
    assert widths[0] / widths[1] == pytest.approx(20, rel=0.01)


def test_on_a_logarithmic_axis_there_are_dots_and_no_bars_and_it_says_so() -> None:
    drawn = _drawn(Scale.LOGARITHMIC)
    assert [found.get("class") for found in drawn.iter(f"{SVG}circle")] == ["bound", "ours"]
    assert "calls/s, logarithmic" in [found.text for found in drawn.iter(f"{SVG}text")]


def test_a_spread_is_marked_where_there_is_one() -> None:
    panel = Panel("", "", [Bar("one", 5, 5, 5), Bar("three", 5, 4, 6)])
    assert len(list(ET.fromstring(chart("", "", [panel])).iter(f"{SVG}path"))) == 1


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = chart("Speed", "", [Panel("Calls", "calls/s", BARS)])
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "url(" not in text


@given(VALUES, st.sampled_from(list(Scale)))
def test_an_axis_holds_every_value_in_order(values: list[float], scale: Scale) -> None:
    found = axis(_panel(values, scale))
    assert found.ticks == sorted(set(found.ticks))
    assert 2 <= len(found.ticks) <= 13
    assert found.ticks[-1] >= max(values) * (1 - 1e-9)
    places = [found.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)


@given(VALUES)
def test_a_linear_axis_begins_at_nought(values: list[float]) -> None:
    found = axis(_panel(values, Scale.LINEAR))
    assert (found.ticks[0], found.at(0.0)) == (0.0, 0.0)


def test_a_logarithmic_axis_has_every_power_of_ten_between_its_values() -> None:
    assert axis(_panel([24, 98_000], Scale.LOGARITHMIC)) == Axis(Scale.LOGARITHMIC, [10, 100, 1_000, 10_000, 100_000])


def test_a_panel_without_rows_has_an_axis() -> None:
    assert axis(_panel([], Scale.LINEAR)).at(0.5) == 0.5
    assert math.isclose(axis(_panel([], Scale.LOGARITHMIC)).at(1.0), 0.0)


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.0294, "0.0294"), (1.474, "1.47"), (24, "24.0"), (43_064.4, "43,064")])
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
