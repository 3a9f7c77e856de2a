"""A plain MCP client of one revision, which sends what a test says and keeps what it is told; its connections can be cut."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

EXCHANGE = "2026-07-28"
REVISIONS = ("2025-06-18", "2025-11-25", EXCHANGE)
RECEIPT = "dev.doorward/receipt"
WAIT_SECONDS = 30
_META = "io.modelcontextprotocol/"
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What came back on one HTTP request."""

    status: int
    headers: Mapping[str, str]
    messages: list[Json]
    """JSON-RPC messages in the order they came."""
    raw: bytes = b""

    @property
    def answer(self) -> Json:
        """The JSON-RPC response."""
        [found] = [message for message in self.messages if "method" not in message]
        return found

    @property
    def result(self) -> Json:
        """The result; an error fails the test with what it says."""
        assert "result" in self.answer, self.answer
        return dict(self.answer["result"])

    @property
    def error(self) -> Json:
        """The JSON-RPC error."""
        assert "error" in self.answer, self.answer
        return dict(self.answer["error"])

    @property
    def notices(self) -> list[Json]:
        """The notifications that came before the response."""
        return [message for message in self.messages if "method" in message]

    @property
    def text(self) -> str:
        """The texts of a tool's result, joined."""
        return "".join(block["text"] for block in self.result["content"] if block["type"] == "text")

    @property
    def receipt(self) -> str:
        """The id of the call's receipt: in the result of one that ran, in the refusal of one that did not."""
        if "error" in self.answer:
            return str(self.error["data"]["reference"])
        return str(self.result["_meta"][RECEIPT])

    @property
    def reason(self) -> str:
        """Why a call was refused, whichever shape it was told in; empty for one that was not."""
        if "error" in self.answer:
            return str((self.error.get("data") or {}).get("reason", ""))
        return str(self.result.get("_meta", {}).get("dev.doorward/reason", ""))


class Pending:
    """A request on its way: read it to the end, event by event, or hang up."""

    def __init__(self, connection: http.client.HTTPConnection, request_id: int | str | None) -> None:
        self.id = request_id
        self._connection = connection
        self._response: http.client.HTTPResponse | None = None

    def opened(self) -> http.client.HTTPResponse:
        """The response once its head has come."""
        if self._response is None:
            self._response = self._connection.getresponse()
        return self._response

    def event(self) -> Json | None:
        """The next message of a stream; None at its end."""
        data = b""
        while line := self.opened().readline():
            if line.strip() == b"" and data:
                return dict(json.loads(data))
            if line.startswith(b"data:"):
                data += line[5:].strip()
        return None

    def said(self) -> Said:
        """All of it."""
        response = self.opened()
        raw = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Said(response.status, headers, list(_messages(headers.get("content-type", ""), raw)), raw)

    def hang_up(self) -> None:
        """Cuts the connection."""
        if self._connection.sock is not None:
            self._connection.sock.close()
        self._connection.close()
        if self._response is not None:
            self._response.close()


