"""The session era over HTTP: whose sessions, what happens when one is lost, and streams that break off."""

import asyncio
from typing import Any

import pytest

from doorward.domain.calls import Notice
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.port import unheard
from tests.net.raw import STREAM_HEAD, Peer, chunk, response, scripted, until
from tests.upstream.kit import (
    ECHOED,
    KEYED,
    LEASE,
    NOT_FOUND,
    REFUSED,
    SHORT,
    Answering,
    Heard,
    World,
    body_of,
    error,
    event,
    giving,
    header_of,
    methods,
    order,
    over_http,
    result,
    saying,
    session_era,
    speaking,
)

pytestmark = pytest.mark.anyio


async def test_session_belongs_to_one_credential_principal_and_set_of_capabilities() -> None:
    orders = [
        order(),
        order(),
        order(principal="other"),
        order(lease=KEYED),
        order(capabilities={"experimental": {"x": {}}}),
        order(capabilities={"sampling": {}, "roots": {}, "elicitation": {}}),
    ]
    async with scripted(speaking(session_era())) as peer, over_http(peer.url, era="session") as upstream:
        for asked in orders:
            await upstream.forward(asked, unheard)
    used = [header_of(request, "Mcp-Session-Id") for request in peer.requests if b'"tools/call"' in request]
    assert used == ["s1", "s1", "s2", "s3", "s4", "s1"]
    assert sorted(header_of(request, "Mcp-Session-Id") or "" for request in peer.requests if request.startswith(b"DELETE")) == [
        "s1",
        "s2",
        "s3",
        "s4",
    ]


async def test_stateless_upstream_has_one_session_for_all_principals() -> None:
    async with scripted(speaking(session_era())) as peer, over_http(peer.url, era="session", stateless=True) as upstream:
        for principal in ("one", "two", "three"):
            await upstream.forward(order(principal=principal, capabilities={"experimental": {"x": {}}}), unheard)
    assert methods(peer.requests).count("initialize") == 1


async def test_calls_that_arrive_together_share_one_initialize() -> None:
    async with scripted(speaking(session_era())) as peer, over_http(peer.url, era="session") as upstream:
        await asyncio.gather(*(upstream.forward(order(), unheard) for _ in range(8)))
    assert (methods(peer.requests).count("initialize"), methods(peer.requests).count("tools/call")) == (1, 8)


def forgetting(octets: bytes, session: str = "s1") -> Answering:
    """Has forgotten one session."""

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(octets if f"Mcp-Session-Id: {session}\r\n".encode() in head else response(result(message, ECHOED)))

    return answering


@pytest.mark.parametrize(
    "lost",
    [
        NOT_FOUND,
        error({}, -32600, "Session not found", status="404 Not Found"),
        error({}, -32000, "No valid session ID provided", status="400 Bad Request"),
    ],
)
async def test_lost_session_is_made_anew_once_for_all_and_the_calls_are_sent_in_it(lost: bytes) -> None:
    async with scripted(speaking(session_era(tools__call=forgetting(lost)))) as peer, over_http(peer.url, era="session") as upstream:
        answers = await asyncio.gather(*(upstream.forward(order(), unheard) for _ in range(4)))
        assert [answered.body for answered in answers] == [ECHOED] * 4
    assert methods(peer.requests).count("initialize") == 2


async def test_upstream_that_forgets_every_session_at_once_is_given_up_and_nothing_ran() -> None:
    async with scripted(speaking(session_era(tools__call=saying(NOT_FOUND)))) as peer, over_http(peer.url, era="session") as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_BROKEN, Ran.NO)
    assert methods(peer.requests).count("tools/call") == 2


async def test_other_principals_keep_their_sessions_when_one_is_lost() -> None:
    async with (
        scripted(speaking(session_era(tools__call=forgetting(NOT_FOUND, "s2")))) as peer,
        over_http(peer.url, era="session") as upstream,
    ):
        for principal in ("one", "two", "one"):
            await upstream.forward(order(principal=principal), unheard)
    used = [header_of(request, "Mcp-Session-Id") for request in peer.requests if b'"tools/call"' in request]
    assert used == ["s1", "s2", "s3", "s1"]


