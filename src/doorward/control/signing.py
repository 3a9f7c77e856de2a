"""Signing in and out at the network door, by browser and for commands (OpenID Connect; for commands in the manner of RFC 8252 and 7636).

What a browser must bring back from the provider lies sealed in a cookie of its own: strangers who begin and never come back cost
nothing that is kept. A command gets its token for a code that only its own verifier redeems, once a person has said yes to it.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from urllib.parse import urlencode

import msgspec
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from doorward.admission.rates import Pace, Rates
from doorward.control.forms import address_of, body_of, fields_of
from doorward.control.network import COOKIE, STEP, Ground, Page, check_form, cookies_of, elsewhere
from doorward.control.once import Once
from doorward.control.operator_sessions import Door, OperatorSession
from doorward.control.orders import tell
from doorward.control.routes import ControlError, Done, Shape
from doorward.control.screens import entered, overview, question, told, welcome
from doorward.domain.errors import UnrecordedError
from doorward.domain.receipts import Event, Scalar
from doorward.identity.sign_in import BEGUN_SECONDS, Begun, Person, SignIn, SignInError
from doorward.wire.pkce import challenge
from doorward.wire.sealed import Seal

BEGUN_COOKIE = "__Host-doorward-sign-in"
CALLBACK = "/signin/callback"
_CONTEXT = b"operator sign-in"
_OFFER_SECONDS = 300.0
"""How long a person may look at the question whether a command may act for them."""
_CODE_SECONDS = 60.0
PACE = Pace(per_minute=30, burst=15)
"""Sign-ins of one address: more than people do, and few enough to keep the provider and the log in peace."""
_BODY_BYTES = 8192
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_ATTRIBUTES = "Path=/; Secure; HttpOnly"
_NEXT = "next"
_BACK = re.compile(rf"/approvals(?:/{STEP.pattern})?")
"""Pages that a sign-in may lead back to."""


class Redeemed(Shape):
    """A command's session; times are Unix seconds."""

    token: str
    expires_at: float
    name: str
    role: str


class Redemption(Shape):
    """What a command shows for its session."""

    code: str = Field(max_length=200)
    verifier: str = Field(min_length=43, max_length=128)


