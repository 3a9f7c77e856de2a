"""What the desk needs of a store: questions that outlive the process, moved by compare-and-swap, used inside the intent's transaction."""

from typing import Protocol, TypeVar

from doorward.approval.question import Question
from doorward.domain.approvals import Grant
from doorward.domain.ids import GrantId

Transaction_contra = TypeVar("Transaction_contra", contravariant=True)
"""Whatever a driver writes through while its transaction is open: a connection, or a mirror in memory."""


class ApprovalStore(Protocol):
    """Where questions are kept. Raises `StoreError` when it cannot answer."""

    async def load(self, now: float) -> tuple[Question, ...]:
        """Every question that still matters: pending, approved or rejected, with its end after `now`."""
        ...

    async def add(self, question: Question) -> None:
        """Keeps a new question; durable on return."""
        ...

    async def find(self, reference: GrantId) -> Question | None:
        """The question of this id as it stands after every change that was asked for before; None where there is none."""
        ...

    async def move(self, question: Question, before: Question) -> bool:
        """Replaces the question of this id if it stands in state and revision of `before`; says whether it did. Durable on return."""
        ...


class GrantUse(Protocol[Transaction_contra]):
    """The part of a grant's life that belongs to other transactions: the intent's and the outcome's (RULINGS 22).

    Synchronous, and called by the log's writer in its own thread while that transaction is open; each is one conditional
    update, so that of two intents with one grant only one is written. Neither may wait, and neither commits.
    """

    def consume(self, transaction: Transaction_contra, grant: Grant, now: float) -> bool:
        """Moves `approved` to `used` if id, digest, definition and principal are the grant's and its end is after `now`.

        False means that the grant is gone: the intent must not be written, and the call is refused as GRANT_GONE.
        """
        ...

    def release(self, transaction: Transaction_contra, grant: GrantId) -> None:
        """Moves `used` back to `approved`: the outcome says that the call was not forwarded. Nothing if it is not `used`."""
        ...
