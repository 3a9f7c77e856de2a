"""Questions and grants in SQLite (`ApprovalStore`, `GrantUse`). The column `state` is the truth of where a question stands."""

from dataclasses import replace

import apsw

from doorward.approval.question import Question, State
from doorward.domain.approvals import Grant
from doorward.domain.ids import GrantId
from doorward.stores.sqlite import records
from doorward.stores.sqlite.rows import Value, select
from doorward.stores.sqlite.writer import Writer

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
_LOAD = "SELECT record, state FROM approval WHERE state IN ('pending', 'approved', 'rejected') AND expires_at > ? ORDER BY id"


class SqliteApprovals:
    """Every question of one database."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def load(self, now: float) -> tuple[Question, ...]:
        """Every question that still matters."""
        return await self._writer.submit(lambda db: _load(db, now))

    async def add(self, question: Question) -> None:
        """Keeps a new question."""
        await self._writer.submit(lambda db: _add(db, question))

    async def find(self, reference: GrantId) -> Question | None:
        """The question of this id."""
        return await self._writer.submit(lambda db: _find(db, reference))

    async def move(self, question: Question, before: Question) -> bool:
        """Replaces the question if it stands where `before` does."""
        return await self._writer.submit(lambda db: _move(db, question, before))


class SqliteGrants:
    """The use of grants within the log's transactions."""

    def consume(self, transaction: apsw.Connection, grant: Grant, now: float) -> bool:
        """Uses a grant, once."""
        return bool(select(transaction, _CONSUME, (grant.id, grant.digest, grant.definition, grant.principal, now)))

    def release(self, transaction: apsw.Connection, grant: GrantId) -> None:
        """Gives a used grant back."""
        transaction.execute("UPDATE approval SET state = 'approved' WHERE id = ? AND state = 'used'", (grant,))


def _load(db: apsw.Connection, now: float) -> tuple[Question, ...]:
    return tuple(_read(record, state) for record, state in select(db, _LOAD, (now,)))


def _find(db: apsw.Connection, reference: GrantId) -> Question | None:
    found = select(db, "SELECT record, state FROM approval WHERE id = ?", (reference,))
    return _read(*found[0]) if found else None


def _move(db: apsw.Connection, question: Question, before: Question) -> bool:
    # The revision is read out of the record: nothing comes between this and the update, which are one transaction of the only writer.
    known = _find(db, question.id)
    if known is None or known.revision != before.revision:
        return False
    return bool(select(db, _MOVE, (*_columns(question), question.id, before.state.value)))


def _read(record: bytes, state: str) -> Question:
    return replace(records.read(record, Question), state=State(state))


def _add(db: apsw.Connection, question: Question) -> None:
    db.execute(
        "INSERT INTO approval (id, state, digest, definition, principal, expires_at, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (question.id, *_columns(question)),
    )


def _columns(question: Question) -> tuple[Value, ...]:
    binding = question.binding
    return question.state.value, binding.digest, binding.definition, binding.principal, question.expires_at, records.write(question)
