"""How people come in: to the company's identity provider and back to the page of ours that they wanted.

The sign-in itself decides nothing: nothing hangs on its state but which page goes on. LAW: a browser is sent nowhere but to the provider and
to our own pages.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event, Scalar
from doorward.identity.authority.port import OAuthError, Person, Told
from doorward.identity.sign_in import Begun, SignInError, Welcome
from doorward.serving.authority.browser import Browsers, Departed, cookies
from doorward.serving.authority.forms import query, written
from doorward.serving.authority.views import Views
from doorward.serving.authority.visits import Visit, Visits

_LOG = logging.getLogger("doorward.serving.authority")


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


class Hall(msgspec.Struct, frozen=True):
    """What every page for people stands in."""

    origin: str
    """Ours, as browsers see it."""
    sign_in: SignsIn
    visits: Visits
    browsers: Browsers[Departed]
    views: Views
    admits: Admits
    told: Told
    pseudonym: Callable[[str], str]
    """How the log names a person."""


class Entrance:
    """The pages of the sign-in, and what other pages ask of it. `again`: what a person is told to do where nothing goes on."""

    __slots__ = ("_again", "_hall")

    def __init__(self, hall: Hall, again: str) -> None:
        self._hall, self._again = hall, again

    async def callback(self, request: Request) -> Response:
        """`GET /oauth/callback`: back from the provider."""
        return await self.answered(request, self._callback)

    async def signout(self, request: Request) -> Response:
        """`POST /oauth/signout`: ends the visit of this browser."""
        return await self.answered(request, self._signout)

    def visit(self, request: Request) -> Visit | None:
        """Who has signed in with this browser."""
        return self._hall.visits.find(self._hall.browsers.person(carried(request)))

    async def depart(self, request: Request, welcome: Welcome = Welcome.ANYBODY) -> Response:
        """Sends the browser to the provider; once it is back it asks for the same page again. Raises `SignInError`."""
        hall = self._hall
        url, begun = await hall.sign_in.begin(f"{hall.origin}/oauth/callback", welcome)
        return away(url, *hall.browsers.depart(Departed(begun, asked_for(request)), carried(request)))

    async def tell(self, event: str, person: Person, more: Mapping[str, Scalar]) -> None:
        """Writes who did what; nothing is given out if that cannot be written."""
        await self._hall.told(Event(event, "doorward", {"subject": self._hall.pseudonym(person.subject.id), **more}))

    async def answered(self, request: Request, act: Callable[[Request], Awaitable[Response]]) -> Response:
        """What a page answers, whatever goes wrong on the way to it."""
        views = self._hall.views
        try:
            return await act(request)
        except OAuthError as error:
            if error.redirect is not None:
                return away(error.redirect)
            # A browser cannot answer a challenge of ours.
            status = 400 if error.status == 401 else error.status
            return views.stopped(status, "This request cannot go on", self._again, f"{error.error}: {error.description}")
        except SignInError as error:
            # Only the beginning of one comes here: the provider cannot be used now, and nobody has been refused.
            return self._not_signed_in(error, 503)
        except DoorwardError:
            _LOG.exception("a page for people failed")
            return views.stopped(503, "This does not work at the moment", "Try again in a few minutes.")

    async def _callback(self, request: Request) -> Response:
        hall, params, cookies_ = self._hall, query(request), carried(request)
        state = params.get("state", "")
        departed = hall.browsers.came_back(cookies_, state)
        if departed is None:
            sentence = f"It was begun in another browser, is over, or took too long. {self._again}"
            return hall.views.stopped(400, "This browser has not begun this sign-in", sentence)
        try:
            person = await hall.sign_in.finish(departed.begun, params)
        except SignInError as error:
            return with_cookies(self._not_signed_in(error, 403), hall.browsers.arrived(state))
        await self.tell("person_signed_in", person, {})
        token = hall.visits.renew(hall.browsers.person(cookies_), person, occasion(departed.onward))
        return away(departed.onward, hall.browsers.welcome(token), hall.browsers.arrived(state))

    async def _signout(self, request: Request) -> Response:
        hall = self._hall
        visit = hall.visits.end(hall.browsers.person(carried(request)))
        if visit is not None:
            await self.tell("person_signed_out", visit.person, {})
        return with_cookies(hall.views.signed_out(), hall.browsers.farewell())

    def _not_signed_in(self, error: SignInError, status: int) -> Response:
        _LOG.warning("a sign-in let nobody in: %s", error)
        return self._hall.views.stopped(status, "You could not be signed in", error.public)


def carried(request: Request) -> dict[str, str]:
    """The cookies of a request."""
    return cookies(request.headers.getlist("cookie"))


def asked_for(request: Request) -> str:
    """Path and query of a request, as they were sent."""
    path: bytes = request.scope["raw_path"]
    asked = written(request)
    return path.decode("latin-1") + (f"?{asked}" if asked else "")


def occasion(onward: str) -> str:
    """What a person signs in for, as a digest."""
    return sha256(onward.encode()).hexdigest()


def away(url: str, *set_cookies: str) -> Response:
    """Sends a browser elsewhere with GET, whatever it came with (RFC 9700 §4.12): a form's fields go no further."""
    return with_cookies(Response(status_code=303, headers={"Location": url}), *set_cookies)


def with_cookies(answer: Response, *set_cookies: str) -> Response:
    """An answer with these `Set-Cookie` headers."""
    for cookie in set_cookies:
        answer.headers.append("set-cookie", cookie)
    return answer
