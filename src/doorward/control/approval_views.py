"""What people see of questions: pages from templates that escape everything, and the words for what a call is. No script, nothing from elsewhere."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from hashlib import sha256
from typing import Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from doorward.approval import shown, tally
from doorward.approval.question import Question, State
from doorward.control.visible import Html, difference, marked, pretty, spotted
from doorward.domain.moments import spoken
from doorward.wire.canonical import canonical
from doorward.wire.jsonrpc import parse_object

_HEADINGS: Final[Mapping[State, str]] = {
    State.PENDING: "Approve this call?",
    State.APPROVED: "Approved, and not made yet",
    State.REJECTED: "Rejected",
    State.EXPIRED: "Its time is over",
    State.USED: "Approved, and made",
}


class Draft(msgspec.Struct, frozen=True):
    """An answer that somebody is working on."""

    note: str = ""
    edited: str = ""
    """The arguments as they are being written."""
    notice: str = ""
    """What the page says first."""


class Seat(Enum):
    """How somebody sits before a question."""

    VIEWER = auto()
    """May not know what the call carries."""
    READER = auto()
    """May read all, and is not asked."""
    PARTY = auto()
    """Is of a team that is asked, but a yes of theirs would be to themselves: may say no."""
    APPROVER = auto()


class ApprovalViews:
    """The pages of one door."""

    __slots__ = ("_pages", "_policy", "_style")

    def __init__(self) -> None:
        loader = PackageLoader("doorward.control", "templates")
        self._pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        # No text from outside is in it, so that it alone goes onto a page as it is; the policy names it by its hash.
        self._style = loader.get_source(self._pages, "style.css")[0]
        style = b64encode(sha256(self._style.encode()).digest()).decode()
        self._policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

    def all(self, me: str, mine: Sequence[Question], others: Sequence[Question]) -> Response:
        """What waits for somebody, and what for others."""
        return self._page("approvals.html", 200, me=me, mine=[_row(one) for one in mine], others=[_row(one) for one in others])

    def question(self, me: str, question: Question, seat: Seat, draft: Draft, status: int = 200) -> Response:
        """A question with what this person may know of it, and the form for an answer."""
        is_open = question.state in (State.PENDING, State.APPROVED)
        return self._page(
            "approval.html",
            status,
            me=me,
            heading=_HEADINGS[question.state],
            it=_shown(question),
            content=None if seat is Seat.VIEWER else _content(question),
            may_reject=is_open and seat in (Seat.PARTY, Seat.APPROVER),
            may_approve=question.state is State.PENDING and seat is Seat.APPROVER,
            notice=draft.notice,
            note=draft.note,
            draft=draft.edited,
        )

    def edit(self, me: str, question: Question, arguments: Mapping[str, object], note: str) -> Response:
        """What an edit would change, to be approved or left."""
        text = pretty(_canonical(arguments))
        before = pretty(shown.arguments(question))
        return self._page(
            "edit.html",
            200,
            me=me,
            it=_shown(question),
            lines=() if text == before else difference(before, text),
            arguments=marked(text),
            edited=text,
            note=note,
        )

    def told(self, me: str, title: str, sentence: str, *, reference: str = "", warnings: Sequence[str] = (), status: int = 200) -> Response:
        """What came of an answer."""
        return self._page("told.html", status, me=me, title=title, sentence=sentence, id=reference, warnings=warnings)

    def _page(self, template: str, status: int, **values: object) -> Response:
        page = self._pages.get_template(template).render(style=self._style, **values)
        return Response(page, status, {"Content-Security-Policy": self._policy}, media_type="text/html")


def _row(question: Question) -> Mapping[str, object]:
    return {
        "id": question.id,
        "upstream": spotted(question.upstream),
        "name": spotted(shown.brief(question.name)),
        "agent": spotted(question.agent),
        "reason": spotted(question.reason),
        "missing": tally.told(question) if question.state is State.PENDING else "",
        "state": question.state.value,
        "until": spoken(question.expires_at),
    }


def _shown(question: Question) -> Mapping[str, object]:
    return {
        **_row(question),
        "name": spotted(question.name),
        "kind": question.kind,
        "owner": _names((question.owner, *question.owners)),
        "subject": spotted(question.subject) if question.subject else "",
        "reversibility": shown.reversibility(question),
        "policies": [spotted(policy) for policy in question.policies],
        "needs": [
            {"team": spotted(one.need.team), "people": one.need.people, "owner_may": one.need.owner_may, "by": ", ".join(one.by)}
            for one in tally.progress(question)
        ],
        "asked_at": spoken(question.asked_at),
        "end": {State.PENDING: "Answer until", State.APPROVED: "To be made until"}.get(question.state, "Ended, or ends"),
        "decided": _decided(question),
        "digest": question.shown_digest,
    }


def _content(question: Question) -> Mapping[str, object]:
    """Everything that the call carries."""
    arguments, asked = shown.arguments(question), pretty(shown.asked_arguments(question))
    text, extras = pretty(arguments), shown.call_of(question).get("extras")
    return {
        "arguments": marked(text),
        "text": text,
        "bytes": len(canonical(arguments)),
        "edited": difference(asked, text) if question.edited is not None else (),
        "extras": marked(pretty(extras)) if extras else "",
        "facts": [{"name": spotted(name), "text": spotted(text)} for name, text in shown.facts(question)],
        "is_editable": question.kind in shown.EDITABLE,
    }


def _canonical(arguments: Mapping[str, object]) -> object:
    """The same in canonical order, as what it is compared with."""
    return parse_object(canonical(arguments), shown.HELD)


def _decided(question: Question) -> str:
    if not question.decided_by:
        return ""
    return question.decided_by if question.decided_at is None else f"{question.decided_by}, {spoken(question.decided_at)}"


def _names(names: Sequence[str]) -> Html:
    return Html(", ".join(spotted(name) for name in dict.fromkeys(names)))
