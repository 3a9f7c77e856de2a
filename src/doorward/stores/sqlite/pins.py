"""Pins in SQLite (`PinStore`), with a mirror in memory for who must not wait."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw

from doorward.catalog.pins import Key
from doorward.credentials.envelope import Envelope
from doorward.domain.catalog import Kind, Pin
from doorward.domain.errors import StoreError
from doorward.domain.ids import Digest, UpstreamId
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.rows import select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer


class SqlitePins:
    """Every pin of one database."""

    def __init__(self, database: Database, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, "pin")
        self._pins = {_key(pin): self._told(pin) for pin in database.now(_load)}

    def all(self) -> tuple[Pin, ...]:
        """Every pin."""
        return tuple(self._pins.values())

    async def put(self, pins: Iterable[Pin]) -> None:
        """Keeps these pins, all or none."""
        kept = tuple(pins)
        hidden = [replace(pin, approved_by=self._sealed.hide("approved_by", pin.approved_by)) for pin in kept]
        await self._writer.submit(lambda db: _put(db, hidden))
        self._pins.update({_key(pin): pin for pin in kept})

    async def drop(self, keys: Iterable[Key]) -> None:
        """Forgets the pins of these keys."""
        gone = tuple(keys)
        await self._writer.submit(lambda db: _drop(db, gone))
        for key in gone:
            self._pins.pop(key, None)

    def _told(self, pin: Pin) -> Pin:
        return replace(pin, approved_by=self._sealed.shown("approved_by", pin.approved_by))


def peek(path: Path) -> tuple[Pin, ...]:
    """Every pin in a database file, whoever owns it, without writing anything; none where there is no file. Raises StoreError.

    Who approved them is hidden, as nobody has the keys outside of the gateway.
    """
    if not path.exists():
        return ()
    # Without a write-ahead log nobody has it open, and SQLite could not make one beside it without writing.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(apsw.Connection(f"{path.absolute().as_uri()}?{mode}", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)) as db:
            return tuple(replace(pin, approved_by="") for pin in _load(db))
    except apsw.Error as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def _key(pin: Pin) -> Key:
    return pin.upstream, pin.kind, pin.name


def _load(db: apsw.Connection) -> list[Pin]:
    sql = "SELECT upstream, kind, name, digest, canonical, approved_by, approved_at FROM pin ORDER BY upstream, kind, name"
    return [
        Pin(UpstreamId(upstream), Kind(kind), name, Digest(digest), canonical, by, at)
        for upstream, kind, name, digest, canonical, by, at in select(db, sql)
    ]


def _put(db: apsw.Connection, pins: Sequence[Pin]) -> None:
    rows = ((pin.upstream, pin.kind.value, pin.name, pin.digest, pin.canonical, pin.approved_by, pin.approved_at) for pin in pins)
    db.executemany("INSERT OR REPLACE INTO pin VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _drop(db: apsw.Connection, keys: Sequence[Key]) -> None:
    rows = ((upstream, kind.value, name) for upstream, kind, name in keys)
    db.executemany("DELETE FROM pin WHERE upstream = ? AND kind = ? AND name = ?", rows)
