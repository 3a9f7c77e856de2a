"""Agents and keys in SQLite (`AgentStore`)."""

from collections.abc import Mapping
from dataclasses import replace

import apsw

from doorward.domain.ids import AgentId
from doorward.identity.keys import KeyRecord
from doorward.identity.registry import AgentRecord
from doorward.stores.sqlite import records
from doorward.stores.sqlite.rows import select
from doorward.stores.sqlite.writer import Writer

_PUT_AGENT = """
INSERT INTO agent VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET record = excluded.record, seen_at = coalesce(excluded.seen_at, seen_at)
"""


class SqliteAgents:
    """Every agent and key of one database."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def load(self) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
        """Everything that was put."""
        return await self._writer.submit(_load)

    async def put(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """Adds or replaces by id, all or none."""
        await self._writer.submit(lambda db: _put(db, agents, keys))

    async def touch(self, seen: Mapping[AgentId, float]) -> None:
        """Notes when agents were last seen."""
        rows = [(at, agent) for agent, at in seen.items()]
        await self._writer.submit(lambda db: _touch(db, rows))


def _load(db: apsw.Connection) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
    rows = select(db, "SELECT record, seen_at FROM agent ORDER BY id")
    agents = tuple(replace(records.read(record, AgentRecord), seen_at=seen_at) for record, seen_at in rows)
    return agents, tuple(records.read(record, KeyRecord) for (record,) in select(db, "SELECT record FROM agent_key ORDER BY id"))


def _put(db: apsw.Connection, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
    db.executemany(_PUT_AGENT, ((record.agent.id, records.write(record), record.seen_at) for record in agents))
    db.executemany("INSERT OR REPLACE INTO agent_key VALUES (?, ?)", ((record.id, records.write(record)) for record in keys))


def _touch(db: apsw.Connection, rows: list[tuple[float, AgentId]]) -> None:
    db.executemany("UPDATE agent SET seen_at = ? WHERE id = ?", rows)