@pytest.mark.parametrize(
    ("initialize", "reason"),
    [
        (saying(response(b"{}", status="500 Oops")), Reason.UPSTREAM_UNREACHABLE),
        (saying(response(b"not json")), Reason.UPSTREAM_UNREACHABLE),
        (giving({"protocolVersion": "2024-11-05", "capabilities": {}}), Reason.UPSTREAM_BROKEN),
        (giving({"protocolVersion": "1999-01-01", "capabilities": {}}), Reason.UPSTREAM_BROKEN),
        (giving({}), Reason.UPSTREAM_BROKEN),
        (saying(response(b"", status="403 Forbidden")), Reason.CREDENTIAL_REFUSED),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"), Reason.UPSTREAM_UNREACHABLE),
    ],
)
async def test_session_that_cannot_be_begun_refuses_the_call_which_was_not_made(initialize: Answering, reason: Reason) -> None:
    async with (
        scripted(speaking(session_era(initialize=initialize))) as peer,
        over_http(peer.url, era="session", timeouts=SHORT) as upstream,
    ):
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran) == (reason, Ran.NO)
    assert "tools/call" not in methods(peer.requests)
    assert caught.value.public.endswith("the call was not made.")


@pytest.mark.parametrize(
    "header", ["Mcp-Session-Id: a b", "Mcp-Session-Id: \x80", f"Mcp-Session-Id: {'x' * 1025}", "Mcp-Session-Id: a\r\nMcp-Session-Id: b"]
)
async def test_session_id_that_is_not_visible_ascii_is_refused(header: str) -> None:
    async def initialize(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        body = result(message, {"protocolVersion": "2025-11-25", "capabilities": {}})
        await peer.send(response(body).replace(b"Content-Length", header.encode("latin-1") + b"\r\nContent-Length"))

    async with scripted(speaking(session_era(initialize=initialize))) as peer, over_http(peer.url, era="session") as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert caught.value.ran is Ran.NO


async def test_upstream_without_session_ids_is_served_without_them() -> None:
    plain = giving({"protocolVersion": "2025-03-26", "capabilities": {"tools": {}}})
    async with scripted(speaking(session_era(initialize=plain))) as peer, over_http(peer.url, era="session") as upstream:
        assert (await upstream.forward(order(), unheard)).body == ECHOED
        assert (await upstream.discover(LEASE)).versions == ("2025-03-26",)
        assert (await upstream.discover(LEASE)).versions == ("2025-03-26",)
    call = next(request for request in peer.requests if b'"tools/call"' in request)
    assert [header_of(call, name) for name in ("Mcp-Session-Id", "MCP-Protocol-Version")] == [None, None]
    assert "DELETE" not in methods(peer.requests)
    assert methods(peer.requests).count("initialize") == 3, "each further discovery asks it to introduce itself again"


async def test_cancelled_call_is_told_upstream() -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.gone()

    async with scripted(speaking(session_era(tools__call=answering))) as peer, over_http(peer.url, era="session") as upstream:
        call = asyncio.create_task(upstream.forward(order(), unheard))
        await until(lambda: "tools/call" in methods(peer.requests))
        call.cancel()
        await until(lambda: "notifications/cancelled" in methods(peer.requests))
    told = next(body_of(request) for request in peer.requests if b"notifications/cancelled" in request)
    assert told["params"] == {"requestId": 2, "reason": "the caller cancelled it"}


async def test_call_that_runs_late_is_told_upstream() -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.gone()

    async with (
        scripted(speaking(session_era(tools__call=answering))) as peer,
        over_http(peer.url, era="session", timeouts=SHORT) as upstream,
    ):
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
        assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_TIMEOUT, Ran.MAYBE)
        await until(lambda: "notifications/cancelled" in methods(peer.requests))


