"""Consents in SQLite (`ConsentStore`)."""

import apsw

from doorward.identity.consents import Consent
from doorward.stores.sqlite import records
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.writer import Writer

_PUT = "INSERT OR REPLACE INTO consent VALUES (?, ?, ?, ?, ?, ?)"
_SURPLUS = """
DELETE FROM consent WHERE subject = ?1 AND (client, redirect_uri, resource) IN (
    SELECT client, redirect_uri, resource FROM consent WHERE subject = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2
)
"""


class SqliteConsents:
    """Everything that people have consented to, of one database."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def of(self, subject: str) -> tuple[Consent, ...]:
        """Every consent of a person, the latest first."""
        return await self._read("SELECT record FROM consent WHERE subject = ? ORDER BY at DESC", (subject,))

    async def put(self, consent: Consent, most: int) -> None:
        """Keeps a consent; the oldest of the person beyond `most` go in the same transaction."""
        row = (consent.subject, consent.client, consent.redirect_uri, consent.resource, consent.at, records.write(consent))
        await self._writer.submit(lambda db: _put(db, row, most))

    async def drop(self, subject: str, client: str) -> tuple[Consent, ...]:
        """Forgets a person's consents to one client."""
        return await self._read("DELETE FROM consent WHERE subject = ? AND client = ? RETURNING record", (subject, client))

    async def drop_subject(self, subject: str) -> tuple[Consent, ...]:
        """Forgets a person's consents."""
        return await self._read("DELETE FROM consent WHERE subject = ? RETURNING record", (subject,))

    async def drop_client(self, client: str) -> tuple[Consent, ...]:
        """Forgets everybody's consents to one client."""
        return await self._read("DELETE FROM consent WHERE client = ? RETURNING record", (client,))

    async def _read(self, sql: str, values: tuple[Value, ...]) -> tuple[Consent, ...]:
        rows = await self._writer.submit(lambda db: select(db, sql, values))
        return tuple(records.read(record, Consent) for (record,) in rows)


def _put(db: apsw.Connection, row: tuple[Value, ...], most: int) -> None:
    db.execute(_PUT, row)
    db.execute(_SURPLUS, (row[0], most))
