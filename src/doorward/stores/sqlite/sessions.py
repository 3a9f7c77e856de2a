"""Rows of session-era sessions in SQLite (`SessionStore`), with a mirror in memory for who must not wait."""

import apsw

from doorward.call.sessions import SessionRow
from doorward.domain.ids import SessionId
from doorward.stores.sqlite import records
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.rows import delete, select
from doorward.stores.sqlite.writer import Writer


class SqliteSessions:
    """Every session row of one database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._writer = writer
        self._rows = {row.id: row for row in database.now(_load)}

    def all(self) -> tuple[SessionRow, ...]:
        """Every row."""
        return tuple(self._rows.values())

    async def put(self, row: SessionRow) -> None:
        """Writes or overwrites a row."""
        await self._writer.submit(lambda db: _put(db, row))
        self._rows[row.id] = row

    async def drop(self, ids: tuple[SessionId, ...]) -> None:
        """Removes rows."""
        await self._writer.submit(lambda db: delete(db, "DELETE FROM session WHERE id", ids))
        for session_id in ids:
            self._rows.pop(session_id, None)


def _load(db: apsw.Connection) -> list[SessionRow]:
    return [records.read(record, SessionRow) for (record,) in select(db, "SELECT record FROM session ORDER BY id")]


def _put(db: apsw.Connection, row: SessionRow) -> None:
    db.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (row.id, records.write(row)))
