"""A small client of the admin API, over its Unix socket or signed in over the network, on the standard library: commands start fast."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT_SECONDS = 60.0
"""For any one answer; only an export may take longer, and says how long."""


class AdminError(Exception):
    """The gateway refused a request or is not there: a stable reason, a sentence, and a line for each thing that is wrong."""

    def __init__(self, reason: str, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.problems = problems


def at(*parts: str) -> str:
    """A path of the API from its parts, whatever they hold."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


@dataclass(frozen=True, slots=True)
class Network:
    """A gateway's network door, and the session of an operator who has signed in there."""

    url: str
    """An origin such as `https://doorward.example.com`."""
    token: str
    ca_file: str | None = None
    """The only authorities (PEM) that its certificate may come from; None: the system's."""

    def __repr__(self) -> str:
        return f"Network({self.url})"

    def __str__(self) -> str:
        return self.url


class Admin:
    """Talks to one gateway, a connection for each request."""

    __slots__ = ("door", "timeout_seconds")

    def __init__(self, door: Path | Network, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """`door`: the control socket, or the network door."""
        self.door = door
        self.timeout_seconds = timeout_seconds

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """Reads; raises `AdminError`."""
        return self._send("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    def post(self, path: str, body: Mapping[str, object] | str | None = None) -> dict[str, Any]:
        """Asks for something to be done; `body` may be JSON text, sent as it is. Raises `AdminError`."""
        return self._send("POST", path, body if isinstance(body, str) else json.dumps(body or {}))

    def delete(self, path: str) -> dict[str, Any]:
        """Takes something back; raises `AdminError`."""
        return self._send("DELETE", path, None)

    def _send(self, method: str, path: str, body: str | None) -> dict[str, Any]:
        connection = self._connection()
        try:
            headers = {"Content-Type": "application/json", "Connection": "close"}
            if isinstance(self.door, Network) and self.door.token:
                headers["Authorization"] = f"Bearer {self.door.token}"
            connection.request(method, path, body.encode() if body is not None else None, headers)
            response = connection.getresponse()
            raw = response.read()
        except OSError as error:
            raise AdminError("unreachable", _why(self.door, error)) from error
        except http.client.HTTPException as error:
            raise AdminError("unreachable", f"the gateway at {self.door} ended the answer before it was whole") from error
        finally:
            connection.close()
        return _read(response.status, raw)

    def _connection(self) -> http.client.HTTPConnection:
        match self.door:
            case Path():
                return _UnixConnection(self.door, self.timeout_seconds)
            case Network(url, _, ca_file):
                context = _context(ca_file)
                return http.client.HTTPSConnection(urlsplit(url).netloc, timeout=self.timeout_seconds, context=context)
            case _:
                assert_never(self.door)


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise AdminError("no_authorities", f"certificates (PEM) were expected in {ca_file}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(status: int, raw: bytes) -> dict[str, Any]:
    """The answer's object; raises `AdminError` for a refusal, or for what is no answer of ours."""
    try:
        answer = json.loads(raw or b"{}")
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise AdminError("broken", f"expected JSON of the admin API, got status {status} and {len(raw)} bytes of something else")
    if status >= 400:
        problems = tuple(str(problem) for problem in answer.get("problems", ()))
        raise AdminError(str(answer.get("reason", "failed")), str(answer.get("message", f"status {status}")), problems)
    return answer


def _why(door: Path | Network, error: OSError) -> str:
    if isinstance(door, Network):
        match error:
            case ssl.SSLCertVerificationError():
                return f"the certificate of {door} is not trusted ({error.verify_message}); --ca-file at doorward login names its authority"
            case TimeoutError():
                return f"the gateway at {door} did not answer in time"
            case _:
                return f"the gateway at {door} cannot be reached: {error}"
    return _why_socket(door, error)


def _why_socket(path: Path, error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return f"there is no control socket at {path}: is the gateway running, and is --socket (or DOORWARD_SOCKET) its own?"
        case ConnectionRefusedError():
            return f"nobody listens at {path}: the gateway has ended without removing its socket"
        case PermissionError():
            return f"you may not open {path}: run this as the gateway's own user, or see control.group in its configuration"
        case TimeoutError():
            return f"the gateway at {path} did not answer in time"
        case _:
            return f"the gateway at {path} cannot be reached: {error}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_seconds: float) -> None:
        super().__init__("doorward", timeout=timeout_seconds)
        self._socket_path = path

    def connect(self) -> None:
        """Connects to the socket file instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._socket_path))
