"""Families, codes, spent names and registered clients in SQLite (`AuthorityStore`): each use is one conditional write in the writer's transaction."""

import apsw
from msgspec.structs import replace

from doorward.credentials.envelope import Envelope
from doorward.identity.authority.families import DAY_SECONDS, Code, Family, Registered, Use
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_OPEN = "INSERT INTO auth_family VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_VOID_SUBJECT = "DELETE FROM auth_code WHERE subject = ?"
_VOID_CLIENT = "DELETE FROM auth_code WHERE client = ?"
_REDEEM = "UPDATE auth_code SET used_at = ?1 WHERE sha256 = ?2 AND used_at IS NULL AND expires_at > ?1 RETURNING family"
_ROTATE = """
UPDATE auth_family SET refresh = ?1, refreshed = refreshed + 1
WHERE id = ?2 AND refresh = ?3 AND ended_at IS NULL AND expires_at > ?4
RETURNING id
"""
_STOOD = "SELECT refresh FROM auth_family WHERE id = ?1 AND refresh <> ?2 AND ended_at IS NULL AND expires_at > ?3"
_END = "UPDATE auth_family SET ended_at = ?3, ended_why = ?2 WHERE id = ?1 AND ended_at IS NULL AND expires_at > ?3 RETURNING id"
_END_SUBJECT = """
UPDATE auth_family SET ended_at = ?3, ended_why = ?2 WHERE subject = ?1 AND ended_at IS NULL AND expires_at > ?3 RETURNING id
"""
_END_CLIENT = """
UPDATE auth_family SET ended_at = ?3, ended_why = ?2 WHERE client = ?1 AND ended_at IS NULL AND expires_at > ?3 RETURNING id
"""
_FAMILY = "SELECT id, record, refresh, refreshed, ended_at, ended_why FROM auth_family WHERE id = ?"
_OF_SUBJECT = "SELECT id, record FROM auth_family WHERE subject = ? AND ended_at IS NULL AND expires_at > ?"
_ENDED = "SELECT id, record, refresh, refreshed, ended_at, ended_why FROM auth_family WHERE ended_at >= ? ORDER BY id"
_SPEND = "INSERT INTO auth_spent VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET until = ?2 WHERE until <= ?3 RETURNING name"
_ADD = "INSERT INTO auth_client SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM auth_client) < ?4 RETURNING id"
_IDLE = "DELETE FROM auth_client WHERE created_at <= ? AND id NOT IN (SELECT client FROM auth_family)"