class Command(msgspec.Struct, frozen=True):
    """A command that waits on this computer."""

    port: int
    challenge: str

    @property
    def origin(self) -> str:
        """Where it listens: the address itself, since a name could lead elsewhere."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def phrase(self) -> str:
        """What it shows, so that a person can tell it from another."""
        return phrase(self.challenge)


class Granted(msgspec.Struct, frozen=True):
    """Who has signed in for a command, and whether it may act for them is still to be said (or has been)."""

    person: Person
    issuer: tuple[str, str]
    command: Command


def phrase(text: str) -> str:
    """A few letters of a challenge for people to compare: enough that nobody meets the same by trying."""
    letters = text.translate({ord("-"): "x", ord("_"): "y"}).lower()
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:12]}"


class Signing:
    """The pages of one door."""

    __slots__ = ("_codes", "_draw", "_ground", "_now", "_offers", "_rates", "_seal")

    def __init__(self, ground: Ground, draw: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._ground, self._draw, self._now = ground, draw, now
        self._seal = Seal((draw(32),))
        self._rates = Rates(PACE, most=4096)
        self._offers: Once[Granted] = Once(_OFFER_SECONDS, draw, now)
        self._codes: Once[Granted] = Once(_CODE_SECONDS, draw, now)

    def pages(self) -> Mapping[str, Page]:
        """Path → page."""
        return {
            "/": {"GET": self.home},
            "/signin": {"GET": self.begin},
            CALLBACK: {"GET": self.come_back},
            "/signin/allow": {"POST": self.allow},
            "/signin/exchange": {"POST": self.redeem},
            "/signout": {"POST": self.leave},
        }

    async def home(self, request: Request) -> Response:
        """Who one is, or the way in."""
        away = elsewhere(request, self._ground)
        if away is not None:
            return away
        session = self._ground.session(request)
        if session is None:
            return welcome()
        operator = self._ground.operator(session.person, session.issuer)
        if operator is None:
            return told("No role", f"{session.person.name} ({session.person.subject.id}) has no role at this gateway any more.", 403)
        return overview(operator)

    async def begin(self, request: Request) -> Response:
        """Sends the browser to the provider."""
        away = elsewhere(request, self._ground)
        if away is not None:
            return away
        self._check_pace(request)
        command, back = _wanted(request)
        provider = self._provider()
        try:
            url, begun = await provider.begin(self._ground.origin + CALLBACK)
        except SignInError as error:
            return told("Not signed in", error.public, 502)
        asked = None if command is None else msgspec.structs.asdict(command)
        kept = {"begun": asdict(begun), "command": asked, "issuer": provider.issuer, "back": back}
        sealed = self._seal.seal(json.dumps(kept).encode(), _CONTEXT, self._draw(12))
        answer = RedirectResponse(url, 303)
        answer.headers["set-cookie"] = f"{BEGUN_COOKIE}={sealed}; {_ATTRIBUTES}; SameSite=Lax; Max-Age={int(BEGUN_SECONDS)}"
        return answer

    async def come_back(self, request: Request) -> Response:
        """Where the provider sends the browser back to."""
        self._check_pace(request)
        answer = await self._come_back(request)
        answer.headers.append("set-cookie", f"{BEGUN_COOKIE}=; {_ATTRIBUTES}; SameSite=Lax; Max-Age=0")
        return answer

    async def _come_back(self, request: Request) -> Response:
        kept = self._kept(request)
        if kept is None:
            return told("Not signed in", "This browser did not begin a sign-in here, or too long ago.", 400)
        begun, command, issuer, back = kept
        provider = self._provider()
        try:
            if provider.issuer != issuer:
                raise SignInError("Please begin again.", "the provider was changed in the configuration meanwhile")
            person = await provider.finish(begun, _params(request))
        except SignInError as error:
            await self._refused(request, "unknown", str(error))
            return told("Not signed in", error.public, 403)
        operator = self._ground.operator(person, issuer)
        if operator is None:
            await self._refused(request, person.subject.id, "none of the person's groups has a role")
            sentence = f"You are {person.name} ({person.subject.id}), and none of your groups has a role at this gateway."
            return told("No role", sentence, 403)
        if command is not None:
            return question(operator, self._offers.put(Granted(person, issuer, command)), command.phrase, command.origin)
        token, _ = await self._enter(request, person, issuer, Door.BROWSER)
        answer = entered(back)
        seconds = int(self._ground.session_seconds())
        answer.headers.append("set-cookie", f"{COOKIE}={token}; {_ATTRIBUTES}; SameSite=Strict; Max-Age={seconds}")
        return answer

    async def allow(self, request: Request) -> Response:
        """A person's answer to whether a command may act for them."""
        check_form(request, self._ground.origin)
        form = fields_of(await body_of(request, _BODY_BYTES))
        granted = self._offers.take(form.get("offer", ""))
        if granted is None:
            return told("Not signed in", "This question was answered already, or too long ago.", 400)
        if form.get("answer") != "allow":
            await self._refused(request, granted.person.subject.id, "the person refused the command")
            return told("Refused", "The command was not let in.", 200)
        return RedirectResponse(f"{granted.command.origin}/?code={self._codes.put(granted)}", 303)

    async def redeem(self, request: Request) -> Response:
        """Gives a command its session for its code and verifier; a code is spent whatever comes of it."""
        if "origin" in request.headers:
            raise ControlError(403, "wrong_origin", "a command's POST was expected, not a page's")
        self._check_pace(request)
        try:
            wanted = Redemption.model_validate_json(await body_of(request, _BODY_BYTES))
        except ValidationError as error:
            raise ControlError(400, "invalid_body", "a code and its verifier were expected") from error
        granted = self._codes.take(wanted.code)
        if granted is None:
            raise ControlError(403, "unknown_code", "this code is not known, or was used already, or has ended")
        if not hmac.compare_digest(challenge(wanted.verifier), granted.command.challenge):
            await self._refused(request, granted.person.subject.id, "the verifier is not the one of the command that asked")
            raise ControlError(403, "unknown_code", "the verifier does not belong to this code")
        operator = self._ground.operator(granted.person, granted.issuer)
        if operator is None:
            raise ControlError(403, "not_an_operator", f"{granted.person.subject.id} has no role here (control.listen.groups)")
        token, session = await self._enter(request, granted.person, granted.issuer, Door.COMMAND)
        body = Redeemed(
            token=token,
            expires_at=session.began_at + self._ground.session_seconds(),
            name=operator.name,
            role=operator.role.name.lower(),
        )
        return Response(body.model_dump_json(), 200, media_type="application/json")

    async def leave(self, request: Request) -> Response:
        """Ends the session that the request is of."""
        session = self._ground.session(request)
        if session is None or session.door is Door.BROWSER:
            check_form(request, self._ground.origin)
        warnings: tuple[str, ...] = ()
        if session is not None:
            self._ground.sessions.end(session.id)
            event = Event("operator_signed_out", session.person.subject.id, {"session": session.id, "door": session.door.value})
            warnings = await tell(self._ground.recorder, event)
        if session is not None and session.door is Door.COMMAND:
            return Response(Done(warnings=warnings).model_dump_json(), 200, media_type="application/json")
        answer = RedirectResponse("/", 303)
        answer.headers["set-cookie"] = f"{COOKIE}=; {_ATTRIBUTES}; SameSite=Strict; Max-Age=0"
        return answer

    async def _enter(self, request: Request, person: Person, issuer: tuple[str, str], door: Door) -> tuple[str, OperatorSession]:
        """Opens a session, once the log has been told of it; raises `ControlError` where it cannot be."""
        operator = self._ground.operator(person, issuer)
        role = "none" if operator is None else operator.role.name.lower()
        fields: dict[str, Scalar] = {"name": person.name, "role": role, "door": door.value, "network": address_of(request)}
        try:
            await self._ground.recorder.note(Event("operator_signed_in", person.subject.id, fields))
        except UnrecordedError as error:
            raise ControlError(503, "unrecorded", f"the log cannot be written, so nobody is let in: {error}") from error
        return self._ground.sessions.open(person, issuer, door)

    async def _refused(self, request: Request, name: str, why: str) -> None:
        """Tells the log of a sign-in that let nobody in; what is refused is refused, whether the log can be told or not."""
        await tell(self._ground.recorder, Event("operator_refused", name, {"why": why[:500], "network": address_of(request)}))

    def _provider(self) -> SignIn:
        """Whom operators sign in with now; raises `ControlError` where the configuration has taken that away."""
        provider = self._ground.provider()
        if provider is None:
            raise ControlError(503, "no_provider", "nobody can sign in here now (control.listen)")
        return provider

    def _kept(self, request: Request) -> tuple[Begun, Command | None, tuple[str, str], str] | None:
        """What this browser was given when it began."""
        cookies = cookies_of(request, BEGUN_COOKIE)
        plain = self._seal.open(cookies[0], _CONTEXT) if len(cookies) == 1 else None
        if plain is None:
            return None
        kept = json.loads(plain)
        name, url = kept["issuer"]
        return Begun(**kept["begun"]), None if kept["command"] is None else Command(**kept["command"]), (name, url), kept["back"]

    def _check_pace(self, request: Request) -> None:
        if self._rates.take(address_of(request), self._now()) > 0:
            raise ControlError(429, "too_many", "too many sign-ins from this address; wait a minute")


