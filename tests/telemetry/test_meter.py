"""The metrics page, as a Prometheus server reads it."""

from prometheus_client.parser import text_string_to_metric_families

from doorward.telemetry.meter import BOUNDS_SECONDS, CONTENT_TYPE, Meter

Sample = tuple[str, tuple[tuple[str, str], ...], float]


def samples(meter: Meter) -> list[Sample]:
    """Every sample of the page, but for when it was made."""
    families = text_string_to_metric_families(meter.page().decode())
    return [(sample.name, tuple(sorted(sample.labels.items())), sample.value) for family in families for sample in family.samples]


def named(meter: Meter, name: str) -> list[Sample]:
    return [sample for sample in samples(meter) if sample[0] == name]


def test_an_empty_page_is_a_page() -> None:
    assert samples(Meter()) == []
    assert "0.0.4" in CONTENT_TYPE


def test_ends_are_counted_by_upstream_method_and_outcome() -> None:
    meter = Meter()
    for outcome in ("delivered", "delivered", "forbidden"):
        meter.ended("git", "tools/call", outcome, 0.01)
    meter.ended("", "tools/call", "unknown_target", 0.0)
    labels = [(("method", "tools/call"), ("outcome", outcome), ("upstream", upstream)) for outcome, upstream in ENDS]
    assert named(meter, "doorward_calls_total") == [
        ("doorward_calls_total", one, count) for one, count in zip(labels, (2, 1, 1), strict=True)
    ]


ENDS = (("delivered", "git"), ("forbidden", "git"), ("unknown_target", ""))


def test_durations_fall_into_buckets_that_add_up() -> None:
    meter = Meter()
    for seconds in (0.0, 0.001, 0.0011, 0.3, 60.0, 3600.0):
        meter.ended("git", "tools/call", "delivered", seconds)
    buckets = {dict(labels)["le"]: value for _, labels, value in named(meter, "doorward_call_seconds_bucket")}
    assert list(buckets) == [*map(str, BOUNDS_SECONDS), "+Inf"]
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.25"], buckets["0.5"], buckets["60.0"], buckets["+Inf"]) == (2, 3, 3, 4, 5, 6)
    assert list(buckets.values()) == sorted(buckets.values())
    assert named(meter, "doorward_call_seconds_count")[0][2] == 6
    assert named(meter, "doorward_call_seconds_sum")[0][2] == 0.0 + 0.001 + 0.0011 + 0.3 + 60.0 + 3600.0


def test_requests_are_counted_by_era_and_status() -> None:
    meter = Meter()
    meter.answered("session", 200)
    meter.answered("session", 200)
    assert named(meter, "doorward_http_requests_total") == [("doorward_http_requests_total", (("era", "session"), ("status", "200")), 2)]


def test_a_gauge_is_read_whenever_somebody_looks() -> None:
    meter, values = Meter(), [1.0]
    meter.gauge("doorward_calls_in_flight", "Calls that are upstream", lambda: values[0])
    assert named(meter, "doorward_calls_in_flight") == [("doorward_calls_in_flight", (), 1)]
    values[0] = 2
    assert named(meter, "doorward_calls_in_flight") == [("doorward_calls_in_flight", (), 2)]


def test_labels_are_escaped_however_odd() -> None:
    meter = Meter()
    odd = 'a"b\\c\nd'
    meter.ended(odd, "m", "o", 0)
    assert dict(named(meter, "doorward_calls_total")[0][1])["upstream"] == odd


def test_what_is_read_by_name_is_read_whenever_somebody_looks() -> None:
    meter, used, refused = Meter(), {"payments": 0.5}, {"payments": 1}
    meter.gauges("doorward_budget_used_ratio", "The most used", "budget", lambda: used)
    meter.counters("doorward_budget_refusals", "Refused", "budget", lambda: refused)
    used["searches"], refused["payments"] = 1.5, 2
    assert samples(meter) == [
        ("doorward_budget_used_ratio", (("budget", "payments"),), 0.5),
        ("doorward_budget_used_ratio", (("budget", "searches"),), 1.5),
        ("doorward_budget_refusals_total", (("budget", "payments"),), 2.0),
    ]
