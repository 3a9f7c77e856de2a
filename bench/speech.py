"""MCP as the measurements speak it, in both eras: the requests of one caller, and what makes an answer to them wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from bench.prose import prose

FIRST = 100_000_000
"""Request numbers have nine digits, so that all requests of a caller are of one length."""

ECHO, PAGE, BIG = "echo", "page", "big"
TAILS: Mapping[str, str] = {
    ECHO: " the quick brown fox jumps over the lazy dog, and then again",
    PAGE: f" {prose(8 * 1024)}",
    BIG: f" {prose(64 * 1024)}",
}
"""What each tool of the upstream says after the text that it was given."""

_CLIENT = {"name": "doorward-bench", "version": "1"}
_META = "io.modelcontextprotocol/"


class Era(StrEnum):
    """The two protocol families, by the revision that is spoken here."""

    EXCHANGE = "2026-07-28"
    SESSION = "2025-11-25"


class Target(msgspec.Struct, frozen=True):
    """Where a caller calls, and as whom."""

    port: int
    path: str
    era: Era
    key: str = ""
    """An agent key or access token, or nothing."""
    session: str = ""
    progress: str = ""
    """The token under which progress is asked for, or nothing."""
    more: tuple[tuple[str, str], ...] = ()
    """Further header fields."""


class Asking:
    """The requests of one caller for one tool (or, without a tool, for the list of tools), each by its number."""

    __slots__ = ("_head", "_marker", "_numbers", "_template")

    def __init__(self, target: Target, tool: str, salt: str) -> None:
        self._marker = f"{salt}-%d"
        method = "tools/call" if tool else "tools/list"
        params: dict[str, object] = {"name": tool, "arguments": {"text": self._marker}} if tool else {}
        if target.progress:
            params["_meta"] = {"progressToken": target.progress}
        self._numbers = 2 if tool else 1
        self._template = message(target.era, method, params)
        length = len(self._template % ((FIRST,) * self._numbers))
        self._head = head(target, method, tool, length)

    def request(self, number: int) -> bytes:
        """The whole request of a number of nine digits."""
        return self._head + self._template % ((number,) * self._numbers)

    def marker(self, number: int) -> str:
        """The text that nobody else sends: the answer has to begin with it."""
        return self._marker % number


def message(era: Era, method: str, params: Mapping[str, object]) -> bytes:
    """A JSON-RPC request in which `%d` stands for its id."""
    said: dict[str, Any] = dict(params)
    if era is Era.EXCHANGE:
        own = {f"{_META}protocolVersion": era.value, f"{_META}clientInfo": _CLIENT, f"{_META}clientCapabilities": {}}
        said["_meta"] = {**own, **said.get("_meta", {})}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": msgspec.Raw(b"%d"), "method": method, "params": said})


def head(target: Target, method: str, name: str, length: int) -> bytes:
    """The head of a POST."""
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: 127.0.0.1:{target.port}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {length}",
    ]
    if method != "initialize":
        lines.append(f"MCP-Protocol-Version: {target.era.value}")
    if target.era is Era.EXCHANGE:
        lines += [f"Mcp-Method: {method}", *([f"Mcp-Name: {name}"] if name else [])]
    if target.key:
        lines.append(f"Authorization: Bearer {target.key}")
    if target.session:
        lines.append(f"Mcp-Session-Id: {target.session}")
    lines += [f"{name}: {value}" for name, value in target.more]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def initialize() -> bytes:
    """The first message of a session."""
    params = {"protocolVersion": Era.SESSION.value, "capabilities": {}, "clientInfo": _CLIENT}
    return message(Era.SESSION, "initialize", params) % FIRST


INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


class _Block(msgspec.Struct):
    type: str = ""
    text: str = ""


class _Tool(msgspec.Struct):
    name: str


class _Result(msgspec.Struct, rename="camel"):
    content: list[_Block] = []
    tools: list[_Tool] | None = None
    next_cursor: str = ""
    is_error: bool = False


class _Answer(msgspec.Struct):
    jsonrpc: str
    id: int | str | None
    result: _Result | None = None
    error: msgspec.Raw | None = None


class _Step(msgspec.Struct, rename="camel"):
    progress_token: int | str = ""


class _Progress(msgspec.Struct):
    method: str = ""
    params: _Step = msgspec.field(default_factory=_Step)


_decode = msgspec.json.Decoder(_Answer).decode


def fault_of_call(body: bytes, number: int, text: str) -> str | None:
    """What is wrong with an answer that has to be the result of this request and say exactly this text; None if nothing is."""
    answer = _read(body)
    if isinstance(answer, str):
        return answer
    result = answer.result
    if answer.id != number:
        return f"id {number} was expected, not {answer.id}"
    if result is None or answer.error is not None:
        return f"a result was expected, not {body[:300]!r}"
    if result.is_error:
        return f"a tool without an error was expected, not {body[:300]!r}"
    if len(result.content) != 1 or result.content[0].text != text:
        return f"the text of this request was expected, not {body[:300]!r}"
    return None


def fault_of_stream(body: bytes, number: int, text: str, token: str) -> str | None:
    """What is wrong with a stream that has to tell of progress under a token once, and then to end with such a result."""
    events = _events(body)
    if len(events) != 2:
        return f"progress and a result were expected, not {body[:300]!r}"
    try:
        told = msgspec.json.decode(events[0], type=_Progress)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return f"progress was expected, not {events[0][:300]!r} ({error})"
    if told.method != "notifications/progress" or told.params.progress_token != token:
        return f"progress of this request was expected, not {events[0][:300]!r}"
    return fault_of_call(events[1], number, text)


def fault_of_list(body: bytes, number: int, tools: int) -> str | None:
    """What is wrong with an answer that has to list so many different tools at once."""
    answer = _read(body)
    if isinstance(answer, str):
        return answer
    result = answer.result
    if answer.id != number:
        return f"id {number} was expected, not {answer.id}"
    if result is None or result.tools is None or answer.error is not None:
        return f"a list was expected, not {body[:300]!r}"
    found = len({tool.name for tool in result.tools})
    if found != tools or len(result.tools) != tools or result.next_cursor:
        return f"{tools} tools on one page were expected, not {found}"
    return None


def _read(body: bytes) -> _Answer | str:
    """An answer, whole or as the last event of a stream, or why it is none."""
    text = body if body[:1] == b"{" else (_events(body) or [b""])[-1]
    try:
        answer = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return f"an answer was expected, not {body[:300]!r} ({error})"
    return answer if answer.jsonrpc == "2.0" else "jsonrpc 2.0 was expected"


def _events(body: bytes) -> list[bytes]:
    """The data of each event of a whole stream that has any."""
    found = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    return [data for data in found if data]
