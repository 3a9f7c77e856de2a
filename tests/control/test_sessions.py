"""Sessions over the admin API."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.call.sessions import End, SessionRow
from doorward.domain.ids import SessionId
from doorward.domain.reasons import Reason, Refused
from tests import made
from tests.control.plane import ME, NOW, plane

pytestmark = pytest.mark.anyio

ROW = SessionRow(SessionId("s1"), "claude", "", "2025-11-25", {}, {"name": "client\u202e", "version": "1"}, NOW - 5, NOW - 5)


async def test_sessions_are_listed_and_a_killed_one_is_unknown_from_then_on(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        text = await it.sessions.open(ROW)
        _, listed = await it.ask("GET", "/v1/sessions")
        assert listed == {
            "sessions": [
                {
                    "id": "s1",
                    "principal": "claude",
                    "endpoint": "",
                    "version": "2025-11-25",
                    "client": "client\u202e 1",
                    "created": NOW - 5,
                    "seen": NOW - 5,
                    "ends": NOW - 5 + 1800,
                }
            ]
        }
        assert text not in str(listed)
        assert await it.ask("DELETE", "/v1/sessions/s1") == (200, {"warnings": []})
        with pytest.raises(Refused) as raised:
            it.sessions.find(text, made.principal(), None)
        assert raised.value.reason is Reason.UNKNOWN_SESSION
        assert (await it.events())[-1] == ("session_killed", ME, {"session": "s1", "agent": "claude", "subject": None})


async def test_the_log_knows_whose_session_was_killed_by_pseudonym_alone(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.sessions.open(replace(ROW, principal="helper<claude/corp:ann@example.com"))
        await it.ask("DELETE", "/v1/sessions/s1")
        pseudonym = it.recorder.pseudonym("corp:ann@example.com")
        assert (await it.events())[-1] == ("session_killed", ME, {"session": "s1", "agent": "helper<claude", "subject": pseudonym})


async def test_whoever_follows_sessions_hears_that_one_was_killed(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        heard: list[tuple[str, End]] = []
        it.sessions.follow(lambda session, why: heard.append((session, why)))
        await it.sessions.open(ROW)
        await it.ask("DELETE", "/v1/sessions/s1")
        assert heard == [("s1", End.KILLED)]


async def test_a_session_of_age_is_not_listed_and_one_near_it_says_when_it_ends(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.sessions.open(replace(ROW, created=NOW - 86_400 + 60))
        assert [one["ends"] for one in (await it.ask("GET", "/v1/sessions"))[1]["sessions"]] == [NOW + 60]
        it.clock.at += 61
        assert (await it.ask("GET", "/v1/sessions"))[1] == {"sessions": []}


async def test_a_session_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("DELETE", "/v1/sessions/s1"))[0] == 404