def sign_in_for(path: str) -> str:
    """Where to sign in, and be back at a page of ours then."""
    return f"/signin?{urlencode({_NEXT: path})}"


def _wanted(request: Request) -> tuple[Command | None, str]:
    """The command that a sign-in is for, or none, and the page that it leads back to; raises `ControlError` where it cannot be told."""
    params = _params(request)
    if params.keys() != {_NEXT}:
        return _command(params), "/"
    # A list of what may be, not of what may not: whoever makes the link must not choose where a signed-in browser goes.
    if not _BACK.fullmatch(params[_NEXT]):
        raise ControlError(400, "invalid_query", f"{_NEXT} may be a page of approvals alone")
    return None, params[_NEXT]


def _command(params: Mapping[str, str]) -> Command | None:
    if not params:
        return None
    port, code = params.get("cli_port", ""), params.get("challenge", "")
    if set(params) != {"cli_port", "challenge"} or not re.fullmatch(r"[1-9][0-9]{3,4}", port) or not _CHALLENGE.fullmatch(code):
        raise ControlError(400, "invalid_query", "cli_port and challenge were expected, as doorward login gives them")
    if not 1024 <= int(port) <= 65535:
        raise ControlError(400, "invalid_query", "a port from 1024 to 65535 was expected")
    return Command(int(port), code)


def _params(request: Request) -> dict[str, str]:
    """The query, each parameter once; raises `ControlError`."""
    given = request.query_params.multi_items()
    if len(dict(given)) != len(given):
        raise ControlError(400, "invalid_query", "each parameter was expected once")
    return dict(given)
