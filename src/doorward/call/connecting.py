"""What a caller gets while a person has no account at an upstream: the page on which it is connected, or a readable word. Pure.

Nobody is kept waiting: a person must act, somewhere else. Whoever comes again goes the whole way again.
"""

from collections.abc import Callable, Mapping

import msgspec

from doorward.call.approving import Way, elicitation_of, unfinished, url_params, way_to_pages
from doorward.call.inbound import Inbound
from doorward.call.resolve import Found
from doorward.call.rounds import CONNECT_KEY, LIFE_SECONDS, UNCONNECTED, Heard, Rounds
from doorward.domain.calls import Fault
from doorward.domain.reasons import Reason, Refused
from doorward.wire.replies import url_elicitation_required

ConnectLink = Callable[[str], str | None]
"""The page behind a reference; None where there is none."""


def no_connect_page(reference: str) -> str | None:
    """There is none."""
    del reference
    return None


class Unconnected(msgspec.Struct, frozen=True):
    """A call that the spine has turned back until a person has connected an account."""

    found: Found
    refused: Refused
    page: str | None


def unconnected(found: Found | None, refused: Refused, link: ConnectLink) -> Unconnected | None:
    """The call behind a refusal that an account would cure; None for every other."""
    reference = refused.extra.get("connect")
    if found is None or refused.reason is not Reason.CONSENT_NEEDED or not isinstance(reference, str):
        return None
    return Unconnected(found, refused, link(reference))


def shown(inbound: Inbound, waiting: Unconnected, rounds: Rounds) -> Mapping[str, object] | Fault:
    """What a client gets that can show pages and was not shown this one before; raises `Refused`, in readable words, for every other."""
    way = _way(inbound, waiting)
    if way is Way.HELD or waiting.page is None:
        raise readable(waiting)
    params = url_params(waiting.page, _sentence(waiting, "Open the page, sign in there and connect it."))
    if way is Way.ERROR:
        return url_elicitation_required(({**params, "elicitationId": waiting.refused.extra["connect"]},), readable(waiting))
    state = rounds.waiting(inbound, waiting.found.call, UNCONNECTED, LIFE_SECONDS)
    if state is None:
        raise readable(waiting)
    return unfinished(CONNECT_KEY, params, state, waiting.refused.reference)


def readable(waiting: Unconnected) -> Refused:
    """The refusal with the page in its sentence and data, so that a model can tell the person."""
    before = waiting.refused
    extra = {name: value for name, value in before.extra.items() if name != "connect"}
    if waiting.page is None:
        told = _sentence(waiting, "This gateway has no page for it: ask its operators.")
    else:
        told = _sentence(waiting, f"Ask them to open {waiting.page}, sign in there and connect it; then make the same call again.")
        extra["connect"] = waiting.page
    refused = Refused(before.reason, before.detail, sentence=told, policies=before.policies, ran=before.ran, extra=extra)
    refused.reference = before.reference
    return refused


def _way(inbound: Inbound, waiting: Unconnected) -> Way:
    elicitation = elicitation_of(inbound)
    if waiting.found.heard is Heard.CONNECTS or elicitation is None or "url" not in elicitation:
        return Way.HELD
    return way_to_pages(inbound)


def _sentence(waiting: Unconnected, then: str) -> str:
    upstream = waiting.found.call.target.upstream
    return f"The person you act for has to connect an account of their own at `{upstream}` before this call can be made. {then}"
