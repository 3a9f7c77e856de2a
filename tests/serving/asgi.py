"""A tiny ASGI driver and a spine that says what a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from doorward.admission.intake import Intake
from doorward.call.inbound import Inbound, Notices
from doorward.config.model import Listen
from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.ids import AgentId, InstanceId, SessionId, TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.chain import Presented
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.edge import allowed
from doorward.serving.port import CONNECTION, WHOLE
from doorward.serving.resume import Kept

PORT = 8420
HOST = f"127.0.0.1:{PORT}"
KEY = "Bearer key-of-ada"
EXCHANGE = "2026-07-28"
SESSION = "2025-11-25"
ANSWER: Mapping[str, object] = {"content": [{"type": "text", "text": "hello"}]}


def principal(name: str) -> Principal:
    return Principal(
        Agent(AgentId(name), "owner", TeamId("team"), "test"), None, (), AuthnMethod.AGENT_KEY, InstanceId(name), name, "127.0.0.1"
    )


@dataclass(slots=True)
class FakeSession:
    id: SessionId
    version: str
    capabilities: Mapping[str, object] = field(default_factory=dict)
    client_info: Mapping[str, object] = field(default_factory=dict)
    log_level: str | None = None


@dataclass(slots=True)
class FakeSpine:
    """Knows keys named `key-of-…`, opens sessions `session-…`, and answers every call with what `answer` gives."""

    answer: Callable[[Inbound, Notices], Awaitable[Mapping[str, object] | Fault]] | None = None
    handled: list[Inbound] = field(default_factory=list)
    cancelled: list[Inbound] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    sessions: dict[tuple[str, str, str | None], FakeSession] = field(default_factory=dict)
    turn: asyncio.Queue[Notice | None] = field(default_factory=asyncio.Queue)
    listening: int = 0
    opened: int = 0
    turned: list[tuple[str, Reason]] = field(default_factory=list)

    def turned_down(self, principal: Principal, refused: Refused) -> None:
        self.turned.append((principal.id, refused.reason))

    def identify(self, presented: Presented) -> Principal:
        authorization = presented.authorization or ""
        if not authorization.startswith("Bearer key-of-") or authorization in self.revoked:
            raise Refused(Reason.UNAUTHENTICATED)
        return principal(authorization.removeprefix("Bearer key-of-"))

    def at_once(self, presented: Presented) -> Principal | None:
        return self.identify(presented)

    async def identified(self, presented: Presented) -> Principal:
        return self.identify(presented)

    async def handle(self, inbound: Inbound, notices: Notices) -> Mapping[str, object] | Fault:
        self.handled.append(inbound)
        try:
            return ANSWER if self.answer is None else await self.answer(inbound, notices)
        except asyncio.CancelledError:
            self.cancelled.append(inbound)
            raise

    async def initialize(
        self, caller: Principal, endpoint: UpstreamId | None, params: Mapping[str, object]
    ) -> tuple[str, dict[str, object]]:
        version = str(params["protocolVersion"])
        text = f"session-{self.opened}"
        self.sessions[text, caller.id, endpoint] = FakeSession(SessionId(f"id-{self.opened}"), version)
        self.opened += 1
        return text, {"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "doorward", "version": "0"}}

    def session(self, text: str, caller: Principal, endpoint: UpstreamId | None) -> FakeSession:
        found = self.sessions.get((text, caller.id, endpoint))
        if found is None:
            raise Refused(Reason.UNKNOWN_SESSION)
        return found

    async def end(self, text: str, caller: Principal, endpoint: UpstreamId | None) -> None:
        del self.sessions[text, caller.id, endpoint]

    async def changes(self, caller: Principal, endpoint: UpstreamId | None, session: SessionId | None = None) -> AsyncIterator[Notice]:
        self.listening += 1
        try:
            while (notice := await self.turn.get()) is not None:
                yield notice
        finally:
            self.listening -= 1


@dataclass(slots=True)
class Counted:
    """A tally that remembers."""

    answers: list[tuple[int, Era | None]] = field(default_factory=list)

    def answered(self, status: int, era: Era | None) -> None:
        self.answers.append((status, era))


class Exchange:
    """One request under way: what has been answered so far, and the client's means to go away."""

    def __init__(self, door: Door, scope: dict[str, Any], pieces: list[bytes]) -> None:
        self._pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        if self._pieces:
            self._pieces[-1]["more_body"] = False
        self._hangup: Callable[[], None] | None = None
        self.is_behind = False
        self.certificate: Certificate | None = None
        self._sent = asyncio.Condition()
        self.head: dict[str, Any] | None = None
        self.raw = b""
        self.is_whole = False
        self.task = asyncio.create_task(door({**scope, CONNECTION: self}, self._receive, self._send))

    def on_hangup(self, callback: Callable[[], None]) -> None:
        self._hangup = callback

    async def written(self) -> None:
        """Whatever is sent is read at once."""

    def hang_up(self) -> None:
        assert self._hangup is not None
        self._hangup()

    async def _receive(self) -> dict[str, Any]:
        return self._pieces.pop(0) if self._pieces else {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        async with self._sent:
            if message["type"] == WHOLE:
                assert self.head is None, "two heads"
                length = (b"content-length", b"%d" % len(message["body"]))
                self.head = {"status": message["status"], "headers": [*message["headers"], length]}
                self.raw, self.is_whole = message["body"], True
            elif message["type"] == "http.response.start":
                assert self.head is None, "two heads"
                self.head = message
            else:
                assert self.head is not None, "a body before the head"
                assert not self.is_whole, "a body after the end"
                self.raw += message["body"]
                self.is_whole = not message.get("more_body", False)
            self._sent.notify_all()

    async def until(self, text: bytes) -> bytes:
        """What was answered, once it holds this text."""
        async with asyncio.timeout(5), self._sent:
            await self._sent.wait_for(lambda: text in self.raw)
        return self.raw

    async def begun(self) -> None:
        """Returns once the head of the answer is there."""
        async with asyncio.timeout(5), self._sent:
            await self._sent.wait_for(lambda: self.head is not None)

    async def done(self) -> "Exchange":
        async with asyncio.timeout(5):
            await self.task
        return self

    @property
    def status(self) -> int:
        assert self.head is not None
        return int(self.head["status"])

    @property
    def headers(self) -> dict[str, str]:
        assert self.head is not None
        return {name.decode(): value.decode() for name, value in self.head["headers"]}

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        assert self.headers["content-length"] == str(len(self.raw))
        return json.loads(self.raw)

    @property
    def messages(self) -> list[Any]:
        """The messages of a stream."""
        assert self.headers["content-type"] == "text/event-stream"
        lines = [line for line in self.raw.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(line[6:]) for line in lines if line != "data: "]

    @property
    def event_ids(self) -> list[str]:
        return [line[4:] for line in self.raw.decode().split("\n") if line.startswith("id: ")]


class House:
    """A door with a fake spine behind it."""

    def __init__(self, spine: FakeSpine | None = None, listen: Listen | None = None, kept: Kept | None = None) -> None:
        self.spine = spine or FakeSpine()
        self.tally = Counted()
        self.now = 0.0
        ids = count()
        self.is_full = False
        self.intake = Intake()
        around = Surroundings(
            self.spine,
            lambda _, upstream: upstream == "files",
            self.tally,
            lambda: self.now,
            lambda: f"j{next(ids)}",
            is_full=lambda: self.is_full,
            intake=self.intake,
        )
        self.door = Door(around, Settings(allowed(listen or Listen(), PORT), is_loopback=True, kept=kept or Kept()))

    def open(self, method: str, headers: Mapping[str, str], *pieces: bytes, path: str = "/mcp", query: str = "") -> Exchange:
        """Sends a request; `headers` replace and add to Host and Authorization, those that are empty are left out."""
        whole = {"host": HOST, "authorization": KEY, **headers}
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in whole.items() if value]
        return self.raw(method, pairs, *pieces, path=path, query=query)

    def raw(self, method: str, headers: list[tuple[bytes, bytes]], *pieces: bytes, path: str = "/mcp", query: str = "") -> Exchange:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 50_000),
        }
        return Exchange(self.door, scope, list(pieces))

    def post(self, message: object, headers: Mapping[str, str], path: str = "/mcp") -> Exchange:
        """Posts a message (bytes as they are)."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        usual = {"content-type": "application/json", "accept": "application/json, text/event-stream", "content-length": str(len(body))}
        return self.open("POST", {**usual, **headers}, body, path=path)

    def ask(self, method: str, params: Any = None, *, path: Any = "/mcp", **more: str) -> Exchange:
        """Posts an exchange-era request with its envelope and headers; `more` are headers with `_` for `-`."""
        meta = {"io.modelcontextprotocol/protocolVersion": EXCHANGE, "io.modelcontextprotocol/clientCapabilities": {}}
        filled = {**(params or {}), "_meta": {**meta, **(params or {}).get("_meta", {})}}
        headers = {"mcp-protocol-version": EXCHANGE, "mcp-method": method, "mcp-name": str(filled.get("name", filled.get("uri", "")))}
        return self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": filled}, {**headers, **_named(more)}, path)

    async def session(self, version: str = SESSION) -> "Client":
        """A session-era client that has initialized."""
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
        answer = await self.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}, {}).done()
        assert answer.json["result"]["protocolVersion"] == version
        return Client(self, {"mcp-protocol-version": version, "mcp-session-id": answer.headers["mcp-session-id"]})


@dataclass(slots=True)
class Client:
    """A session-era client with its session."""

    house: House
    headers: dict[str, str]

    def ask(self, method: str, params: Mapping[str, Any] | None = None, request_id: int | str = 1, **more: str) -> Exchange:
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": dict(params or {})}
        return self.house.post(message, {**self.headers, **_named(more)})

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> Exchange:
        return self.house.post({"jsonrpc": "2.0", "method": method, "params": dict(params or {})}, self.headers)

    def listen(self, **more: str) -> Exchange:
        return self.house.open("GET", {**self.headers, "accept": "text/event-stream", **_named(more)})

    def delete(self) -> Exchange:
        return self.house.open("DELETE", self.headers)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
