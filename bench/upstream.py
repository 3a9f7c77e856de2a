"""The upstream of the measurements: an MCP server of both eras that does next to nothing, so that it is never what is measured.

`/mcp` offers `echo` (about 200 bytes), `page` (8 KiB) and `big` (64 KiB); `/sse` the same, answering calls as streams of events that tell of
progress first; `/list/N` shows the N-th share of a catalogue of many tools.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from itertools import count

import httptools
import msgspec
import uvloop

from bench.cores import LOAD_CORE, pin
from bench.speech import BIG, ECHO, PAGE, TAILS, Era

LISTS = 12
LISTED = 500
"""Tools over all lists."""

_INFO = {"name": "bench", "version": "1"}
_READS = {"readOnlyHint": True}
_WORDS = "Searches the records of the given project and returns those that match, newest first, with author, date and a link to each."


class _Arguments(msgspec.Struct, gc=False):
    text: msgspec.Raw = msgspec.Raw(b'""')


class _Params(msgspec.Struct, rename={"meta": "_meta", "version": "protocolVersion"}, gc=False):
    name: str = ""
    arguments: _Arguments | None = None
    meta: Mapping[str, msgspec.Raw] = {}
    version: str = ""


class _Message(msgspec.Struct, gc=False):
    method: str
    id: msgspec.Raw = msgspec.Raw(b"")
    params: _Params = msgspec.field(default_factory=_Params)


_decode = msgspec.json.Decoder(_Message).decode
_NO_TEXT = _Arguments()
_VERSION = "io.modelcontextprotocol/protocolVersion"
_PROGRESS = "progressToken"
_TAILS: Mapping[str, bytes] = {name: msgspec.json.encode(tail)[1:-1] for name, tail in TAILS.items()}
"""As they stand within a JSON string."""
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
_TYPED = b'"resultType":"complete",'
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_STEP = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%b,"progress":1}}'


def tool(number: int) -> dict[str, object]:
    """A tool of ordinary size (about 1 KiB), with six arguments."""
    properties = {f"field_{one}": {"type": "string", "description": _WORDS, "maxLength": 100} for one in range(6)}
    schema = {"type": "object", "properties": properties, "required": ["field_0"], "additionalProperties": False}
    return {
        "name": f"search_records_{number}",
        "title": "Search",
        "description": f"{_WORDS} ({number})",
        "inputSchema": schema,
        "annotations": _READS,
    }


def share(number: int) -> Sequence[Mapping[str, object]]:
    """The tools of one list: all lists together have each tool once."""
    return [tool(one) for one in range(LISTED) if one % LISTS == number]


def _own_tools() -> Sequence[Mapping[str, object]]:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    return [
        {"name": ECHO, "description": "Says the text again.", "inputSchema": schema},
        {"name": PAGE, "description": "Says the text again, and 8 KiB more.", "inputSchema": schema},
        {"name": BIG, "description": "Says the text again, and 64 KiB more.", "inputSchema": schema},
    ]


class Answers:
    """What is said to each message. Pure but for the number of the next session."""

    __slots__ = ("_sessions", "_tools")

    def __init__(self) -> None:
        self._sessions = count(1)
        self._tools = {b"/mcp": _own_tools(), b"/sse": _own_tools(), **{b"/list/%d" % number: share(number) for number in range(LISTS)}}

    def to(self, path: bytes, body: bytes) -> bytes:
        """The whole HTTP answer to a POST."""
        message = _decode(body)
        if message.method == "tools/call":
            return _called(message, is_streamed=path == b"/sse")
        if not message.id:
            return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        is_exchange = _VERSION in message.params.meta
        result = self._result(path, message, is_exchange)
        if result is None:
            return _unknown(message, is_exchange)
        session = b"Mcp-Session-Id: session-%d\r\n" % next(self._sessions) if message.method == "initialize" else b""
        text = msgspec.json.encode({"jsonrpc": "2.0", "id": message.id, "result": result})
        return _OK % (session, len(text)) + text

    def _result(self, path: bytes, message: _Message, is_exchange: bool) -> Mapping[str, object] | None:
        ends: Mapping[str, object] = {"resultType": "complete", "ttlMs": 300_000, "cacheScope": "public"} if is_exchange else {}
        match message.method:
            case "initialize":
                return {"protocolVersion": message.params.version, "capabilities": {"tools": {}}, "serverInfo": _INFO}
            case "server/discover":
                return {"supportedVersions": [era.value for era in Era], "capabilities": {"tools": {}}, "serverInfo": _INFO, **ends}
            case "tools/list" if path in self._tools:
                return {"tools": self._tools[path], **ends}
            case "ping":
                return {}
            case _:
                return None


def _called(message: _Message, *, is_streamed: bool) -> bytes:
    params = message.params
    tail = _TAILS.get(params.name)
    if tail is None:
        return _unknown(message, is_exchange=False)
    typed = _TYPED if _VERSION in params.meta else b""
    given = bytes((params.arguments or _NO_TEXT).text)[:-1]
    text = b'{"jsonrpc":"2.0","id":%b,"result":{%b"content":[{"type":"text","text":%b%b"}],"isError":false}}' % (
        bytes(message.id),
        typed,
        given,
        tail,
    )
    if is_streamed:
        steps = [_STEP % bytes(params.meta[_PROGRESS])] if _PROGRESS in params.meta else []
        return b"%b%b0\r\n\r\n" % (_STREAM, b"".join(_event(data) for data in (*steps, text)))
    return _OK % (b"", len(text)) + text


def _event(data: bytes) -> bytes:
    """One event, as one chunk."""
    return b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data)


def _unknown(message: _Message, is_exchange: bool) -> bytes:
    text = b'{"jsonrpc":"2.0","id":%b,"error":{"code":-32601,"message":"unknown"}}' % bytes(message.id)
    status = b"404 Not Found" if is_exchange else b"200 OK"
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(text), text)


def _whole(data: bytes) -> tuple[bytes, bytes] | None:
    """Path and body of a POST of known length that is all there is; None of anything else."""
    end = data.find(b"\r\n\r\n")
    at = data.find(b"\r\nContent-Length: ", 0, end)
    if at < 0 or data[:5] != b"POST ":
        return None
    length = int(data[at + 18 : data.find(b"\r", at + 18)])
    return (data[5 : data.find(b" ", 5)], data[end + 4 :]) if end + 4 + length == len(data) else None


class Connection(asyncio.Protocol):
    """One connection: an answer to each request, at once."""

    __slots__ = ("_answers", "_is_between", "_parser", "_path", "_pieces", "_transport")

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._pieces: list[bytes] = []
        self._is_between = True
        """Nothing of the next request has come yet."""
        self._path = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some of a request; what comes as a whole, as nearly all do, needs no parser."""
        if self._is_between and (found := _whole(data)) is not None:
            assert self._transport is not None
            self._transport.write(self._answers.to(*found))
            return
        self._is_between = False
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """What is asked for."""
        self._path = url

    def on_body(self, piece: bytes) -> None:
        """Some of a body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The request is whole."""
        assert self._transport is not None
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._is_between = True
        if self._parser.get_method() == b"POST":
            self._transport.write(self._answers.to(self._path, body))
        else:
            self._transport.write(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n")


async def serve(answers: Answers) -> None:
    """Says its port on standard output, and answers until it is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(answers), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    pin(LOAD_CORE)
    uvloop.run(serve(Answers()))
