"""What only the exchange era has: streams of changes, and results that ask for input."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from doorward.domain.reasons import Reason, Refused
from doorward.upstream.port import unheard
from tests.net.raw import STREAM_HEAD, Peer, chunk, response, scripted, until
from tests.upstream.kit import (
    KEYED,
    LEASE,
    World,
    body_of,
    error,
    event,
    exchange_era,
    giving,
    methods,
    order,
    over_http,
    result,
    saying,
    speaking,
)

pytestmark = pytest.mark.anyio


async def test_changes_are_listened_for_after_a_discovery() -> None:
    async def listen(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {}})))
        await peer.send(chunk(b": keep-alive\n\n"))
        await peer.send(chunk(event({"jsonrpc": "2.0", "method": "notifications/prompts/list_changed", "params": {}})))
        await peer.gone()

    world = World()
    async with scripted(speaking(exchange_era(subscriptions__listen=listen))) as peer, over_http(peer.url, world) as upstream:
        await upstream.discover(LEASE)
        await upstream.discover(LEASE)
        await until(lambda: world.changes)
    assert (world.changes, methods(peer.requests).count("subscriptions/listen")) == (1, 1)
    asked = next(body_of(request) for request in peer.requests if b"subscriptions/listen" in request)
    assert asked["params"]["notifications"] == {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}


async def test_end_of_the_stream_of_changes_counts_as_a_change() -> None:
    async def listen(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(
            STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "id": message["id"], "result": {"resultType": "complete"}})) + chunk(b"")
        )

    world = World()
    async with scripted(speaking(exchange_era(subscriptions__listen=listen))) as peer, over_http(peer.url, world) as upstream:
        await upstream.discover(LEASE)
        await until(lambda: world.changes)


async def test_upstream_that_offers_no_stream_is_done_without() -> None:
    async def refuse(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(error(message, -32601, status="404 Not Found"))

    world = World()
    async with scripted(speaking(exchange_era(subscriptions__listen=refuse))) as peer, over_http(peer.url, world) as upstream:
        await upstream.discover(LEASE)
        await until(lambda: "subscriptions/listen" in methods(peer.requests))
        await upstream.forward(order(), unheard)
    assert (world.changes, world.events) == (0, [])


async def test_changes_are_not_listened_for_with_a_credential_that_has_ended_but_with_the_next_one() -> None:
    async def listen(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(STREAM_HEAD)
        await peer.gone()

    async with scripted(speaking(exchange_era(subscriptions__listen=listen))) as peer, over_http(peer.url) as upstream:
        await upstream.discover(replace(KEYED, expires_at=1000.0))
        for _ in range(20):
            await asyncio.sleep(0)
        await upstream.forward(order(), unheard)
        assert "subscriptions/listen" not in methods(peer.requests)
        await upstream.discover(replace(KEYED, expires_at=1000.1))
        await until(lambda: "subscriptions/listen" in methods(peer.requests))


async def test_result_that_asks_for_input_is_an_answer() -> None:
    wanted = {
        "resultType": "input_required",
        "requestState": "opaque",
        "inputRequests": {"a": {"method": "elicitation/create", "params": {}}},
    }
    async with scripted(speaking(exchange_era(tools__call=giving(wanted)))) as peer, over_http(peer.url) as upstream:
        assert (await upstream.forward(order(), unheard)).body == wanted


async def test_request_of_the_upstream_is_a_broken_answer() -> None:
    stream = STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {}}))
    async with scripted(speaking(exchange_era(tools__call=saying(stream)))) as peer, over_http(peer.url) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert caught.value.reason is Reason.UPSTREAM_BROKEN


async def test_event_ids_are_ignored_and_a_broken_stream_is_never_taken_up_again() -> None:
    stream = STREAM_HEAD + chunk(event(None, "e1", 1)) + chunk(b"")
    async with scripted(speaking(exchange_era(tools__call=saying(stream)))) as peer, over_http(peer.url) as upstream:
        with pytest.raises(Refused):
            await upstream.forward(order(), unheard)
    assert "GET" not in methods(peer.requests)


async def test_ids_are_ours_and_never_repeat_while_calls_overlap() -> None:
    seen: list[int] = []

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        seen.append(message["id"])
        await peer.send(response(result(message, {"resultType": "complete"})))

    async with scripted(speaking(exchange_era(tools__call=answering))) as peer, over_http(peer.url, era="exchange") as upstream:
        for _ in range(5):
            await upstream.forward(order(), unheard)
    assert seen == [1, 2, 3, 4, 5]


async def test_parameter_without_a_name_names_nothing_where_a_method_names_nothing() -> None:
    """Callers choose the names of parameters that go on as they are."""
    completing = giving({"completion": {"values": ["a"]}, "resultType": "complete"})
    async with scripted(speaking(exchange_era(completion__complete=completing))) as peer, over_http(peer.url, era="exchange") as upstream:
        asked = {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": ""}, "": "echo"}
        answer = await upstream.forward(order("completion/complete", asked), unheard)
    assert isinstance(answer.body, dict)
    assert answer.body["completion"] == {"values": ["a"]}
    assert b"mcp-name" not in peer.requests[-1].lower()
