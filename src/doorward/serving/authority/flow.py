"""The way of a browser: authorization request → sign-in at the identity provider → consent → back to the client (OAuth 2.1 §4.1).

A client gets a code only after the person who signed in with this browser has consented, in this browser, to this client at this address.
The sign-in itself decides nothing: its state may exist before any consent, because no code hangs on it (MCP security best practices,
confused deputy). LAW: a browser is sent nowhere but to the provider, to our own pages, and where the authority says.
"""

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from doorward.domain.receipts import Scalar
from doorward.identity.authority.port import Asked, Authority, OAuthError
from doorward.identity.consents import Consents
from doorward.identity.sign_in import Welcome
from doorward.serving.authority.browser import LONGEST_QUERY
from doorward.serving.authority.entrance import Entrance, Hall, asked_for, away, occasion
from doorward.serving.authority.forms import form, query, written

AGAIN = "Go back to the client and connect again."
_ANEW = frozenset({"login", "select_account"})
"""Prompts that ask for a fresh sign-in (OpenID Connect Core §3.1.2.1)."""


class Around(msgspec.Struct, frozen=True):
    """What the way leads through."""

    authority: Authority
    consents: Consents
    hall: Hall


class Flow:
    """The pages of the way."""

    __slots__ = ("_around", "entrance")

    def __init__(self, around: Around) -> None:
        self._around = around
        self.entrance = Entrance(around.hall, AGAIN)

    async def authorize(self, request: Request) -> Response:
        """`GET /oauth/authorize`: to the provider, to the consent page, or at once back to a client that was approved before."""
        return await self.entrance.answered(request, self._authorize)

    async def consent(self, request: Request) -> Response:
        """`POST /oauth/consent`: the person's answer."""
        return await self.entrance.answered(request, self._consent)

    async def _authorize(self, request: Request) -> Response:
        around, hall, params = self._around, self._around.hall, query(request)
        asked = await around.authority.asked(params)
        prompts = frozenset(params.get("prompt", "").split())
        visit = self.entrance.visit(request)
        if visit is None or (prompts & _ANEW and visit.occasion != occasion(asked_for(request))):
            if len(written(request)) > LONGEST_QUERY:
                raise OAuthError("invalid_request", f"the authorization request has more than {LONGEST_QUERY} characters", 414)
            # What comes back goes on with the same request, which is then looked at anew.
            return await self.entrance.depart(request, Welcome.ASKED if prompts & _ANEW else Welcome.ANYBODY)
        if not hall.admits(visit.person):
            return hall.views.no_access(visit.person)
        if "consent" not in prompts and await around.consents.covers(visit.person.subject, asked):
            await self.entrance.tell("consent_remembered", visit.person, _about(asked))
            return away(await around.authority.granted(asked, visit.person))
        return hall.views.consent(asked, visit.person, hall.visits.ask(visit, asked), around.consents.seconds)

    async def _consent(self, request: Request) -> Response:
        around, hall = self._around, self._around.hall
        fields = await form(request)
        visit = self.entrance.visit(request)
        # The question is gone from here on: two answers at once, or one twice, are one.
        asked = None if visit is None else hall.visits.answered(visit, fields.get("question", ""), Asked)
        if visit is None or asked is None:
            sentence = f"It was put to another browser, was answered already, or the time for it is over. {AGAIN}"
            return hall.views.stopped(403, "This question is not open", sentence)
        if not hall.admits(visit.person):
            return hall.views.no_access(visit.person)
        match fields.get("decision"):
            case "allow":
                await self.entrance.tell("consent_given", visit.person, _about(asked))
                await around.consents.remember(visit.person.subject, asked)
                return away(await around.authority.granted(asked, visit.person))
            case "deny":
                await self.entrance.tell("consent_refused", visit.person, _about(asked))
                return away(around.authority.denied(asked, "access_denied"))
            case _:
                return hall.views.stopped(400, "Your answer was not understood", AGAIN)


def _about(asked: Asked) -> Mapping[str, Scalar]:
    return {
        "client": asked.client_id,
        "client_name": asked.client_name,
        "redirect": asked.redirect_host,
        "resource": asked.resource,
        "scope": " ".join(asked.scopes),
    }
