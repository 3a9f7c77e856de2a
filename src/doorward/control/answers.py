"""A person's answer to a question, whichever door it comes through: to exactly what was shown, and told to the log.

LAW: every answer names the digest that was shown. A yes that the log could not be told of is taken back; a no holds at once.
"""

from collections.abc import Callable, Mapping

import msgspec

from doorward.approval.desk import Approver, Desk, DeskError
from doorward.approval.question import Question, State
from doorward.audit.recorder import Recorder
from doorward.control.operators import Operator, Role
from doorward.control.orders import tell
from doorward.control.routes import ControlError
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import Digest, GrantId
from doorward.domain.receipts import Event, Scalar

CheckEdit = Callable[[Question, Mapping[str, object]], tuple[str, ...]]
"""What is wrong with putting these arguments in place of a call's: that they do not fit its schema, or policy would not let them pass."""


def no_edits(question: Question, arguments: Mapping[str, object]) -> tuple[str, ...]:
    """Every edit is wrong: where nobody can say whether policy would let it pass."""
    return ("edits cannot be checked here",)


class Answered(msgspec.Struct, frozen=True):
    """What a person answers, and to what."""

    reference: GrantId
    digest: Digest
    """Of the call as it was shown."""
    by: Approver
    note: str = ""
    """Why; kept in the log."""
    edited: Mapping[str, object] | None = None
    """Arguments to put in place of the call's."""
    door: str = ""
    """What it came through, where that is neither the command line nor the admin API: `page`, `webhook chat`."""


class Answers(msgspec.Struct, frozen=True):
    """Takes answers to the desk and tells the log of them. Raises `ControlError` for whatever cannot be answered so."""

    desk: Desk
    recorder: Recorder
    check_edit: CheckEdit = no_edits

    def known(self, reference: str) -> Question:
        """A question by its reference; raises `ControlError` 404."""
        question = self.desk.question(GrantId(reference))
        if question is None:
            raise ControlError(404, "unknown_approval", f"nothing waits under {reference[:64]!r}")
        return question

    async def approve(self, answer: Answered) -> Question:
        """Says yes, and gives the question as it stands then; raises `UnrecordedError` with the yes taken back.

        (An intent that has used it meanwhile names who gave it.)
        """
        shown = self._shown(answer)
        if answer.edited is not None:
            problems = self.check_edit(shown, answer.edited)
            if problems:
                raise ControlError(409, "edit_refused", f"the call of {shown.id} cannot be made with these arguments", problems)
        try:
            question = await self.desk.approve(answer.reference, answer.by, answer.edited, answer.digest)
        except DeskError as error:
            raise ControlError(409, "refused", str(error)) from error
        try:
            if question.shown_digest != answer.digest:
                await self.recorder.note(_event("approval_edited", answer, question))
            granted = question.state is State.APPROVED
            await self.recorder.note(_event("approval_granted" if granted else "approval_yes", answer, question))
        except UnrecordedError:
            await self._take_back(answer)
            raise
        return question

    async def reject(self, answer: Answered) -> tuple[str, ...]:
        """Says no, or takes an unused yes back; gives warnings: that the log could not be told."""
        self._shown(answer)
        try:
            question = await self.desk.reject(answer.reference, answer.by)
        except DeskError as error:
            raise ControlError(409, "refused", str(error)) from error
        return await tell(self.recorder, _event("approval_rejected", answer, question))

    async def sweep(self) -> None:
        """Ends what nobody has answered or used in time, and tells the log; raises `StoreError`, `UnrecordedError` once all is ended."""
        missed = 0
        for question in await self.desk.sweep():
            missed += len(await tell(self.recorder, Event("approval_expired", "doorward", _fields(question))))
        if missed:
            raise UnrecordedError(f"the log could not be told of {missed} questions whose time is over")

    def _shown(self, answer: Answered) -> Question:
        question = self.known(answer.reference)
        if answer.digest != question.shown_digest:
            raise ControlError(409, "changed", f"the call of {question.id} has another digest than the one given; look at it again")
        return question

    async def _take_back(self, answer: Answered) -> None:
        try:
            await self.desk.reject(answer.reference, answer.by)
        except DeskError as error:
            raise ControlError(503, "unrecorded", f"the log could not be told, and the yes cannot be taken back: {error}") from error


def speaker(operator: Operator, question: Question) -> Approver:
    """An operator as one who answers: for its own teams, an admin for every team that is asked, and as one person in either case."""
    teams = question.approvers if operator.role is Role.ADMIN else operator.speaks_for
    return Approver(operator.name, teams, operator.names | ({operator.shown} - {""}))


def _event(event: str, answer: Answered, question: Question) -> Event:
    fields = _fields(question)
    if event == "approval_edited":
        fields["was"] = answer.digest
    if event == "approval_granted" and len(question.yeses) > 1:
        fields["people"] = ", ".join(yes.by for yes in question.yeses)
    if answer.note:
        fields["note"] = answer.note
    if answer.door:
        fields["door"] = answer.door
    return Event(event, answer.by.name, fields)


def _fields(question: Question) -> dict[str, Scalar]:
    return {
        "approval": question.id,
        "agent": question.agent,
        "upstream": question.upstream,
        "name": question.name[:200],
        "digest": question.shown_digest,
    }
