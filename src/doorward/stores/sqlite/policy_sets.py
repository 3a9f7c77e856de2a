"""Sets of policies that were in force, in SQLite (`PolicySets`): each text once, with a mirror of the newest in memory."""

from hashlib import sha256

import apsw
from msgspec.structs import replace

from doorward.credentials.envelope import Envelope
from doorward.domain.ids import Digest
from doorward.policy.history import KEPT, Entry, Kept
from doorward.policy.rules import Source
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.rows import insert, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_ENDED = (
    "DELETE FROM policy_entry"
    " WHERE number <= (SELECT max(number) FROM policy_entry) - ? AND number < (SELECT max(number) FROM policy_entry WHERE at <= ?)"
)
_UNNAMED = (
    "DELETE FROM policy_file WHERE digest NOT IN (SELECT digest FROM policy_entry)",
    "DELETE FROM policy_text WHERE sha256 NOT IN (SELECT sha256 FROM policy_file)",
)


class SqlitePolicySets:
    """Every kept set of one database."""

    def __init__(self, database: Database, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, "policy_entry")
        self._last = database.now(self._newest)

    def last(self) -> Kept | None:
        """The newest entry."""
        return self._last

    async def keep(self, kept: Kept, ended_before: float) -> Entry:
        """Adds an entry, and forgets what is old."""
        entry = await self._writer.submit(lambda db: self._keep(db, kept, ended_before))
        self._last = replace(kept, entry=entry)
        return entry

    async def drop(self, number: int) -> None:
        """Takes an entry back."""
        self._last = await self._writer.submit(lambda db: self._drop(db, number))

    async def entries(self, before: int | None, limit: int) -> tuple[Entry, ...]:
        """Entries, newest first."""
        sql = "SELECT number, record FROM policy_entry WHERE number < coalesce(?, number + 1) ORDER BY number DESC LIMIT ?"
        rows = await self._writer.submit(lambda db: select(db, sql, (before, limit)))
        return tuple(self._entry(number, record) for number, record in rows)

    async def sources(self, digest: Digest) -> tuple[Source, ...] | None:
        """The files of a set."""
        return await self._writer.submit(lambda db: _sources(db, digest) if _is_kept(db, digest) else None)

    async def named(self, beginning: str) -> tuple[Digest, ...]:
        """Digests that begin so."""
        sql = "SELECT DISTINCT digest FROM policy_entry WHERE substr(digest, 1, ?) = ? ORDER BY digest LIMIT 2"
        rows = await self._writer.submit(lambda db: select(db, sql, (len(beginning), beginning)))
        return tuple(Digest(digest) for (digest,) in rows)

    def _newest(self, db: apsw.Connection) -> Kept | None:
        rows = select(db, "SELECT number, record FROM policy_entry ORDER BY number DESC LIMIT 1")
        if not rows:
            return None
        entry = self._entry(*rows[0])
        return Kept(entry, _sources(db, entry.digest))

    def _entry(self, number: int, record: bytes) -> Entry:
        return replace(self._sealed.read(record, Entry, str(number)), number=number)

    def _keep(self, db: apsw.Connection, kept: Kept, ended_before: float) -> Entry:
        entry = kept.entry
        texts = [(sha256(source.text.encode()).hexdigest(), source) for source in kept.sources]
        insert(db, "INSERT OR IGNORE INTO policy_text", [(name, source.text) for name, source in texts])
        files = [(entry.digest, place, source.team, source.path, name) for place, (name, source) in enumerate(texts)]
        insert(db, "INSERT OR IGNORE INTO policy_file", files)
        # Sealed to its number, which the row has to have first.
        sql = "INSERT INTO policy_entry (digest, at, record) VALUES (?, ?, x'') RETURNING number"
        ((number,),) = select(db, sql, (entry.digest, entry.at))
        db.execute("UPDATE policy_entry SET record = ? WHERE number = ?", (self._sealed.write(entry, str(number)), number))
        if select(db, f"{_ENDED} RETURNING 1", (KEPT, ended_before)):
            _forget(db)
        return replace(entry, number=number)

    def _drop(self, db: apsw.Connection, number: int) -> Kept | None:
        db.execute("DELETE FROM policy_entry WHERE number = ?", (number,))
        _forget(db)
        return self._newest(db)


def _is_kept(db: apsw.Connection, digest: Digest) -> bool:
    return bool(select(db, "SELECT 1 FROM policy_entry WHERE digest = ? LIMIT 1", (digest,)))


def _sources(db: apsw.Connection, digest: Digest) -> tuple[Source, ...]:
    sql = "SELECT path, text, team FROM policy_file JOIN policy_text USING (sha256) WHERE digest = ? ORDER BY position"
    return tuple(Source(*row) for row in select(db, sql, (digest,)))


def _forget(db: apsw.Connection) -> None:
    """What no entry names any more."""
    for sql in _UNNAMED:
        db.execute(sql)
