"""Numbered steps from an empty database to the present one, each done once and never edited afterwards."""

import hashlib
from collections.abc import Sequence

import apsw
import msgspec

from doorward.domain.errors import StoreError

APPLICATION = 0x446F6F72
"""`Door`: what the file's header says of who wrote it."""


class Migration(msgspec.Struct, frozen=True):
    """One step."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What the database remembers of the step."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrate(db: apsw.Connection, migrations: Sequence[Migration]) -> None:
    """Brings a database to the last step; raises StoreError for one that is not ours, newer than we are, or made by altered steps."""
    application = db.pragma("application_id")
    tables = db.execute("SELECT count(*) FROM sqlite_schema").get
    if application != APPLICATION and tables:
        raise StoreError("a database of Doorward was expected, this one is another program's")
    db.pragma("application_id", APPLICATION)
    db.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT")
    done: dict[int, str] = dict(db.execute("SELECT number, checksum FROM migration"))
    newest = max(done, default=0)
    if newest > len(migrations):
        raise StoreError(f"the database is of step {newest}, this version of Doorward knows {len(migrations)}: use a newer version")
    for migration in migrations:
        if migration.number not in done:
            _apply(db, migration)
        elif done[migration.number] != migration.checksum:
            raise StoreError(f"step {migration.number} ({migration.name}) of the database is not the one that this version knows")


def _apply(db: apsw.Connection, migration: Migration) -> None:
    with db:
        db.execute(migration.sql)
        db.execute("INSERT INTO migration VALUES (?, ?, ?)", (migration.number, migration.name, migration.checksum))
