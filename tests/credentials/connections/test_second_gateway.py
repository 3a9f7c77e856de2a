"""A gateway behind a gateway: people connect their accounts at the authorization server of another Doorward."""

from pathlib import Path

import pytest

from doorward.domain.reasons import Refused
from tests.credentials.connections.door import Door
from tests.credentials.connections.world import ALICE, BOB
from tests.e2e import oauth
from tests.e2e.client import Client
from tests.e2e.commands import ordered

pytestmark = [pytest.mark.anyio, pytest.mark.peer]


async def test_people_connect_at_another_gateway_and_call_through_it_as_themselves(tmp_path: Path) -> None:
    enrol = [{"issuer": "self", "client": "dyn-*", "agent": "outer", "team": "tools", "owner": "platform"}]
    with oauth.house(tmp_path, {"enrol": enrol}, clients={"dynamic": True}) as inner:
        url = inner.running.url()
        door = await Door(url, back=oauth.CALLBACK).open()
        for holder, who in ((ALICE, "alice"), (BOB, "bob")):
            made = await door.connect(holder, oauth.Visit(who).consents)
            assert made.issuer == inner.origin
        alice, bob = [(await door.header(holder)).removeprefix("Bearer ") for holder in (ALICE, BOB)]
        assert Client(url, alice).call("up__echo", {"mark": "of alice"}).text
        assert "of alice" in inner.witness.marks()
        Client(url, bob).call("up__echo", {"mark": "of bob"})
        assert "of bob" not in inner.witness.marks(), "bob is in support, and only sales may"
        # The inner gateway rotates refresh tokens without grace: the next one is the only one.
        door.ticks.at += 600
        assert (await door.header(ALICE)).removeprefix("Bearer ") != alice
        ordered(inner.running, "revoke", "user", "corp:alice", "--reason", "she left")
        door.ticks.at += 600
        with pytest.raises(Refused):
            await door.header(ALICE)
        assert [event.type for event in door.told][-1] == "connection_broken"
        assert await door.header(BOB)
