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

MIGRATIONS = (Migration(1, "log", _LOG),)
