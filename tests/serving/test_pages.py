"""Pages beside the endpoint: one way for every request, and nothing that the endpoint's own refusals do not say."""

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from doorward.admission.rates import Pace
from doorward.config.model import Listen
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.edge import allowed
from doorward.serving.pages import ANY, Pages, Place, Places, Readers
from tests.serving.asgi import HOST, PORT, Counted, Exchange, FakeSpine, House
from tests.serving.sockets import listening, opened

pytestmark = pytest.mark.anyio

ORIGIN = "https://mcp.example.com"
CHAT = "https://chat.example.com"
LISTEN = Listen(public_url=ORIGIN, allowed_origins=(CHAT,))
BLANK = {"authorization": "", "host": HOST}


async def echo(request: Request) -> Response:
    text = f"{request.method} {request.url.path} {request.url.query} {(await request.body()).decode()}"
    return Response(text, headers={"cache-control": "max-age=60"}, media_type="text/plain")


async def sign_in(request: Request) -> Response:
    response = RedirectResponse("https://idp.example.com/authorize", 302, {"content-security-policy": "default-src 'self'"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def broken(request: Request) -> Response:
    raise RuntimeError("the secret is swordfish")


async def split(request: Request) -> Response:
    response = Response()
    response.raw_headers = [(b"location", b"https://a/\r\nSet-Cookie: x=y")]
    return response


PLACES: Places = {
    b"/.well-known/x": Place(echo),
    b"/.well-known/x/mcp" + ANY: Place(echo),
    b"/oauth/token": Place(echo, ("POST",)),
    b"/oauth/authorize": Place(sign_in, ("GET",), Readers.PEOPLE),
    b"/oauth/consent": Place(echo, ("POST",), Readers.PEOPLE),
    b"/broken": Place(broken, ("GET", "POST")),
    b"/split": Place(split),
}


@dataclass(slots=True)
class Beside:
    """A door with pages beside its endpoint."""

    places: Places = field(default_factory=lambda: PLACES)
    origin: str = ORIGIN
    pace: Pace = field(default_factory=lambda: Pace(per_minute=60, burst=3))
    now: float = 0.0
    tally: Counted = field(default_factory=Counted)
    house: House = field(init=False)

    def __post_init__(self) -> None:
        self.house = House(listen=LISTEN)
        pages = Pages(self.places, self.origin, lambda: self.now, self.pace)
        around = Surroundings(FakeSpine(), lambda _, upstream: False, self.tally, lambda: self.now, lambda: "id", pages)
        self.house.door = Door(around, Settings(allowed(LISTEN, PORT), is_loopback=True))

    def open(self, method: str, path: str, *pieces: bytes, query: str = "", **headers: str) -> Exchange:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.house.open(method, {**BLANK, **named}, *pieces, path=path, query=query)


ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "strict-transport-security": "max-age=31536000",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


async def test_page_is_answered_with_its_headers_and_those_of_every_page() -> None:
    beside = Beside()
    answer = await beside.open("GET", "/.well-known/x", query="a=b").done()
    assert (answer.status, answer.raw) == (200, b"GET /.well-known/x a=b ")
    own = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(answer.raw)), "cache-control": "max-age=60"}
    assert answer.headers == {**ALWAYS, **own, "vary": "origin"}
    assert beside.tally.answers == [(200, None)]


async def test_page_for_people_keeps_its_own_policy_and_all_its_cookies_and_is_read_by_no_other_origin() -> None:
    answer = await Beside().open("GET", "/oauth/authorize", host="mcp.example.com").done()
    assert answer.status == 302
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("same-origin", "no-store")
    assert answer.head is not None
    assert [value.split(b";")[0] for name, value in answer.head["headers"] if name == b"set-cookie"] == [b"a=1", b"b=2"]
    assert not any(name.startswith("access-control-") for name in answer.headers)


