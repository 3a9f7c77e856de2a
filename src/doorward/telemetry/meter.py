"""Counters and durations of calls: a dictionary each, so that counting costs nothing worth measuring; read by Prometheus."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from doorward.telemetry.stages import STAGE_SECONDS, Stopwatch

BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""From a local echo to a slow tool."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Gauge = Callable[[], float]

By = Callable[[], Mapping[str, float]]
"""Values by what stands in the one label."""


class _Durations(msgspec.Struct):
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    total: float = 0.0


class _Ends(msgspec.Struct):
    """How often messages of one method, to one upstream, ended in one way; and how long all of that upstream took."""

    durations: _Durations
    count: int = 0


class Meter:
    """Counts how calls end and how long they take."""

    __slots__ = ("_by", "_durations", "_ended", "_gauges", "_requests", "_runaway")

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str, str], _Ends] = {}
        self._requests: dict[tuple[str, int], int] = {}
        self._runaway: dict[str, int] = {}
        self._durations: dict[str, _Durations] = {}
        self._gauges: dict[str, tuple[str, Gauge]] = {}
        self._by: list[Callable[[], Metric]] = []

    def ended(self, upstream: str, method: str, outcome: str, seconds: float) -> None:
        """One governed message ended: `outcome` is a status or a reason."""
        key = (upstream, method, outcome)
        ends = self._ended.get(key)
        if ends is None:
            ends = self._ended[key] = _Ends(self._durations.setdefault(upstream, _Durations()))
        ends.count += 1
        durations = ends.durations
        durations.counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        durations.total += seconds

    def answered(self, era: str, status: int) -> None:
        """One HTTP request was answered."""
        key = (era, status)
        self._requests[key] = self._requests.get(key, 0) + 1

    def ran_away(self, rule: str) -> None:
        """A rule of runaway detection has caught something."""
        self._runaway[rule] = self._runaway.get(rule, 0) + 1

    def gauge(self, name: str, text: str, read: Gauge) -> None:
        """Adds a value that is read when somebody looks."""
        self._gauges[name] = (text, read)

    def gauges(self, name: str, text: str, label: str, read: By) -> None:
        """Adds values that are read when somebody looks; as many as the configuration names, never one for each caller."""
        self._by.append(lambda: _labelled(GaugeMetricFamily(name, text, labels=(label,)), read()))

    def counters(self, name: str, text: str, label: str, read: By) -> None:
        """The same for counts of what has happened since the process began."""
        self._by.append(lambda: _labelled(CounterMetricFamily(name, text, labels=(label,)), read()))

    def follow(self, watch: Stopwatch) -> None:
        """Shows what a stage clock has measured."""
        self._by.append(lambda: _of_stages(watch))

    def collect(self) -> Iterator[Metric]:
        """The metric families, as Prometheus asks for them."""
        ended = CounterMetricFamily("doorward_calls", "Governed messages by how they ended", labels=("upstream", "method", "outcome"))
        for labels, ends in self._ended.items():
            ended.add_metric(labels, ends.count)
        requests = CounterMetricFamily("doorward_http_requests", "HTTP requests by era and status", labels=("era", "status"))
        for (era, status), count in self._requests.items():
            requests.add_metric((era, str(status)), count)
        runaway = CounterMetricFamily("doorward_runaway", "Calls that went in circles, by the rule that caught them", labels=("rule",))
        for rule, count in self._runaway.items():
            runaway.add_metric([rule], count)
        seconds = HistogramMetricFamily("doorward_call_seconds", "Duration of governed messages", labels=("upstream",))
        for upstream, durations in self._durations.items():
            seconds.add_metric([upstream], _buckets(BOUNDS_SECONDS, durations.counts), durations.total)
        yield from (ended, requests, runaway, seconds)
        for name, (text, read) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value=read())
        for family in self._by:
            yield family()

    def page(self) -> bytes:
        """The page that a Prometheus server scrapes."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
    for name, value in values.items():
        family.add_metric((name,), value)
    return family


def _of_stages(watch: Stopwatch) -> Metric:
    found = HistogramMetricFamily("doorward_stage_seconds", "Duration of the stages of calls, with what they waited for", labels=("stage",))
    for stage, times in watch.times.items():
        found.add_metric([stage], _buckets(STAGE_SECONDS, times.counts), times.seconds)
    return found


def _buckets(bounds: Sequence[float], counts: list[int]) -> list[tuple[str, float]]:
    seen = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        seen += count
        buckets.append((bound, float(seen)))
    return buckets
