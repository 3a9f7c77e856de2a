"""What the log is told, as alerts: stops, drift, waivers, rejected configurations, and what comes in bursts.

They name the leaf: `leaf/SEQ` of an event, the id of a call. Free texts of operators and persons' names stay in the log.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from doorward.audit.flood import prefix
from doorward.domain.actors import AuthnMethod
from doorward.domain.alerts import Alarm, Alert, AlertKind
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Event, Place, Refusal
from doorward.runtime.alerts.bursts import Bursts

MISUSE: Final = frozenset({Reason.FORBIDDEN, Reason.UNSAFE_REQUEST})
"""What a well-meaning agent does once or twice, and then no more."""
UNKNOWN: Final = frozenset({Reason.UNAUTHENTICATED, Reason.REVOKED})
MANY: Final = 10
"""Times as many as from one network make a burst where they come from many, each of which sends too few for one."""
EVERYWHERE: Final = "many networks"
_OWN: Final = "doorward"


class Means(msgspec.Struct, frozen=True):
    """What is needed to tell of it."""

    alarm: Alarm
    pseudonym: Callable[[str], str]
    """What the log calls a person."""
    now: Callable[[], float]
    """Unix seconds."""


class Heard:
    """Follows the log (`audit.followers.Follower`)."""

    __slots__ = ("_knocks", "_means", "_misuses", "_scattered")

    def __init__(self, means: Means, failed_authentications: int, refusals: int) -> None:
        """How many of each in a minute are a burst."""
        self._means = means
        self._knocks, self._misuses = Bursts(failed_authentications), Bursts(refusals)
        self._scattered = Bursts(failed_authentications * MANY)

    def adopt(self, failed_authentications: int, refusals: int) -> None:
        """Goes on with other thresholds."""
        self._knocks.threshold, self._misuses.threshold = failed_authentications, refusals
        self._scattered.threshold = failed_authentications * MANY

    def noted(self, event: Event, place: Place | None) -> None:
        """Alerts of the events that somebody should look at."""
        network = event.fields.get("network")
        if event.type == "operator_refused" and isinstance(network, str):
            self._knocked(network, "sign-ins of operators")
            return
        found = of_event(event)
        if found is None:
            return
        kind, sentence, key = found
        unrecorded = "" if place is not None else "; the log could not be told"
        fields = {name: text for name in _TOLD if isinstance(text := event.fields.get(name), str | int)}
        by = {} if event.by == _OWN else {"by": self._means.pseudonym(event.by)}
        reference = "" if place is None else f"leaf/{place.seq}"
        self._means.alarm(Alert(kind, sentence + unrecorded, {**fields, **by}, reference, key))

    def refused(self, refusal: Refusal) -> None:
        """Alerts of an agent that does again and again what it may not."""
        if refusal.reason not in MISUSE or refusal.principal.method is AuthnMethod.OWN:
            return
        agent: str = refusal.principal.agent.id
        count = self._misuses.count(agent, self._means.now())
        if count:
            agent = self._misuses.counted(agent)
            sentence = f"{count} calls of the agent {agent!r} were refused as forbidden or unsafe within a minute"
            fields: dict[str, str | int] = {"agent": agent, "refusals": count, "reason": refusal.reason.value}
            self._means.alarm(Alert(AlertKind.MISUSE, sentence, fields, refusal.id, agent))

    def turned_away(self, network: str, reason: Reason) -> None:
        """Alerts of a burst of callers that could not say who they are."""
        if reason in UNKNOWN:
            self._knocked(network, "callers without a valid credential")

    def _knocked(self, network: str, what: str) -> None:
        source, now = prefix(network), self._means.now()
        count = self._knocks.count(source, now)
        if count:
            source = self._knocks.counted(source)
            self._burst(f"{count} {what} were turned away from {source} within a minute", source, count)
        elif not self._knocks.is_loud(source) and (count := self._scattered.count(EVERYWHERE, now)):
            self._burst(f"{count} {what} were turned away within a minute, few from each of many networks", EVERYWHERE, count)

    def _burst(self, sentence: str, source: str, count: int) -> None:
        self._means.alarm(Alert(AlertKind.AUTHENTICATION, sentence, {"source": source, "attempts": count}, key=source))


_TOLD: Final = (
    "matter",
    "agent",
    "key",
    "session",
    "upstream",
    "kind",
    "name",
    "definition",
    "waiver",
    "action",
    "ends",
    "family",
    "client",
)
"""Fields of events that hold names of things and ids, and nothing that a person has written."""

_Found = tuple[AlertKind, str, str]
"""Kind, sentence, and what it is about."""

_EVENTS: Final[Mapping[str, _Found]] = {
    "stop_set": (AlertKind.STOP, "{matter} was stopped", "matter"),
    "stop_lifted": (AlertKind.STOP, "{matter} is stopped or revoked no more", "matter"),
    "revoked": (AlertKind.STOP, "{matter} was revoked", "matter"),
    "agent_revoked": (AlertKind.STOP, "the agent {agent} was revoked", "agent"),
    "agent_suspended": (AlertKind.STOP, "the agent {agent} was suspended", "agent"),
    "key_revoked": (AlertKind.STOP, "the key {key} of the agent {agent} was revoked", "key"),
    "session_killed": (AlertKind.STOP, "the session {session} was ended by an operator", "session"),
    "definition_drifted": (AlertKind.DRIFT, "{upstream} shows another {kind} {name} than was accepted; it is withheld", "upstream"),
    "definitions_drifted": (AlertKind.DRIFT, "{more} more definitions of {upstream} have drifted; they are withheld", "upstream"),
    "glass_broken": (AlertKind.GLASS, "the glass is broken: no policy holds the agent {agent} back from {action}", "waiver"),
    "glass_restored": (AlertKind.GLASS, "a broken glass of the agent {agent} was ended", "waiver"),
    "glass_expired": (AlertKind.GLASS, "a broken glass of the agent {agent} has ended", "waiver"),
    "exception_granted": (AlertKind.GLASS, "the agent {agent} has an exception for {action}", "waiver"),
    "config_rejected": (AlertKind.CONFIGURATION, "the configuration was not taken; the one before goes on", ""),
    "token_reuse_detected": (AlertKind.AUTHENTICATION, "two parties have one {what}: all that was granted with it has ended", "family"),
}
"""How each event reads that is worth an alert, and the field that says what it is about."""


def of_event(event: Event) -> _Found | None:
    """The alert of an event; None of one that nobody needs to hear of at once."""
    named = {name: str(value) for name, value in event.fields.items() if value not in ("", None)}
    found = _EVENTS.get(event.type)
    if found is None:
        return None
    kind, sentence, about = found
    return kind, sentence.format_map(_Names(named)), named.get(about, "")


class _Names(dict[str, str]):
    """The fields of an event; one that is missing or empty stands for everything."""

    def __missing__(self, name: str) -> str:
        return "everything"