async def test_requests_of_the_upstream_are_answered_and_the_call_goes_on() -> None:
    replied = asyncio.Event()
    replies: list[dict[str, Any]] = []

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD)
        for asked in ({"id": 900, "method": "ping"}, {"id": "e1", "method": "elicitation/create", "params": {"message": "?"}}):
            await peer.send(chunk(event({"jsonrpc": "2.0", **asked})))
        await replied.wait()
        await peer.send(chunk(event({"jsonrpc": "2.0", "id": message["id"], "result": ECHOED})) + chunk(b""))

    async def reply(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        replies.append(message)
        if len(replies) == 2:
            replied.set()
        await peer.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    async with (
        scripted(speaking(session_era(tools__call=answering, response=reply))) as peer,
        over_http(peer.url, era="session") as upstream,
    ):
        assert (await upstream.forward(order(), unheard)).body == ECHOED
    assert replies[0] == {"jsonrpc": "2.0", "id": 900, "result": {}}
    assert (replies[1]["id"], replies[1]["error"]["code"]) == ("e1", -32601)


async def test_upstream_that_asks_without_end_is_refused() -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD)
        for number in range(40):
            await peer.send(chunk(event({"jsonrpc": "2.0", "id": number, "method": "ping"})))

    async with scripted(speaking(session_era(tools__call=answering))) as peer, over_http(peer.url, era="session") as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert caught.value.reason is Reason.UPSTREAM_BROKEN


async def test_log_level_is_set_once_and_again_only_to_hear_more() -> None:
    async with scripted(speaking(session_era())) as peer, over_http(peer.url, era="session") as upstream:
        for level in (None, "warning", "error", "debug", "info", "loud"):
            await upstream.forward(order(log_level=level), unheard)
    levels = [body_of(request)["params"]["level"] for request in peer.requests if b"logging/setLevel" in request]
    assert levels == ["warning", "debug"]


def breaking_off(*rounds: bytes) -> dict[str, Answering]:
    """Ends its stream after each round; the next GET gives the next."""
    left = list(rounds)

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD + (chunk(left.pop(0)) if left else b"") + chunk(b""))

    async def resuming(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await (answering(peer, message, head) if b"Last-Event-ID" in head else peer.send(REFUSED))

    return {"tools/call": answering, "GET": resuming}


FINAL = {"jsonrpc": "2.0", "id": 2, "result": ECHOED}
STEP = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 2, "progress": 1}}


async def test_stream_that_breaks_off_after_an_event_id_is_taken_up_again() -> None:
    rounds = (event(None, "e1", 1), event(STEP, "e2", 1) + event(None, "e3", 1), event(None, "e4", 1), event(FINAL, "e5"))
    heard = Heard()
    async with scripted(speaking(session_era() | breaking_off(*rounds))) as peer, over_http(peer.url, era="session") as upstream:
        answered = await upstream.forward(order(wants_progress=True), heard)
    assert (answered.body, heard.notices) == (ECHOED, [Notice("notifications/progress", {"progress": 1})])
    resumed = [request for request in peer.requests if b"Last-Event-ID" in request]
    assert [header_of(request, "Last-Event-ID") for request in resumed] == ["e1", "e3", "e4"]
    assert {header_of(request, "Mcp-Session-Id") for request in resumed} == {"s1"}
    assert methods(peer.requests).count("tools/call") == 1


async def test_stream_that_was_reset_after_an_event_id_is_taken_up_again() -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD + chunk(event(None, "e1", 1)))
        await peer.reader.read(0)
        peer.close()

    handlers = session_era() | breaking_off(event(FINAL)) | {"tools/call": answering}
    async with scripted(speaking(handlers)) as peer, over_http(peer.url, era="session") as upstream:
        assert (await upstream.forward(order(), unheard)).body == ECHOED


@pytest.mark.parametrize(
    ("handlers", "reason"),
    [
        (breaking_off(b": no event at all\n\n"), Reason.UPSTREAM_BROKEN),
        (breaking_off(event(None, "e1", 1)) | {"GET": saying(REFUSED)}, Reason.UPSTREAM_BROKEN),
        (breaking_off(event(None, "e1", 1)) | {"GET": saying(NOT_FOUND)}, Reason.UPSTREAM_BROKEN),
        (breaking_off(event(None, "e1", 1)) | {"GET": saying(b"garbage\r\n\r\n")}, Reason.UPSTREAM_BROKEN),
        (breaking_off(event(None, "e\x7f", 1)), Reason.UPSTREAM_BROKEN),
        (breaking_off(*[event(None, f"e{n}", 0) for n in range(30)]), Reason.UPSTREAM_BROKEN),
        (breaking_off(event(None, "e1", 10_000)), Reason.UPSTREAM_TIMEOUT),
        (breaking_off(*[event(None, f"e{n}", 100) for n in range(30)]), Reason.UPSTREAM_TIMEOUT),
    ],
)
async def test_stream_that_cannot_be_taken_up_again_may_have_run(handlers: dict[str, Answering], reason: Reason) -> None:
    async with scripted(speaking(session_era() | handlers)) as peer, over_http(peer.url, era="session", timeouts=SHORT) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran) == (reason, Ran.MAYBE)
    assert methods(peer.requests).count("tools/call") == 1


