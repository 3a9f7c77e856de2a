"""Admin API: calls that wait for a person's yes, shown whole, and the answers."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace
from pydantic import Field

from doorward.approval import shown, tally
from doorward.approval.desk import Desk
from doorward.approval.question import Question
from doorward.audit.recorder import Recorder
from doorward.catalog.drift import changes, render
from doorward.catalog.text import visible
from doorward.control.answers import Answered, Answers, CheckEdit, no_edits, speaker
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.control.visible import pretty
from doorward.domain.ids import Digest, GrantId
from doorward.domain.reasons import Refused
from doorward.wire.jsonrpc import Limits, parse_object


class NeedView(Shape):
    """One team that is asked, and how far it has answered."""

    team: str
    people: int = Field(description="How many different people of it must say yes")
    by: tuple[str, ...] = Field(description="Who has")
    owner_may: bool = Field(description="Whether the owner of the agent may be one of them")


class QuestionView(Shape):
    """A question without what the call carries; times are Unix seconds."""

    id: str
    state: str
    agent: str
    owner: str
    chain_owners: tuple[str, ...] = Field(description="Who owns the agents that it was handed on by")
    subject: str = Field(description="Whom the agent acts for, who may never say yes; empty for nobody")
    upstream: str
    kind: str
    name: str
    reversibility: str
    policies: tuple[str, ...]
    approvers: tuple[str, ...] = Field(description="Teams that are asked")
    needs: tuple[NeedView, ...] = Field(description="What must be met, all of it")
    reason: str
    asked_at: float
    expires_at: float = Field(description="Until when it may be answered; once approved, until when the call may be made")
    is_edited: bool = Field(description="Whether an approver has put other arguments in place of the agent's")
    decided_by: str
    decided_at: float | None


class QuestionList(Shape):
    """Everything that waits for an answer or for its use: what waits for an answer first, then by risk, then oldest first."""

    approvals: tuple[QuestionView, ...]


class FactView(Shape):
    """What a person should know of a call besides its arguments."""

    name: str
    text: str


class EditView(Shape):
    """Other arguments that an approver has put in place of the agent's: a yes lets these through."""

    arguments: str = Field(description="Canonical JSON")
    changes: str = Field(description="Each field that differs, `-` as the agent asked, `+` as edited; unseen characters made visible")


class WholeQuestion(Shape):
    """A question with all of what is asked, and the digest that an answer names."""

    approval: QuestionView
    canonical: str = Field(description="The exact text of the call as the agent asked it")
    shown: str = Field(description="The arguments that a yes lets through, whole, over several lines; unseen characters as escapes")
    digest: str = Field(description="Of the call that a yes lets through")
    asked_digest: str = Field(description="Of the call as the agent asked it; the same where nobody has edited it")
    definition: str | None = Field(description="Digest of the tool's definition; where it changes, a yes is void")
    risk: str = Field(description="Its class of reversibility in a sentence")
    facts: tuple[FactView, ...]
    edit: EditView | None


class No(Shape):
    """A person's no."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the call as it was shown")
    note: str = Field("", max_length=500, description="Why; kept in the log")


class Yes(No):
    """A person's yes, to these arguments or to others."""

    edited: dict[str, Any] | None = Field(None, description="Arguments to put in place of the call's: all of them, not a part")


class Heard(Shape):
    """A yes that holds; `warnings` are always empty."""

    state: str = Field(description="`approved` if it was the last one that was needed, else `pending`")
    digest: str = Field(description="Of the call that a yes lets through now")
    missing: str = Field(description="Who must still say yes: `1 more of finance`")
    warnings: tuple[str, ...] = ()


class Told(Shape):
    """A no that holds; `warnings` say that the log could not be told."""

    warnings: tuple[str, ...] = ()


