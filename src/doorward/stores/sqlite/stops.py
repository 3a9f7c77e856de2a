"""Stops and revocations in SQLite (`StopStore`)."""

import apsw

from doorward.admission.stops import Effect, Matter, Stop
from doorward.stores.sqlite import records
from doorward.stores.sqlite.rows import select
from doorward.stores.sqlite.writer import Writer


class SqliteStops:
    """Every stop of one database."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def load(self) -> tuple[Stop, ...]:
        """Every stop that was put and not dropped."""
        return await self._writer.submit(_load)

    async def put(self, stop: Stop) -> None:
        """Adds or replaces the stop of this matter and effect."""
        row = (stop.matter.kind.value, stop.matter.name, stop.effect.value, records.write(stop))
        await self._writer.submit(lambda db: _do(db, "INSERT OR REPLACE INTO stop VALUES (?, ?, ?, ?)", row))

    async def drop(self, matter: Matter, effect: Effect) -> None:
        """Forgets the stop of this matter and effect."""
        row = (matter.kind.value, matter.name, effect.value)
        await self._writer.submit(lambda db: _do(db, "DELETE FROM stop WHERE kind = ? AND name = ? AND effect = ?", row))


def _load(db: apsw.Connection) -> tuple[Stop, ...]:
    return tuple(records.read(record, Stop) for (record,) in select(db, "SELECT record FROM stop ORDER BY kind, name, effect"))


def _do(db: apsw.Connection, sql: str, row: tuple[str | bytes, ...]) -> None:
    db.execute(sql, row)
