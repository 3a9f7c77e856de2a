"""Alerts in this house: where they go as a document has it, what is heard of the log, and where the lookout looks."""

from collections.abc import Callable

from doorward.app import clocks
from doorward.audit.recorder import Recorder
from doorward.config.alerts import Alerts
from doorward.config.references import Resolver
from doorward.runtime.alerts.alarms import Alarms, Means, Rules
from doorward.runtime.alerts.fold import Pace
from doorward.runtime.alerts.heard import Heard
from doorward.runtime.alerts.heard import Means as HeardMeans
from doorward.runtime.alerts.sink import Sink
from doorward.runtime.alerts.sinks import sinks
from doorward.runtime.generations import Generations
from doorward.telemetry.journal import Journal


class Alerting:
    """Everything about alerts that a document can change; `alarms` is what others call."""

    __slots__ = ("_generations", "_heard", "_resolver", "_rules", "alarms")

    def __init__(
        self, generations: Generations, resolver: Resolver, recorder: Recorder, journal: Journal, mask: Callable[[str], str]
    ) -> None:
        """Goes over to the rules of each new generation."""
        self._generations = generations
        rules = self._rules = generations.current.document.alerts
        self._resolver = resolver
        means = Means(journal, mask, clocks.new_id, clocks.now, clocks.monotonic)
        self.alarms = Alarms(means, *self._adopted(rules))
        self._heard = Heard(HeardMeans(self.alarms, recorder.pseudonym, clocks.now), rules.failed_authentications, rules.refusals)
        recorder.follow(self._heard)
        generations.follow(self._take)

    def _take(self) -> None:
        rules = self._generations.current.document.alerts
        if rules != self._rules:
            self._rules = rules
            self._heard.adopt(rules.failed_authentications, rules.refusals)
            self.alarms.adopt(*self._adopted(rules))

    def _adopted(self, rules: Alerts) -> tuple[Rules, tuple[Sink, ...]]:
        adopted = Rules(Pace(rules.interval_seconds, rules.per_hour), frozenset(rules.kinds))
        return adopted, sinks(rules, self._resolver.resolve, clocks.now)
