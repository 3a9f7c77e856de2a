"""Consents in SQLite (`ConsentStore`)."""

import apsw

from doorward.credentials.envelope import Envelope
from doorward.identity.consents import Consent
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_ROW = "subject, client, redirect_uri, resource, record"
_DROP = f"DELETE FROM consent WHERE subject = ? AND client = ? RETURNING {_ROW}"  # noqa: S608 - our own words
_PUT = "INSERT OR REPLACE INTO consent VALUES (?, ?, ?, ?, ?, ?)"
_SURPLUS = """
DELETE FROM consent WHERE subject = ?1 AND (client, redirect_uri, resource) IN (
    SELECT client, redirect_uri, resource FROM consent WHERE subject = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2
)
"""


class SqliteConsents:
    """Everything that people have consented to, of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, "consent")

    async def of(self, subject: str) -> tuple[Consent, ...]:
        """Every consent of a person, the latest first."""
        return await self._read(f"SELECT {_ROW} FROM consent WHERE subject = ? ORDER BY at DESC", (self._person(subject),))  # noqa: S608 - our own words

    async def put(self, consent: Consent, most: int) -> None:
        """Keeps a consent; the oldest of the person beyond `most` go in the same transaction."""
        key = (
            self._person(consent.subject),
            self._client(consent.client),
            self._sealed.mark("redirect_uri", consent.redirect_uri),
            self._sealed.mark("resource", consent.resource),
        )
        row = (*key, consent.at, self._sealed.write(consent, *key))
        await self._writer.submit(lambda db: _put(db, row, most))

    async def drop(self, subject: str, client: str) -> tuple[Consent, ...]:
        """Forgets a person's consents to one client."""
        return await self._read(_DROP, (self._person(subject), self._client(client)))

    async def drop_subject(self, subject: str) -> tuple[Consent, ...]:
        """Forgets a person's consents."""
        return await self._read(f"DELETE FROM consent WHERE subject = ? RETURNING {_ROW}", (self._person(subject),))  # noqa: S608 - our own words

    async def drop_client(self, client: str) -> tuple[Consent, ...]:
        """Forgets everybody's consents to one client."""
        return await self._read(f"DELETE FROM consent WHERE client = ? RETURNING {_ROW}", (self._client(client),))  # noqa: S608 - our own words

    async def _read(self, sql: str, values: tuple[Value, ...]) -> tuple[Consent, ...]:
        rows = await self._writer.submit(lambda db: select(db, sql, values))
        return tuple(self._sealed.read(record, Consent, *key) for *key, record in rows)

    def _person(self, subject: str) -> str:
        return self._sealed.mark("subject", subject)

    def _client(self, client: str) -> str:
        return self._sealed.mark("client", client)


def _put(db: apsw.Connection, row: tuple[Value, ...], most: int) -> None:
    db.execute(_PUT, row)
    db.execute(_SURPLUS, (row[0], most))
