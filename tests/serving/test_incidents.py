"""Incidents of other products at the place where this room would have had them (SECURITY.md)."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.call.inbound import Inbound, Notices
from doorward.config.model import Listen
from doorward.serving.edge import EdgeError, allowed, endpoint, fields
from tests.serving.asgi import HOST, KEY, Client, FakeSpine, House

pytestmark = pytest.mark.anyio

OURS = allowed(Listen(allowed_hosts=("mcp.example.com",)), 8420)
ACCEPTED = {HOST.encode(), b"localhost:8420", b"[::1]:8420", b"mcp.example.com"}
HOSTS = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda host, rest: host + rest,
        st.sampled_from(sorted(ACCEPTED)),
        st.sampled_from([b"/#", b"/?", b"@evil", b"\t", b" ", b",", b".evil", b"#"]),
    ),
    st.builds(
        lambda start, host: start + host,
        st.sampled_from([b"evil@", b"evil/", b" ", b"evil.", b"http://"]),
        st.sampled_from(sorted(ACCEPTED)),
    ),
)


def status_of(check: Callable[[], object]) -> int:
    """What a check of the edge answers: 200 where it lets the request on."""
    try:
        check()
    except EdgeError as error:
        return error.status
    return 200


@given(HOSTS)
def test_cve_2026_49468_host_is_ours_to_the_letter(host: bytes) -> None:
    name, _, port = host.lower().partition(b":")
    is_ours = host.lower() in ACCEPTED or (name == b"mcp.example.com" and port.isdigit())
    assert status_of(lambda: fields([(b"host", host)], OURS)) == (200 if is_ours else 403)


@given(st.one_of(st.binary(max_size=30), st.from_regex(rb"/mcp(/[a-z0-9%#?./-]*)?", fullmatch=True)))
def test_cve_2026_49468_route_is_read_from_the_raw_path_alone(path: bytes) -> None:
    is_ours = path == b"/mcp" or re.fullmatch(rb"/mcp/[a-z](-?[a-z0-9]){0,30}", path) is not None
    assert status_of(lambda: endpoint(path, b"")) == (200 if is_ours else 404)


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "OPTIONS", "PUT"])
@pytest.mark.parametrize("foreign", [{"host": "evil.example"}, {"origin": "http://evil.example"}])
async def test_cve_2025_66416_rebound_name_and_foreign_page_reach_nothing(method: str, foreign: dict[str, str]) -> None:
    house = House()
    client = await house.session()
    answer = await house.open(method, {**client.headers, "accept": "text/event-stream", **foreign}, b"{}").done()
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (403, False)
    assert (await client.ask("ping").done()).status == 200


async def test_cve_2026_52869_session_of_another_principal_is_no_session() -> None:
    house = House()
    client = await house.session()
    thief = Client(house, {**client.headers, "authorization": "Bearer key-of-eve"})
    answers = [
        await exchange.done() for exchange in (thief.ask("tools/list"), thief.listen(), thief.listen(last_event_id="j0-0"), thief.delete())
    ]
    assert {answer.status for answer in answers} == {404}


async def test_cve_2026_59951_sessions_leave_nothing_behind() -> None:
    house = House()
    for _ in range(50):
        client = await house.session()
        await client.ask("tools/list").done()
        stream = client.listen()
        await stream.begun()
        stream.hang_up()
        await stream.done()
    assert (house.door._sessions._live, house.door.pulse._due, len(house.door._streams)) == ({}, {}, 0)


async def test_cve_2026_110279_credential_headers_besides_authorization_change_nothing() -> None:
    house = House()
    more = {"x-upstream-authorization": "Bearer evil", "x-api-key": "evil", "x-forwarded-user": "root", "cookie": "session=evil"}
    await house.ask("tools/list", **more).done()
    (inbound,) = house.spine.handled
    assert (inbound.principal.id, inbound.meta, inbound.capabilities) == ("ada", {}, {})
    refused = await house.ask("tools/list", **{**more, "authorization": ""}).done()
    assert refused.status == 401


async def test_cve_2026_59822_failure_while_identifying_lets_nobody_in() -> None:
    class Broken(FakeSpine):
        def identify(self, presented: Any) -> Any:
            raise KeyError(KEY)

    house = House(Broken())
    answer = await house.ask("tools/list").done()
    assert (answer.status, house.spine.handled, KEY.encode() in answer.raw) == (500, [], False)


async def test_answer_of_one_caller_never_reaches_another() -> None:
    both = asyncio.Barrier(2)

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await both.wait()
        return {"who": inbound.principal.id}

    house = House(FakeSpine(answer))
    asked = {name: house.ask("tools/list", authorization=f"Bearer key-of-{name}") for name in ("ada", "eve")}
    assert {name: (await exchange.done()).json["result"]["who"] for name, exchange in asked.items()} == {"ada": "ada", "eve": "eve"}