class SqliteAuthority:
    """Everything that the authority of one database remembers."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._families, self._codes = Sealed(envelope, "auth_family"), Sealed(envelope, "auth_code")
        self._clients, self._spent = Sealed(envelope, "auth_client"), Sealed(envelope, "auth_spent")

    async def keep(self, code: Code) -> None:
        """Keeps a new code."""
        who = (self._client(code.client), self._codes.mark("subject", code.subject))
        row = (code.sha256, code.family, *who, code.expires_at, None, self._codes.write(code, code.sha256))
        await self._writer.submit(lambda db: _execute(db, "INSERT INTO auth_code VALUES (?, ?, ?, ?, ?, ?, ?)", row))

    async def code(self, sha256: str) -> Code | None:
        """The code of this hash."""
        rows = await self._writer.submit(lambda db: select(db, "SELECT record FROM auth_code WHERE sha256 = ?", (sha256,)))
        return self._codes.read(rows[0][0], Code, sha256) if rows else None

    async def redeem(self, sha256: str, family: Family) -> Use:
        """Uses a code and opens its family; ends the family at a second use."""
        row = self._row(family)
        return await self._writer.submit(lambda db: _redeem(db, sha256, row, family.created_at))

    async def open(self, family: Family) -> None:
        """Keeps a new family."""
        row = self._row(family)
        await self._writer.submit(lambda db: _execute(db, _OPEN, row))

    async def family(self, family: str) -> Family | None:
        """The family of this id."""
        rows = await self._writer.submit(lambda db: select(db, _FAMILY, (family,)))
        return self._family(*rows[0]) if rows else None

    async def groups(self, subject: str, now: float) -> tuple[str, ...]:
        """The groups of a person's newest family that has any."""
        rows = await self._writer.submit(lambda db: select(db, _OF_SUBJECT, (self._person(subject), now)))
        grouped = [family for name, record in rows if (family := self._families.read(record, Family, name)).groups]
        return max(grouped, key=lambda family: family.created_at).groups if grouped else ()

    async def rotate(self, family: str, old: str, new: str, now: float) -> Use:
        """Replaces the refresh token that is good; ends the family where it is another."""
        return await self._writer.submit(lambda db: _rotate(db, (new, family, old, now)))

    async def end(self, family: str, why: str, now: float) -> bool:
        """Ends one family."""
        return bool(await self._writer.submit(lambda db: select(db, _END, (family, why, now))))

    async def end_subject(self, subject: str, why: str, now: float) -> tuple[str, ...]:
        """Ends every family of a person."""
        marks = (self._person(subject), self._codes.mark("subject", subject))
        return await self._writer.submit(lambda db: _end_all(db, _END_SUBJECT, _VOID_SUBJECT, (*marks, why, now)))

    async def end_client(self, client: str, why: str, now: float) -> tuple[str, ...]:
        """Ends every family of a client."""
        mark = self._client(client)
        return await self._writer.submit(lambda db: _end_all(db, _END_CLIENT, _VOID_CLIENT, (mark, mark, why, now)))

    async def ended_since(self, moment: float) -> tuple[Family, ...]:
        """Families that were ended then or later."""
        return tuple(self._family(*row) for row in await self._writer.submit(lambda db: select(db, _ENDED, (moment,))))

    async def spend(self, name: str, until: float, now: float) -> bool:
        """Whether a name is new."""
        return bool(await self._writer.submit(lambda db: select(db, _SPEND, (self._spent.mark("name", name), until, now))))

    async def add(self, client: Registered, most: int) -> bool:
        """Keeps a client that has registered."""
        mark = self._client(client.id)
        row = (mark, client.created_at, self._clients.write(client, mark), most)
        return bool(await self._writer.submit(lambda db: select(db, _ADD, row)))

    async def registered(self, client: str) -> Registered | None:
        """The client of this id."""
        mark = self._client(client)
        rows = await self._writer.submit(lambda db: select(db, "SELECT record FROM auth_client WHERE id = ?", (mark,)))
        return self._clients.read(rows[0][0], Registered, mark) if rows else None

    async def sweep(self, now: float) -> None:
        """Forgets what has been over for a day."""
        await self._writer.submit(lambda db: _sweep(db, now))

    def _person(self, subject: str) -> str:
        return self._families.mark("subject", subject)

    def _client(self, client: str) -> str:
        """The mark of a client, the same in every table: which families a client has is asked across two."""
        return self._clients.mark("id", client)

    def _row(self, family: Family) -> tuple[Value, ...]:
        return (
            family.id,
            self._client(family.client),
            self._person(family.subject),
            family.expires_at,
            family.refresh,
            family.refreshed,
            family.ended_at,
            family.ended_why,
            self._families.write(family, family.id),
        )

    def _family(self, name: str, record: bytes, refresh: str, refreshed: int, ended_at: float | None, ended_why: str) -> Family:
        known = self._families.read(record, Family, name)
        return replace(known, refresh=refresh, refreshed=refreshed, ended_at=ended_at, ended_why=ended_why)


def _execute(db: apsw.Connection, sql: str, values: tuple[Value, ...]) -> None:
    db.execute(sql, values)


def _redeem(db: apsw.Connection, sha256: str, family: tuple[Value, ...], now: float) -> Use:
    if select(db, _REDEEM, (now, sha256)):
        db.execute(_OPEN, family)
        return Use.FIRST
    used = select(db, "SELECT family FROM auth_code WHERE sha256 = ? AND used_at IS NOT NULL", (sha256,))
    for (opened,) in used:
        db.execute(_END, (opened, "code_reused", now))
    return Use.AGAIN if used else Use.NEVER


def _rotate(db: apsw.Connection, values: tuple[str, str, str, float]) -> Use:
    if select(db, _ROTATE, values):
        return Use.FIRST
    _, family, old, now = values
    # A family that stands but whose good token is another one: this one was used before.
    standing = select(db, _STOOD, (family, old, now))
    if not standing:
        return Use.NEVER
    db.execute(_END, (family, "refresh_reused", now))
    return Use.AGAIN


def _end_all(db: apsw.Connection, end: str, void: str, values: tuple[str, str, str, float]) -> tuple[str, ...]:
    """Ends families and voids codes; `values`: the marks that each of the two tables has, why and when."""
    of_family, of_code, why, now = values
    db.execute(void, (of_code,))
    return tuple(sorted(family for (family,) in select(db, end, (of_family, why, now))))


def _sweep(db: apsw.Connection, now: float) -> None:
    over = (now - DAY_SECONDS,)
    db.execute("DELETE FROM auth_spent WHERE until <= ?", (now,))
    db.execute("DELETE FROM auth_code WHERE expires_at <= ?", over)
    db.execute("DELETE FROM auth_family WHERE expires_at <= ?", over)
    db.execute(_IDLE, over)
