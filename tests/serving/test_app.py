"""The way of a request through the door: what is checked in which order, and what each refusal looks like."""

import json
from typing import Any

import pytest

from doorward.call.inbound import Inbound, Notices
from doorward.config.model import Listen
from doorward.domain.calls import Era, Fault
from doorward.domain.reasons import Reason, Refused
from tests.serving.asgi import ANSWER, EXCHANGE, HOST, FakeSpine, House

pytestmark = pytest.mark.anyio

POST = {"content-type": "application/json", "accept": "application/json, text/event-stream", "content-length": "2"}


async def test_call_is_answered_with_one_json_object() -> None:
    house = House()
    answer = await house.ask("tools/call", {"name": "echo", "arguments": {}}).done()
    assert (answer.status, answer.json) == (200, {"jsonrpc": "2.0", "id": 7, "result": ANSWER})
    assert house.tally.answers == [(200, Era.EXCHANGE)]


async def test_all_upstreams_and_one_upstream_are_told_apart_by_the_raw_path() -> None:
    house = House()
    for path in ("/mcp", "/mcp/files"):
        assert (await house.ask("tools/list", path=path).done()).status == 200
    assert [inbound.endpoint for inbound in house.spine.handled] == [None, "files"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/mcp/",
        "/mcp//files",
        "/mcp/Files",
        "/mcp/files/",
        "/mcp/%66iles",
        "/mcp/files/x",
        "/mcp/../mcp",
        "/MCP",
        "/mcp/files%00",
        "/mcp/-x",
        "//mcp",
    ],
)
async def test_other_paths_are_not_found_before_anybody_is_identified(path: str) -> None:
    house = House()
    answer = await house.post({}, {"authorization": ""}, path=path).done()
    assert answer.status == 404


async def test_unknown_and_hidden_upstreams_look_the_same_as_no_path_at_all() -> None:
    house = House()
    hidden = await house.post({}, {}, path="/mcp/hidden").done()
    nowhere = await house.post({}, {}, path="/elsewhere").done()
    assert (hidden.status, hidden.raw) == (nowhere.status, nowhere.raw) == (404, nowhere.raw)


async def test_query_is_refused_for_a_credential_could_be_in_it() -> None:
    answer = await House().open("POST", POST, b"{}", query="access_token=x").done()
    assert answer.status == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (HOST, 200),
        ("localhost:8420", 200),
        ("LOCALHOST:8420", 200),
        ("[::1]:8420", 200),
        ("mcp.example.com", 200),
        ("mcp.example.com:443", 200),
        ("own.example.net:9000", 200),
        ("own.example.net", 403),
        ("localhost", 403),
        ("localhost:80", 403),
        ("127.0.0.1", 403),
        ("evil.example", 403),
        ("evil.example:8420", 403),
        ("127.0.0.1:8420.evil.example", 403),
        ("127.0.0.1:8420@evil.example", 403),
        ("127.0.0.1:8420/#", 403),
        ("mcp.example.com.", 403),
        ("mcp.example.com:", 403),
        ("", 403),
    ],
)
async def test_host_is_on_the_list_or_refused(host: str, status: int) -> None:
    house = House(listen=Listen(allowed_hosts=("mcp.example.com", "own.example.net:9000")))
    assert (await house.ask("tools/list", host=host).done()).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8420", 200),
        ("http://localhost:8420", 200),
        ("https://chat.example.com", 200),
        ("HTTPS://Chat.example.com", 200),
        ("https://127.0.0.1:8420", 403),
        ("http://localhost:6274", 403),
        ("http://evil.example", 403),
        ("https://chat.example.com.evil.example", 403),
        ("null", 403),
        ("*", 403),
    ],
)
async def test_origin_is_on_the_list_or_refused_whatever_the_host(origin: str, status: int) -> None:
    house = House(listen=Listen(allowed_origins=("https://chat.example.com",)))
    answer = await house.ask("tools/list", origin=origin).done()
    assert answer.status == status
    assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)


