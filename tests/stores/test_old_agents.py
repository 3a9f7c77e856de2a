"""Agents that were stored before purpose, methods and identities were, are read as they were meant."""

from pathlib import Path

import apsw
import pytest

from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.records import AGENT_METHODS, NEVER, AgentRecord, State, Why
from doorward.stores.sqlite.agents import SqliteAgents
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.sealed import Sealed
from doorward.testing.stores.log import Clock, committer
from tests.sealing import envelope

pytestmark = pytest.mark.anyio

OLD = {
    "agent": {"id": "claude", "owner": "ada", "team": "support", "kind": "client"},
    "state": "suspended",
    "created_at": 1.5,
    "expires_at": NEVER,
    "seen_at": None,
}


async def test_an_agent_of_an_older_version_has_every_method_no_identity_and_was_added_by_nobody_known(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state")
    log = SqliteLog(database, committer(), Clock(), envelope())
    try:
        await log.writer.submit(_write_old)
        (record,), _ = await SqliteAgents(log.writer, envelope()).load()
    finally:
        log.close()
        database.close()
    assert record == AgentRecord(
        Agent(AgentId("claude"), "ada", TeamId("support"), "client"),
        State.SUSPENDED,
        1.5,
        NEVER,
        seen_at=42.5,
        purpose="",
        methods=AGENT_METHODS,
        identities=(),
        enrolled_by="",
        why=Why.ORDERED,
    )


def _write_old(db: apsw.Connection) -> None:
    db.execute("INSERT INTO agent VALUES ('claude', ?, 42.5)", [Sealed(envelope(), "agent").write(OLD, "claude")])
