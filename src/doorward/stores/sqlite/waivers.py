"""Exceptions and broken glasses in SQLite (`WaiverStore`)."""

from collections.abc import Collection, Mapping

import apsw

from doorward.approval.waivers import Lasting
from doorward.credentials.envelope import Envelope
from doorward.domain.ids import WaiverId
from doorward.domain.waivers import Waiver
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_PUT = "INSERT OR REPLACE INTO waiver VALUES (?, ?, ?)"
_NOTE = "UPDATE waiver SET left_seconds = ?2 WHERE id = ?1"
_DROP = "DELETE FROM waiver WHERE id = ?"


class SqliteWaivers:
    """Every waiver of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, "waiver")

    async def load(self) -> tuple[Lasting, ...]:
        """Every one that was put and not dropped."""
        rows = await self._writer.submit(lambda db: select(db, "SELECT id, record, left_seconds FROM waiver ORDER BY id", ()))
        return tuple(Lasting(self._sealed.read(record, Waiver, name), left) for name, record, left in rows)

    async def put(self, lasting: Lasting) -> None:
        """Adds or replaces by id."""
        await self._do(_PUT, [(lasting.waiver.id, lasting.left_seconds, self._sealed.write(lasting.waiver, lasting.waiver.id))])

    async def note(self, left_seconds: Mapping[WaiverId, float]) -> None:
        """Notes what some have left."""
        await self._do(_NOTE, list(left_seconds.items()))

    async def drop(self, waivers: Collection[WaiverId]) -> None:
        """Forgets these."""
        await self._do(_DROP, [(name,) for name in waivers])

    async def _do(self, sql: str, rows: list[tuple[Value, ...]]) -> None:
        await self._writer.submit(lambda db: _all(db, sql, rows))


def _all(db: apsw.Connection, sql: str, rows: list[tuple[Value, ...]]) -> None:
    db.executemany(sql, rows)
