"""What nobody tells of by itself: an alert when it goes wrong, one when it is right again, and silence in between."""

from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from doorward.catalog.pins import Pins
from doorward.catalog.poison.found import Found, Rule
from doorward.catalog.suspicions import Suspicion
from doorward.domain.alerts import Alert, AlertKind
from doorward.domain.catalog import Kind, Pin, Trust
from doorward.domain.findings import Severity
from doorward.domain.ids import Digest, UpstreamId
from doorward.runtime.alerts.lookout import Lookout, Views
from doorward.upstream.health import Condition, Health

pytestmark = pytest.mark.anyio

GIT = UpstreamId("git")
UP = Health(Condition.UP, 0, "", 0)
HIDDEN = Suspicion((GIT, Kind.TOOL, "commit"), Found(Rule.HIDDEN_TEXT, Severity.HIGH, "/description", "U+200B"))


def down(failures: int) -> Health:
    return Health(Condition.DOWN, 0, "unreachable; it last said: 'no account ada@example.com'", failures)


@dataclass(slots=True)
class Room:
    """What there is to see, and the alerts that it makes."""

    alerts: list[Alert] = field(default_factory=list)
    log: str | None = None
    anchors: dict[str, str | None] = field(default_factory=lambda: {"/mnt/anchor": None})
    upstreams: dict[UpstreamId, Health] = field(default_factory=lambda: {GIT: UP})
    suspicions: tuple[Suspicion, ...] = ()
    pins: Pins = field(default_factory=lambda: Pins(()))
    trust: dict[UpstreamId, Trust] = field(default_factory=lambda: {GIT: Trust.FIRST_USE})
    lookout: Lookout = field(init=False)

    def __post_init__(self) -> None:
        views = Views(
            log=lambda: self.log,
            anchors=lambda: self.anchors,
            upstreams=lambda: self.upstreams,
            suspicions=lambda: self.suspicions,
            pins=lambda: self.pins,
            trust=lambda: self.trust,
        )
        self.lookout = Lookout(views, self.alerts.append)

    async def look(self) -> list[tuple[AlertKind, str, str]]:
        """What two looks bring, the second nothing."""
        self.alerts.clear()
        await self.lookout.look()
        found = [(one.kind, one.sentence, one.key) for one in self.alerts]
        await self.lookout.look()
        assert len(self.alerts) == len(found)
        return found


async def test_where_all_is_well_nothing_is_said() -> None:
    assert await Room().look() == []


async def test_a_log_that_cannot_be_written_is_told_and_its_end() -> None:
    room = Room(log="no space")
    assert await room.look() == [(AlertKind.LOG, "the log cannot be written, and no call is made: no space", "the log")]
    room.log = None
    assert await room.look() == [(AlertKind.LOG, "the log works again", "the log")]


async def test_each_anchor_is_told_of_by_itself() -> None:
    room = Room(anchors={"/mnt/anchor": "stale handle", "syslog udp siem:514": None})
    assert await room.look() == [(AlertKind.LOG, "the anchor /mnt/anchor takes no checkpoints: stale handle", "the anchor /mnt/anchor")]


async def test_an_upstream_is_down_after_three_failures_and_back_when_it_answers() -> None:
    room = Room(upstreams={GIT: down(2)})
    assert await room.look() == []
    room.upstreams[GIT] = down(3)
    assert await room.look() == [(AlertKind.BREAKER, "the upstream git does not answer, 3 times in a row", "git")]
    room.upstreams[GIT] = Health(Condition.STARTING, 0, "unreachable", 3)
    assert await room.look() == []
    room.upstreams[GIT] = UP
    assert await room.look() == [(AlertKind.BREAKER, "the upstream git answers again", "git")]


async def test_an_upstream_whose_calls_are_refused_at_once_is_down_after_any_number_of_failures_until_they_are_not() -> None:
    shut = replace(down(1), is_shut=True)
    room = Room(upstreams={GIT: shut})
    assert await room.look() == [(AlertKind.BREAKER, "the upstream git does not answer, and calls are refused at once", "git")]
    room.upstreams[GIT] = replace(UP, is_shut=True)
    assert await room.look() == []
    room.upstreams[GIT] = UP
    assert await room.look() == [(AlertKind.BREAKER, "the upstream git answers again", "git")]


async def test_an_upstream_that_is_taken_away_while_it_is_down_is_not_said_to_be_back() -> None:
    room = Room(upstreams={GIT: down(3)})
    await room.look()
    room.upstreams = {}
    assert await room.look() == []
    room.upstreams = {GIT: UP}
    assert await room.look() == []


async def test_a_definition_that_first_use_does_not_take_is_told_once() -> None:
    room = Room(suspicions=(HIDDEN,))
    assert await room.look() == [
        (AlertKind.DRIFT, "git shows a tool commit that waits for a person, as it is suspicious: hidden_text", "git")
    ]
    room.suspicions = (Suspicion(HIDDEN.key, Found(Rule.MENTION, Severity.HIGH, "/description", "speaks of others")), HIDDEN)
    assert await room.look() == []


@pytest.mark.parametrize("trust", [Trust.REVIEW, None])
async def test_what_waits_for_a_person_anyway_is_no_alert(trust: Trust | None) -> None:
    room = Room(suspicions=(HIDDEN,), trust={} if trust is None else {GIT: trust})
    assert await room.look() == []


async def test_a_name_that_is_common_or_accepted_already_is_no_alert() -> None:
    common = Suspicion((GIT, Kind.TOOL, "search"), Found(Rule.SAME_NAME, Severity.LOW, "/name", "two have it"))
    accepted = Pins((Pin(GIT, Kind.TOOL, "commit", Digest("d1"), b"{}", "ann", "2026-11-18T12:00:00Z"),))
    assert await Room(suspicions=(common, HIDDEN), pins=accepted).look() == []
