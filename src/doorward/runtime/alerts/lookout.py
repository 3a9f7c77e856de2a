"""What nobody tells of by itself, looked at every second: the log, its anchors, upstreams, and definitions held back from first use."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from doorward.catalog.pins import Key, Pins
from doorward.catalog.suspicions import Suspicion, held
from doorward.domain.alerts import Alarm, Alert, AlertKind
from doorward.domain.catalog import Trust
from doorward.domain.findings import Severity
from doorward.domain.ids import UpstreamId
from doorward.upstream.health import Condition, Health

FAILURES: Final = 3
"""Broken exchanges in a row after which an upstream counts as down: one alone may be a call's own."""


class Views(msgspec.Struct, frozen=True):
    """Where to look."""

    log: Callable[[], str | None]
    """Why the log cannot be written; None while it can."""
    anchors: Callable[[], Mapping[str, str | None]]
    """Why each anchor fails, by its name; None where it does not."""
    upstreams: Callable[[], Mapping[UpstreamId, Health]]
    suspicions: Callable[[], tuple[Suspicion, ...]]
    pins: Callable[[], Pins]
    trust: Callable[[], Mapping[UpstreamId, Trust]]


class Lookout:
    """Compares with the look before; at the first one nothing was wrong before."""

    __slots__ = ("_alarm", "_down", "_failing", "_held", "_seen", "_views")

    def __init__(self, views: Views, alarm: Alarm) -> None:
        self._views = views
        self._alarm = alarm
        self._failing: set[str] = set()
        self._down: set[UpstreamId] = set()
        self._held: frozenset[Key] = frozenset()
        self._seen: tuple[Suspicion, ...] = ()

    async def look(self) -> None:
        """Raises an alert for each thing that is wrong now and was not, and for each that is right again."""
        self._look_at("the log", "cannot be written, and no call is made", self._views.log())
        for name, why in self._views.anchors().items():
            self._look_at(f"the anchor {name}", "takes no checkpoints", why)
        self._look_at_upstreams()
        self._look_at_definitions()

    def _look_at(self, name: str, trouble: str, why: str | None) -> None:
        if why is not None and name not in self._failing:
            self._failing.add(name)
            self._alarm(Alert(AlertKind.LOG, f"{name} {trouble}: {why}", key=name))
        elif why is None and name in self._failing:
            self._failing.discard(name)
            self._alarm(Alert(AlertKind.LOG, f"{name} works again", key=name))

    def _look_at_upstreams(self) -> None:
        found = self._views.upstreams()
        self._down &= found.keys()
        for name, health in found.items():
            if name in self._down:
                self._look_at_down(name, health)
            elif health.is_shut or (health.condition is Condition.DOWN and health.failures >= FAILURES):
                self._down.add(name)
                fields: dict[str, str | int] = {"upstream": name, "failures": health.failures}
                # LAW: not a word of the upstream's, who may repeat what a call held. The journal and the status have them.
                what = "and calls are refused at once" if health.is_shut else f"{health.failures} times in a row"
                self._alarm(Alert(AlertKind.BREAKER, f"the upstream {name} does not answer, {what}", fields, key=name))

    def _look_at_down(self, name: UpstreamId, health: Health) -> None:
        if health.condition is Condition.UP and not health.is_shut:
            self._down.discard(name)
            self._alarm(Alert(AlertKind.BREAKER, f"the upstream {name} answers again", {"upstream": name}, key=name))

    def _look_at_definitions(self) -> None:
        seen = self._views.suspicions()
        if seen is self._seen:
            return
        pins, trust = self._views.pins(), self._views.trust()
        waiting = frozenset(key for key in held(seen) if trust.get(key[0]) is Trust.FIRST_USE and pins.get(*key) is None)
        for upstream, kind, name in sorted(waiting - self._held):
            rules = sorted(
                {one.found.rule.value for one in seen if one.key == (upstream, kind, name) and one.found.severity is Severity.HIGH}
            )
            # LAW: the rules, and not a word of what they found.
            sentence = f"{upstream} shows a {kind.value} {name} that waits for a person, as it is suspicious: {', '.join(rules)}"
            fields: dict[str, str | int] = {"upstream": upstream, "kind": kind.value, "name": name, "rules": ", ".join(rules)}
            self._alarm(Alert(AlertKind.DRIFT, sentence, fields, key=upstream))
        self._seen, self._held = seen, waiting
