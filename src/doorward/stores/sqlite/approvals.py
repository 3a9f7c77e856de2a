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

    async def move(self, question: Question, before: State) -> bool:
        """Replaces the question if it stands in `before`."""
        values = (*_columns(question), question.id, before.value)
        return await self._writer.submit(lambda db: bool(select(db, _MOVE, values)))


class SqliteGrants:
    """The use of grants within the log's transactions."""

    def consume(self, transaction: apsw.Connection, grant: Grant, now: float) -> bool:
        """Uses a grant, once."""
        return bool(select(transaction, _CONSUME, (grant.id, grant.digest, grant.definition, grant.principal, now)))

    def release(self, transaction: apsw.Connection, grant: GrantId) -> None:
        """Gives a used grant back."""
        transaction.execute("UPDATE approval SET state = 'approved' WHERE id = ? AND state = 'used'", (grant,))


def _load(db: apsw.Connection, now: float) -> tuple[Question, ...]:
    rows = select(db, _LOAD, (now,))
    return tuple(replace(records.read(record, Question), state=State(state)) for record, state in rows)


def _add(db: apsw.Connection, question: Question) -> None:
    db.execute(
        "INSERT INTO approval (id, state, digest, definition, principal, expires_at, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (question.id, *_columns(question)),
    )


def _columns(question: Question) -> tuple[Value, ...]:
    binding = question.binding
    return question.state.value, binding.digest, binding.definition, binding.principal, question.expires_at, records.write(question)
