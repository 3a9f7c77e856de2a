"""Questions and grants in SQLite (`ApprovalStore`, `GrantUse`). The column `state` is the truth of where a question stands."""

import apsw
from msgspec.structs import replace

from doorward.approval.question import Question, State
from doorward.credentials.envelope import Envelope
from doorward.domain.approvals import Grant
from doorward.domain.ids import GrantId
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

TABLE = "approval"

_CONSUME = """
UPDATE approval SET state = 'used'
WHERE id = ? AND state = 'approved' AND digest = ? AND definition IS ? AND principal = ? AND expires_at > ?
RETURNING id
"""
_MOVE = """
UPDATE approval SET state = ?, digest = ?, definition = ?, principal = ?, expires_at = ?, record = ?
WHERE id = ? AND state = ?
RETURNING id
"""
_LOAD = "SELECT id, record, state FROM approval WHERE state IN ('pending', 'approved', 'rejected') AND expires_at > ? ORDER BY id"


class SqliteApprovals:
    """Every question of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sealed = Sealed(envelope, TABLE)

    async def load(self, now: float) -> tuple[Question, ...]:
        """Every question that still matters."""
        return await self._writer.submit(lambda db: tuple(self._read(*row) for row in select(db, _LOAD, (now,))))

    async def add(self, question: Question) -> None:
        """Keeps a new question."""
        row = (question.id, *self._columns(question))
        await self._writer.submit(lambda db: _add(db, row))

    async def find(self, reference: GrantId) -> Question | None:
        """The question of this id."""
        return await self._writer.submit(lambda db: self._find(db, reference))

    async def move(self, question: Question, before: Question) -> bool:
        """Replaces the question if it stands where `before` does."""
        return await self._writer.submit(lambda db: self._move(db, question, before))

    def _find(self, db: apsw.Connection, reference: GrantId) -> Question | None:
        found = select(db, "SELECT id, record, state FROM approval WHERE id = ?", (reference,))
        return self._read(*found[0]) if found else None

    def _move(self, db: apsw.Connection, question: Question, before: Question) -> bool:
        # The revision is read out of the record: nothing comes between this and the update, which are one transaction of the only writer.
        known = self._find(db, question.id)
        if known is None or known.revision != before.revision:
            return False
        return bool(select(db, _MOVE, (*self._columns(question), question.id, before.state.value)))

    def _read(self, reference: str, record: bytes, state: str) -> Question:
        return replace(self._sealed.read(record, Question, reference), state=State(state))

    def _columns(self, question: Question) -> tuple[Value, ...]:
        binding = question.binding
        record = self._sealed.write(question, question.id)
        return (
            question.state.value,
            *_marks(self._sealed, binding.digest, binding.definition, binding.principal),
            question.expires_at,
            record,
        )


class SqliteGrants:
    """The use of grants within the log's transactions."""

    def __init__(self, envelope: Envelope) -> None:
        self._sealed = Sealed(envelope, TABLE)

    def consume(self, transaction: apsw.Connection, grant: Grant, now: float) -> bool:
        """Uses a grant, once."""
        return bool(select(transaction, _CONSUME, (grant.id, *_marks(self._sealed, grant.digest, grant.definition, grant.principal), now)))

    def release(self, transaction: apsw.Connection, grant: GrantId) -> None:
        """Gives a used grant back."""
        transaction.execute("UPDATE approval SET state = 'approved' WHERE id = ? AND state = 'used'", (grant,))


def _marks(sealed: Sealed, digest: str, definition: str | None, principal: str) -> tuple[str, str | None, str]:
    """What binds a grant, as columns. The digest is over arguments, which can be guessed from it where they are few."""
    return sealed.mark("digest", digest), definition, sealed.mark("principal", principal)


def _add(db: apsw.Connection, row: tuple[Value, ...]) -> None:
    db.execute("INSERT INTO approval (id, state, digest, definition, principal, expires_at, record) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
