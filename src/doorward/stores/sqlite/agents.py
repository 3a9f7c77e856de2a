"""Agents and keys in SQLite (`AgentStore`)."""

from collections.abc import Mapping

import apsw
from msgspec.structs import replace

from doorward.credentials.envelope import Envelope
from doorward.domain.ids import AgentId
from doorward.identity.keys import KeyRecord
from doorward.identity.registry import AgentRecord
from doorward.stores.sqlite.rows import select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_PUT_AGENT = """
INSERT INTO agent VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET record = excluded.record, seen_at = coalesce(excluded.seen_at, seen_at)
"""


class SqliteAgents:
    """Every agent and key of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._agents, self._keys = Sealed(envelope, "agent"), Sealed(envelope, "agent_key")

    async def load(self) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
        """Everything that was put."""
        return await self._writer.submit(self._load)

    async def put(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        """Adds or replaces by id, all or none."""
        await self._writer.submit(lambda db: self._put(db, agents, keys))

    async def touch(self, seen: Mapping[AgentId, float]) -> None:
        """Notes when agents were last seen."""
        rows = [(at, agent) for agent, at in seen.items()]
        await self._writer.submit(lambda db: _touch(db, rows))

    def _load(self, db: apsw.Connection) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
        rows = select(db, "SELECT id, record, seen_at FROM agent ORDER BY id")
        agents = tuple(replace(self._agents.read(record, AgentRecord, name), seen_at=seen_at) for name, record, seen_at in rows)
        keys = select(db, "SELECT id, record FROM agent_key ORDER BY id")
        return agents, tuple(self._keys.read(record, KeyRecord, name) for name, record in keys)

    def _put(self, db: apsw.Connection, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        rows = ((one.agent.id, self._agents.write(one, one.agent.id), one.seen_at) for one in agents)
        db.executemany(_PUT_AGENT, rows)
        db.executemany("INSERT OR REPLACE INTO agent_key VALUES (?, ?)", ((one.id, self._keys.write(one, one.id)) for one in keys))


def _touch(db: apsw.Connection, rows: list[tuple[float, AgentId]]) -> None:
    db.executemany("UPDATE agent SET seen_at = ? WHERE id = ?", rows)
