"""The way of a browser: authorization request → sign-in at the identity provider → consent → back to the client (OAuth 2.1 §4.1).

A client gets a code only after the person who signed in with this browser has consented, in this browser, to this client at this address.
The sign-in itself decides nothing: its state may exist before any consent, because no code hangs on it (MCP security best practices,
confused deputy). LAW: a browser is sent nowhere but to the provider, to our own pages, and where the authority says.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event, Scalar
from doorward.identity.authority.port import Asked, Authority, OAuthError, Person, Told
from doorward.identity.consents import Consents
from doorward.identity.sign_in import Begun, SignInError, Welcome
from doorward.serving.authority.browser import LONGEST_QUERY, Browsers, Departed, cookies
from doorward.serving.authority.forms import form, query, written
from doorward.serving.authority.views import Views
from doorward.serving.authority.visits import Visit, Visits

_LOG = logging.getLogger("doorward.serving.authority")
_AGAIN = "Go back to the client and connect again."
_ANEW = frozenset({"login", "select_account"})
"""Prompts that ask for a fresh sign-in (OpenID Connect Core §3.1.2.1)."""


class SignsIn(Protocol):
    """Lets people sign in at the identity provider (`identity.sign_in.SignIn`). Raises `SignInError`."""

    async def begin(self, redirect_uri: str, welcome: Welcome) -> tuple[str, Begun]:
        """Where the browser goes, and what to remember until it is back."""
        ...

    async def finish(self, begun: Begun, params: Mapping[str, str]) -> Person:
        """Who came back."""
        ...


Admits = Callable[[Person], bool]
"""Whether this gateway is open to a person at all: not revoked, and perhaps in a group that is let in. Asked on every page."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the way leads through."""

    authority: Authority
    sign_in: SignsIn
    consents: Consents
    visits: Visits
    browsers: Browsers
    views: Views
    admits: Admits
    told: Told
    pseudonym: Callable[[str], str]
    """How the log names a person."""


