"""Session-era sessions: bounded, bound to their caller and endpoint, ended for good."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from doorward.call.sessions import End, LiveSession, SessionRow, Sessions
from doorward.config.model import Sessions as Bounds
from doorward.domain.actors import ALL_SCOPES, Actor, AuthnMethod, Principal, Proof, Subject
from doorward.domain.ids import SessionId, SubjectId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.stores.memory import MemorySessions
from doorward.testing.clocks import Clock, Draws
from doorward.wire.sealed import Seal
from tests import made

CLAUDE, GPT = made.principal(), made.principal("gpt")
GIT = UpstreamId("git")
VERSION = "2025-11-25"


@dataclass
class Desk:
    """Sessions over a store that outlives them."""

    clock: Clock = field(default_factory=Clock)
    store: MemorySessions = field(default_factory=MemorySessions)
    bounds: Bounds = field(default_factory=lambda: Bounds(idle_seconds=100, per_principal=2, overall=3))
    draws: Draws = field(default_factory=Draws)

    def sessions(self, key: bytes = b"k" * 32) -> Sessions:
        """As they are after a start."""
        return Sessions(self.store, Seal((key,)), lambda: self.bounds, self.clock.now, self.draws.nonce)

    def row(self, name: str, principal: str = "claude", endpoint: str = "", capabilities: Mapping[str, object] | None = None) -> SessionRow:
        now = self.clock.now()
        return SessionRow(SessionId(name), principal, endpoint, VERSION, capabilities or {}, {"name": "c"}, now, now)


def why(sessions: Sessions, text: str, agent: str = "claude", endpoint: UpstreamId | None = None) -> Reason | SessionId:
    """The session that is found, or why none is."""
    try:
        return sessions.find(text, made.principal(agent), endpoint).id
    except Refused as refused:
        return refused.reason


@pytest.mark.anyio
async def test_a_session_is_found_by_its_sealed_id_and_says_what_its_client_said() -> None:
    desk = Desk()
    sessions = desk.sessions()
    text = await sessions.open(desk.row("s1", capabilities={"roots": {}}))
    live = sessions.find(text, CLAUDE, None)
    assert (live.id, live.version, live.capabilities, live.client_info, live.log_level) == (
        "s1",
        VERSION,
        {"roots": {}},
        {"name": "c"},
        "info",
    )
    assert "s1" not in text


@pytest.mark.anyio
async def test_it_is_unknown_to_everybody_else_and_everywhere_else() -> None:
    desk = Desk()
    sessions = desk.sessions()
    text = await sessions.open(desk.row("s1", endpoint="git"))
    assert why(sessions, text, endpoint=GIT) == "s1"
    assert why(sessions, text) is Reason.UNKNOWN_SESSION
    assert why(sessions, text, "gpt", GIT) is Reason.UNKNOWN_SESSION
    assert why(sessions, text[:-1] + ("A" if text[-1] != "A" else "B"), endpoint=GIT) is Reason.UNKNOWN_SESSION
    assert why(sessions, "s1", endpoint=GIT) is Reason.UNKNOWN_SESSION
    assert why(desk.sessions(b"x" * 32), text, endpoint=GIT) is Reason.UNKNOWN_SESSION


@pytest.mark.anyio
async def test_it_outlives_a_restart_and_ends_for_good() -> None:
    desk = Desk()
    before = desk.sessions()
    text = await before.open(desk.row("s1"))
    before.set_level(SessionId("s1"), "error")
    again = desk.sessions()
    # The level lives as long as the process: the client is served with the default until it says so again.
    assert again.find(text, CLAUDE, None).log_level == "info"
    await again.end(again.find(text, CLAUDE, None))
    assert (why(again, text), why(desk.sessions(), text)) == (Reason.UNKNOWN_SESSION,) * 2


@pytest.mark.anyio
async def test_a_session_that_says_nothing_ends_and_one_that_speaks_does_not() -> None:
    desk = Desk()
    sessions = desk.sessions()
    quiet, spoken = await sessions.open(desk.row("quiet")), await sessions.open(desk.row("spoken"))
    desk.clock.pass_seconds(100)
    assert why(sessions, spoken) == "spoken"
    desk.clock.pass_seconds(1)
    assert (why(sessions, quiet), why(sessions, spoken)) == (Reason.UNKNOWN_SESSION, "spoken")
    await sessions.expire()
    assert [row.id for row in desk.store.all()] == ["spoken"]
    assert [row.id for row in sessions.rows()] == ["spoken"]


@pytest.mark.anyio
async def test_when_it_was_last_heard_is_stored_to_the_minute() -> None:
    desk = Desk()
    sessions = desk.sessions()
    text = await sessions.open(desk.row("s1"))
    opened = desk.clock.now()
    desk.clock.pass_seconds(60)
    sessions.find(text, CLAUDE, None)
    await sessions.expire()
    assert desk.store.all()[0].seen == opened
    desk.clock.pass_seconds(1)
    sessions.find(text, CLAUDE, None)
    await sessions.expire()
    assert desk.store.all()[0].seen == opened + 61
    # After a restart it idles from there.
    desk.clock.pass_seconds(100)
    assert why(desk.sessions(), text) == "s1"


@pytest.mark.anyio
async def test_the_oldest_of_a_principal_makes_room_for_its_next() -> None:
    desk = Desk()
    sessions = desk.sessions()
    texts = []
    for name in ("s1", "s2", "s3"):
        texts.append(await sessions.open(desk.row(name)))
        desk.clock.pass_seconds(1)
    assert [why(sessions, text) for text in texts] == [Reason.UNKNOWN_SESSION, "s2", "s3"]
    assert {row.id for row in desk.store.all()} == {"s2", "s3"}


@pytest.mark.anyio
async def test_the_one_heard_last_stays() -> None:
    desk = Desk()
    sessions = desk.sessions()
    first = await sessions.open(desk.row("s1"))
    desk.clock.pass_seconds(1)
    await sessions.open(desk.row("s2"))
    desk.clock.pass_seconds(1)
    sessions.find(first, CLAUDE, None)
    await sessions.open(desk.row("s3"))
    assert {row.id for row in sessions.rows()} == {"s1", "s3"}


@pytest.mark.anyio
async def test_beyond_the_cap_of_everybody_nobody_gets_one_until_one_ends() -> None:
    desk = Desk()
    sessions = desk.sessions()
    for name, agent in (("s1", "a"), ("s2", "b"), ("s3", "c")):
        await sessions.open(desk.row(name, agent))
    with pytest.raises(Refused) as caught:
        await sessions.open(desk.row("s4", "d"))
    assert caught.value.reason is Reason.OVERLOADED
    desk.clock.pass_seconds(101)
    assert await sessions.open(desk.row("s4", "d"))


@pytest.mark.anyio
async def test_narrower_bounds_hold_at_once() -> None:
    desk = Desk()
    sessions = desk.sessions()
    text = await sessions.open(desk.row("s1"))
    desk.clock.pass_seconds(50)
    desk.bounds = Bounds(idle_seconds=49, per_principal=1, overall=1)
    assert why(sessions, text) is Reason.UNKNOWN_SESSION


def test_a_level_for_nobody_is_for_nobody() -> None:
    Desk().sessions().set_level(SessionId("gone"), "error")


def test_a_live_session_shows_its_row() -> None:
    row = Desk().row("s1")
    assert LiveSession(row, 1.0).row is row


@pytest.mark.anyio
async def test_a_session_of_age_ends_whatever_it_says() -> None:
    desk = Desk(bounds=Bounds(idle_seconds=100, absolute_seconds=250))
    sessions = desk.sessions()
    text = await sessions.open(desk.row("s1"))
    row = sessions.rows()[0]
    assert sessions.ends(row) == desk.clock.now() + 100
    for _ in range(5):
        desk.clock.pass_seconds(50)
        assert why(sessions, text) == "s1"
    assert sessions.ends(row) == desk.clock.now()
    desk.clock.pass_seconds(1)
    assert (why(sessions, text), sessions.rows()) == (Reason.UNKNOWN_SESSION, ())
    # Its age does not begin anew with a restart.
    assert why(desk.sessions(), text) is Reason.UNKNOWN_SESSION
    await sessions.expire()
    assert desk.store.all() == ()


def bearer(agent: str, user: str, token: str, *actors: str) -> Principal:
    """An agent with an access token that it got for somebody."""
    return replace(
        made.principal(agent, method=AuthnMethod.ACCESS_TOKEN, key=token),
        subject=Subject(SubjectId(user), frozenset()),
        actors=tuple(Actor(name, "self", made.principal(name).agent) for name in actors),
        proof=Proof(ALL_SCOPES, "self", "c", token),
    )


@pytest.mark.anyio
async def test_a_session_goes_on_with_a_refreshed_token_and_for_nobody_else() -> None:
    desk = Desk()
    sessions = desk.sessions()
    mine = bearer("claude", "corp:ann", "one")
    text = await sessions.open(desk.row("s1", mine.id))
    assert sessions.find(text, mine, None).id == sessions.find(text, bearer("claude", "corp:ann", "two"), None).id == "s1"
    others = (
        made.principal(),
        bearer("claude", "corp:bob", "one"),
        bearer("claude", "home:ann", "one"),
        bearer("gpt", "corp:ann", "one"),
        bearer("claude", "corp:ann", "one", "planner"),
    )
    for other in others:
        with pytest.raises(Refused) as caught:
            sessions.find(text, other, None)
        assert caught.value.reason is Reason.UNKNOWN_SESSION


@pytest.mark.anyio
async def test_a_session_goes_on_with_a_new_key_of_its_agent() -> None:
    desk = Desk()
    sessions = desk.sessions()
    text = await sessions.open(desk.row("s1"))
    assert sessions.find(text, made.principal(key="key2"), None).id == "s1"


@pytest.mark.anyio
async def test_whoever_follows_hears_of_each_end_and_why() -> None:
    desk = Desk()
    sessions = desk.sessions()
    heard: list[tuple[str, End]] = []
    sessions.follow(lambda session, end: heard.append((session, end)))
    texts = [await sessions.open(desk.row(name)) for name in ("s1", "s2", "s3")]
    await sessions.end(sessions.find(texts[1], CLAUDE, None))
    await sessions.kill(SessionId("s3"))
    await sessions.kill(SessionId("s3"))
    await sessions.open(desk.row("s4"))
    desk.clock.pass_seconds(101)
    await sessions.expire()
    assert heard == [("s1", End.CROWDED_OUT), ("s2", End.CLOSED), ("s3", End.KILLED), ("s4", End.EXPIRED)]


@pytest.mark.anyio
async def test_who_opens_one_below_the_caps_has_no_other_looked_at() -> None:
    """However many there are: only a moment can tell which of them are over, and none is asked for."""
    desk = Desk(bounds=Bounds(per_principal=2, overall=100))
    asked: list[float] = []

    def now() -> float:
        asked.append(desk.clock.now())
        return asked[-1]

    sessions = Sessions(desk.store, Seal((b"k" * 32,)), lambda: desk.bounds, now, desk.draws.nonce)
    for number in range(40):
        await sessions.open(desk.row(f"s{number}", f"agent-{number}"))
    await sessions.open(desk.row("another", "agent-0"))
    assert asked == []
    await sessions.open(desk.row("a third", "agent-0"))
    assert len(asked) == 1
    assert {row.id for row in sessions.rows() if row.principal == "agent-0"} == {"another", "a third"}
