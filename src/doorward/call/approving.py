"""What a caller gets while people must answer: a page or a form if its client can show one, a wait and a readable word if not. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum, auto

import msgspec

from doorward.call.inbound import Inbound, Notices
from doorward.call.local import SERVER_INFO
from doorward.call.outbound import RECEIPT_KEY, SERVER_KEY, UNFINISHED
from doorward.call.rounds import APPROVAL_KEY, Heard
from doorward.domain.calls import Call, Era, Fault, Notice
from doorward.domain.ids import GrantId, PolicyId
from doorward.domain.reasons import Reason, Refused
from doorward.wire.replies import url_elicitation_required

Link = Callable[[GrantId], str | None]
"""The page on which a question is answered; None where there is none."""

_ASKED_BY_ERROR = "2025-11-25"
"""The one revision of the session era whose clients can be sent to a page (client/elicitation, URL mode)."""


def no_page(approval: GrantId) -> str | None:
    """There is none."""
    return None


class Way(Enum):
    """How a caller is told."""

    PAGE = auto()
    """It is asked to open a page, and to come again (2026-07-28, patterns/mrtr)."""
    FORM = auto()
    """It is asked to say when somebody has approved, and to come again."""
    ERROR = auto()
    """It is told by an error which page to open before it calls again (2025-11-25)."""
    HELD = auto()
    """It waits here."""


class Pending(msgspec.Struct, frozen=True):
    """A call that the spine has turned back until people have answered, and nothing else of its way: it may be long until it goes on."""

    call: Call
    heard: Heard
    approval: GrantId
    reference: str
    """Of the leaf that records it."""
    sentence: str
    policies: tuple[PolicyId, ...]
    epoch: int
    """Of the gate, before the call came to it."""

    def refused(self) -> Refused:
        """What whoever does not wait any longer is told."""
        refused = Refused(Reason.PENDING, sentence=self.sentence, policies=self.policies, extra={"approval": self.approval})
        refused.reference = self.reference
        return refused


def pending(call: Call, heard: Heard, epoch: int, refused: Refused) -> Pending | None:
    """The call behind a refusal that a yes would cure, and that is recorded; None for every other."""
    approval = refused.extra.get("approval")
    if refused.reason is not Reason.PENDING or not isinstance(approval, str):
        return None
    return Pending(call, heard, GrantId(approval), refused.reference, refused.public, refused.policies, epoch)


def way(inbound: Inbound, heard: Heard, page: str | None) -> Way:
    """How a caller is told: by what its revision and its client know, and whether it has been told before."""
    elicitation = elicitation_of(inbound)
    if heard is Heard.GOES_ON or elicitation is None:
        return Way.HELD
    if page is not None and "url" in elicitation:
        return way_to_pages(inbound)
    # Without parts, forms alone are meant (2026-07-28, basic).
    is_shown_forms = inbound.era is Era.EXCHANGE and ("form" in elicitation or not elicitation)
    return Way.FORM if is_shown_forms else Way.HELD


def way_to_pages(inbound: Inbound) -> Way:
    """How a client that can show pages is told of one."""
    if inbound.era is Era.EXCHANGE:
        return Way.PAGE
    return Way.ERROR if inbound.version == _ASKED_BY_ERROR else Way.HELD


def elicitation_of(inbound: Inbound) -> Mapping[str, object] | None:
    """What a client says that it can show a person while a request of it is unfinished; None where that is nothing."""
    said = inbound.capabilities.get("elicitation")
    return said if inbound.request.method in UNFINISHED and isinstance(said, Mapping) else None


def input_required(waiting: Pending, state: str, page: str | None) -> dict[str, object]:
    """The unfinished result that asks for approval, on a page if there is one to show; `state` brings the call back as it is."""
    params: dict[str, object]
    if page is not None:
        params = url_params(page, _on_page(waiting))
    else:
        params = {"mode": "form", "message": _in_form(waiting), "requestedSchema": {"type": "object", "properties": {}}}
    return unfinished(APPROVAL_KEY, params, state, waiting.reference)


def unfinished(key: str, params: Mapping[str, object], state: str, reference: str) -> dict[str, object]:
    """An unfinished result that asks the client to elicit what it needs from a person."""
    return {
        "resultType": "input_required",
        "inputRequests": {key: {"method": "elicitation/create", "params": params}},
        "requestState": state,
        "_meta": {RECEIPT_KEY: reference, SERVER_KEY: SERVER_INFO},
    }


def error(waiting: Pending, page: str) -> Fault:
    """The error that asks for approval on a page, for a client of 2025-11-25."""
    asked = {**url_params(page, _on_page(waiting)), "elicitationId": waiting.approval}
    return url_elicitation_required((asked,), waiting.refused())


def url_params(page: str, message: str) -> dict[str, object]:
    """What an elicitation says of a page."""
    return {"mode": "url", "url": page, "message": message}


def progress(inbound: Inbound, waiting: Pending, waited: float, seconds: float) -> Notice:
    """Says that a call waits for people; `waited` and `seconds` (at most) from its beginning."""
    return Notice(
        "notifications/progress",
        {
            "progressToken": inbound.progress_token,
            "progress": round(waited, 1),
            "total": seconds,
            "message": f"A person must approve this call; waiting. Approval: {waiting.approval}.",
        },
    )


def going_on(notices: Notices, waited: float) -> Notices:
    """Where the notifications of a call go that was kept waiting: its own progress follows on what it was told, for it may only grow."""

    async def follow(notice: Notice) -> None:
        if notice.method == "notifications/progress":
            moved = {name: _more(notice.params[name], waited) for name in ("progress", "total") if name in notice.params}
            notice = Notice(notice.method, {**notice.params, **moved})
        await notices(notice)

    return follow


def _more(value: object, waited: float) -> object:
    return float(value) + waited if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def _on_page(waiting: Pending) -> str:
    return (
        f"A person must approve this call of {waiting.call.target.name[:128]} before it is made. "
        f"The page shows it to whoever may answer. Approval: {waiting.approval}."
    )


def _in_form(waiting: Pending) -> str:
    return (
        f"A person must approve this call of {waiting.call.target.name[:128]} before it is made. "
        f"Have it approved, then accept here. Approval: {waiting.approval}."
    )