class Flow:
    """The pages of the way."""

    __slots__ = ("_around",)

    def __init__(self, around: Around) -> None:
        self._around = around

    async def authorize(self, request: Request) -> Response:
        """`GET /oauth/authorize`: to the provider, to the consent page, or at once back to a client that was approved before."""
        return await self._answered(request, self._authorize)

    async def callback(self, request: Request) -> Response:
        """`GET /oauth/callback`: back from the provider."""
        return await self._answered(request, self._callback)

    async def consent(self, request: Request) -> Response:
        """`POST /oauth/consent`: the person's answer."""
        return await self._answered(request, self._consent)

    async def signout(self, request: Request) -> Response:
        """`POST /oauth/signout`: ends the visit of this browser."""
        return await self._answered(request, self._signout)

    async def _authorize(self, request: Request) -> Response:
        around, params, carried = self._around, query(request), cookies(request.headers.getlist("cookie"))
        asked = await around.authority.asked(params)
        prompts = frozenset(params.get("prompt", "").split())
        visit = around.visits.find(around.browsers.person(carried))
        if visit is None or (prompts & _ANEW and visit.occasion != _occasion(written(request))):
            return await self._depart(written(request), carried, Welcome.ASKED if prompts & _ANEW else Welcome.ANYBODY)
        if not around.admits(visit.person):
            return around.views.no_access(visit.person)
        if "consent" not in prompts and await around.consents.covers(visit.person.subject, asked):
            await self._tell("consent_remembered", visit.person, asked)
            return _away(await around.authority.granted(asked, visit.person))
        return around.views.consent(asked, visit.person, around.visits.ask(visit, asked), around.consents.seconds)

    async def _depart(self, request: str, carried: dict[str, str], welcome: Welcome) -> Response:
        """Sends the browser to the provider. What comes back goes on with the same request, which is then looked at anew."""
        if len(request) > LONGEST_QUERY:
            raise OAuthError("invalid_request", f"the authorization request has more than {LONGEST_QUERY} characters", 414)
        around = self._around
        url, begun = await around.sign_in.begin(f"{around.authority.issuer}/oauth/callback", welcome)
        return _away(url, *around.browsers.depart(Departed(begun, request), carried))

    async def _callback(self, request: Request) -> Response:
        around, params, carried = self._around, query(request), cookies(request.headers.getlist("cookie"))
        state = params.get("state", "")
        departed = around.browsers.came_back(carried, state)
        if departed is None:
            sentence = f"It was begun in another browser, is over, or took too long. {_AGAIN}"
            return around.views.stopped(400, "This browser has not begun this sign-in", sentence)
        try:
            person = await around.sign_in.finish(departed.begun, params)
        except SignInError as error:
            return _with(self._not_signed_in(error, 403), around.browsers.arrived(state))
        await self._tell("person_signed_in", person)
        token = around.visits.renew(around.browsers.person(carried), person, _occasion(departed.query))
        return _away(f"/oauth/authorize?{departed.query}", around.browsers.welcome(token), around.browsers.arrived(state))

    async def _consent(self, request: Request) -> Response:
        around = self._around
        fields = await form(request)
        visit = self._visit(request)
        # The question is gone from here on: two answers at once, or one twice, are one.
        asked = None if visit is None else around.visits.answered(visit, fields.get("question", ""))
        if visit is None or asked is None:
            sentence = f"It was put to another browser, was answered already, or the time for it is over. {_AGAIN}"
            return around.views.stopped(403, "This question is not open", sentence)
        if not around.admits(visit.person):
            return around.views.no_access(visit.person)
        match fields.get("decision"):
            case "allow":
                await self._tell("consent_given", visit.person, asked)
                await around.consents.remember(visit.person.subject, asked)
                return _away(await around.authority.granted(asked, visit.person))
            case "deny":
                await self._tell("consent_refused", visit.person, asked)
                return _away(around.authority.denied(asked, "access_denied"))
            case _:
                return around.views.stopped(400, "Your answer was not understood", _AGAIN)

    async def _signout(self, request: Request) -> Response:
        around = self._around
        visit = around.visits.end(around.browsers.person(cookies(request.headers.getlist("cookie"))))
        if visit is not None:
            await self._tell("person_signed_out", visit.person)
        return _with(around.views.signed_out(), around.browsers.farewell())

    def _visit(self, request: Request) -> Visit | None:
        return self._around.visits.find(self._around.browsers.person(cookies(request.headers.getlist("cookie"))))

    async def _tell(self, event: str, person: Person, asked: Asked | None = None) -> None:
        """Writes who did what; nothing is given out if that cannot be written."""
        fields: dict[str, Scalar] = {"subject": self._around.pseudonym(person.subject.id)}
        if asked is not None:
            fields |= {
                "client": asked.client_id,
                "client_name": asked.client_name,
                "redirect": asked.redirect_host,
                "resource": asked.resource,
                "scope": " ".join(asked.scopes),
            }
        await self._around.told(Event(event, "doorward", fields))

    async def _answered(self, request: Request, act: Callable[[Request], Awaitable[Response]]) -> Response:
        """What a page answers, whatever goes wrong on the way to it."""
        views = self._around.views
        try:
            return await act(request)
        except OAuthError as error:
            if error.redirect is not None:
                return _away(error.redirect)
            # A browser cannot answer a challenge of ours.
            status = 400 if error.status == 401 else error.status
            return views.stopped(status, "This request cannot go on", _AGAIN, f"{error.error}: {error.description}")
        except SignInError as error:
            # Only the beginning of one comes here: the provider cannot be used now, and nobody has been refused.
            return self._not_signed_in(error, 503)
        except DoorwardError:
            _LOG.exception("a page of the authorization server failed")
            return views.stopped(503, "This does not work at the moment", "Try again in a few minutes.")

    def _not_signed_in(self, error: SignInError, status: int) -> Response:
        _LOG.warning("a sign-in let nobody in: %s", error)
        return self._around.views.stopped(status, "You could not be signed in", error.public)


def _occasion(request: str) -> str:
    return sha256(request.encode()).hexdigest()


def _away(url: str, *set_cookies: str) -> Response:
    """Sends a browser elsewhere with GET, whatever it came with (RFC 9700 §4.12): a form's fields go no further."""
    return _with(Response(status_code=303, headers={"Location": url}), *set_cookies)


def _with(answer: Response, *set_cookies: str) -> Response:
    for cookie in set_cookies:
        answer.headers.append("set-cookie", cookie)
    return answer
