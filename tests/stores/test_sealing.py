"""Every column of the database is sealed, marked or hidden, or is in clear for a reason that is written down here."""

from contextlib import closing
from pathlib import Path

from doorward.stores.sqlite.database import connect
from doorward.stores.sqlite.migrate import migrate
from doorward.stores.sqlite.migrations import MIGRATIONS
from doorward.stores.sqlite.sealing import SEALED

MARKED = {
    "stop": {"name"},
    "approval": {"digest", "principal"},
    "auth_family": {"client", "subject"},
    "auth_code": {"client", "subject"},
    "auth_client": {"id"},
    "auth_spent": {"name"},
    "consent": {"subject", "client", "redirect_uri", "resource"},
    "connection": {"place"},
    "oauth_client": {"issuer", "client"},
}
HIDDEN = {"pin": {"approved_by"}, "budget_spent": {"key"}}
OPEN = {
    # The log, which is made to be shown, and what its reader finds it by.
    "leaf": {"seq", "hash", "body"},
    "node": {"level", "idx", "hash"},
    "checkpoint": {"size", "note"},
    "open_at_checkpoint": {"call", "seq"},
    # Encrypted by the log's own keys.
    "side": {"seq", "key", "nonce", "size", "sealed"},
    # Ids that Doorward draws, or that leaves have; states, counts and times; hashes of 256 random bits.
    "data_key": {"number"},
    "agent": {"id", "seen_at"},
    "agent_key": {"id"},
    "stop": {"kind", "effect"},
    "session": {"id"},
    "approval": {"id", "state", "definition", "expires_at"},
    "auth_family": {"id", "expires_at", "refresh", "refreshed", "ended_at", "ended_why"},
    "auth_code": {"sha256", "family", "expires_at", "used_at"},
    "auth_spent": {"until"},
    "auth_client": {"created_at"},
    "consent": {"at"},
    "waiver": {"id", "left_seconds"},
    "budget_spent": {"ledger", "until", "units"},
    "budget_raise": {"id"},
    "connection": {"id", "used_at"},
    "oauth_client": {"number"},
    "flow_held": {"context", "version"},
    "flow_count": {"context", "calls", "writes", "externals", "at", "tick"},
    # What agents are shown, and what is decided by.
    "pin": {"upstream", "kind", "name", "digest", "canonical", "approved_at"},
    "policy_text": {"sha256", "text"},
    "policy_file": {"digest", "position", "team", "path", "sha256"},
    "policy_entry": {"number", "digest", "at"},
    # Of agents alone, and public by nature.
    "certificate": {"id", "agent", "issued_at", "not_after", "record"},
    # The keys themselves, wrapped by one outside, and how far this database has come.
    "store_key": {"number", "id", "kek", "wrapped", "made_at"},
    "mark_key": {"number"},
    "sealing": {"stage"},
    "migration": {"number", "name", "checksum"},
    "sqlite_sequence": {"name", "seq"},
}


def test_no_column_is_in_clear_without_a_reason(tmp_path: Path) -> None:
    sealed: dict[str, set[str]] = {}
    for column in SEALED:
        sealed.setdefault(column.table, set()).add(column.name)
    with closing(connect(tmp_path / "a.db")) as db:
        migrate(db, MIGRATIONS)
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")} for table in tables}
        keys = {table: [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]] for table in tables}
    said = {
        table: sealed.get(table, set()) | MARKED.get(table, set()) | HIDDEN.get(table, set()) | OPEN.get(table, set()) for table in columns
    }
    assert said == columns
    # A record is bound to the whole key of its row.
    assert {column.table: list(column.row) for column in SEALED} == {column.table: keys[column.table] for column in SEALED}
