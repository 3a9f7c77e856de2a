"""Certificates that we gave out, in SQLite (`IssuedStore`)."""

import apsw

from doorward.domain.ids import AgentId
from doorward.identity.certificates.ca import IssuedRecord
from doorward.stores.sqlite import records
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.writer import Writer

_OF_ONE = "SELECT record FROM certificate WHERE agent = ? ORDER BY issued_at DESC, id"
_OF_ALL = "SELECT record FROM certificate ORDER BY issued_at DESC, id"


class SqliteIssued:
    """Every issued certificate of one database."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def add(self, record: IssuedRecord) -> None:
        """Keeps one more."""
        row = (record.id, record.agent, record.issued_at, record.not_after, records.write(record))
        await self._writer.submit(lambda db: _add(db, row))

    async def all(self, agent: AgentId | None = None) -> tuple[IssuedRecord, ...]:
        """Those of one agent, or all."""
        sql, values = (_OF_ALL, ()) if agent is None else (_OF_ONE, (agent,))
        rows = await self._writer.submit(lambda db: select(db, sql, values))
        return tuple(records.read(record, IssuedRecord) for (record,) in rows)

    async def forget(self, before: float) -> int:
        """Drops those that had ended by then."""
        return await self._writer.submit(lambda db: _forget(db, before))


def _add(db: apsw.Connection, row: tuple[Value, ...]) -> None:
    db.execute("INSERT OR REPLACE INTO certificate VALUES (?, ?, ?, ?, ?)", row)


def _forget(db: apsw.Connection, before: float) -> int:
    return len(select(db, "DELETE FROM certificate WHERE not_after <= ? RETURNING id", (before,)))