async def test_preflight_of_an_allowed_origin_is_answered_without_a_credential() -> None:
    house = House(listen=Listen(allowed_origins=("https://chat.example.com",)))
    asked = {
        "origin": "https://chat.example.com",
        "authorization": "",
        "access-control-request-headers": "Authorization, X-Evil, Mcp-Param-Region",
    }
    answer = await house.open("OPTIONS", asked).done()
    assert answer.status == 200
    assert answer.headers["access-control-allow-headers"] == "authorization, mcp-param-region"
    assert "access-control-allow-credentials" not in answer.headers


async def test_caller_without_a_credential_is_challenged_before_the_body_is_read() -> None:
    house = House()
    exchange = house.open("POST", {**POST, "authorization": ""})
    answer = await exchange.done()
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="doorward"')
    assert answer.json["error"]["code"] == 4010


async def test_bad_credential_is_challenged_with_an_error() -> None:
    answer = await House().open("POST", {**POST, "authorization": "Bearer wrong"}).done()
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="doorward", error="invalid_token"')


HEADERS = {
    "form content type": ({"content-type": "application/x-www-form-urlencoded"}, 415),
    "plain text": ({"content-type": "text/plain"}, 415),
    "no content type": ({"content-type": ""}, 415),
    "other charset": ({"content-type": "application/json; charset=utf-16"}, 415),
    "json in utf-8": ({"content-type": "Application/JSON; charset=UTF-8"}, 200),
    "compressed": ({"content-encoding": "gzip"}, 415),
    "takes html alone": ({"accept": "text/html"}, 406),
    "takes streams alone": ({"accept": "text/event-stream"}, 406),
    "refuses json": ({"accept": "application/json;q=0, text/event-stream"}, 406),
    "takes anything": ({"accept": "*/*"}, 200),
    "says nothing": ({"accept": ""}, 200),
    "no length": ({"content-length": ""}, 411),
    "too large": ({"content-length": "1048577"}, 413),
}


@pytest.mark.parametrize(("headers", "status"), HEADERS.values(), ids=HEADERS.keys())
async def test_header_that_does_not_fit_is_refused_before_identity(headers: dict[str, str], status: int) -> None:
    more = headers if status == 200 else {**headers, "authorization": ""}
    assert (await House().ask("tools/list", **more).done()).status == status


REPEATED = [
    "host",
    "origin",
    "authorization",
    "content-type",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "last-event-id",
    "mcp-param-x",
]


@pytest.mark.parametrize("name", REPEATED)
async def test_header_that_matters_must_not_be_there_twice(name: str) -> None:
    headers = {"host": HOST, "authorization": "Bearer key-of-ada", "content-type": "application/json", "content-length": "2", name: "a"}
    pairs = [(key.encode(), value.encode()) for key, value in headers.items()] + [(name.encode(), b"b")]
    answer = await House().raw("POST", pairs, b"{}").done()
    assert answer.status == 400
    assert answer.json["error"]["code"] == (-32020 if name.startswith("mcp-") else -32600)


async def test_repeated_accept_is_one_list() -> None:
    body = b'{"jsonrpc":"2.0","method":"notifications/x"}'
    headers = {"host": HOST, "authorization": "Bearer key-of-ada", "content-type": "application/json", "mcp-protocol-version": EXCHANGE}
    pairs = [(key.encode(), value.encode()) for key, value in headers.items()]
    pairs += [(b"content-length", b"44"), (b"accept", b"application/json"), (b"accept", b"text/event-stream")]
    assert (await House().raw("POST", pairs, body).done()).status == 202


async def test_chunked_body_is_read_to_its_end() -> None:
    house = House()
    headers = {**POST, "content-length": "", "transfer-encoding": "chunked", "mcp-protocol-version": EXCHANGE}
    answer = await house.open("POST", headers, b'{"jsonrpc":"2.0",', b"", b'"method":"notifications/x"}').done()
    assert answer.status == 202


async def test_chunked_body_is_cut_at_the_limit() -> None:
    headers = {**POST, "content-length": "", "transfer-encoding": "chunked"}
    answer = await House().open("POST", headers, *[b" " * 65_536] * 17).done()
    assert (answer.status, answer.headers["connection"]) == (413, "close")


async def test_client_that_goes_before_its_body_is_whole_is_not_answered() -> None:
    house = House()
    exchange = await house.open("POST", POST).done()
    assert exchange.head is None
    assert house.tally.answers == [(499, Era.SESSION)]


