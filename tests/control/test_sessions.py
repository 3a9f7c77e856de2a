"""Sessions over the admin API."""

from pathlib import Path

import pytest

from doorward.call.sessions import SessionRow
from doorward.domain.ids import SessionId
from doorward.domain.reasons import Reason, Refused
from tests import made
from tests.control.plane import ME, NOW, plane

pytestmark = pytest.mark.anyio

ROW = SessionRow(SessionId("s1"), "claude", "", "2025-11-25", {}, {"name": "client\u202e", "version": "1"}, NOW - 5, NOW - 5)


async def test_sessions_are_listed_and_an_ended_one_is_unknown_from_then_on(tmp_path: Path) -> None:
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
                }
            ]
        }
        assert text not in str(listed)
        assert await it.ask("DELETE", "/v1/sessions/s1") == (200, {"warnings": []})
        with pytest.raises(Refused) as raised:
            it.sessions.find(text, made.principal(), None)
        assert raised.value.reason is Reason.UNKNOWN_SESSION
        assert (await it.events())[-1] == ("session_ended", ME, {"session": "s1", "principal": "claude"})


async def test_a_session_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("DELETE", "/v1/sessions/s1"))[0] == 404
