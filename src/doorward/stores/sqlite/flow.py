"""Contexts in SQLite: how they stand, written within the log's transactions and read when a process begins (`FlowStore`)."""

from collections.abc import Collection, Sequence
from typing import Any

import apsw

from doorward.credentials.envelope import Envelope
from doorward.domain.flow import Counts, Held, Rise, latest
from doorward.stores.sqlite.rows import delete, select, upsert
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_HELD = "flow_held"
_LATER_HELD = (
    "ON CONFLICT (context) DO UPDATE SET version = excluded.version, record = excluded.record WHERE excluded.version > flow_held.version"
)
_LATER_COUNT = (
    "ON CONFLICT (context) DO UPDATE SET calls = excluded.calls, writes = excluded.writes, externals = excluded.externals, "
    "at = excluded.at, tick = excluded.tick WHERE excluded.tick > flow_count.tick"
)
_LOAD = "SELECT context, record, calls, writes, externals, at, tick FROM flow_held LEFT JOIN flow_count USING (context)"
_STRAY = "DELETE FROM flow_count WHERE context NOT IN (SELECT context FROM flow_held)"


class SqliteRises:
    """What calls do to contexts, within the log's transactions. Whose contexts they are, and what is in them, is sealed."""

    def __init__(self, envelope: Envelope) -> None:
        self._sealed = Sealed(envelope, _HELD)

    def write(self, transaction: apsw.Connection, rises: Sequence[Rise]) -> None:
        """Keeps the latest of each context, and forgets those that are no more."""
        if not rises:
            return
        risen = latest(rises)
        upsert(transaction, "INSERT INTO flow_count", risen.counts, _LATER_COUNT)
        if risen.held:
            rows = [(held.context, held.version, self._sealed.write(held, str(held.context))) for held in risen.held]
            upsert(transaction, "INSERT INTO flow_held", rows, _LATER_HELD)
        _forget(transaction, risen.gone)


class SqliteFlow:
    """The contexts of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, _HELD)

    async def load(self) -> tuple[tuple[Held, Counts], ...]:
        """Every context."""
        rows = await self._writer.submit(_load)
        return tuple([self._read(*row) for row in rows])

    async def drop(self, contexts: Collection[int]) -> None:
        """Forgets contexts."""
        await self._writer.submit(lambda db: _forget(db, contexts))

    def _read(self, context: int, record: bytes, *counts: int | None) -> tuple[Held, Counts]:
        held = self._sealed.read(record, Held, str(context))
        calls, writes, externals, at, tick = [count or 0 for count in counts]
        return held, Counts(context, calls, writes, externals, at, tick)


def _load(db: apsw.Connection) -> list[tuple[Any, ...]]:
    # Numbers are given again after a restart: a count that was written after its context was forgotten must not meet the next one.
    db.execute(_STRAY)
    return select(db, _LOAD)


def _forget(db: apsw.Connection, contexts: Collection[int]) -> None:
    for table in ("flow_held", "flow_count"):
        delete(db, f"DELETE FROM {table} WHERE context", tuple(contexts))  # noqa: S608 - our own words
