"""Documents of others: from checked addresses alone, small, whole, in time; nothing is followed."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from doorward.domain.reasons import Ran
from doorward.net.addresses import STRICT, Reach, Rule
from doorward.net.errors import NetError, Trouble
from doorward.net.fetch import Caps, Fetch, Fetched, json_object
from doorward.net.tls import Shown
from doorward.wire.jsonrpc import Limits
from tests.certificates import FOR_SERVERS, Wanted, authority
from tests.net.raw import STREAM_HEAD, Peer, Script, chunk, response, scripted

pytestmark = pytest.mark.anyio

LOOPBACK = Rule(Reach.PRIVATE, frozenset({"http", "https"}))
QUICK = Caps(body_bytes=1000, seconds=0.3, at_once=2)


class Names:
    """A resolver that gives another answer each time, as one that rebinds does."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return self.answers.pop(0)


async def nobody(host: str, port: int) -> Sequence[str]:
    raise AssertionError("nothing should be looked up")


async def hello(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b'{"a":1}', "X-More: one", "X-More: two"))


async def failing(url: str, fetch: Fetch) -> tuple[Trouble, Ran]:
    with pytest.raises(NetError) as caught:
        await fetch.get(url)
    return caught.value.trouble, caught.value.ran


async def test_document_is_fetched_whole_with_its_headers() -> None:
    async with scripted(hello) as server:
        fetched = await Fetch(LOOPBACK).get(server.url + "?a=b", (("Authorization", "Bearer x"),))
    headers = {"content-type": "application/json", "content-length": "7", "x-more": "one, two"}
    assert fetched == Fetched(200, headers, b'{"a":1}')
    assert (fetched.media_type, json_object(fetched)) == ("application/json", {"a": 1})
    head = f"GET /mcp?a=b HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer x\r\nAccept: application/json\r\n"
    assert server.requests == [(head + "Connection: close\r\n\r\n").encode()]


async def test_form_is_posted_and_a_status_of_failure_is_an_answer_too() -> None:
    async def refuse(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b'{"error":"invalid_grant"}', status="400 Bad Request"))

    kind, accept = ("Content-Type", "application/x-www-form-urlencoded"), ("accept", "application/jwt")
    async with scripted(refuse) as server:
        fetched = await Fetch(LOOPBACK).post(server.url, b"a=b", (kind, accept))
    assert (fetched.status, json_object(fetched)) == (400, {"error": "invalid_grant"})
    assert server.requests[0].count(b"ccept:") == 1
    assert server.requests[0].endswith(b"Content-Length: 3\r\n\r\na=b")


async def test_nothing_is_kept_between_two_fetches() -> None:
    async with scripted(hello) as server:
        fetch = Fetch(LOOPBACK)
        for _ in range(2):
            await fetch.get(server.url)
        assert server.connections == 2


INSIDE = [
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://127.0.0.1:8420/mcp",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://[fd00:ec2::254]/",
    "https://0.0.0.0/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://localhost@10.0.0.1/",
    "https://１２７.0.0.1/",
    "https://example.com\\@10.0.0.1/",
    "http://example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "//example.com/",
    "https://example.com/#a",
    "https://example.com/ HTTP/1.1\r\nX: y",
    "",
]


@pytest.mark.parametrize("url", INSIDE)
async def test_address_inside_or_text_that_is_no_plain_https_url_is_refused_before_anything_is_looked_up(url: str) -> None:
    assert await failing(url, Fetch(STRICT, lookup=nobody)) == (Trouble.EGRESS, Ran.NO)


