"""Connections in SQLite (`ConnectionStore`): whole records sealed, found by marks that say nothing to who has not the key."""

from collections.abc import Mapping

import apsw

from doorward.credentials.connections.store import Kept, Registered
from doorward.credentials.envelope import Envelope
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_REGISTER = """
INSERT OR REPLACE INTO oauth_client
VALUES (?1, ?2, (SELECT coalesce(max(number), 0) + 1 FROM oauth_client), ?3)
"""


class SqliteConnections:
    """Every connection of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._connections = Sealed(envelope, "connection")
        self._clients = Sealed(envelope, "oauth_client")

    async def load(self) -> tuple[tuple[Kept, float | None], ...]:
        """Every connection, and when it was last used."""
        rows = await self._writer.submit(lambda db: select(db, "SELECT id, record, used_at FROM connection"))
        return tuple((self._connections.read(record, Kept, name), used_at) for name, record, used_at in rows)

    async def put(self, kept: Kept) -> None:
        """Keeps a connection in place of any other of its place, in one transaction."""
        place = self._connections.mark("place", "\0".join((kept.holder, kept.upstream, kept.agent)))
        row = (kept.id, place, None, self._connections.write(kept, kept.id))
        await self._writer.submit(lambda db: _put(db, row))

    async def update(self, kept: Kept) -> bool:
        """Writes a connection that is there anew."""
        values = (self._connections.write(kept, kept.id), kept.id)
        sql = "UPDATE connection SET record = ? WHERE id = ? RETURNING id"
        return bool(await self._writer.submit(lambda db: select(db, sql, values)))

    async def touch(self, used: Mapping[str, float]) -> None:
        """Writes times of use."""
        rows = [(at, name) for name, at in used.items()]
        await self._writer.submit(lambda db: _touch(db, rows))

    async def drop(self, connection: str) -> bool:
        """Forgets one."""
        sql = "DELETE FROM connection WHERE id = ? RETURNING id"
        return bool(await self._writer.submit(lambda db: select(db, sql, (connection,))))

    async def registered(self, issuer: str) -> tuple[Registered, ...]:
        """Us as clients of an issuer, the latest first."""
        mark = self._clients.mark("issuer", issuer)
        sql = "SELECT client, record FROM oauth_client WHERE issuer = ? ORDER BY number DESC"
        rows = await self._writer.submit(lambda db: select(db, sql, (mark,)))
        return tuple(self._clients.read(record, Registered, mark, client) for client, record in rows)

    async def register(self, registered: Registered) -> None:
        """Keeps a registration in place of any other of its client id."""
        name = self._named(registered.issuer, registered.client_id)
        values = (*name, self._clients.write(registered, *name))
        await self._writer.submit(lambda db: _execute(db, _REGISTER, values))

    async def unregister(self, issuer: str, client_id: str) -> None:
        """Forgets a registration."""
        name = self._named(issuer, client_id)
        await self._writer.submit(lambda db: _execute(db, "DELETE FROM oauth_client WHERE issuer = ? AND client = ?", name))

    def _named(self, issuer: str, client_id: str) -> tuple[str, str]:
        return self._clients.mark("issuer", issuer), self._clients.mark("client", client_id)


def _put(db: apsw.Connection, row: tuple[Value, ...]) -> None:
    db.execute("DELETE FROM connection WHERE place = ?", row[1:2])
    db.execute("INSERT INTO connection VALUES (?, ?, ?, ?)", row)


def _touch(db: apsw.Connection, rows: list[tuple[float, str]]) -> None:
    db.executemany("UPDATE connection SET used_at = ? WHERE id = ?", rows)


def _execute(db: apsw.Connection, sql: str, values: tuple[Value, ...]) -> None:
    db.execute(sql, values)