async def test_browsers_are_told_of_https_only_where_we_are_reached_so() -> None:
    answer = await Beside(origin="http://127.0.0.1:8420").open("GET", "/.well-known/x").done()
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/.well-known/x/",
        "/.well-known//x",
        "/.well-known/X",
        "/.well-known/%78",
        "/oauth/token/",
        "/oauth",
        "/.well-known/x/mcp",
        "/.well-known/x/mcp/",
        "/.well-known/x/mcp/*",
        "/.well-known/x/mcp/Git",
        "/.well-known/x/mcp/git/",
        "/.well-known/x/mcp/git/x",
        "/.well-known/x/mcp/%67it",
        "/other/git",
    ],
)
async def test_any_other_path_is_answered_as_if_there_were_no_pages(path: str) -> None:
    beside, without = Beside(), House(listen=LISTEN)
    for method in ("GET", "POST", "OPTIONS", "DELETE"):
        answer, plain = await beside.open(method, path).done(), await without.open(method, BLANK, path=path).done()
        assert (answer.head, answer.raw) == (plain.head, plain.raw)


async def test_family_is_the_same_page_for_every_name_an_upstream_could_have() -> None:
    for name in ("git", "no-such-thing", "a", "a-1"):
        answer = await Beside().open("GET", f"/.well-known/x/mcp/{name}").done()
        assert (answer.status, answer.raw) == (200, f"GET /.well-known/x/mcp/{name}  ".encode())


async def test_no_page_can_stand_in_the_way_of_the_endpoint() -> None:
    beside = Beside(places={b"/mcp": Place(broken), b"/mcp" + ANY: Place(broken)})
    answers = [await beside.open("POST", path, content_type="application/json", content_length="2").done() for path in ("/mcp", "/mcp/git")]
    assert [answer.status for answer in answers] == [401, 401]


@pytest.mark.parametrize("path", ["/.well-known/x", "/oauth/authorize", "/nothing"])
async def test_host_that_is_not_ours_is_refused_at_every_path(path: str) -> None:
    assert (await Beside().open("GET", path, host="evil.example").done()).status == 403


async def test_other_method_is_refused_with_those_that_are_known() -> None:
    answer = await Beside().open("DELETE", "/broken").done()
    assert (answer.status, answer.headers["allow"], answer.raw) == (405, "GET, POST", b"This method is not known here.")
    assert ALWAYS.items() <= answer.headers.items()


async def test_allowed_origin_may_read_what_is_for_programs() -> None:
    beside = Beside()
    asked = {"origin": CHAT, "access_control_request_headers": "content-type, dpop, mcp-protocol-version, x-evil"}
    before = await beside.open("OPTIONS", "/oauth/token", access_control_request_method="POST", **asked).done()
    assert (before.status, before.headers["access-control-allow-origin"]) == (200, CHAT)
    assert before.headers["access-control-allow-methods"] == "POST"
    assert before.headers["access-control-allow-headers"] == "content-type, dpop, mcp-protocol-version"
    answer = await beside.open("POST", "/oauth/token", b"a=b", origin=CHAT, content_length="3").done()
    assert (answer.status, answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (200, CHAT, "origin")
    assert "access-control-allow-credentials" not in {**before.headers, **answer.headers}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://mcp.example.com.evil.example"])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/consent"])
async def test_any_other_origin_may_not_even_send(path: str, origin: str) -> None:
    for method in ("POST", "OPTIONS"):
        answer = await Beside().open(method, path, b"", origin=origin).done()
        assert (answer.status, "access-control-allow-origin" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("mcp.example.com", ORIGIN, 200),
        ("mcp.example.com", "", 200),
        (HOST, ORIGIN, 200),
        (HOST, f"http://{HOST}", 200),
        ("mcp.example.com", CHAT, 403),
        (HOST, f"http://localhost:{PORT}", 403),
    ],
)
async def test_form_for_people_comes_from_our_own_page_alone(host: str, origin: str, status: int) -> None:
    answer = await Beside().open("POST", "/oauth/consent", b"", host=host, origin=origin, content_length="0").done()
    assert answer.status == status


