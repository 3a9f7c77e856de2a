"""What the log is told becomes alerts that name its leaves, and neither people nor what they wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from doorward.domain.actors import AuthnMethod
from doorward.domain.alerts import Alert, AlertKind
from doorward.domain.ids import CallId, Generation
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Event, Place, Refusal, Scalar
from doorward.runtime.alerts.heard import MANY, Heard, Means
from tests import made

PLACE = Place(7, "2026-11-18T12:00:00Z")


@dataclass(slots=True)
class Room:
    """What is heard, and the alerts that it makes."""

    alerts: list[Alert] = field(default_factory=list)
    now: float = 0.0
    heard: Heard = field(init=False)

    def __post_init__(self) -> None:
        self.heard = Heard(Means(self.alerts.append, lambda name: f"p:{len(name)}", lambda: self.now), 3, 2)

    def noted(self, event: str, fields: Mapping[str, Scalar], by: str = "doorward", place: Place | None = PLACE) -> Alert | None:
        self.alerts.clear()
        self.heard.noted(Event(event, by, fields), place)
        return self.alerts[0] if self.alerts else None


def refusal(number: int, reason: Reason = Reason.FORBIDDEN, agent: str = "claude", method: AuthnMethod = AuthnMethod.AGENT_KEY) -> Refusal:
    principal = made.principal(agent, method=method)
    return Refusal(CallId(f"call-{number}"), principal, "tools/call", "git", "tool", "x", None, reason, "why", (), (), Generation(1), "")


def test_a_stop_names_its_leaf_and_who_did_it_by_pseudonym_alone() -> None:
    found = Room().noted("stop_set", {"matter": "agent:claude", "reason": "ada saw it write to bob@example.com"}, "corp:ada")
    assert found == Alert(
        AlertKind.STOP, "agent:claude was stopped", {"matter": "agent:claude", "by": "p:8"}, reference="leaf/7", key="agent:claude"
    )


def test_a_stop_that_the_log_could_not_be_told_of_is_an_alert_all_the_same() -> None:
    found = Room().noted("revoked", {"matter": "all"}, "ann", None)
    assert found is not None
    assert (found.sentence, found.reference) == ("all was revoked; the log could not be told", "")


@pytest.mark.parametrize(
    ("kind", "fields", "alert", "sentence"),
    [
        ("stop_lifted", {"matter": "all"}, AlertKind.STOP, "all is stopped or revoked no more"),
        ("agent_suspended", {"agent": "claude"}, AlertKind.STOP, "the agent claude was suspended"),
        ("agent_revoked", {"agent": "claude"}, AlertKind.STOP, "the agent claude was revoked"),
        ("key_revoked", {"agent": "claude", "key": "k1"}, AlertKind.STOP, "the key k1 of the agent claude was revoked"),
        ("session_killed", {"session": "s1"}, AlertKind.STOP, "the session s1 was ended by an operator"),
        (
            "definition_drifted",
            {"upstream": "git", "kind": "tool", "name": "commit"},
            AlertKind.DRIFT,
            "git shows another tool commit than was accepted; it is withheld",
        ),
        (
            "definitions_drifted",
            {"upstream": "git", "more": 9},
            AlertKind.DRIFT,
            "9 more definitions of git have drifted; they are withheld",
        ),
        (
            "glass_broken",
            {"agent": "claude", "action": "", "waiver": "w1"},
            AlertKind.GLASS,
            "the glass is broken: no policy holds the agent claude back from everything",
        ),
        ("glass_restored", {"agent": "claude", "waiver": "w1"}, AlertKind.GLASS, "a broken glass of the agent claude was ended"),
        ("glass_expired", {"agent": "claude", "waiver": "w1"}, AlertKind.GLASS, "a broken glass of the agent claude has ended"),
        (
            "exception_granted",
            {"agent": "claude", "action": "git/commit", "waiver": "w1"},
            AlertKind.GLASS,
            "the agent claude has an exception for git/commit",
        ),
        ("config_rejected", {"problem": "x"}, AlertKind.CONFIGURATION, "the configuration was not taken; the one before goes on"),
        (
            "token_reuse_detected",
            {"what": "refresh_token", "family": "f1"},
            AlertKind.AUTHENTICATION,
            "two parties have one refresh_token: all that was granted with it has ended",
        ),
    ],
)
def test_each_event_that_somebody_should_see_reads_as_a_sentence(
    kind: str, fields: dict[str, Scalar], alert: AlertKind, sentence: str
) -> None:
    found = Room().noted(kind, fields)
    assert found is not None
    assert (found.kind, found.sentence, found.reference) == (alert, sentence, "leaf/7")


@pytest.mark.parametrize("kind", ["gateway_started", "definition_approved", "config_loaded", "turned_away", "refusals_counted"])
def test_what_is_in_order_is_no_alert(kind: str) -> None:
    assert Room().noted(kind, {"source": "192.0.2.0/24"}) is None


def test_what_a_name_holds_is_no_template() -> None:
    found = Room().noted("agent_revoked", {"agent": "{upstream} {0}"})
    assert found is not None
    assert found.sentence == "the agent {upstream} {0} was revoked"


def test_an_agent_that_is_refused_again_and_again_is_misuse_with_its_latest_receipt() -> None:
    room = Room()
    for number, reason in enumerate([Reason.FORBIDDEN, Reason.OVER_RATE, Reason.PENDING, Reason.UNKNOWN_TARGET]):
        room.heard.refused(refusal(number, reason))
    room.heard.refused(refusal(7, agent="another"))
    assert room.alerts == []
    room.heard.refused(refusal(8, Reason.UNSAFE_REQUEST))
    assert room.alerts == [
        Alert(
            AlertKind.MISUSE,
            "2 calls of the agent 'claude' were refused as forbidden or unsafe within a minute",
            {"agent": "claude", "refusals": 2, "reason": "unsafe_request"},
            reference="call-8",
            key="claude",
        )
    ]


def test_a_minute_later_it_is_counted_anew_and_the_gateway_itself_never() -> None:
    room = Room()
    room.heard.refused(refusal(1))
    room.now = 60.0
    room.heard.refused(refusal(2))
    for number in range(9):
        room.heard.refused(refusal(number, agent="doorward", method=AuthnMethod.OWN))
    assert room.alerts == []


def test_failed_authentications_are_counted_by_network_whoever_it_is() -> None:
    room = Room()
    for host in ("192.0.2.1", "192.0.2.9", "198.51.100.7"):
        room.heard.turned_away(host, Reason.UNAUTHENTICATED)
    room.heard.turned_away("192.0.2.2", Reason.MALFORMED)
    assert room.alerts == []
    room.heard.turned_away("192.0.2.3", Reason.REVOKED)
    assert room.alerts == [
        Alert(
            AlertKind.AUTHENTICATION,
            "3 callers without a valid credential were turned away from 192.0.2.0/24 within a minute",
            {"source": "192.0.2.0/24", "attempts": 3},
            key="192.0.2.0/24",
        )
    ]


def test_failed_authentications_from_many_networks_are_a_burst_though_each_sends_few() -> None:
    room = Room()
    for number in range(2, 2 + 3 * MANY):
        room.heard.turned_away(f"10.{number}.0.1", Reason.UNAUTHENTICATED)
    assert room.alerts == [
        Alert(
            AlertKind.AUTHENTICATION,
            "30 callers without a valid credential were turned away within a minute, few from each of many networks",
            {"source": "many networks", "attempts": 30},
            key="many networks",
        )
    ]


def test_one_network_that_makes_a_burst_makes_no_other_one_of_many_networks() -> None:
    room = Room()
    for _ in range(100):
        room.heard.turned_away("192.0.2.1", Reason.UNAUTHENTICATED)
    assert {one.key for one in room.alerts} == {"192.0.2.0/24"}


def test_failed_sign_ins_of_operators_count_too() -> None:
    room = Room()
    for _ in range(3):
        room.heard.noted(Event("operator_refused", "eve", {"why": "no role", "network": "192.0.2.1"}), PLACE)
    assert [(one.kind, one.sentence) for one in room.alerts] == [
        (AlertKind.AUTHENTICATION, "3 sign-ins of operators were turned away from 192.0.2.0/24 within a minute")
    ]


def test_other_thresholds_hold_at_once() -> None:
    room = Room()
    room.heard.adopt(failed_authentications=1, refusals=1)
    room.heard.refused(refusal(1))
    room.heard.turned_away("192.0.2.1", Reason.UNAUTHENTICATED)
    assert [one.kind for one in room.alerts] == [AlertKind.MISUSE, AlertKind.AUTHENTICATION]