@pytest.mark.parametrize("answers", [["169.254.169.254"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::a00:1"], ["::1"]])
async def test_name_that_leads_inside_is_refused(answers: list[str]) -> None:
    assert await failing("https://good.example/", Fetch(STRICT, lookup=Names(answers))) == (Trouble.EGRESS, Ran.NO)


async def test_name_that_is_bound_anew_is_checked_anew() -> None:
    """The answer of the second look-up would be refused: it is made, and the first one's address is not used again."""
    async with scripted(hello) as server:
        fetch = Fetch(Rule(Reach.PRIVATE, frozenset({"http"})), lookup=Names(["127.0.0.1"], ["255.255.255.255"]))
        assert (await fetch.get(f"http://good.example:{server.port}/")).status == 200
        assert await failing(f"http://good.example:{server.port}/", fetch) == (Trouble.EGRESS, Ran.NO)
        assert server.connections == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_redirect_is_an_answer_and_is_not_followed(status: str) -> None:
    async def elsewhere(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}", f"Location: http://127.0.0.1:{server.port}/", status=status))

    async with scripted(elsewhere) as server:
        assert (await Fetch(LOOPBACK).get(server.url)).status == int(status[:3])
        assert server.connections == 1


def says(octets: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(octets)
        await peer.gone()

    return script


async def drip(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _ in range(900):
        await peer.send(b" ")
        await asyncio.sleep(0.01)


BAD = {
    "too long, and it says so": (says(response(b"x" * 1001)), Trouble.OVERSIZE),
    "too long, in chunks": (
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"x" * 600) + chunk(b"x" * 600)),
        Trouble.OVERSIZE,
    ),
    "too long, without a length": (says(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001), Trouble.OVERSIZE),
    "a head that does not end": (says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000), Trouble.OVERSIZE),
    "slow, a byte at a time": (drip, Trouble.TOTAL_TIMEOUT),
    "silent": (says(b""), None),
    "a stream of events": (says(STREAM_HEAD + chunk(b"data: {}\n\n")), Trouble.GARBAGE),
    "compressed": (says(response(b"x", "Content-Encoding: gzip")), Trouble.ENCODED),
    "not HTTP": (says(b"SSH-2.0-x\r\n"), Trouble.GARBAGE),
}


@pytest.mark.parametrize(("script", "trouble"), BAD.values(), ids=BAD.keys())
async def test_answer_that_is_not_small_whole_and_in_time_is_an_error(script: Script, trouble: Trouble | None) -> None:
    async with scripted(script) as server:
        found, _ = await failing(server.url, Fetch(LOOPBACK, caps=QUICK))
    assert found in ({trouble} if trouble else {Trouble.TOTAL_TIMEOUT, Trouble.FIRST_BYTE_TIMEOUT})


async def test_more_fetches_than_may_be_under_way_are_refused_at_once_and_closing_ends_all() -> None:
    async with scripted(says(b"")) as server:
        fetch = Fetch(LOOPBACK, caps=Caps(at_once=2))
        under_way = [asyncio.create_task(fetch.get(server.url)) for _ in range(2)]
        while len(server.requests) < 2:  # noqa: ASYNC110 -- the scripted server sets no event
            await asyncio.sleep(0.001)
        assert await failing(server.url, fetch) == (Trouble.BUSY, Ran.NO)
        fetch.close()
        ended = await asyncio.gather(*under_way, return_exceptions=True)
        assert [error.trouble for error in ended if isinstance(error, NetError)] == [Trouble.CLOSED] * 2
        assert await failing(server.url, fetch) == (Trouble.SHUT, Ran.NO)


async def test_https_is_trusted_only_with_a_certificate_of_the_declared_authorities_for_the_name(tmp_path: Path) -> None:
    root, other = authority(), authority()
    chain, key = root.leaf(Wanted(uris=(), dns=("good.example",), usages=FOR_SERVERS)).written(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    for name, made in (("root", root), ("other", other)):
        (tmp_path / name).write_text(made.pem)

    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with scripted(hello, context) as server:
        good = Fetch(LOOPBACK, ca_file=str(tmp_path / "root"), lookup=here)
        assert (await good.get(f"https://good.example:{server.port}/")).status == 200
        assert await failing(f"https://bad.example:{server.port}/", good) == (Trouble.TLS, Ran.NO)
        for fetch in (Fetch(LOOPBACK, ca_file=str(tmp_path / "other"), lookup=here), Fetch(LOOPBACK, lookup=here)):
            assert await failing(f"https://good.example:{server.port}/", fetch) == (Trouble.TLS, Ran.NO)
        assert len(server.requests) == 1


async def test_a_server_that_asks_for_our_certificate_is_shown_it(tmp_path: Path) -> None:
    root = authority()
    (tmp_path / "root").write_text(root.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # TLS 1.2 tells us in the handshake that a certificate is missing; 1.3 would let us write first.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*root.leaf(Wanted(uris=(), dns=("good.example",), usages=FOR_SERVERS)).written(tmp_path, "server"))
    context.load_verify_locations(tmp_path / "root")
    context.verify_mode = ssl.CERT_REQUIRED

    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with scripted(hello, context) as server:
        url, ours = f"https://good.example:{server.port}/", Shown(*root.leaf().written(tmp_path, "client"))
        fetch = Fetch(LOOPBACK, ca_file=str(tmp_path / "root"), shown=ours, lookup=here)
        assert (await fetch.get(url)).status == 200
        assert await failing(url, Fetch(LOOPBACK, ca_file=str(tmp_path / "root"), lookup=here)) == (Trouble.UNREACHABLE, Ran.NO)
        assert len(server.requests) == 1


def test_a_certificate_of_ours_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(NetError) as caught:
        Fetch(STRICT, shown=Shown(tmp_path / "none.pem", tmp_path / "none.key"))
    assert caught.value.trouble is Trouble.TLS


def test_authorities_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pem", Path(__file__)):
        with pytest.raises(NetError) as caught:
            Fetch(STRICT, ca_file=str(path))
        assert caught.value.trouble is Trouble.TLS


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xef\xbb\xbf{}", b'{"a":"\xff"}', b"{}{}", b'{"a":' * 17 + b"1" + b"}" * 17],
)
def test_body_that_is_not_one_strict_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(NetError) as caught:
        json_object(Fetched(200, {}, body))
    assert caught.value.trouble is Trouble.GARBAGE


def test_bounds_of_a_document_can_be_set() -> None:
    with pytest.raises(NetError):
        json_object(Fetched(200, {}, b'{"a":{}}'), Limits(depth=1))
