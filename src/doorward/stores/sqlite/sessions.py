"""Rows of session-era sessions in SQLite (`SessionStore`), with a mirror in memory for who must not wait."""

import apsw

from doorward.call.sessions import SessionRow
from doorward.credentials.envelope import Envelope
from doorward.domain.ids import SessionId
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.rows import delete, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer


class SqliteSessions:
    """Every session row of one database."""

    def __init__(self, database: Database, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, "session")
        self._rows = {row.id: row for row in database.now(self._load)}

    def all(self) -> tuple[SessionRow, ...]:
        """Every row."""
        return tuple(self._rows.values())

    async def put(self, row: SessionRow) -> None:
        """Writes or overwrites a row."""
        record = self._sealed.write(row, row.id)
        await self._writer.submit(lambda db: _put(db, row.id, record))
        self._rows[row.id] = row

    async def drop(self, ids: tuple[SessionId, ...]) -> None:
        """Removes rows."""
        await self._writer.submit(lambda db: delete(db, "DELETE FROM session WHERE id", ids))
        for session_id in ids:
            self._rows.pop(session_id, None)

    def _load(self, db: apsw.Connection) -> list[SessionRow]:
        rows = select(db, "SELECT id, record FROM session ORDER BY id")
        return [self._sealed.read(record, SessionRow, name) for name, record in rows]


def _put(db: apsw.Connection, name: SessionId, record: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (name, record))
