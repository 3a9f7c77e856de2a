"""An approval store in memory, with the intent's transaction as the log's writer runs it."""

import anyio
from msgspec.structs import replace

from doorward.approval.question import Question, State
from doorward.domain.approvals import Grant
from doorward.domain.errors import StoreError
from doorward.domain.ids import GrantId


class Memory:
    """Keeps questions; `fails` makes every answer an error, `is_slow` keeps who has written waiting for the word that it was done."""

    def __init__(self) -> None:
        self.rows: dict[GrantId, Question] = {}
        self.fails = False
        self.is_slow = False
        self.answers = 0

    async def load(self, now: float) -> tuple[Question, ...]:
        live = (State.PENDING, State.APPROVED, State.REJECTED)
        return tuple(row for row in self.rows.values() if row.state in live and row.expires_at > now)

    async def add(self, question: Question) -> None:
        await self._answer()
        assert question.id not in self.rows
        self.rows[question.id] = question

    async def find(self, reference: GrantId) -> Question | None:
        await self._answer()
        return self.rows.get(reference)

    async def move(self, question: Question, before: Question) -> bool:
        await self._answer()
        known = self.rows.get(question.id)
        if known is None or (known.state, known.revision) != (before.state, before.revision):
            return False
        self.rows[question.id] = question
        if self.is_slow:
            await anyio.sleep_forever()
        return True

    async def _answer(self) -> None:
        self.answers += 1
        await anyio.lowlevel.checkpoint()
        if self.fails:
            raise StoreError("the store is away")


class MemoryUse:
    """`GrantUse` over the same rows: the transaction is the rows themselves."""

    def consume(self, transaction: dict[GrantId, Question], grant: Grant, now: float) -> bool:
        row = transaction.get(grant.id)
        if row is None or row.state is not State.APPROVED or row.expires_at <= now:
            return False
        bound = row.binding
        if (bound.digest, bound.definition, bound.principal) != (grant.digest, grant.definition, grant.principal):
            return False
        transaction[grant.id] = replace(row, state=State.USED)
        return True

    def release(self, transaction: dict[GrantId, Question], grant: GrantId) -> None:
        row = transaction.get(grant)
        if row is not None and row.state is State.USED:
            transaction[grant] = replace(row, state=State.APPROVED)