class Approvals(msgspec.Struct, frozen=True):
    """The operations on questions. Approvers and owners speak for their teams, an admin for every team."""

    desk: Desk
    recorder: Recorder
    check_edit: CheckEdit = no_edits

    @property
    def answers(self) -> Answers:
        """What takes answers to the desk."""
        return Answers(self.desk, self.recorder, self.check_edit)

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer, approver = Role.VIEWER, Role.APPROVER
        return (
            Route("GET", "/v1/approvals", viewer, "List calls that wait for a person", self.all, gives=QuestionList),
            Route("GET", "/v1/approvals/{approval}", Role.AUDITOR, "Show one with its arguments", self.one, gives=WholeQuestion),
            Route("POST", "/v1/approvals/{approval}/approve", approver, "Say yes to exactly this call", self.approve, Yes, Heard),
            Route("POST", "/v1/approvals/{approval}/reject", approver, "Say no, or take an unused yes back", self.reject, No, Told),
        )

    async def all(self, ask: Ask) -> QuestionList:
        """Everything that waits."""
        waiting = sorted(self.desk.questions(), key=shown.urgency)
        return QuestionList(approvals=tuple(view(replace(question, name=shown.brief(question.name))) for question in waiting))

    async def one(self, ask: Ask) -> WholeQuestion:
        """One question, whole."""
        return whole(self.answers.known(ask.path["approval"]))

    async def approve(self, ask: Ask) -> Heard:
        """Says yes."""
        assert isinstance(ask.body, Yes)
        question = await self.answers.approve(self._answered(ask, ask.body, _edited(ask, ask.body)))
        return Heard(state=question.state, digest=question.shown_digest, missing=tally.told(question))

    async def reject(self, ask: Ask) -> Told:
        """Says no."""
        assert isinstance(ask.body, No)
        return Told(warnings=await self.answers.reject(self._answered(ask, ask.body, None)))

    def _answered(self, ask: Ask, body: No, edited: Mapping[str, object] | None) -> Answered:
        question = self.answers.known(ask.path["approval"])
        return Answered(GrantId(question.id), Digest(body.digest), speaker(ask.operator, question), body.note, edited)


def view(question: Question) -> QuestionView:
    """What a list says of a question."""
    return QuestionView(
        id=question.id,
        state=question.state,
        agent=question.agent,
        owner=question.owner,
        chain_owners=question.owners,
        subject=question.subject,
        upstream=question.upstream,
        kind=question.kind,
        name=question.name,
        reversibility=question.reversibility,
        policies=question.policies,
        approvers=tuple(sorted(question.approvers)),
        needs=tuple(_need(one) for one in tally.progress(question)),
        reason=question.reason,
        asked_at=question.asked_at,
        expires_at=question.expires_at,
        is_edited=question.edited is not None,
        decided_by=question.decided_by,
        decided_at=question.decided_at,
    )


def whole(question: Question) -> WholeQuestion:
    """All that a person must see to answer."""
    before, after = shown.asked_arguments(question), shown.arguments(question)
    return WholeQuestion(
        approval=view(question),
        canonical=question.canonical.decode(),
        shown=pretty(after),
        digest=question.shown_digest,
        asked_digest=question.binding.digest,
        definition=question.binding.definition,
        risk=shown.reversibility(question),
        facts=tuple(FactView(name=visible(name), text=visible(text)) for name, text in shown.facts(question)),
        edit=None if question.edited is None else EditView(arguments=question.edited.decode(), changes=render(changes(before, after))),
    )


def _need(progress: tally.Progress) -> NeedView:
    need = progress.need
    return NeedView(team=need.team, people=need.people, by=progress.by, owner_may=need.owner_may)


def _edited(ask: Ask, body: Yes) -> Mapping[str, object] | None:
    """The arguments that are put in place of the call's, as the data plane would read them: numbers keep their digits."""
    if body.edited is None:
        return None
    try:
        given = parse_object(ask.raw, Limits()).get("edited")
    except Refused as refused:
        raise ControlError(400, "invalid_body", refused.detail or refused.public) from refused
    assert isinstance(given, Mapping)
    return given
