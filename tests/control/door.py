"""The network door over a plane, with a provider in process, and browsers that come to it."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from doorward.config.identity import Issuer
from doorward.control.answer_hooks import AnswerHooks, Senders
from doorward.control.answers import Answers
from doorward.control.approval_pages import ApprovalPages
from doorward.control.network import Ground, barred_by, network_app
from doorward.control.operator_sessions import OperatorSessions
from doorward.control.signing import Signing
from doorward.domain.secret import Secret
from doorward.identity.sign_in import SignIn
from doorward.identity.sign_ins import SignIns
from doorward.net.tls import Served, server_context
from doorward.serving.listener import Bind, Listener
from tests.certificates import authority, server
from tests.control.plane import DOCUMENT, Draws, Plane, plane
from tests.identity.fake_provider import CLIENT, SECRET, URL, FakeProvider

ORIGIN = "https://doorward.example.com"
LISTEN: dict[str, Any] = {
    "public_url": ORIGIN,
    "tls": {"certificate": "tls.pem", "key": "tls.key"},
    "sign_in": "corp",
    "groups": {
        "admins": {"role": "admin"},
        "leads": {"role": "owner", "teams": ["support"]},
        "readers": {"role": "viewer"},
    },
}
SIGNING_IN: dict[str, Any] = {
    **DOCUMENT,
    "identity": {"issuers": {"corp": {"url": URL, "sign_in": {"client_id": CLIENT, "client_secret": "${env:IDP_SECRET}"}}}},
    "control": {"listen": LISTEN},
}
HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The secret of every webhook."""
ANN: dict[str, Any] = {"sub": "ann", "name": "Ann <A.>", "groups": ["admins"]}
LEE: dict[str, Any] = {"sub": "lee", "name": "Lee", "groups": ["leads"]}
RAY: dict[str, Any] = {"sub": "ray", "name": "Ray", "groups": ["readers"]}
ZOE: dict[str, Any] = {"sub": "zoe", "name": "Zoe", "groups": ["guests"]}


@dataclass(frozen=True, slots=True)
class Got:
    """One answer."""

    status: int
    headers: Sequence[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def reason(self) -> str:
        return str(json.loads(self.text)["reason"])


@dataclass(slots=True)
class NetworkDoor:
    """The door, and what stands behind it."""

    it: Plane
    company: FakeProvider
    sessions: OperatorSessions
    app: Any

    async def ask(self, method: str, path: str, headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), body: bytes = b"") -> Got:
        """One request as it is given, to the door's own host unless the headers say otherwise."""
        lines = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if not any(name == "host" for name, _ in lines):
            lines.insert(0, ("host", urlsplit(ORIGIN).netloc))
        plain, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": unquote(plain),
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in lines],
            "client": ("192.0.2.7", 50_000),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self.app(scope, receive, send)
        told = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return Got(sent[0]["status"], told, b"".join(event.get("body", b"") for event in sent[1:]).decode())

    def browser(self) -> "Browser":
        return Browser(self)

    async def change(self, document: Mapping[str, Any]) -> None:
        """Another document comes into force."""
        self.it.path.write_text(json.dumps(document))
        status, answer = await self.it.ask("POST", "/v1/reload")
        assert status == 200, answer


@dataclass(slots=True)
class Browser:
    """One person's browser: keeps cookies, and sends what browsers send."""

    door: NetworkDoor
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Got:
        return await self._send("GET", path, {"accept": "text/html", **headers}, b"")

    async def read(self, path: str) -> Got:
        """What a script of our own page gets."""
        return await self._send("GET", path, {"sec-fetch-site": "same-origin"}, b"")

    async def submit(self, path: str, fields: Mapping[str, str] | None = None, origin: str = ORIGIN) -> Got:
        """Sends a form of a page of this origin."""
        return await self._send("POST", path, {"origin": origin, "accept": "text/html"}, urlencode(fields or {}).encode())

    async def change(self, method: str, path: str, body: object = None, **headers: str) -> Got:
        """What a script of our own page changes."""
        said = {"origin": ORIGIN, "doorward-request": "1", "sec-fetch-site": "same-origin", **headers}
        return await self._send(method, path, {name: value for name, value in said.items() if value}, json.dumps(body or {}).encode())

    async def sign_in(self, begin: str = "/signin", **claims: Any) -> Got:
        """Goes to the provider and back."""
        sent = await self.get(begin)
        assert sent.status == 303, sent.text
        return await self.come_back(self.door.company.authorize(sent.header("location"), **claims))

    async def come_back(self, params: Mapping[str, str]) -> Got:
        return await self.get(f"/signin/callback?{urlencode(params)}")

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Got:
        lines = dict(headers)
        if self.cookies:
            lines["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        got = await self.door.ask(method, path, lines, body)
        for name, value in got.headers:
            if name == "set-cookie":
                for cookie, morsel in SimpleCookie(value).items():
                    if morsel["max-age"] == "0":
                        self.cookies.pop(cookie, None)
                    else:
                        self.cookies[cookie] = morsel.value
        return got


@asynccontextmanager
async def network_door(
    directory: Path,
    document: Mapping[str, Any] = SIGNING_IN,
    origin: str = ORIGIN,
    provider: Callable[[str, Issuer], SignIn] | None = None,
) -> AsyncIterator[NetworkDoor]:
    """A door whose provider is `FakeProvider`, if no other is made."""
    server(authority()).written(directory, "tls")
    async with plane(directory, document) as it:
        company, draw = FakeProvider(it.clock), Draws()

        def made(name: str, issuer: Issuer) -> SignIn:
            return SignIn(issuer, name, lambda: Secret(SECRET), company, draw, it.clock)

        sign_ins = SignIns(provider or made)

        def sign_in(name: str) -> SignIn | None:
            sign_ins.adopt(it.generations.current.document.identity.issuers)
            return sign_ins.of(name)

        ground = Ground(
            rules=lambda: it.generations.current.document.control.listen,
            sign_in=sign_in,
            is_barred=barred_by(it.switch),
            sessions=it.operator_sessions,
            recorder=it.recorder,
            origin=origin,
            hosts=frozenset({"10.0.0.5:8421"}),
        )
        answers = Answers(it.desk, it.recorder, lambda question, arguments: it.unfit)
        senders = Senders(lambda: it.generations.current.document.approvals.webhooks, lambda text: Secret(HOOK), ground.is_barred, it.clock)
        pages = {
            **Signing(ground, draw, it.clock).pages(),
            **ApprovalPages(ground, answers).pages(),
            **AnswerHooks(answers, senders).pages(),
        }
        yield NetworkDoor(it, company, it.operator_sessions, network_app(it.routes, {}, ground, pages))


@asynccontextmanager
async def served(
    directory: Path, begin: Callable[[str], AbstractAsyncContextManager[NetworkDoor]]
) -> AsyncIterator[tuple[str, Path, NetworkDoor]]:
    """A door over TLS on a free port: its origin, the authority of its certificate, and the door that `begin` gives for the origin."""
    issuer = authority()
    chain, key = server(issuer).written(directory, "own")
    ca_file = directory / "ca.pem"
    ca_file.write_text(issuer.pem)
    doors: list[NetworkDoor] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await doors[0].app(scope, receive, send)

    listener = Listener(app, Bind("127.0.0.1", 0, tls=server_context(Served(chain, key))))
    _, port = await listener.open()
    origin = f"https://localhost:{port}"
    try:
        async with begin(origin) as door:
            doors.append(door)
            yield origin, ca_file, door
    finally:
        await listener.drain(1)
