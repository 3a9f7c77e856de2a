"""What a door turns down after it knows who asks is told to the log, so that nobody tries doors unheard."""

import pytest

from doorward.domain.reasons import Reason
from tests.serving.asgi import House

MALFORMED = b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "tools/list"}'


@pytest.mark.anyio
async def test_malformed_messages_of_a_known_caller_are_told() -> None:
    house = House()
    exchange = await house.post(MALFORMED, {"mcp-protocol-version": "2026-07-28"}).done()
    assert (exchange.status, house.spine.turned) == (400, [("ada", Reason.MALFORMED)])


@pytest.mark.anyio
async def test_trying_the_names_of_upstreams_is_told() -> None:
    house = House()
    exchange = await house.ask("tools/list", path="/mcp/secret").done()
    assert (exchange.status, house.spine.turned) == (404, [("ada", Reason.INVALID_REQUEST)])


@pytest.mark.anyio
async def test_trying_sessions_of_others_is_told() -> None:
    house = House()
    client = await house.session()
    client.headers["authorization"] = "Bearer key-of-eve"
    exchange = await client.ask("tools/list").done()
    assert (exchange.status, house.spine.turned) == (404, [("eve", Reason.UNKNOWN_SESSION)])
