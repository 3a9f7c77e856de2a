"""The door and heads that come again: what follows from a head is kept, who asks and what is asked is looked at each time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from doorward.config.model import Listen
from doorward.domain.actors import Principal
from doorward.domain.ids import AgentId
from doorward.identity.chain import Presented
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.edge import allowed
from doorward.wire.jsonrpc import Limits
from tests.serving.asgi import EXCHANGE, HOST, PORT, Counted, FakeSpine, House
from tests.serving.sockets import listening, only, opened, until

pytestmark = pytest.mark.anyio

META = {"io.modelcontextprotocol/protocolVersion": EXCHANGE, "io.modelcontextprotocol/clientCapabilities": {}}


def call(name: str = "echo", said: str = "echo", text: str = "", key: str = "key-of-ada", **more: str) -> bytes:
    params = {"name": name, "arguments": {"text": text}, "_meta": META}
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{lines}"
        f"MCP-Protocol-Version: {EXCHANGE}\r\nMcp-Method: tools/call\r\nMcp-Name: {said}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller:
    """One kept connection, on which requests are made one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, raw: bytes) -> tuple[int, bytes]:
        """Status and head of the answer."""
        self._writer.write(raw)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        await self._reader.readexactly(int(length.removeprefix(b"content-length: ")))
        return int(head[9:12]), head


@asynccontextmanager
async def calling(door: Door) -> AsyncIterator[Caller]:
    async with listening(door) as (listener, port):
        reader, writer = await opened(port, b"")
        caller = Caller(reader, writer)
        await caller.ask(call())
        assert (await only(listener))._heads.found(call()) is not None
        yield caller
        writer.close()


class Remembering(FakeSpine):
    """Remembers what callers presented."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Presented] = []

    def identify(self, presented: Presented) -> Principal:
        self.seen.append(presented)
        return super().identify(presented)


def door(spine: FakeSpine, body_bytes: int = 1_048_576) -> Door:
    around = Surroundings(spine, lambda *_: True, Counted(), lambda: 0.0, str)
    return Door(around, Settings(allowed(Listen(), PORT), is_loopback=True, limits=Limits(body_bytes=body_bytes)))


async def test_a_key_that_is_revoked_between_two_calls_of_the_same_head_is_refused() -> None:
    house = House()
    async with calling(house.door) as caller:
        assert (await caller.ask(call()))[0] == 200
        house.spine.revoked.add("Bearer key-of-ada")
        assert (await caller.ask(call()))[0] == 401
        house.spine.revoked.clear()
        assert (await caller.ask(call()))[0] == 200


async def test_a_body_that_is_too_large_is_refused_under_a_known_head() -> None:
    async with calling(door(FakeSpine(), body_bytes=1000)) as caller:
        assert (await caller.ask(call(text="z" * 500)))[0] == 200
        assert (await caller.ask(call(text="z" * 1000)))[0] == 413


async def test_a_body_that_does_not_say_what_its_known_head_says_is_refused() -> None:
    async with calling(House().door) as caller:
        assert (await caller.ask(call("other", "echo")))[0] == 400
        assert (await caller.ask(call("other", "other")))[0] == 200
        assert (await caller.ask(call()))[0] == 200


async def test_the_sender_of_each_request_of_a_known_head_is_identified_anew() -> None:
    spine = Remembering()
    async with calling(door(spine)) as caller:
        for _ in range(3):
            await caller.ask(call())
    # That of the first one once more: its head was not known, and it waited for its body.
    assert [presented.authorization for presented in spine.seen] == ["Bearer key-of-ada"] * (4 + 1)


async def test_each_request_presents_its_proof_under_a_number_of_its_own() -> None:
    """The very same proof under the same number would be taken for the same request; without one nothing asks for the number."""
    spine = Remembering()
    async with calling(door(spine)) as caller:
        for _ in range(3):
            await caller.ask(call(DPoP="proof"))
    proven = [presented.request for presented in spine.seen if presented.dpop == "proof"]
    # Each is shown once more under its own number, once its body has come.
    assert [proven.count(number) for number in dict.fromkeys(proven)] == [2, 2, 2]


class Fetching(Remembering):
    """Knows nobody before it has waited for something."""

    __slots__ = ()

    def at_once(self, presented: Presented) -> Principal | None:
        return None

    async def identified(self, presented: Presented) -> Principal:
        await asyncio.sleep(0)
        return self.identify(presented)


async def test_a_sender_that_is_not_known_at_once_is_waited_for_whether_its_head_is_known_or_not() -> None:
    spine = Fetching()
    async with calling(door(spine)) as caller:
        assert (await caller.ask(call()))[0] == 200
        spine.revoked.add("Bearer key-of-ada")
        assert (await caller.ask(call()))[0] == 401
    assert len(spine.seen) == 1 + 1 + 2


async def test_another_credential_on_the_same_connection_is_another_caller() -> None:
    house = House()
    async with calling(house.door) as caller:
        await caller.ask(call(key="key-of-bob"))
        await caller.ask(call())
    assert [inbound.principal.id for inbound in house.spine.handled] == ["ada", "bob", "ada"]


async def test_the_spine_gets_the_headers_of_each_request_with_its_own_length() -> None:
    house = House()
    async with calling(house.door) as caller:
        await caller.ask(call(text="z" * 900))
    lengths = [dict(inbound.headers)[b"content-length"] for inbound in house.spine.handled]
    assert lengths == [b"%d" % len(raw.partition(b"\r\n\r\n")[2]) for raw in (call(), call(text="z" * 900))]


async def test_headers_for_a_page_of_an_allowed_origin_are_there_each_time_and_once() -> None:
    origin = f"http://{HOST}"
    async with calling(House().door) as caller:
        heads = [(await caller.ask(call(Origin=origin)))[1] for _ in range(3)]
    assert [head.count(b"access-control-allow-origin: ") for head in heads] == [1, 1, 1]


async def test_a_sender_that_lost_its_rights_while_its_body_came_is_refused() -> None:
    house = House()
    raw = call()
    async with listening(house.door) as (_, port):
        reader, writer = await opened(port, raw[:-5])
        await until(lambda: house.intake.requests_of(AgentId("ada")) == 1)
        house.spine.revoked.add("Bearer key-of-ada")
        writer.write(raw[-5:])
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
        writer.close()


async def test_a_known_head_is_no_reason_to_hear_a_call_that_nobody_may_make_any_more() -> None:
    """What was concluded from a head says nothing of whether there is room."""
    house = House()
    async with calling(house.door) as caller:
        house.is_full = True
        assert (await caller.ask(call()))[0] == 503
        house.is_full = False
        assert (await caller.ask(call()))[0] == 200


async def test_empty_lines_that_come_alone_between_requests_are_read_over() -> None:
    """RFC 9112 §2.2. They count for the head that follows, known or not."""
    lines = b"\r\n" * 10_000
    async with listening(House().door) as (listener, port):
        reader, writer = await opened(port, b"")
        caller, connection = Caller(reader, writer), await only(listener)

        async def sent() -> None:
            before = connection._head_bytes
            writer.write(lines)
            await until(lambda: connection._head_bytes == before + len(lines))

        for _ in range(3):
            assert (await caller.ask(call()))[0] == 200
            await sent()
        writer.close()
