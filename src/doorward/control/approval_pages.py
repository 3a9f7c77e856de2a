"""The pages on which people who have signed in see what waits for their yes, and answer: to exactly what they were shown."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from doorward.approval.persons import may
from doorward.approval.question import Question, State
from doorward.approval.shown import urgency
from doorward.approval.tally import needs, told
from doorward.control.answers import Answered, Answers, speaker
from doorward.control.approval_views import ApprovalViews, Draft, Seat
from doorward.control.forms import body_of, fields_of
from doorward.control.network import Ground, Page, check_form, elsewhere
from doorward.control.operator_sessions import Door
from doorward.control.operators import Operator, Role
from doorward.control.routes import ControlError
from doorward.control.screens import own_step
from doorward.control.signing import sign_in_for
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import Digest
from doorward.domain.reasons import Refused
from doorward.wire.jsonrpc import Limits, parse_object

PATH: Final = "/approvals"
_FORM_BYTES: Final = 8_388_608
"""The largest arguments of a call, each character escaped."""
_NOTE: Final = 500
_AWAY: Final = frozenset({"cross-site", "same-site"})


class _Form(msgspec.Struct, frozen=True):
    """What somebody sends."""

    answer: str
    digest: Digest
    note: str
    edited: str
    """Arguments as JSON; empty for those that were asked for."""


class ApprovalPages:
    """The pages of one door."""

    __slots__ = ("_answers", "_ground", "_views")

    def __init__(self, ground: Ground, answers: Answers) -> None:
        self._ground, self._answers = ground, answers
        self._views = ApprovalViews()

    def pages(self) -> Mapping[str, Page]:
        """Path → page."""
        return {PATH: {"GET": self.all}, f"{PATH}/{{approval}}": {"GET": self.one, "POST": self.answer}}

    async def all(self, request: Request) -> Response:
        """What waits for whoever looks, and what for others."""
        operator = self._visitor(request)
        if isinstance(operator, Response):
            return operator
        waiting = sorted(self._answers.desk.questions(), key=urgency)
        mine = [one for one in waiting if one.state is State.PENDING and _seat(operator, one) is Seat.APPROVER]
        others = [one for one in waiting if one not in mine]
        return await asyncio.to_thread(self._views.all, operator.name, mine, others)

    async def one(self, request: Request) -> Response:
        """One question, with the form for an answer where this person may give one."""
        operator = self._visitor(request)
        if isinstance(operator, Response):
            return operator
        return await self._question(operator, self._answers.known(request.path_params["approval"]))

    async def answer(self, request: Request) -> Response:
        """Takes an answer, or shows what an edit would change before it is one."""
        check_form(request, self._ground.origin)
        operator = self._visitor(request)
        if isinstance(operator, Response):
            raise ControlError(401, "not_signed_in", "your sign-in has ended; go back to the page of the call and sign in again")
        question = self._answers.known(request.path_params["approval"])
        if operator.role < Role.APPROVER:
            raise ControlError(403, "forbidden", f"this needs the role approver, {operator.name} has {operator.role.name.lower()}")
        form = _read(await asyncio.to_thread(fields_of, await body_of(request, _FORM_BYTES)))
        try:
            return await self._carried_out(operator, question, form)
        except ControlError as error:
            return await self._shown_again(operator, question, form, error)
        except (UnrecordedError, StoreError) as error:
            raise ControlError(503, "unrecorded", f"the log or the store cannot be written, so nothing was approved: {error}") from error

    async def _carried_out(self, operator: Operator, question: Question, form: _Form) -> Response:
        """Raises `ControlError` for an answer that is not taken."""
        if form.digest != question.shown_digest:
            raise ControlError(409, "changed", "what is asked has changed since it was shown to you; this is how it is now")
        edited = await asyncio.to_thread(_arguments, form.edited) if form.edited and form.answer in ("approve", "edit") else None
        said = Answered(question.id, form.digest, speaker(operator, question), form.note, edited, "page")
        match form.answer:
            case "approve":
                return self._approved(operator, await self._answers.approve(said))
            case "reject":
                warnings = await self._answers.reject(said)
                title, sentence = "Rejected", "The agent is told no. The same call is not asked again for a while."
                return self._views.told(operator.name, title, sentence, reference=question.id, warnings=warnings)
            case "edit" if edited is not None:
                problems = self._answers.check_edit(question, edited)
                if problems:
                    raise ControlError(409, "edit_refused", "the call cannot be made with these arguments", problems)
                return await asyncio.to_thread(self._views.edit, operator.name, question, edited, form.note)
            case "draft":
                return await self._question(operator, question, Draft(form.note, form.edited))
            case _:
                raise ControlError(400, "invalid_body", "approve, reject or an edit was expected")

    def _approved(self, operator: Operator, question: Question) -> Response:
        if question.state is State.PENDING:
            sentence = f"Your yes counts. The call waits for {told(question)}."
            return self._views.told(operator.name, "Noted", sentence, reference=question.id)
        sentence = "The agent may make exactly this call, once. It has to ask again for it."
        return self._views.told(operator.name, "Approved", sentence, reference=question.id)

    async def _shown_again(self, operator: Operator, question: Question, form: _Form, error: ControlError) -> Response:
        """The question as it stands now, with why the answer was not taken, and what was being written."""
        now = self._answers.desk.question(question.id)
        if now is None:
            raise error
        notice = "; ".join((f"{error.message[:1].upper()}{error.message[1:]}", *error.problems))
        return await self._question(operator, now, Draft(form.note, form.edited, f"Not answered. {notice}."), error.status)

    async def _question(self, operator: Operator, question: Question, draft: Draft | None = None, status: int = 200) -> Response:
        return await asyncio.to_thread(self._views.question, operator.name, question, _seat(operator, question), draft or Draft(), status)

    def _visitor(self, request: Request) -> Operator | Response:
        """Who looks; or the way to sign in, and back to this page. Raises `ControlError` for who has no role."""
        away = elsewhere(request, self._ground)
        if away is not None:
            return away
        session = self._ground.session(request)
        if session is None or session.door is not Door.BROWSER:
            path = request.url.path
            # From a link in another site's page the cookie does not go along, though somebody may be signed in.
            is_from_away = request.headers.get("sec-fetch-site") in _AWAY
            return own_step(path) if is_from_away else RedirectResponse(sign_in_for(path), 303)
        operator = self._ground.operator(session.person, session.issuer)
        if operator is None:
            raise ControlError(403, "not_an_operator", f"{session.person.subject.id} has no role here (control.listen.groups)")
        return operator


def _seat(operator: Operator, question: Question) -> Seat:
    """How somebody sits before a question."""
    if operator.role < Role.AUDITOR:
        return Seat.VIEWER
    by = speaker(operator, question)
    if operator.role < Role.APPROVER or by.teams.isdisjoint(need.team for need in needs(question)):
        return Seat.READER
    return Seat.APPROVER if any(may(question, by, need) for need in needs(question)) else Seat.PARTY


def _read(fields: Mapping[str, str]) -> _Form:
    note = fields.get("note", "")
    if len(note) > _NOTE:
        raise ControlError(400, "invalid_body", f"a note of at most {_NOTE} characters was expected")
    return _Form(fields.get("answer", ""), Digest(fields.get("digest", "")), note, fields.get("edited", ""))


def _arguments(text: str) -> dict[str, object]:
    try:
        return parse_object(text.encode(), Limits())
    except Refused as refused:
        raise ControlError(400, "invalid_edit", f"the arguments are not JSON as a call must have it: {refused.detail}") from refused
