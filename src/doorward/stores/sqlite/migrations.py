"""The steps of the database. INVARIANT: a step that was released is never edited; a change is another step."""

from doorward.stores.sqlite.migrate import Migration

_LOG = """
CREATE TABLE leaf (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE node (level INTEGER, idx INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE open_intent (call TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE data_key (number INTEGER PRIMARY KEY AUTOINCREMENT, wrapped BLOB NOT NULL) STRICT;
CREATE TABLE side (
    seq INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    nonce BLOB NOT NULL,
    size INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
"""

_ROOMS = """
CREATE TABLE pin (
    upstream TEXT, kind TEXT, name TEXT,
    digest TEXT NOT NULL,
    canonical BLOB NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at TEXT NOT NULL,
    PRIMARY KEY (upstream, kind, name)
) STRICT;
CREATE TABLE agent (id TEXT PRIMARY KEY, record BLOB NOT NULL, seen_at REAL) STRICT;
CREATE TABLE agent_key (id TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE stop (kind TEXT, name TEXT, effect TEXT, record BLOB NOT NULL, PRIMARY KEY (kind, name, effect)) STRICT;
CREATE TABLE session (id TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    digest TEXT NOT NULL,
    definition TEXT,
    principal TEXT NOT NULL,
    expires_at REAL NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX approval_state ON approval (state, expires_at);
"""

MIGRATIONS = (Migration(1, "log", _LOG), Migration(2, "rooms", _ROOMS))
