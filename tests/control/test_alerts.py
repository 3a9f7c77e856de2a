"""A test of everything that alerts are sent to, ordered by an admin."""

from pathlib import Path

import pytest

from doorward.runtime.alerts.alarms import Tried
from tests.control.plane import ANN, plane

pytestmark = pytest.mark.anyio


async def test_every_sink_is_told_with_its_answer(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.tried = (Tried("chat", "204", was_taken=True), Tried("syslog udp siem:514", "unreachable", was_taken=False))
        assert await it.ask("POST", "/v1/alerts/test") == (
            200,
            {
                "sinks": [
                    {"sink": "chat", "took": True, "answer": "204"},
                    {"sink": "syslog udp siem:514", "took": False, "answer": "unreachable"},
                ]
            },
        )


async def test_only_an_admin_sends_one(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("POST", "/v1/alerts/test", uid=ANN))[0] == 403
