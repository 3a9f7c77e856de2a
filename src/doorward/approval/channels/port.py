"""What a channel owes: it carries a question to people, or says that it could not. Public: further channels are written to this.

LAW: a channel only tells. It is given no way to answer, so that one that fails, hangs or lies approves nothing; answers come in through a
door of their own, which knows who answers.
"""

from typing import Protocol

from doorward.approval.question import Question
from doorward.domain.errors import DoorwardError


class ChannelError(DoorwardError):
    """A question that a channel did not take; the message is for operators and holds no secret."""


class Channel(Protocol):
    """One way to people. Used from the tasks of one event loop, several at the same time."""

    @property
    def name(self) -> str:
        """How the configuration calls it; the log names it so."""
        ...

    async def tell(self, question: Question, link: str) -> None:
        """Returns once the other side has taken the question; raises `ChannelError` where it has not.

        May be called again for the same question (after a failure further on, or a restart), so that it should be idempotent by
        `question.id` and `question.shown_digest`, which an approver's edit changes. Bounds itself in time and size; whoever calls gives
        up on it after a while all the same. `link` leads to the page of the question, and is empty where there is none.
        """
        ...

    async def settled(self, question: Question) -> None:
        """Says that a question which this channel has taken needs no answer any more: `question.state` says why.

        Best effort: raises `ChannelError`, and is not called again.
        """
        ...
