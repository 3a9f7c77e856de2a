"""Clients by document: whose word counts for what, and how little we fetch on anybody's behalf."""

from typing import Any

import anyio
import msgspec
import pytest

from doorward.identity.authority.documents import Documents, Terms
from doorward.identity.authority.port import Client, Grant, OAuthError, Origin
from doorward.net.fetch import Fetched
from tests.identity.authority.made import NOW, Net, page

pytestmark = pytest.mark.anyio

URL = "https://tool.example/oauth/client.json"


class Bench:
    """Documents with a clock and a network."""

    def __init__(self, *hosts: str) -> None:
        self.now = NOW
        self.net = Net()
        self.documents = Documents(self.net, Terms(hosts), lambda: self.now)

    def put(self, headers: dict[str, str] | None = None, **changes: object) -> None:
        document = {"client_id": URL, "client_name": "Tool", "redirect_uris": ["http://127.0.0.1/cb"], **changes}
        self.net.put(URL, {name: value for name, value in document.items() if value is not None}, **(headers or {}))

    async def error(self, url: str = URL) -> OAuthError:
        with pytest.raises(OAuthError) as caught:
            await self.documents.client(url)
        return caught.value


async def test_a_document_says_who_its_client_is() -> None:
    bench = Bench()
    bench.put(grant_types=["authorization_code", "refresh_token", "client_credentials"], logo_uri="https://evil.example/x")
    assert await bench.documents.client(URL) == Client(
        URL, "Tool", Origin.DOCUMENT, ("http://127.0.0.1/cb",), frozenset({Grant.CODE, Grant.REFRESH}), frozenset({"mcp"})
    )
    assert bench.net.asked == [URL]


async def test_a_client_with_keys_may_also_bring_assertions() -> None:
    bench = Bench()
    jwks = {"keys": [{"kty": "EC"}]}
    grant_types = ["authorization_code", Grant.ASSERTION.wire, Grant.EXCHANGE.wire]
    bench.put(token_endpoint_auth_method="private_key_jwt", jwks=jwks, grant_types=grant_types)
    client = await bench.documents.client(URL)
    assert (client.jwks, client.is_confidential, client.grants) == (jwks, True, frozenset({Grant.CODE, Grant.ASSERTION}))
    other = Bench()
    other.put(grant_types=grant_types)
    assert (await other.documents.client(URL)).grants == frozenset({Grant.CODE})


@pytest.mark.parametrize(
    "url",
    [
        "https://tool.example",
        "https://tool.example/",
        "https://tool.example/a?b",
        "https://tool.example/a#b",
        "https://tool.example/../a",
        "https://tool.example/a/./b",
        "https://tool.example/a/..",
        "https://tool.example/%2e%2e/a",
        "https://user@tool.example/a",
        "https://user:pw@tool.example/a",
        "https://TOOL.example/a",
        "https://tool.example:443/a",
        "https://tool.example\\@evil.example/a",
        "https://tool.exämple/a",
        "https://tool.example/" + "a" * 500,
        "https:///a",
        "https://tool.example/a b",
        "https://0x7f.1/a",
    ],
)
async def test_urls_that_can_be_read_in_two_ways_are_not_fetched(url: str) -> None:
    bench = Bench()
    assert (await bench.error(url)).error == "invalid_client"
    assert bench.net.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://tool.example/oauth/other.json"},
        {"client_id": None},
        {"client_id": URL + "/"},
        {"client_name": None},
        {"client_name": "x" * 129},
        {"client_name": "a\u200bb"},
        {"redirect_uris": None},
        {"redirect_uris": []},
        {"redirect_uris": ["http://evil.example/cb"]},
        {"redirect_uris": ["https://a.example/cb"] * 33},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://evil.example/jwks"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://tool.example/jwks"},
    ],
)
async def test_documents_that_do_not_hold_make_no_client(changes: dict[str, Any]) -> None:
    bench = Bench()
    bench.put(**changes)
    assert (await bench.error()).status in (400, 401)


