"""What the measurements send, and which answers they refuse."""

from typing import Any

import httptools
import msgspec
import pytest

from bench.speech import FIRST, Asking, Era, Target, fault_of_call, fault_of_list
from doorward.wire.eras import open_envelope
from doorward.wire.headers import check
from doorward.wire.jsonrpc import Limits, Request, parse


class _Read:
    """A request as an HTTP parser reads it."""

    def __init__(self, raw: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.is_whole = False
        httptools.HttpRequestParser(self).feed_data(raw)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.is_whole = True


@pytest.mark.parametrize("tool", ["swift__echo", ""])
@pytest.mark.parametrize("number", [FIRST, FIRST + 123_456_789])
def test_an_exchange_era_request_is_whole_and_says_in_its_headers_what_its_body_says(tool: str, number: int) -> None:
    target = Target(8420, "/mcp", Era.EXCHANGE, key="dw_x")
    read = _Read(Asking(target, tool, "salt").request(number))
    message = parse(read.body, Limits())
    assert isinstance(message, Request)
    check(read.headers, message.method, message.params, open_envelope(message.params).version)
    assert (read.is_whole, message.id) == (True, number)
    assert dict(read.headers)[b"authorization"] == b"Bearer dw_x"


def test_a_session_era_request_names_its_session() -> None:
    target = Target(8420, "/mcp", Era.SESSION, session="s1")
    read = _Read(Asking(target, "echo", "salt").request(FIRST))
    message = msgspec.json.decode(read.body)
    assert (dict(read.headers)[b"mcp-session-id"], read.is_whole) == (b"s1", True)
    assert message["params"] == {"name": "echo", "arguments": {"text": f"salt-{FIRST}"}}


def test_every_request_of_every_caller_says_another_text() -> None:
    callers = [Asking(Target(1, "/mcp", Era.EXCHANGE), "echo", f"salt-{number}") for number in range(3)]
    assert len({caller.marker(number) for caller in callers for number in range(FIRST, FIRST + 3)}) == 9


def _answer(**changes: Any) -> bytes:
    result = {"content": [{"type": "text", "text": "hello"}], "isError": False} | changes.pop("result", {})
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "result": result} | changes)


def test_the_answer_to_this_request_is_accepted() -> None:
    assert fault_of_call(_answer(), 7, "hello") is None


def test_the_answer_as_an_event_is_accepted() -> None:
    assert fault_of_call(b"event: message\ndata: " + _answer() + b"\n\n", 7, "hello") is None


@pytest.mark.parametrize(
    "lie",
    [
        _answer(id=8),
        _answer(id="7"),
        _answer(id=None),
        _answer(jsonrpc="1.0"),
        _answer(error={"code": -1, "message": "no"}),
        _answer(result={"isError": True}),
        _answer(result={"content": []}),
        _answer(result={"content": [{"type": "text", "text": "hello of somebody else"}]}),
        _answer(result={"content": [{"type": "text", "text": "hello"}] * 2}),
        b'{"jsonrpc":"2.0","id":7}',
        b'{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"unknown"}}',
        _answer()[:-1],
        b"",
        b"<html>busy</html>",
        b"event: message\n\n",
        b"\xff\xfe",
    ],
)
def test_any_other_answer_is_refused(lie: bytes) -> None:
    assert fault_of_call(lie, 7, "hello") is not None


def _list(names: list[str], **changes: Any) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "result": {"tools": [{"name": name} for name in names]} | changes})


def test_a_list_of_as_many_tools_as_expected_is_accepted() -> None:
    assert fault_of_list(_list(["a", "b"]), 7, 2) is None


@pytest.mark.parametrize("lie", [_list(["a"]), _list(["a", "a"]), _list(["a", "b"], nextCursor="c"), _answer(), b"{}"])
def test_any_other_list_is_refused(lie: bytes) -> None:
    assert fault_of_list(lie, 7, 2) is not None


def test_a_list_for_another_request_is_refused() -> None:
    assert fault_of_list(_list(["a", "b"]), 8, 2) is not None
