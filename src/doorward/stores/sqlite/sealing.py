"""Every column that holds sealed records, and how those are wrapped anew, a few rows in each transaction."""

from collections.abc import Iterator

import apsw
import msgspec

from doorward.credentials.envelope import ID_AT, ID_BYTES, Context, Envelope, EnvelopeError
from doorward.stores.sqlite.rows import Value, select

_MOST = 100
"""Rows of one transaction: about a millisecond of the writer's time."""
_KEY = f"substr({{}}, {ID_AT + 1}, {ID_BYTES})"


class Column(msgspec.Struct, frozen=True):
    """One sealed column."""

    table: str
    row: tuple[str, ...] = ("id",)
    """The columns of the primary key."""
    name: str = "record"

    def context(self, values: tuple[Value, ...]) -> Context:
        """Where the record of a row belongs."""
        return Context(self.table, tuple([str(value) for value in values]), self.name)


SEALED = (
    Column("agent"),
    Column("agent_key"),
    Column("stop", ("kind", "name", "effect")),
    Column("session"),
    Column("approval"),
    Column("auth_family"),
    Column("auth_code", ("sha256",)),
    Column("auth_client"),
    Column("consent", ("subject", "client", "redirect_uri", "resource")),
    Column("waiver"),
    Column("policy_entry", ("number",)),
    Column("budget_raise"),
    Column("data_key", ("number",), "wrapped"),
    Column("mark_key", ("number",), "sealed"),
    Column("connection"),
    Column("oauth_client", ("issuer", "client")),
    Column("flow_held", ("context",)),
)


class Cursor(msgspec.Struct, frozen=True):
    """How far a pass over all columns has come."""

    column: int = 0
    after: tuple[Value, ...] = ()
    """The primary key of the last row that was looked at; empty before the first."""
    unopened: int = 0
    """Rows that were left as they are, because they do not open."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to look at."""
        return self.column == len(SEALED)


def rewrap(db: apsw.Connection, envelope: Envelope, cursor: Cursor) -> Cursor:
    """Wraps those of the next few rows anew that need another store key than the one of now."""
    column = SEALED[cursor.column]
    rows = list(_next(db, column, envelope.current, cursor.after))
    unopened = cursor.unopened
    for row, stored in rows:
        if stored is None:
            continue
        try:
            again = envelope.rewrap(stored, column.context(row))
        except EnvelopeError:
            unopened += 1
            continue
        where = " AND ".join(f"{name} = ?" for name in column.row)
        db.execute(f"UPDATE {column.table} SET {column.name} = ? WHERE {where}", (again, *row))  # noqa: S608 - our own words
    if len(rows) < _MOST:
        return Cursor(cursor.column + 1, (), unopened)
    return Cursor(cursor.column, rows[-1][0], unopened)


def needs(db: apsw.Connection) -> dict[bytes, int]:
    """How many rows need each store key."""
    found: dict[bytes, int] = {}
    for column in SEALED:
        key = _KEY.format(column.name)
        for name, rows in select(db, f"SELECT {key}, count(*) FROM {column.table} GROUP BY 1"):  # noqa: S608 - our own words
            found[name] = found.get(name, 0) + rows
    return found


def _next(
    db: apsw.Connection, column: Column, current: bytes, after: tuple[Value, ...]
) -> Iterator[tuple[tuple[Value, ...], bytes | None]]:
    """The next rows by their keys; of those that are under the current key already, nothing more."""
    row = ", ".join(column.row)
    where = f"WHERE ({row}) > ({', '.join('?' * len(column.row))})" if after else ""
    stored = f"CASE WHEN {_KEY.format(column.name)} <> ? THEN {column.name} END"
    sql = f"SELECT {row}, {stored} FROM {column.table} {where} ORDER BY {row} LIMIT {_MOST}"  # noqa: S608 - our own words
    for *key, sealed in select(db, sql, (current, *after)):
        yield tuple(key), sealed
