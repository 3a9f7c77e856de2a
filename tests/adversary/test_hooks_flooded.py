"""Strangers who flood the way in for signed answers keep no service's answer out, though they share its address (a proxy's, say)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.control.answering import ANSWERING, pending, signed, yes
from tests.control.door import network_door

pytestmark = pytest.mark.anyio

URL = "/hooks/approvals/chat"


async def test_an_answer_comes_through_a_flood_from_its_own_address(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door)
        body = json.dumps(yes(question)).encode()
        forged = {**signed(door, body), "webhook-signature": "v1,AAAA"}
        statuses = [(await door.ask("POST", URL, forged, body)).status for _ in range(100)]
        assert statuses == [401] * 60 + [429] * 40
        assert (await door.ask("POST", URL, signed(door, body), body)).status == 200