BODIES = {
    "no json": (b"{", -32700),
    "empty": (b"", -32700),
    "duplicate keys": (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700),
    "escaped duplicate keys": (b'{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"ping"}', -32700),
    "NaN": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}', -32700),
    "lone surrogate": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}', -32700),
    "byte order mark": (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}', -32700),
    "not UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700),
    "UTF-16": ('{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"), -32700),
    "too deep": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"[" * 70 + b"]" * 70 + b"}}", -32700),
    "batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
    "bare value": (b"1", -32600),
    "no version": (b'{"id":1,"method":"ping"}', -32600),
    "null id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    "boolean id": (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
    "positional params": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600),
}


@pytest.mark.parametrize("version", ["", EXCHANGE])
@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=BODIES.keys())
async def test_body_that_is_not_one_strict_message_is_refused(body: bytes, code: int, version: str) -> None:
    house = House()
    answer = await house.post(body, {"mcp-protocol-version": version}).done()
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (400, code, None)
    assert house.spine.handled == []


async def test_unknown_protocol_version_is_refused_with_those_that_are_spoken() -> None:
    answer = await House().ask("tools/list", **{"mcp-protocol-version": "2099-01-01"}).done()
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (400, -32022, 7)
    assert answer.json["error"]["data"]["requested"] == "2099-01-01"
    assert EXCHANGE in answer.json["error"]["data"]["supported"]


@pytest.mark.parametrize(
    ("method", "version", "allow"), [("PUT", "", "GET, POST, DELETE, OPTIONS"), ("GET", EXCHANGE, "POST"), ("DELETE", EXCHANGE, "POST")]
)
async def test_other_methods_are_refused_and_told_which_are_not(method: str, version: str, allow: str) -> None:
    answer = await House().open(method, {"mcp-protocol-version": version, "accept": "text/event-stream"}).done()
    assert (answer.status, answer.headers["allow"]) == (405, allow)


async def test_failure_inside_is_told_without_a_word_of_what_failed() -> None:
    async def fails(inbound: Inbound, notices: Notices) -> Any:
        raise ValueError("secret detail")

    answer = await House(FakeSpine(fails)).ask("tools/list").done()
    assert (answer.status, answer.json["error"]["code"]) == (500, -32603)
    assert b"secret" not in answer.raw


async def test_refusal_names_its_reference() -> None:
    async def refuses(inbound: Inbound, notices: Notices) -> Any:
        refused = Refused(Reason.FORBIDDEN, "operator's detail")
        refused.reference = "ref-1"
        raise refused

    listed = await House(FakeSpine(refuses)).ask("tools/list").done()
    assert (listed.status, listed.json["error"]["data"]) == (403, {"reason": "forbidden", "reference": "ref-1"})
    called = await House(FakeSpine(refuses)).ask("tools/call", {"name": "echo"}).done()
    assert (called.status, called.json["result"]["isError"]) == (200, True)
    assert b"operator" not in listed.raw + called.raw


async def test_load_that_is_shed_says_when_to_come_back() -> None:
    async def sheds(inbound: Inbound, notices: Notices) -> Any:
        raise Refused(Reason.OVERLOADED)

    answer = await House(FakeSpine(sheds)).ask("tools/list").done()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_error_of_an_upstream_keeps_code_message_and_data() -> None:
    async def faults(inbound: Inbound, notices: Notices) -> Any:
        return Fault(-32601, "no such method", {"a": None})

    answer = await House(FakeSpine(faults)).ask("tools/list").done()
    assert (answer.status, answer.json) == (
        404,
        {"jsonrpc": "2.0", "id": 7, "error": {"code": -32601, "message": "no such method", "data": {"a": None}}},
    )


async def test_numbers_and_unknown_fields_reach_the_spine_as_they_were_written() -> None:
    house = House()
    await house.ask("tools/call", {"name": "echo", "arguments": {"n": 12345678901234567890, "x": None}, "vendor": {"a": [1]}}).done()
    params = house.spine.handled[0].request.params
    assert json.loads(json.dumps(params["arguments"])) == {"n": 12345678901234567890, "x": None}
    assert params["vendor"] == {"a": [1]}