@pytest.mark.parametrize(
    "there",
    [
        page(b"{}", status=404),
        page(b"{}", status=302),
        page(b"<html>", headers={"content-type": "text/html"}),
        page(b"{}", headers={}),
        page(b"[]"),
        page(b'{"client_id": "a", "client_id": "b"}'),
        page(b'{"client_id": "' + URL.encode() + b'", "x": "' + b"x" * 5120 + b'"}'),
        page(b"\xff"),
    ],
)
async def test_answers_that_are_no_documents_make_no_client(there: Fetched) -> None:
    bench = Bench()
    bench.net.pages[URL] = there
    assert (await bench.error()).error == "invalid_client"


async def test_a_failure_says_nothing_of_our_network_and_is_remembered() -> None:
    bench = Bench()
    error = await bench.error()
    assert "10.0.0.7" not in str(error)
    await bench.error()
    assert bench.net.asked == [URL]
    bench.put()
    bench.now += 30
    assert (await bench.documents.client(URL)).name == "Tool"


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("", 300),
        ("max-age=5", 60),
        ("public, max-age=1200", 1200),
        ("max-age=999999999", 3600),
        ("no-store, max-age=1200", 60),
        ("s-maxage=9, nonsense", 300),
    ],
)
async def test_a_document_is_kept_as_long_as_it_says_within_bounds(control: str, seconds: int) -> None:
    bench = Bench()
    bench.put({"cache-control": control})
    await bench.documents.client(URL)
    bench.now += seconds - 1
    await bench.documents.client(URL)
    assert len(bench.net.asked) == 1
    bench.now += 1
    await bench.documents.client(URL)
    assert len(bench.net.asked) == 2


async def test_only_hosts_that_are_allowed_are_asked() -> None:
    bench = Bench("*.example.org", "tool.example")
    bench.put()
    await bench.documents.client(URL)
    for url in ("https://evil.example/c.json", "https://example.org.evil.example/c.json", "https://tool.example.evil/c.json"):
        await bench.error(url)
    assert bench.net.asked == [URL]


async def test_nobody_can_make_us_ask_one_host_or_all_of_them_without_end() -> None:
    bench = Bench()
    errors = [await bench.error(f"https://victim.example/{number}") for number in range(40)]
    assert len(bench.net.asked) == 10
    assert (errors[0].error, errors[-1].error, errors[-1].status) == ("invalid_client", "temporarily_unavailable", 503)
    for number in range(100):
        await bench.error(f"https://victim{number}.example/a")
    assert len(bench.net.asked) == 60
    bench.now += 61
    bench.put()
    assert await bench.documents.client(URL)


async def test_many_who_ask_at_once_make_one_fetch() -> None:
    bench = Bench()
    bench.put()
    bench.net.gate = anyio.Event()
    found: list[str] = []

    async def ask() -> None:
        found.append((await bench.documents.client(URL)).name)

    async with anyio.create_task_group() as group:
        for _ in range(64):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        bench.net.gate.set()
    assert (found, bench.net.asked) == (["Tool"] * 64, [URL])


async def test_whoever_waits_for_a_fetch_that_is_given_up_makes_another() -> None:
    bench = Bench()
    bench.put()
    bench.net.gate = anyio.Event()
    found: list[str] = []

    async def ask() -> None:
        found.append((await bench.documents.client(URL)).name)

    async with anyio.create_task_group() as waiting:
        async with anyio.create_task_group() as first:
            first.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            waiting.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            first.cancel_scope.cancel()
        bench.net.gate.set()
    assert (found, bench.net.asked) == (["Tool"], [URL, URL])


async def test_what_is_kept_is_bounded() -> None:
    bench = Bench()
    for number in range(600):
        bench.now += 2
        url = f"https://h{number}.example/c"
        bench.net.pages[url] = page(
            msgspec.json.encode({"client_id": url, "client_name": "x", "redirect_uris": ["https://a.example/cb"]}),
            headers={"content-type": "application/json", "cache-control": "max-age=3600"},
        )
        await bench.documents.client(url)
    await bench.documents.client("https://h599.example/c")
    assert len(bench.net.asked) == 600
    await bench.documents.client("https://h0.example/c")
    assert len(bench.net.asked) == 601
