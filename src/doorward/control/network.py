"""The network door of the admin API: people sign in with the company's provider, and get the role of their groups.

LAW: nothing here works on the data plane, nor the reverse: an operator's session is known to this app alone, agents' credentials and
the peers of sockets mean nothing to it. What a session may do is asked of the configuration in force, at each request. Host and Origin
are checked before anything else is read (CVE-2025-49596, DNS rebinding).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from doorward.admission.stops import Matter, MatterKind, Switch
from doorward.audit.recorder import Recorder
from doorward.config.model import ControlListen
from doorward.control.app import Plain, admin_app
from doorward.control.operator_sessions import Door, OperatorSession, OperatorSessions
from doorward.control.operators import Operator, from_groups, named_in
from doorward.control.routes import ControlError, Problem, Route
from doorward.control.screens import told
from doorward.identity.sign_in import Person, SignIn

COOKIE = "__Host-doorward"
GUARD = "doorward-request"
"""A header that no other site's page can send along without asking first."""
STEP = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a parameter of a page's path may be: references and names, which need no escaping anywhere."""
_SAFE = frozenset({"GET", "HEAD"})
_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Not `no-referrer`: by that browsers say `Origin: null` of our own forms too (Fetch, "append a request Origin header").
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

Page = Mapping[str, Callable[[Request], Awaitable[Response]]]
"""Method (HEAD goes with GET) → what answers it; may raise `ControlError`."""
Rules = Callable[[], ControlListen | None]
"""`control.listen` as the document in force has it; None where it has been taken out: then nobody is an operator here."""


class Ground(msgspec.Struct, frozen=True):
    """What the door stands on."""

    rules: Rules
    sign_in: Callable[[str], SignIn | None]
    """The provider of a name, as the document in force has it (`SignIns.of`)."""
    is_barred: Callable[[str], bool]
    """Whether a person (`corp:ada`) is stopped or revoked."""
    sessions: OperatorSessions
    recorder: Recorder
    origin: str
    """How operators see this door, such as `https://doorward.example.com`."""
    hosts: frozenset[str]
    """`Host` values besides the origin's own, in lower case."""

    @property
    def host(self) -> str:
        """The `Host` of the origin."""
        return urlsplit(self.origin).netloc

    def provider(self) -> SignIn | None:
        """Whom operators sign in with now."""
        rules = self.rules()
        return None if rules is None else self.sign_in(rules.sign_in)

    def operator(self, person: Person, issuer: tuple[str, str]) -> Operator | None:
        """What a person of an issuer is here, now; nobody where the configuration gives their groups no role."""
        rules, provider = self.rules(), self.provider()
        if rules is None or provider is None or provider.issuer != issuer or self.is_barred(person.subject.id):
            return None
        name = rules.sign_in
        groups = {group.removeprefix(f"{name}:") for group in person.subject.groups if group.startswith(f"{name}:")}
        found = from_groups(person.subject.id, person.name, groups, rules.groups)
        return None if found is None else replace(found, names=named_in(person.claims))

    def session_seconds(self) -> float:
        """How long a sign-in lasts."""
        return session_seconds(self.rules())

    def session(self, request: Request) -> OperatorSession | None:
        """The session that a request belongs to; None where it shows none that stands. Raises `ControlError` where it shows two."""
        bearers, cookies = request.headers.getlist("authorization"), cookies_of(request, COOKIE)
        if len(bearers) + len(cookies) > 1:
            raise ControlError(400, "two_credentials", "one session was expected, as a cookie or as a bearer token")
        if bearers:
            scheme, _, token = bearers[0].partition(" ")
            return self.sessions.find(token, Door.COMMAND, self.session_seconds()) if scheme.lower() == "bearer" else None
        return self.sessions.find(cookies[0], Door.BROWSER, self.session_seconds()) if cookies else None

    async def who(self, request: Request) -> Operator:
        """The operator that a request is from; raises `ControlError`."""
        session = self.session(request)
        if session is None:
            raise ControlError(401, "not_signed_in", "sign in first: open this gateway in a browser, or run doorward login")
        if session.door is Door.BROWSER:
            check_own_page(request, self.origin)
        operator = self.operator(session.person, session.issuer)
        if operator is None:
            raise ControlError(403, "not_an_operator", f"{session.person.subject.id} has no role here (control.listen.groups)")
        return operator


class Paths:
    """Pages by path: exact ones, and those below a prefix by one last step."""

    __slots__ = ("_below", "_exact")

    def __init__(self, pages: Mapping[str, Page]) -> None:
        split = [(path.rpartition("/{"), page) for path, page in pages.items() if path.endswith("}")]
        self._exact = {path: page for path, page in pages.items() if not path.endswith("}")}
        self._below = {f"{prefix}/": (name.removesuffix("}"), page) for (prefix, _, name), page in split}

    def find(self, path: str) -> tuple[Page | None, dict[str, str]]:
        """The page of a path, if there is one, and its parameter."""
        page = self._exact.get(path)
        if page is not None:
            return page, {}
        prefix, slash, step = path.rpartition("/")
        name, page = self._below.get(prefix + slash, ("", None))
        return (page, {name: step}) if page is not None and STEP.fullmatch(step) else (None, {})


