"""Keys are rotated while everybody writes: nothing is ever sealed under a key that was dropped."""

import asyncio
import os
from pathlib import Path

import pytest

from doorward.credentials.local_keys import LocalKeys
from doorward.credentials.rotation import Rotation, Seams
from doorward.credentials.store_keys import Wrappings, open_envelope
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.receipts import Event
from doorward.identity.records import NEVER, AgentRecord, State
from doorward.stores.sqlite.agents import SqliteAgents
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.store_keys import SqliteStoreKeys
from doorward.testing.stores.log import Clock, committer
from tests import made
from tests.sealing import Text

ROTATIONS, WRITERS, WRITTEN = 6, 4, 60


async def told(event: Event) -> None:
    assert event.type == "encryption_key_retired"


def record(name: str) -> AgentRecord:
    return AgentRecord(Agent(AgentId(name), "ada", TeamId("support"), "client"), State.ACTIVE, 1.5, NEVER)


@pytest.mark.anyio
async def test_rows_that_are_written_while_keys_change_open_with_the_last_key_alone(tmp_path: Path) -> None:
    database, place = open_database(tmp_path / "state"), Text()
    places = Wrappings(LocalKeys("file", place, os.urandom, made.Clock()))

    async def run(job: object) -> object:
        return database.now(job)  # type: ignore[arg-type]

    envelope = await open_envelope(SqliteStoreKeys(run, run), places, os.urandom, 1.0)
    log = SqliteLog(database, committer(), Clock(), envelope)
    try:
        agents = SqliteAgents(log.writer, envelope)
        rotation = Rotation(SqliteStoreKeys(log.writer.submit, log.read), envelope, places, Seams(os.urandom, made.Clock(), told))

        async def write(writer: int) -> None:
            for number in range(WRITTEN):
                await agents.put((record(f"a{writer}-{number % 20}"),), ())
                await asyncio.sleep(0)

        async def rotate() -> None:
            for _ in range(ROTATIONS):
                await rotation.rotate()
                assert await rotation.finish() is None

        await asyncio.gather(rotate(), *[write(writer) for writer in range(WRITERS)])
        assert await rotation.finish() is None
        assert await SqliteStoreKeys(run, run).needs() == {envelope.current: WRITERS * 20 + 1}
        assert len((place.text or "").splitlines()) == 1
        # Opened with what is kept, and nothing that is remembered.
        fresh = await open_envelope(SqliteStoreKeys(run, run), places, os.urandom, 1.0)
        found, _ = await SqliteAgents(log.writer, fresh).load()
        assert len(found) == WRITERS * 20
    finally:
        log.close()
        database.close()
