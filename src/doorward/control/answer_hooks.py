"""Answers that a service passes on, signed (Standard Webhooks 1.0): who said what to which call.

LAW: the signature proves the service; whom the service may speak for, and for which teams, the configuration says. Strangers learn nothing:
an unknown name, a wrong signature and an old message are told the same. A message that comes twice has its effect once.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from doorward.admission.rates import Pace, Rates
from doorward.approval.channels.signature import TOLERANCE_SECONDS, KeyFormError, Message, SignatureError, key_of, verify
from doorward.approval.persons import Approver
from doorward.approval.question import Question, State
from doorward.approval.tally import told
from doorward.config.approvals import Webhook
from doorward.control.answers import Answered, Answers
from doorward.control.forms import address_of, body_of
from doorward.control.network import Page
from doorward.control.remembered import Answer, Remembered
from doorward.control.routes import ControlError, Problem, Shape
from doorward.domain.errors import DoorwardError, StoreError, UnrecordedError
from doorward.domain.ids import Digest, GrantId
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from doorward.wire.jsonrpc import Limits, parse_object

PACE: Final = Pace(per_minute=120, burst=60)
"""Messages of one address that no service has signed."""
BODY_BYTES: Final = 65_536
MOST_REMEMBERED: Final = 10_000
_REMEMBERED_SECONDS: Final = 2.0 * TOLERANCE_SECONDS + 60
"""Longer than any message is taken: one from the future by five minutes is good for ten."""
_LIMITS: Final = Limits(body_bytes=BODY_BYTES)
_NOBODYS: Final = b"no secret of anybody's, so that an unknown name takes as long as a known one"


class Passed(Shape):
    """What a service says that a person has answered."""

    approval: str = Field(max_length=64)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    answer: Literal["approve", "reject"]
    by: str = Field(max_length=257)
    note: str = Field("", max_length=500)
    edited: dict[str, Any] | None = None


class Taken(Shape):
    """What came of it."""

    state: str
    missing: str = Field("", description="Who must still say yes")
    warnings: tuple[str, ...] = ()


class Senders(msgspec.Struct, frozen=True):
    """Whose messages are taken."""

    webhooks: Callable[[], Mapping[str, Webhook]]
    """`approvals.webhooks` as the document in force has them."""
    secret: Callable[[str], Secret]
    """What a reference leads to; raises a `DoorwardError`."""
    is_barred: Callable[[str], bool]
    """Whether a person is stopped or revoked (`Ground.is_barred`)."""
    now: Callable[[], float]


class AnswerHooks:
    """The way in for signed answers, on the door of operators."""

    __slots__ = ("_answers", "_rates", "_remembered", "_senders")

    def __init__(self, answers: Answers, senders: Senders) -> None:
        self._answers, self._senders = answers, senders
        self._rates = Rates(PACE, most=4096)
        self._remembered = Remembered(_REMEMBERED_SECONDS, MOST_REMEMBERED, senders.now)

    def pages(self) -> Mapping[str, Page]:
        """Path → page."""
        return {"/hooks/approvals/{webhook}": {"POST": self.take}}

    async def take(self, request: Request) -> Response:
        """Takes one message; raises `ControlError`."""
        name = request.path_params["webhook"]
        try:
            message, webhook = await self._verified(request, name)
        except ControlError as error:
            # Only who is no service is paced: behind a proxy everybody has one address, and a stranger must not keep answers out.
            if error.status == 401 and self._rates.take(address_of(request), self._senders.now()) > 0:
                raise ControlError(429, "too_many", "too many messages from this address; wait a minute") from None
            raise
        key = (name, message.id)
        answer = self._remembered.begin(key, message.body)
        if answer is not None:
            return _told(answer)
        try:
            answer = await self._answered(name, webhook, message.body)
        except BaseException:
            self._remembered.forget(key)
            raise
        self._remembered.done(key, answer)
        return _told(answer)

    async def _verified(self, request: Request, name: str) -> tuple[Message, Webhook]:
        """The message, if it is signed with the secret of this webhook; raises `ControlError` that says nothing to strangers."""
        headers = [request.headers.getlist(header) for header in ("webhook-id", "webhook-timestamp", "webhook-signature")]
        body = await body_of(request, BODY_BYTES)
        if any(len(values) != 1 for values in headers):
            raise _unverified()
        (message_id,), (timestamp,), (signatures,) = headers
        message = Message(message_id, timestamp, body)
        webhook = self._senders.webhooks().get(name)
        try:
            verify(self._key(webhook), message, signatures, self._senders.now())
        except SignatureError:
            raise _unverified() from None
        if webhook is None:
            raise _unverified()
        return message, webhook

    def _key(self, webhook: Webhook | None) -> bytes:
        if webhook is None:
            return _NOBODYS
        try:
            return key_of(self._senders.secret(webhook.secret).reveal())
        except KeyFormError:
            raise _unverified() from None
        except DoorwardError as error:
            raise _unverified() from error

    async def _answered(self, name: str, webhook: Webhook, raw: bytes) -> Answer:
        """The answer, to be given again to the same message; raises `ControlError` where it may be tried again."""
        try:
            passed = _passed(raw)
            question, warnings = await self._carried_out(name, webhook, passed)
        except ControlError as error:
            if error.status >= 500:
                raise
            problem = Problem(reason=error.reason, message=error.message, problems=error.problems)
            return Answer(error.status, problem.model_dump_json())
        except (UnrecordedError, StoreError) as error:
            raise ControlError(503, "unrecorded", f"the log or the store cannot be written, so nothing was approved: {error}") from error
        missing = told(question) if question.state is State.PENDING else ""
        return Answer(200, Taken(state=question.state.value, missing=missing, warnings=warnings).model_dump_json())

    async def _carried_out(self, name: str, webhook: Webhook, passed: Passed) -> tuple[Question, tuple[str, ...]]:
        teams = webhook.approvers.get(passed.by)
        if teams is None:
            raise ControlError(403, "unknown_approver", f"{passed.by[:80]!r} may not answer through this webhook (approvers)")
        if self._senders.is_barred(passed.by):
            raise ControlError(403, "barred", f"{passed.by[:80]!r} is stopped or revoked")
        answer = Answered(
            reference=GrantId(passed.approval),
            digest=Digest(passed.digest),
            by=Approver(passed.by, frozenset(teams)),
            note=passed.note,
            edited=passed.edited,
            door=f"webhook {name}",
        )
        if passed.answer == "approve":
            return await self._answers.approve(answer), ()
        warnings = await self._answers.reject(answer)
        return self._answers.known(passed.approval), warnings


def _passed(raw: bytes) -> Passed:
    """What a body says, read as strictly as a call; raises `ControlError`."""
    try:
        said = parse_object(raw, _LIMITS)
    except Refused as refused:
        raise ControlError(400, "invalid_body", f"strict JSON was expected: {refused.detail or refused.public}") from refused
    try:
        passed = Passed.model_validate({key: value for key, value in said.items() if key != "edited"})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ControlError(400, "invalid_body", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    edited = said.get("edited")
    if edited is None:
        return passed
    if not isinstance(edited, dict) or passed.answer != "approve":
        raise ControlError(400, "invalid_body", "edited: an object was expected, with answer approve")
    # As it was parsed: its numbers are exact.
    return passed.model_copy(update={"edited": edited})


def _unverified() -> ControlError:
    return ControlError(401, "not_verified", "a message that is signed with the secret of its webhook, and of now, was expected")


def _told(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type="application/json")