async def test_body_is_bounded_whether_its_length_is_said_or_not() -> None:
    beside = Beside()
    whole = await beside.open("POST", "/oauth/token", b"x" * 65_000, b"y" * 536, transfer_encoding="chunked").done()
    said = await beside.open("POST", "/oauth/token", b"", content_length="65537").done()
    unsaid = await beside.open("POST", "/oauth/token", b"x" * 65_000, b"y" * 537, transfer_encoding="chunked").done()
    assert (whole.status, len(whole.raw)) == (200, len("POST /oauth/token  ") + 65_536)
    assert [(answer.status, answer.headers["connection"]) for answer in (said, unsaid)] == [(413, "close")] * 2


async def test_encoded_body_is_refused() -> None:
    assert (await Beside().open("POST", "/oauth/token", b"x", content_encoding="gzip").done()).status == 415


async def test_client_that_goes_in_the_middle_of_its_body_is_not_answered() -> None:
    answer = await Beside().open("POST", "/oauth/token", content_length="5").done()
    assert answer.head is None


@pytest.mark.parametrize("path", ["/broken", "/split"])
async def test_page_that_fails_tells_nothing_of_it(path: str) -> None:
    answer = await Beside().open("GET", path).done()
    assert (answer.status, answer.raw) == (500, b"The gateway failed.")
    assert ALWAYS.items() <= answer.headers.items()
    assert "set-cookie" not in answer.headers


async def test_posts_of_one_address_are_paced_and_its_reads_are_not() -> None:
    beside = Beside()

    async def status(method: str, path: str, network: str = "192.0.2.1") -> int:
        scope = {"type": "http", "method": method, "raw_path": path.encode(), "path": path, "query_string": b""}
        headers = [(b"host", HOST.encode())]
        return (await Exchange(beside.house.door, {**scope, "headers": headers, "client": (network, 1)}, [b""]).done()).status

    assert [await status("POST", "/oauth/token") for _ in range(4)] == [200, 200, 200, 429]
    assert await status("POST", "/oauth/consent") == 429
    assert (await status("GET", "/.well-known/x"), await status("POST", "/oauth/token", "192.0.2.2")) == (200, 200)
    neighbours = [await status("POST", "/oauth/token", f"2001:db8:1:2::{number}") for number in range(4)]
    assert (neighbours, await status("POST", "/oauth/token", "2001:db8:1:3::1")) == ([200, 200, 200, 429], 200)
    beside.now = 1.0
    assert await status("POST", "/oauth/token") == 200


async def test_new_table_replaces_the_old_one() -> None:
    pages = Pages(PLACES, ORIGIN, lambda: 0.0)
    pages.adopt({b"/new": Place(echo), b"/family" + ANY: replace(Place(echo), methods=("POST",))})
    found = {path: pages.at(path) is not None for path in (b"/new", b"/family/a", b"/family", b"/.well-known/x", b"/.well-known/x/mcp/a")}
    assert found == {b"/new": True, b"/family/a": True, b"/family": False, b"/.well-known/x": False, b"/.well-known/x/mcp/a": False}


async def test_page_is_served_on_a_kept_connection_of_the_real_listener() -> None:
    async with listening(Beside().house.door) as (_, port):
        post = f"POST /oauth/token?q HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\n\r\na=b".encode()
        reader, writer = await opened(port, post)
        async with asyncio.timeout(5):
            first = await reader.readuntil(b"POST /oauth/token q a=b")
            writer.write(post)
            assert await reader.readuntil(b"POST /oauth/token q a=b") == first
        assert (first[:17], first.count(b"content-length"), b"nosniff" in first) == (b"HTTP/1.1 200 OK\r\n", 1, True)
        writer.close()
