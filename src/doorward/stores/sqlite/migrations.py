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

_CERTIFICATES = """
CREATE TABLE certificate (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    issued_at REAL NOT NULL,
    not_after REAL NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX certificate_agent ON certificate (agent, issued_at);
CREATE INDEX certificate_end ON certificate (not_after);
"""

_AUTHORITY = """
CREATE TABLE auth_family (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires_at REAL NOT NULL,
    refresh TEXT NOT NULL,
    refreshed INTEGER NOT NULL,
    ended_at REAL,
    ended_why TEXT NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX auth_family_subject ON auth_family (subject);
CREATE INDEX auth_family_client ON auth_family (client);
CREATE INDEX auth_family_expires ON auth_family (expires_at);
CREATE INDEX auth_family_ended ON auth_family (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE auth_code (
    sha256 TEXT PRIMARY KEY,
    family TEXT NOT NULL,
    client TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE auth_spent (name TEXT PRIMARY KEY, until REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX auth_spent_until ON auth_spent (until);
CREATE TABLE auth_client (id TEXT PRIMARY KEY, created_at REAL NOT NULL, record BLOB NOT NULL) STRICT;
"""

_CONSENTS = """
CREATE TABLE consent (
    subject TEXT,
    client TEXT,
    redirect_uri TEXT,
    resource TEXT,
    at REAL NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (subject, client, redirect_uri, resource)
) STRICT;
CREATE INDEX consent_client ON consent (client);
"""

_WAIVERS = """
CREATE TABLE waiver (id TEXT PRIMARY KEY, left_seconds REAL NOT NULL, record BLOB NOT NULL) STRICT;
"""

_POLICY_SETS = """
CREATE TABLE policy_text (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE policy_file (
    digest TEXT,
    position INTEGER,
    team TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (digest, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX policy_file_text ON policy_file (sha256);
CREATE TABLE policy_entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL,
    at REAL NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX policy_entry_digest ON policy_entry (digest);
"""

_BUDGETS = """
CREATE TABLE budget_spent (
    ledger TEXT,
    key TEXT,
    until INTEGER,
    units INTEGER NOT NULL,
    PRIMARY KEY (ledger, key, until)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_spent_until ON budget_spent (until);
CREATE TABLE budget_raise (id TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT;
"""

_SEALING = """
CREATE TABLE store_key (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kek TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    made_at REAL NOT NULL
) STRICT;
CREATE TABLE mark_key (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE sealing (stage INTEGER NOT NULL) STRICT;
INSERT INTO sealing VALUES (0);
"""

_CONNECTIONS = """
CREATE TABLE connection (
    id TEXT PRIMARY KEY,
    place TEXT NOT NULL UNIQUE,
    used_at REAL,
    record BLOB NOT NULL
) STRICT;
CREATE TABLE oauth_client (
    issuer TEXT,
    client TEXT,
    number INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (issuer, client)
) STRICT;
"""

_FLOW = """
CREATE TABLE flow_held (context INTEGER PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE flow_count (
    context INTEGER PRIMARY KEY,
    calls INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    externals INTEGER NOT NULL,
    at INTEGER NOT NULL,
    tick INTEGER NOT NULL
) STRICT;
"""

_OPENS = """
ALTER TABLE open_intent RENAME TO open_at_checkpoint;
"""

MIGRATIONS = (
    Migration(1, "log", _LOG),
    Migration(2, "rooms", _ROOMS),
    Migration(3, "certificates", _CERTIFICATES),
    Migration(4, "authority", _AUTHORITY),
    Migration(5, "consents", _CONSENTS),
    Migration(6, "waivers", _WAIVERS),
    Migration(7, "policy sets", _POLICY_SETS),
    Migration(8, "budgets", _BUDGETS),
    Migration(9, "connections", _CONNECTIONS),
    Migration(10, "sealing", _SEALING),
    Migration(11, "flow", _FLOW),
    Migration(12, "open intents as of the last checkpoint", _OPENS),
)
