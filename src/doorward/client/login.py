"""Signing in for commands: a browser does it, and sends a code to this process on the loopback interface (RFC 8252, 7636)."""

import secrets
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from doorward.client.admin import Admin, AdminError, Network
from doorward.client.operator_files import Kept
from doorward.wire import pkce

_PAGE = b"<!doctype html><title>Doorward</title><p>The command has its answer; this page may be closed."
_STEP_SECONDS = 1.0


@dataclass(slots=True)
class Login:
    """One sign-in of a command. Make it, `check`, show `page` and `phrase` to the person, then `wait`."""

    url: str
    ca_file: str | None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    _codes: list[str] = field(default_factory=list)
    _server: HTTPServer = field(init=False)

    def __post_init__(self) -> None:
        """Listens on a free port of 127.0.0.1."""
        self._server = HTTPServer(("127.0.0.1", 0), _answering(self._codes))
        self._server.timeout = _STEP_SECONDS

    @property
    def challenge(self) -> str:
        """What the gateway is told of the verifier."""
        return pkce.challenge(self.verifier)

    @property
    def phrase(self) -> str:
        """What the gateway's page shows too, so that a person can tell this command from another."""
        letters = self.challenge.translate({ord("-"): "x", ord("_"): "y"}).lower()
        return f"{letters[:4]}-{letters[4:8]}-{letters[8:12]}"

    @property
    def page(self) -> str:
        """What the browser opens."""
        return f"{self.url}/signin?cli_port={self._server.server_port}&challenge={self.challenge}"

    def check(self) -> None:
        """Raises `AdminError` unless a gateway's network door answers there, with a certificate that is trusted: before anybody signs in in vain."""
        try:
            Admin(Network(self.url, "", self.ca_file)).get("/v1/me")
        except AdminError as error:
            if error.reason != "not_signed_in":
                raise

    def wait(self, seconds: float) -> Kept:
        """The sign-in, once the person has allowed it; raises `AdminError`."""
        with self._server:
            self._listen(seconds)
        if not self._codes:
            raise AdminError("no_answer", f"nobody signed in within {seconds / 60:g} minutes")
        found = Admin(Network(self.url, "", self.ca_file)).post("/signin/exchange", {"code": self._codes[0], "verifier": self.verifier})
        try:
            return Kept(self.url, str(found["token"]), float(found["expires_at"]), str(found["name"]), self.ca_file)
        except (KeyError, ValueError) as error:
            raise AdminError("broken", "the gateway's answer was expected to hold a token") from error

    def _listen(self, seconds: float) -> None:
        """Until there is a code, or the time is over."""
        end = time.monotonic() + seconds
        while not self._codes and time.monotonic() < end:
            self._server.handle_request()


def _answering(codes: list[str]) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        """Takes the first code that comes; whose it is shows when it is redeemed."""

        timeout: ClassVar[float | None] = _STEP_SECONDS

        def do_GET(self) -> None:
            """One request of the browser."""
            server = self.server
            assert isinstance(server, HTTPServer)
            code = parse_qs(urlsplit(self.path).query).get("code", [])
            is_ours = self.headers.get("Host") == f"127.0.0.1:{server.server_port}" and len(code) == 1
            if is_ours:
                codes.append(code[0][:200])
            self.send_response(200 if is_ours else 404)
            for name, value in (("Content-Type", "text/html"), ("Referrer-Policy", "no-referrer"), ("Connection", "close")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(_PAGE if is_ours else b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            """Says nothing: the request line holds the code."""

    return Answer
