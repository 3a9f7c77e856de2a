"""Secrets of others on a running gateway: masked in results and notices, refused in arguments. Nobody issued those that stand here."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import doorward, http_upstream
from tests.net.raw import STREAM_HEAD, Peer, chunk, response
from tests.upstream.kit import error, event, result

Json = dict[str, Any]

DRAWN = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xYz0C"
TOKEN = "sk_" + "live_" + DRAWN
LIKELY = "api_key=" + DRAWN


class Leaking(Witness):
    """An upstream whose answers hold tokens, in the carriers of the protocol."""

    def __init__(self) -> None:
        super().__init__()
        self.tools = [tool(name) for name in ("text", "structured", "failure", "notice", "echo")]
        self.behaviours = {"text": self._text, "structured": self._structured, "failure": self._failure, "notice": self._notice}

    async def _said(self, peer: Peer, message: Json, body: Json) -> None:
        await peer.send(response(result(message, {"content": [{"type": "text", "text": "done"}], "resultType": "complete", **body})))

    async def _text(self, peer: Peer, message: Json, head: bytes) -> None:
        await self._said(peer, message, {"content": [{"type": "text", "text": f"pay with {TOKEN} today"}]})

    async def _structured(self, peer: Peer, message: Json, head: bytes) -> None:
        await self._said(peer, message, {"structuredContent": {"account": {"api_key": DRAWN, "name": "ada"}}})

    async def _failure(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(error(message, -32000, f"no such key: {TOKEN}", {"key": [TOKEN]}))

    async def _notice(self, peer: Peer, message: Json, head: bytes) -> None:
        token = message["params"]["_meta"]["progressToken"]
        params = {"progressToken": token, "progress": 1, "message": f"using {TOKEN}"}
        await peer.send(STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})))
        await peer.send(chunk(result_event(message)) + chunk(b""))


def result_event(message: Json) -> bytes:
    done: Json = {"content": [{"type": "text", "text": "done"}], "resultType": "complete"}
    return event({"jsonrpc": "2.0", "id": message["id"], "result": done})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    directory: Path = tmp_path_factory.mktemp("secrets")
    with ExitStack() as stack:
        upstream = stack.enter_context(witnessing(Leaking()))
        running = stack.enter_context(doorward(directory, {"upstreams": {"shop": http_upstream(upstream.url)}}))
        yield stack.enter_context(Client(running.url(), running.key())), upstream


def test_a_token_in_a_result_is_masked_and_the_rest_is_there(world: tuple[Client, Leaking]) -> None:
    client, _ = world
    assert client.call("shop__text").text == "pay with [withheld: stripe_live_key] today"


@pytest.mark.parametrize("place", ["structured", "failure", "notice"])
def test_a_token_in_any_carrier_reaches_nobody(world: tuple[Client, Leaking], place: str) -> None:
    client, _ = world
    said = client.call(f"shop__{place}", progressToken=7)
    assert DRAWN.encode() not in said.raw
    assert b"withheld" in said.raw


@pytest.mark.parametrize("mark", [TOKEN, f"please use {TOKEN}", LIKELY])
def test_a_secret_in_an_argument_is_refused_and_not_sent(world: tuple[Client, Leaking], mark: str) -> None:
    client, upstream = world
    said = client.call("shop__echo", {"mark": mark})
    assert b"unsafe_request" in said.raw
    assert DRAWN.encode() not in said.raw
    assert not any(DRAWN.encode() in request for request in upstream.requests)
