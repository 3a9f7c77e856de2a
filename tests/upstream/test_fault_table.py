"""Every way an upstream's answer can go wrong: each is one refusal that names it and says whether the call may have run, and harms no other."""

import asyncio
import json
from typing import Any

import pytest

from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.health import Condition
from doorward.upstream.port import unheard
from tests.net.raw import STREAM_HEAD, Peer, chunk, response, scripted
from tests.upstream.kit import (
    ECHOED,
    PATIENT,
    SHORT,
    Answering,
    error,
    event,
    exchange_era,
    order,
    over_http,
    result,
    session_era,
    speaking,
)

pytestmark = pytest.mark.anyio

TIMEOUT, BROKEN = Reason.UPSTREAM_TIMEOUT, Reason.UPSTREAM_BROKEN
CAP = 2000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def answer(message: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": ECHOED} | more).encode()


class Case:
    """Bytes that an upstream sends for a call, and what it does then."""

    def __init__(self, name: str, reason: Reason, ran: Ran = Ran.MAYBE, then: str = "hang") -> None:
        self.name, self.reason, self.ran, self.then = name, reason, ran, then

    def octets(self, message: dict[str, Any]) -> bytes:
        good = answer(message)
        mine = message["id"]
        table: dict[str, bytes] = {
            "nothing": b"",
            "reset before anything": b"",
            "closed before anything": b"",
            "half a status line": b"HTTP/1.1 2",
            "half a head": HEAD,
            "half a body": HEAD + b"Content-Length: 100\r\n\r\n" + good[:20],
            "half a body, then reset": HEAD + b"Content-Length: 100\r\n\r\n" + good[:20],
            "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n50\r\n" + good[:20],
            "no http": b"SSH-2.0-OpenSSH_9.6\r\n",
            "http 2 preface": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
            "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            "length and chunked": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            "endless head": HEAD + b"X: " + b"a" * 20_000,
            "endless interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
            "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
            "gzip": response(b"\x1f\x8b\x08", "Content-Encoding: gzip"),
            "length above the cap": HEAD + b"Content-Length: %d\r\n\r\n" % (CAP + 1),
            "chunks above the cap": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b" " * 1500) * 2,
            "html": response(b"<html>", kind="text/html"),
            "no type": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(good) + good,
            "two types": response(good, "Content-Type: text/html"),
            "empty body": response(b""),
            "no json": response(b"{"),
            "two json texts": response(good + good),
            "batch": response(b"[" + good + b"]"),
            "not utf-8": response(good[:-2] + b',"x":"\xff"}}'),
            "byte order mark": response(b"\xef\xbb\xbf" + good),
            "doubled key": response(good[:-1] + b',"id":%d}' % mine),
            "not a number": response(good[:-1] + b',"x":NaN}'),
            "lone surrogate": response(good[:-1] + b',"x":"\\ud800"}'),
            "too deep": response(good[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}"),
            "no result and no error": response(b'{"jsonrpc":"2.0","id":%d}' % mine),
            "result and error": response(answer(message, error={"code": 1, "message": "x"})),
            "result is no object": response(answer(message, result=[])),
            "wrong version": response(answer(message, jsonrpc="1.0")),
            "another's id": response(answer(message, id=mine + 1)),
            "id as text": response(answer(message, id=str(mine))),
            "id as fraction": response(answer(message, id=float(mine))),
            "no id": response(b'{"jsonrpc":"2.0","result":{}}'),
            "error without id": error({}, -32000),
            "error code as text": response(b'{"jsonrpc":"2.0","id":%d,"error":{"code":"1","message":"x"}}' % mine),
            "a request instead": response(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}' % mine),
            "a notification instead": response(b'{"jsonrpc":"2.0","method":"notifications/progress"}'),
            "accepted without answer": b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
            "redirect": response(b"", "Location: http://127.0.0.1:1/", status="307 Temporary Redirect"),
            "credential refused": response(b"", status="401 Unauthorized"),
            "forbidden": response(answer(message), status="403 Forbidden"),
            "busy": response(b"", "Retry-After: 1", status="429 Too Many Requests"),
            "server error": response(b"<h1>oops", status="500 Internal Server Error", kind="text/html"),
            "bad gateway": response(b"", status="502 Bad Gateway"),
            "status 999": response(good, status="999 Odd"),
            "stream without events": STREAM_HEAD + chunk(b""),
            "stream of comments": STREAM_HEAD + chunk(b": x\n\n" * 5),
            "stream that is closed": STREAM_HEAD + chunk(b"data: {"),
            "stream that is reset": STREAM_HEAD + chunk(b"data: {"),
            "endless event": STREAM_HEAD + chunk(b"data: " + b"x" * (CAP + 100)),
            "endless line without a field": STREAM_HEAD + chunk(b"x" * (CAP + 100)),
            "event that is no json": STREAM_HEAD + chunk(b"data: hello\n\n"),
            "event with another's id": STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "id": mine + 1, "result": {}})),
            "stream with gzip": STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
            "answer and a forged second one": response(good) + response(good),
        }
        return table[self.name]

    def answering(self) -> Answering:
        async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
            if message["params"]["name"] != "bad":
                await peer.send(response(result(message, ECHOED)))
                return
            await peer.send(self.octets(message))
            match self.then:
                case "reset":
                    peer.reset()
                case "close":
                    peer.close()
                case _:
                    await peer.gone()

        return answering