def network_app(routes: Sequence[Route], plain: Plain, ground: Ground, pages: Mapping[str, Page]) -> Any:
    """The app behind the TLS listener: the admin API for who has signed in, and the pages for people and for signed answers.

    `pages`: by path; a path may end in one parameter (`/approvals/{approval}`), which the page finds in `request.path_params`.
    """
    admin = admin_app(routes, ground.who, plain)
    paths = Paths(pages)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        page, given = paths.find(scope["path"])
        request = Request({**scope, "path_params": given}, receive)
        try:
            check_edge(request, ground)
            answer = None if page is None else await _shown(page, request)
        except ControlError as error:
            answer = _refusal(request, error)
        await (admin if answer is None else answer)(scope, receive, _guarded(send))

    return app


def session_seconds(listen: ControlListen | None) -> float:
    """How long a sign-in lasts by a configuration."""
    return 0.0 if listen is None else listen.session_minutes * 60


def place(listen: ControlListen, port: int) -> tuple[str, frozenset[str]]:
    """The origin of a door as browsers write it, and other `Host` values that lead there; `port` as bound."""
    host = f"[{listen.host}]" if ":" in listen.host else listen.host.lower()
    own = f"{host}:{port}"
    local = (
        {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")} if host in ("localhost", "127.0.0.1", "[::1]") else set[str]()
    )
    url = listen.public_url.lower().rstrip("/").removesuffix(":443") if listen.public_url else f"https://{own.removesuffix(':443')}"
    return url, frozenset({own, *local})


def barred_by(switch: Switch) -> Callable[[str], bool]:
    """Whether a person is stopped or revoked, or their issuer is. A stop of everything bars no operator: somebody must lift it."""

    def is_barred(person: str) -> bool:
        matters = (Matter(MatterKind.USER, person), Matter(MatterKind.ISSUER, person.partition(":")[0]))
        return any(switch.effect(matter) is not None for matter in matters)

    return is_barred


def check_edge(request: Request, ground: Ground) -> None:
    """Raises `ControlError` for a Host that is not ours, and for whatever a page of another origin sends."""
    hosts, origins = request.headers.getlist("host"), request.headers.getlist("origin")
    if len(hosts) != 1 or hosts[0].lower() not in {ground.host, *ground.hosts}:
        raise ControlError(403, "wrong_host", "this Host is not served here")
    if any(origin.lower() != ground.origin for origin in origins):
        raise ControlError(403, "wrong_origin", "this Origin may not call here")


def check_own_page(request: Request, origin: str) -> None:
    """Raises `ControlError` unless a browser's request comes from a page of our own, or, to read, from nobody's page."""
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none"):
        raise ControlError(403, "wrong_origin", "a request of our own pages was expected")
    if request.method in _SAFE:
        return
    if request.headers.getlist("origin") != [origin] or GUARD not in request.headers:
        raise ControlError(403, "wrong_origin", f"a change needs our own Origin and the header {GUARD}")


def check_form(request: Request, origin: str) -> None:
    """Raises `ControlError` unless a form of our own pages is sent: a form cannot set headers, so its Origin must do."""
    if request.headers.getlist("origin") != [origin] or request.headers.get("sec-fetch-site") not in (None, "same-origin"):
        raise ControlError(403, "wrong_origin", "a form of our own pages was expected")


def cookies_of(request: Request, name: str) -> list[str]:
    """Every value of a cookie: one that is there twice was set by somebody else, and is told apart by nobody."""
    pairs = (pair.strip().partition("=") for line in request.headers.getlist("cookie") for pair in line.split(";"))
    return [value for key, _, value in pairs if key == name]


def elsewhere(request: Request, ground: Ground) -> Response | None:
    """The way to the origin's own host where another one was asked: cookies and the provider's way back are of that host alone."""
    if request.headers["host"].lower() == ground.host:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{ground.origin}{request.url.path}{query}", 303)


async def _shown(page: Page, request: Request) -> Response:
    answer = page.get("GET" if request.method == "HEAD" else request.method)
    if answer is None:
        raise ControlError(405, "wrong_method", f"{' or '.join(page)} was expected")
    return await answer(request)


def _refusal(request: Request, error: ControlError) -> Response:
    """A refusal: a page for people, else as the admin API tells it."""
    if "text/html" in request.headers.get("accept", ""):
        return told("Not possible", f"{error.message[:1].upper()}{error.message[1:]}.", error.status)
    body = Problem(reason=error.reason, message=error.message, problems=error.problems)
    return Response(body.model_dump_json(), error.status, media_type="application/json")


def _guarded(send: Any) -> Any:
    """Sends with the headers that every answer of this door has."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_ALWAYS]}
        await send(message)

    return sending
