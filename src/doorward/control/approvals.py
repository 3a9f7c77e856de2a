"""Admin API: calls that wait for a person's yes, shown whole, and the answers."""

from dataclasses import dataclass

from pydantic import Field

from doorward.approval.desk import Approver, Desk, DeskError
from doorward.approval.question import Question
from doorward.audit.recorder import Recorder
from doorward.control.operators import Role
from doorward.control.orders import tell
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import GrantId
from doorward.domain.receipts import Event, Scalar


class QuestionView(Shape):
    """A question without what the call carries; times are Unix seconds."""

    id: str
    state: str
    agent: str
    owner: str
    upstream: str
    kind: str
    name: str
    policies: tuple[str, ...]
    approvers: tuple[str, ...] = Field(description="Teams of which one must say yes")
    reason: str
    asked_at: float
    expires_at: float = Field(description="Until when it may be answered; once approved, until when the call may be made")
    decided_by: str
    decided_at: float | None


class QuestionList(Shape):
    """Everything that waits for an answer or for its use, oldest first."""

    approvals: tuple[QuestionView, ...]


class WholeQuestion(Shape):
    """A question with all of what is asked: `canonical` is the exact text, of `digest`, that an answer is bound to."""

    approval: QuestionView
    canonical: str
    digest: str
    definition: str | None


class Answer(Shape):
    """A person's answer."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the call as it was shown")
    note: str = Field("", max_length=500, description="Why; kept in the log")


@dataclass(frozen=True, slots=True)
class Approvals:
    """The operations on questions. Approvers and owners speak for their teams, an admin for every team."""

    desk: Desk
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer, approver = Role.VIEWER, Role.APPROVER
        return (
            Route("GET", "/v1/approvals", viewer, "List calls that wait for a person", self.all, gives=QuestionList),
            Route("GET", "/v1/approvals/{approval}", Role.AUDITOR, "Show one with its arguments", self.one, gives=WholeQuestion),
            Route("POST", "/v1/approvals/{approval}/approve", approver, "Say yes to exactly this call", self.approve, Answer, Done),
            Route("POST", "/v1/approvals/{approval}/reject", approver, "Say no, or take an unused yes back", self.reject, Answer, Done),
        )

    async def all(self, ask: Ask) -> QuestionList:
        """Everything that waits."""
        return QuestionList(approvals=tuple(_view(question) for question in self.desk.questions()))

    async def one(self, ask: Ask) -> WholeQuestion:
        """One question, whole."""
        question = self._known(ask)
        return WholeQuestion(
            approval=_view(question),
            canonical=question.canonical.decode(),
            digest=question.binding.digest,
            definition=question.binding.definition,
        )

    async def approve(self, ask: Ask) -> Done:
        """Says yes. A yes that the log could not be told of is taken back (an intent that used it meanwhile names who gave it)."""
        question, approver = self._answered(ask)
        try:
            await self.desk.approve(question.id, approver)
        except DeskError as error:
            raise ControlError(409, "refused", str(error)) from error
        try:
            await self.recorder.note(_event("approval_granted", ask, question))
        except UnrecordedError:
            await self._take_back(question.id, approver)
            raise
        return Done()

    async def reject(self, ask: Ask) -> Done:
        """Says no: holds at once, and the log is told then."""
        question, approver = self._answered(ask)
        try:
            await self.desk.reject(question.id, approver)
        except DeskError as error:
            raise ControlError(409, "refused", str(error)) from error
        return Done(warnings=await tell(self.recorder, _event("approval_rejected", ask, question)))

    def _answered(self, ask: Ask) -> tuple[Question, Approver]:
        """The question and who answers it; 409 where what was shown is not what is asked."""
        question, answer = self._known(ask), ask.body
        assert isinstance(answer, Answer)
        if answer.digest != question.binding.digest:
            raise ControlError(409, "changed", f"the call of {question.id} has another digest than the one given; look at it again")
        operator = ask.operator
        return question, Approver(operator.name, question.approvers if operator.role is Role.ADMIN else operator.speaks_for)

    async def _take_back(self, reference: GrantId, approver: Approver) -> None:
        try:
            await self.desk.reject(reference, approver)
        except DeskError as error:
            raise ControlError(503, "unrecorded", f"the log could not be told, and the yes cannot be taken back: {error}") from error

    def _known(self, ask: Ask) -> Question:
        question = self.desk.question(GrantId(ask.path["approval"]))
        if question is None:
            raise ControlError(404, "unknown_approval", f"nothing waits under {ask.path['approval'][:64]!r}")
        return question


def _event(event: str, ask: Ask, question: Question) -> Event:
    assert isinstance(ask.body, Answer)
    fields: dict[str, Scalar] = {
        "approval": question.id,
        "agent": question.agent,
        "upstream": question.upstream,
        "name": question.name[:200],
        "digest": question.binding.digest,
    }
    return Event(event, ask.operator.name, {**fields, "note": ask.body.note} if ask.body.note else fields)


def _view(question: Question) -> QuestionView:
    return QuestionView(
        id=question.id,
        state=question.state,
        agent=question.agent,
        owner=question.owner,
        upstream=question.upstream,
        kind=question.kind,
        name=question.name,
        policies=question.policies,
        approvers=tuple(sorted(question.approvers)),
        reason=question.reason,
        asked_at=question.asked_at,
        expires_at=question.expires_at,
        decided_by=question.decided_by,
        decided_at=question.decided_at,
    )