@dataclass
class Client:
    """One client of an endpoint; in the session era it opens its session when it first asks. Of one thread at a time."""

    url: str
    key: str = ""
    revision: str = EXCHANGE
    capabilities: Json = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    """Headers sent besides."""
    session: str = ""
    tls: ssl.SSLContext | None = None
    """What it speaks TLS with, perhaps showing a certificate."""
    source: str = ""
    """The address it comes from, if that matters."""

    def __post_init__(self) -> None:
        """Connects when it first asks."""
        parts = urlsplit(self.url)
        self._host, self._path = parts.netloc, parts.path
        self._connection = self._connect()
        self._ids = count(1)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Closes its connection."""
        self._connection.close()

    @property
    def is_exchange(self) -> bool:
        """Whether it speaks the exchange era."""
        return self.revision >= EXCHANGE

    def ask(self, method: str, params: Json | None = None, **meta: Any) -> Said:
        """One request, and all that comes back on it; `meta` goes into `_meta` (`progressToken`, and `logLevel` of the exchange era)."""
        request_id = next(self._ids)
        body, headers = self._prepared(method, params or {}, meta, request_id)
        return self.post(body, headers)

    def call(self, tool: str, arguments: Json | None = None, **meta: Any) -> Said:
        """One call of a tool."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments or {}}, **meta)

    def begin(self, method: str, params: Json | None = None, **meta: Any) -> Pending:
        """The same as `ask` on a connection of its own, without waiting."""
        request_id = next(self._ids)
        body, headers = self._prepared(method, params or {}, meta, request_id)
        connection = self._connect()
        connection.request("POST", self._path, body, headers)
        return Pending(connection, request_id)

    def begin_call(self, tool: str, arguments: Json | None = None, **meta: Any) -> Pending:
        """The same as `call` on a connection of its own, without waiting."""
        return self.begin("tools/call", {"name": tool, "arguments": arguments or {}}, **meta)

    def cancel(self, pending: Pending) -> None:
        """Cancels a request in its era's way."""
        if self.is_exchange:
            pending.hang_up()
        else:
            self.notify("notifications/cancelled", {"requestId": pending.id})

    def notify(self, method: str, params: Json | None = None) -> Said:
        """One notification (session era)."""
        return self.post(json.dumps({"jsonrpc": "2.0", "method": method, "params": params or {}}).encode(), self._headers())

    def listen(self) -> Pending:
        """The stream of list changes: GET in the session era, `subscriptions/listen` in the exchange era."""
        if self.is_exchange:
            wanted = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
            return self.begin("subscriptions/listen", {"notifications": wanted})
        self.open()
        connection = self._connect()
        connection.request("GET", self._path, None, self._headers())
        return Pending(connection, None)

    def open(self) -> Json:
        """The `InitializeResult` (session era); sets the session, unless there is one."""
        if self.session:
            return {}
        params = {"protocolVersion": self.revision, "capabilities": self.capabilities, "clientInfo": {"name": "test", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        said = self.post(json.dumps(body).encode(), self._headers())
        assert said.status == 200, (said.status, said.raw)
        self.session = said.headers["mcp-session-id"]
        assert self.notify("notifications/initialized").status == 202
        return said.result

    def post(self, body: bytes, headers: Mapping[str, str]) -> Said:
        """One POST as it is given; a connection that idled too long is opened anew before anything is sent on it."""
        if self._connection.sock is not None and _is_closed(self._connection):
            self._connection.close()
        try:
            self._connection.request("POST", self._path, body, dict(headers))
            return Pending(self._connection, None).said()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def _connect(self) -> http.client.HTTPConnection:
        if self.tls is not None:
            return http.client.HTTPSConnection(self._host, timeout=WAIT_SECONDS, context=self.tls)
        return http.client.HTTPConnection(self._host, timeout=WAIT_SECONDS, source_address=(self.source, 0) if self.source else None)

    def _prepared(self, method: str, params: Json, meta: Json, request_id: int) -> tuple[bytes, dict[str, str]]:
        headers = self._headers()
        envelope = {key: value for key, value in meta.items() if key != "logLevel"}
        if self.is_exchange:
            envelope |= {_META + "protocolVersion": self.revision, _META + "clientCapabilities": self.capabilities}
            envelope |= {_META + "logLevel": meta["logLevel"]} if "logLevel" in meta else {}
            headers["Mcp-Method"] = method
            if method in _NAMED:
                headers["Mcp-Name"] = _encoded(str(params[_NAMED[method]]))
        elif method != "initialize":
            self.open()
            headers = self._headers()
        whole = {**params, "_meta": envelope} if envelope else params
        return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": whole}).encode(), headers

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **self.extra}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if self.is_exchange or self.session:
            headers["MCP-Protocol-Version"] = self.revision
        if self.session:
            headers["Mcp-Session-Id"] = self.session
        return headers


def texts(said: Said) -> str:
    """Everything a client was told, as one text."""
    return said.raw.decode("utf-8", "replace")


def _messages(content_type: str, raw: bytes) -> Iterator[Json]:
    if content_type.startswith("text/event-stream"):
        for event in raw.replace(b"\r\n", b"\n").split(b"\n\n"):
            data = b"".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))
            if data:
                yield json.loads(data)
    elif content_type.startswith("application/json") and raw:
        yield json.loads(raw)


def _encoded(name: str) -> str:
    if name.isascii() and name.isprintable() and name == name.strip():
        return name
    return f"=?base64?{base64.b64encode(name.encode()).decode()}?="


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has ended an idle connection."""
    sock = connection.sock
    sock.setblocking(False)
    try:
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            sock.recv(1)
            return True
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(WAIT_SECONDS)
