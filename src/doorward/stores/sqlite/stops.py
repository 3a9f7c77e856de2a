"""Stops and revocations in SQLite (`StopStore`)."""

import apsw

from doorward.admission.stops import Effect, Matter, Stop
from doorward.credentials.envelope import Envelope
from doorward.stores.sqlite.rows import select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer


class SqliteStops:
    """Every stop of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, "stop")

    async def load(self) -> tuple[Stop, ...]:
        """Every stop that was put and not dropped."""
        found = await self._writer.submit(self._load)
        return tuple(sorted(found, key=lambda stop: (stop.matter.kind.value, stop.matter.name, stop.effect.value)))

    async def put(self, stop: Stop) -> None:
        """Adds or replaces the stop of this matter and effect."""
        key = self._key(stop.matter, stop.effect)
        row = (*key, self._sealed.write(stop, *key))
        await self._writer.submit(lambda db: _do(db, "INSERT OR REPLACE INTO stop VALUES (?, ?, ?, ?)", row))

    async def drop(self, matter: Matter, effect: Effect) -> None:
        """Forgets the stop of this matter and effect."""
        key = self._key(matter, effect)
        await self._writer.submit(lambda db: _do(db, "DELETE FROM stop WHERE kind = ? AND name = ? AND effect = ?", key))

    def _key(self, matter: Matter, effect: Effect) -> tuple[str, str, str]:
        return matter.kind.value, self._sealed.mark("name", matter.name), effect.value

    def _load(self, db: apsw.Connection) -> list[Stop]:
        return [self._sealed.read(record, Stop, *key) for *key, record in select(db, "SELECT kind, name, effect, record FROM stop")]


def _do(db: apsw.Connection, sql: str, row: tuple[str | bytes, ...]) -> None:
    db.execute(sql, row)