async def test_changes_are_heard_on_the_stream_that_belongs_to_no_request() -> None:
    async def stream(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})))
        await peer.send(chunk(event({"jsonrpc": "2.0", "id": 5, "method": "ping"})))
        await peer.gone()

    world = World()
    async with scripted(speaking(session_era(GET=stream))) as peer, over_http(peer.url, world, era="session") as upstream:
        await upstream.discover(LEASE)
        await until(lambda: world.changes and "response" in methods(peer.requests))
    assert world.changes == 1


PROGRESS = "notifications/progress"


async def test_progress_beside_the_answer_reaches_the_caller_who_wants_it_and_no_other() -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def stream(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD)
        while True:
            await peer.send(chunk(await said.get()))

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        token = message["params"].get("_meta", {}).get("progressToken", 0)
        for number in (token, token + 1):
            await said.put(event({"jsonrpc": "2.0", "method": PROGRESS, "params": {"progressToken": number, "progress": number}}))
        await asyncio.sleep(0.05)
        await peer.send(response(result(message, ECHOED)))

    first, silent, second = Heard(), Heard(), Heard()
    async with scripted(speaking(session_era(GET=stream, tools__call=answering))) as peer, over_http(peer.url, era="session") as upstream:
        await upstream.forward(order(wants_progress=True), first)
        await upstream.forward(order(), silent)
        await upstream.forward(order(wants_progress=True), second)
        await upstream.forward(order(principal="other"), silent)
    assert [notice.params for notice in first.notices + second.notices] == [{"progress": 2}, {"progress": 4}]
    assert (silent.notices, methods(peer.requests).count("GET")) == ([], 1)


async def test_progress_that_is_being_told_is_told_before_the_call_returns() -> None:
    told: list[str] = []

    async def slowly(notice: Notice) -> None:
        told.append("begun")
        await asyncio.sleep(0.05)
        told.append("ended")

    begun = asyncio.Event()

    async def stream(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD)
        await begun.wait()
        await peer.send(chunk(event({"jsonrpc": "2.0", "method": PROGRESS, "params": {"progressToken": 2, "progress": 1}})))
        await peer.gone()

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        begun.set()
        await until(lambda: told)
        await peer.send(response(result(message, ECHOED)))

    async with scripted(speaking(session_era(GET=stream, tools__call=answering))) as peer, over_http(peer.url, era="session") as upstream:
        await upstream.forward(order(wants_progress=True), slowly)
        assert told == ["begun", "ended"]


@pytest.mark.parametrize("answering", [saying(REFUSED), saying(NOT_FOUND), saying(b"garbage\r\n\r\n"), saying(b"")])
async def test_call_that_wants_progress_goes_on_without_where_there_is_none(answering: Answering) -> None:
    async with scripted(speaking(session_era(GET=answering))) as peer, over_http(peer.url, era="session") as upstream:
        for _ in range(2):
            assert (await upstream.forward(order(wants_progress=True), unheard)).body == ECHOED
    assert methods(peer.requests).count("GET") == 1


async def test_refused_stream_is_done_without() -> None:
    world = World()
    async with scripted(speaking(session_era())) as peer, over_http(peer.url, world, era="session") as upstream:
        await upstream.discover(LEASE)
        await until(lambda: "GET" in methods(peer.requests))
        assert (await upstream.forward(order(), unheard)).body == ECHOED
    assert (world.events, methods(peer.requests).count("GET")) == ([], 1)


async def test_close_does_not_wait_for_an_upstream_that_does_not_answer() -> None:
    async def hang(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.gone()

    async with scripted(speaking(session_era(DELETE=hang))) as peer:
        async with over_http(peer.url, era="session") as upstream:
            await upstream.forward(order(), unheard)
            async with asyncio.timeout(8):
                await upstream.close()
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert caught.value.ran is Ran.NO
