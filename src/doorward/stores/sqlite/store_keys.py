"""Store keys in SQLite (`KeyStore`), beside the rows that they seal."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import apsw

from doorward.credentials.envelope import Envelope
from doorward.credentials.store_keys import StoreKey
from doorward.credentials.wrapping import Wrapped
from doorward.stores.sqlite import sealing
from doorward.stores.sqlite.rows import select
from doorward.stores.sqlite.sealing import Cursor

Run = Callable[[Callable[[apsw.Connection], Any]], Awaitable[Any]]
"""Has a job done in a transaction of its own."""

_BREATH_SECONDS = 0.01
"""Between two transactions of a long piece of work: calls come first."""
_KEYS = "SELECT id, kek, wrapped, made_at FROM store_key ORDER BY number"
_ADD = "INSERT INTO store_key (id, kek, wrapped, made_at) VALUES (?, ?, ?, ?)"


class SqliteStoreKeys:
    """The store keys of one database."""

    __slots__ = ("_read", "_run")

    def __init__(self, run: Run, read: Run) -> None:
        """`run`: the writer's; `read`: the reader's, so that a long look holds up no call. Before there is either, the database's own."""
        self._run = run
        self._read = read

    async def keys(self) -> tuple[StoreKey, ...]:
        """Every store key."""
        return tuple(_key(*row) for row in await self._run(lambda db: select(db, _KEYS)))

    async def mark_key(self) -> bytes | None:
        """The sealed key of marks."""
        rows = await self._run(lambda db: select(db, "SELECT sealed FROM mark_key"))
        return rows[0][0] if rows else None

    async def begin(self, key: StoreKey, mark_key: bytes) -> None:
        """Keeps the first keys."""
        await self._run(lambda db: _begin(db, key, mark_key))

    async def add(self, key: StoreKey) -> None:
        """Keeps a newer one."""
        await self._run(lambda db: db.execute(_ADD, _row(key)).get)

    async def move(self, keys: tuple[StoreKey, ...]) -> None:
        """Keeps other wrappings."""
        await self._run(lambda db: _move(db, keys))

    async def needs(self) -> Mapping[bytes, int]:
        """Rows by store key."""
        found: Mapping[bytes, int] = await self._read(sealing.needs)
        return found

    async def rewrap(self, envelope: Envelope) -> int:
        """Wraps all rows anew."""
        cursor = Cursor()
        while not cursor.is_over:
            cursor = await self._run(partial(sealing.rewrap, envelope=envelope, cursor=cursor))
            await asyncio.sleep(_BREATH_SECONDS)
        return cursor.unopened

    async def forget(self) -> tuple[StoreKey, ...]:
        """Drops those that no row needs."""
        # INVARIANT: what is sealed under an older key was queued for the writer before the newer key was taken over, and so before any
        # row was wrapped anew: once none needs a key, none ever will.
        needed = frozenset(await self.needs())
        gone: tuple[StoreKey, ...] = await self._run(partial(_forget, needed=needed))
        return gone


def _begin(db: apsw.Connection, key: StoreKey, mark_key: bytes) -> None:
    db.execute(_ADD, _row(key))
    db.execute("INSERT INTO mark_key VALUES (1, ?)", (mark_key,))


def _move(db: apsw.Connection, keys: tuple[StoreKey, ...]) -> None:
    for key in keys:
        db.execute("UPDATE store_key SET kek = ?, wrapped = ? WHERE id = ?", (key.wrapped.by, key.wrapped.sealed, key.id))


def _forget(db: apsw.Connection, needed: frozenset[bytes]) -> tuple[StoreKey, ...]:
    gone = tuple(key for row in select(db, _KEYS)[:-1] if (key := _key(*row)).id not in needed)
    for key in gone:
        db.execute("DELETE FROM store_key WHERE id = ?", (key.id,))
    return gone


def _row(key: StoreKey) -> tuple[bytes, str, bytes, float]:
    return key.id, key.wrapped.by, key.wrapped.sealed, key.made_at


def _key(name: bytes, by: str, sealed: bytes, made_at: float) -> StoreKey:
    return StoreKey(name, Wrapped(by, sealed), made_at)
