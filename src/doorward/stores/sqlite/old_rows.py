"""Rows of before they were sealed: found in clear once, sealed in one transaction, and what is left of them in the file overwritten."""

from collections.abc import Mapping
from enum import IntEnum

import apsw
import msgspec

from doorward.credentials.envelope import Envelope
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.sealing import SEALED, Column


class Stage(IntEnum):
    """How far a database has come. INVARIANT: it never goes back."""

    CLEAR = 0
    SEALED = 1
    """No row is in clear, but free pages may hold what was."""
    CLEAN = 2


class Names(msgspec.Struct, frozen=True):
    """The columns of a table that names stood in, each with what its marks are made for."""

    marked: Mapping[str, str] = msgspec.field(default_factory=dict)
    hidden: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Those that are read again."""


_CLIENT = "auth_client.id"
_NAMES = {
    "stop": Names({"name": "stop.name"}),
    "approval": Names({"digest": "approval.digest", "principal": "approval.principal"}),
    "auth_family": Names({"client": _CLIENT, "subject": "auth_family.subject"}),
    "auth_code": Names({"client": _CLIENT, "subject": "auth_code.subject"}),
    "auth_client": Names({"id": _CLIENT}),
    "consent": Names({name: f"consent.{name}" for name in ("subject", "client", "redirect_uri", "resource")}),
    "auth_spent": Names({"name": "auth_spent.name"}),
    "pin": Names(hidden={"approved_by": "pin.approved_by"}),
    "budget_spent": Names(hidden={"key": "budget_spent.key"}),
}
_NEVER_CLEAR = frozenset({"mark_key", "connection", "oauth_client", "flow_held"})
"""Tables whose rows have always been sealed."""
_UNSEALED = (
    Column("auth_spent", ("name",), ""),
    Column("pin", ("upstream", "kind", "name"), ""),
    Column("budget_spent", ("ledger", "key", "until"), ""),
)
"""Tables of names alone."""


def seal_old_rows(db: apsw.Connection, envelope: Envelope) -> None:
    """Brings a database to its last stage; one that was broken off is gone on with. At the start, before anything else has it open."""
    stage = Stage(db.execute("SELECT stage FROM sealing").get)
    if stage is Stage.CLEAR:
        stage = _seal(db, envelope)
    if stage is Stage.SEALED:
        # Everything is written anew: free pages, and the ends of used ones, may hold rows of long ago.
        db.execute("VACUUM")
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        db.execute("UPDATE sealing SET stage = ?", (Stage.CLEAN,))


def _seal(db: apsw.Connection, envelope: Envelope) -> Stage:
    before = db.pragma("secure_delete")
    db.pragma("secure_delete", True)
    with db:
        sealed = sum(_seal_table(db, envelope, column) for column in (*SEALED, *_UNSEALED) if column.table not in _NEVER_CLEAR)
        stage = Stage.SEALED if sealed else Stage.CLEAN
        db.execute("UPDATE sealing SET stage = ?", (stage,))
    db.pragma("secure_delete", before)
    return stage


def _seal_table(db: apsw.Connection, envelope: Envelope, column: Column) -> int:
    names = _NAMES.get(column.table, Names())
    kept = list(dict.fromkeys([*column.row, *names.marked, *names.hidden]))
    columns = [*kept, *([column.name] if column.name else [])]
    where = " AND ".join(f"{name} = ?" for name in column.row)
    # Keys first: rows are changed while they are passed, and not all of them fit into memory.
    found = select(db, f"SELECT {', '.join(column.row)} FROM {column.table}")  # noqa: S608 - our own words
    for key in found:
        [row] = select(db, f"SELECT {', '.join(columns)} FROM {column.table} WHERE {where}", key)  # noqa: S608 - our own words
        old = dict(zip(columns, row, strict=True))
        new = old | _named(envelope, names, old)
        if column.name:
            new[column.name] = envelope.seal(_raw(old[column.name]), column.context(tuple([new[name] for name in column.row])))
        put = ", ".join(f"{name} = ?" for name in columns)
        db.execute(f"UPDATE {column.table} SET {put} WHERE {where}", [*new.values(), *key])  # noqa: S608 - our own words
    return len(found)


def _named(envelope: Envelope, names: Names, old: Mapping[str, Value]) -> dict[str, Value]:
    marked = {name: envelope.mark(purpose, text) for name, purpose in names.marked.items() if (text := str(old[name]))}
    hidden = {name: envelope.hide(purpose, text) for name, purpose in names.hidden.items() if (text := str(old[name]))}
    return {**marked, **hidden}


def _raw(value: Value) -> bytes:
    assert isinstance(value, bytes), "the schema (STRICT) says so"
    return value