CASES = [
    Case("nothing", TIMEOUT),
    Case("half a status line", TIMEOUT),
    Case("half a head", TIMEOUT),
    Case("half a body", TIMEOUT),
    Case("half a chunk", TIMEOUT),
    Case("stream of comments", TIMEOUT),
    Case("reset before anything", BROKEN, then="reset"),
    Case("closed before anything", BROKEN, then="close"),
    Case("half a body, then reset", BROKEN, then="reset"),
    Case("stream that is closed", BROKEN, then="close"),
    Case("stream that is reset", BROKEN, then="reset"),
    Case("redirect", BROKEN, Ran.NO),
    Case("credential refused", Reason.CREDENTIAL_REFUSED, Ran.NO),
    Case("forbidden", Reason.CREDENTIAL_REFUSED, Ran.NO),
    Case("busy", BROKEN, Ran.NO),
    *(
        Case(name, BROKEN)
        for name in (
            "no http",
            "http 2 preface",
            "two lengths",
            "length and chunked",
            "endless head",
            "endless interim responses",
            "upgrade",
            "gzip",
            "length above the cap",
            "chunks above the cap",
            "html",
            "no type",
            "two types",
            "empty body",
            "no json",
            "two json texts",
            "batch",
            "not utf-8",
            "byte order mark",
            "doubled key",
            "not a number",
            "lone surrogate",
            "too deep",
            "no result and no error",
            "result and error",
            "result is no object",
            "wrong version",
            "another's id",
            "id as text",
            "id as fraction",
            "no id",
            "error without id",
            "error code as text",
            "a request instead",
            "a notification instead",
            "accepted without answer",
            "no content",
            "server error",
            "bad gateway",
            "status 999",
            "stream without events",
            "endless event",
            "endless line without a field",
            "event that is no json",
            "event with another's id",
            "stream with gzip",
            "answer and a forged second one",
        )
    ),
]


@pytest.mark.parametrize("era", ["exchange", "session"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_answer_that_goes_wrong_is_one_refusal_and_harms_no_other_call(case: Case, era: str) -> None:
    handlers = exchange_era() if era == "exchange" else session_era()
    handlers["tools/call"] = case.answering()
    timeouts = SHORT if case.reason is Reason.UPSTREAM_TIMEOUT else PATIENT
    async with scripted(speaking(handlers)) as peer, over_http(peer.url, era=era, timeouts=timeouts, result_bytes=CAP) as upstream:
        good = order(params={"name": "good"})
        assert (await upstream.forward(good, unheard)).body == ECHOED
        bad, *others = await asyncio.gather(
            upstream.forward(order(params={"name": "bad"}), unheard),
            *(upstream.forward(good, unheard) for _ in range(3)),
            return_exceptions=True,
        )
        assert isinstance(bad, Refused)
        assert (bad.reason, bad.ran) == (case.reason, case.ran)
        assert bad.public.startswith("The upstream `demo` ")
        assert bad.public.endswith("the call may have run." if case.ran is Ran.MAYBE else "the call was not made.")
        assert [getattr(other, "body", other) for other in others] == [ECHOED] * 3
        assert (await upstream.forward(good, unheard)).body == ECHOED
        assert upstream.state().condition is Condition.UP
    assert sum(b'"bad"' in request for request in peer.requests) == 1, "nothing that may have run is sent twice"


@pytest.mark.parametrize("era", ["auto", "exchange", "session"])
async def test_upstream_that_is_down_is_unreachable_and_its_health_says_so(era: str) -> None:
    async with scripted(speaking({})) as peer:
        pass
    async with over_http(peer.url, era=era) as upstream:
        for failures in (1, 2):
            with pytest.raises(Refused) as caught:
                await upstream.forward(order(), unheard)
            assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
            assert caught.value.public == "The upstream `demo` could not be reached; the call was not made."
            assert (upstream.state().condition, upstream.state().failures) == (Condition.DOWN, failures)
