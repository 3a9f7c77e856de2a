"""Who asks for what has an endless name hides no other question: lists stay lists, and the whole name stands where it is answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward.domain.catalog import Kind
from doorward.domain.reasons import Refused
from tests import made
from tests.control.answering import ANSWERING, ASK, EVE, came, pending
from tests.control.door import network_door

pytestmark = pytest.mark.anyio

URI = "file:///srv/" + "x" * 200_000 + "THE END"


async def test_lists_of_questions_hold_the_beginning_of_a_name_and_the_question_all_of_it(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        other = await pending(door)
        aimed = made.target(name=URI, kind=Kind.RESOURCE, definition=None)
        with pytest.raises(Refused) as raised:
            await door.it.desk.clear(made.call({"uri": URI}, to=aimed, method="resources/read"), ASK)
        reference, eve = raised.value.extra["approval"], await came(door, **EVE)
        for path in ("/approvals", "/v1/approvals"):
            told = (await eve.get(path)).text
            assert (len(told) < 20_000, "THE END" in told, other.id in told, str(reference) in told) == (True, False, True, True)
        assert "THE END" in (await eve.get(f"/approvals/{reference}")).text
        assert json.loads((await eve.get(f"/v1/approvals/{reference}")).text)["approval"]["name"] == URI
