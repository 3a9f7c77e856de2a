"""Hostile bodies, heads and origins against a running gateway: each is refused, or read alike by everybody; none gets further, none breaks it."""

import base64
import contextlib
import json
import os
import re
import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.e2e.bodies import BODIES, CALL, VALUES
from tests.e2e.client import EXCHANGE, Client, Json, Said
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.upstream.kit import body_of

SUITE = Path(os.environ.get("DOORWARD_JSON_SUITE", ""))
"""Rows of JSONTestSuite, where somebody has them: `name`, `b64` (the text) and `expect` (`accept`, `reject`, `either`)."""
META = {
    "io.modelcontextprotocol/protocolVersion": EXCHANGE,
    "io.modelcontextprotocol/clientCapabilities": {},
}
CODES = {-32700, -32600, -32601, -32602, -32020}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream that takes anything."""
    made = Witness()
    made.tools.append({"name": "any", "inputSchema": {"type": "object"}})
    with witnessing(made) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Running]:
    """A gateway before it."""
    admission = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
    upstreams = {"witness": http_upstream(witness.url)}
    with doorward(tmp_path_factory.mktemp("hostile"), {"upstreams": upstreams, "admission": admission}) as gateway:
        gateway.key()
        yield gateway


@pytest.fixture(params=["2025-06-18", EXCHANGE])
def client(request: pytest.FixtureRequest, running: Running) -> Iterator[Client]:
    """A client of either era."""
    with Client(running.url("witness"), running.key(), request.param) as made:
        yield made


def send(client: Client, body: bytes) -> Said:
    """Posts these bytes as a call of the tool `any`."""
    if not client.is_exchange:
        client.open()
    headers = client._headers()
    if client.is_exchange:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": "any"}
    return client.post(body, headers)


def filled(client: Client, body: bytes, value: bytes = b"1") -> bytes:
    """A body with its value and envelope in their places."""
    meta = json.dumps(META if client.is_exchange else {}).encode()
    return body.replace(b"%b", value, 1).replace(b"%b", meta, 1) if b"%b" in body else body


def check(client: Client, witness: Witness, body: bytes) -> str:
    """Sends a body and gives what became of it, `refused` or `read`; fails where that is neither."""
    before = len(witness.calls("any"))
    said = send(client, body)
    if said.status == 202:
        return "taken"
    assert said.status < 500, (said.status, said.raw)
    assert client.is_exchange or said.status in (200, 202, 400), said.status
    if "error" in said.answer:
        assert said.error["code"] in CODES, said.error
        assert len(witness.calls("any")) == before
        return "refused"
    received = witness.requests[-1].partition(b"\r\n\r\n")[2]
    assert len(witness.calls("any")) == before + 1
    wanted = arguments(json.loads(body, parse_float=Decimal))
    assert exact(arguments(json.loads(received, parse_float=Decimal))) == exact(wanted)
    assert arguments(msgspec.json.decode(received)) == arguments(json.loads(received))
    return "read"


def arguments(message: Json) -> object:
    """What a call carries."""
    return message["params"].get("arguments") or {}


def exact(value: object) -> object:
    """A value that differs from another one where types or digits do: `1`, `1.0` and `true` are three."""
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return (type(value).__name__, float(value) if isinstance(value, Decimal) and value == 0 else value)


READ_ALIKE = {
    "an integer beyond 2^53", "an integer beyond 64 bits", "a negative zero", "a negative zero with a fraction", "a fraction that no double holds",
    "a fraction with zeros behind", "an exponent", "an exponent with a sign", "an escaped NUL", "a bare delete", "a pair of surrogates",
    "a byte order mark inside", "a noncharacter", "a line separator", "an escaped slash", "two spellings of one letter",
    "a key twice in two normal forms", "a key in two cases", "an empty key", "a key with a NUL", "a key that is a prototype",
    "as deep as can be", "null",
}  # fmt: skip
"""Values that every reader reads alike; each other one must be refused."""


@pytest.mark.parametrize("name", VALUES)
def test_hostile_value_is_refused_or_read_alike(client: Client, witness: Witness, name: str) -> None:
    assert check(client, witness, filled(client, CALL, VALUES[name])) == ("read" if name in READ_ALIKE else "refused")


@pytest.mark.parametrize("name", BODIES)
def test_hostile_body_is_refused(client: Client, witness: Witness, name: str) -> None:
    expected = "taken" if name == "a response" and not client.is_exchange else "refused"
    assert check(client, witness, filled(client, BODIES[name])) == expected


def test_every_text_of_the_json_test_suite_is_refused_or_read_alike(client: Client, witness: Witness) -> None:
    if not SUITE.is_file():
        pytest.skip("DOORWARD_JSON_SUITE names no file")
    rows = [json.loads(line) for line in SUITE.read_text().splitlines()]
    came_of = {row["name"]: check(client, witness, filled(client, CALL, base64.b64decode(row["b64"]))) for row in rows if row["b64"]}
    wrong = {
        row["name"]: came_of[row["name"]] for row in rows if row["expect"] == "reject" and came_of.get(row["name"], "refused") != "refused"
    }
    assert wrong == {}
    assert sum(came == "read" for came in came_of.values()) > 50


# Heads.

LONG_SECONDS = 30
"""For whoever must be answered, however busy the machine is."""
BODY = CALL.replace(b"%b", b'"smuggled"', 1).replace(b"%b", json.dumps(META).encode(), 1)
GOOD = {
    "Host": "127.0.0.1:{port}",
    "Authorization": "Bearer {key}",
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": EXCHANGE,
    "Mcp-Method": "tools/call",
    "Mcp-Name": "any",
    "Content-Length": str(len(BODY)),
    "Connection": "close",
}


def head(changes: dict[str, str | None] | None = None, more: str = "", line: str = "POST /mcp/witness HTTP/1.1") -> str:
    """The head of a good call, changed: a header left out (None), set, or lines put in as they are."""
    fields = {**GOOD, **(changes or {})}
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]) + "\r\n" + more + "\r\n"


FOREIGN_HOSTS = (
    "evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.evil.example", "evil.example:{port}", "localhost.evil.example:{port}",
    "127.0.0.1.nip.io:{port}", "user@127.0.0.1:{port}", "127.0.0.1:{port}@evil.example", "2130706433:{port}", "0x7f.1:{port}", "0.0.0.0:{port}",
    "[::ffff:127.0.0.1]:{port}", "localhost.:{port}", "127.0.0.1:0{port}", "127.0.0.1:{port}/", "127.0.0.1:{port}#", "127.0.0.1:{port}, evil.example",
    "", "local host", "ｌocalhost:{port}",
)  # fmt: skip
FOREIGN_ORIGINS = (
    "http://evil.example", "null", "http://localhost.evil.example:{port}", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:1",
    "http://127.0.0.1:{port}.evil.example", "http://user@127.0.0.1:{port}", "file://", "chrome-extension://abc", "http://127.0.0.1:{port}/", "*",
    "http://127.0.0.1:{port} http://evil.example", "",
)  # fmt: skip

FOREIGN_METHODS = ("PUT", "PATCH", "TRACE", "CONNECT", "HEAD", "BREW", "post")

HEADS: dict[str, str] = {
    **{f"the Host {host!r}": head({"Host": host}) for host in FOREIGN_HOSTS},
    **{f"the Origin {origin!r}": head({"Origin": origin}) for origin in FOREIGN_ORIGINS},
    "no Host": head({"Host": None}),
    "two Hosts": head(more="Host: evil.example\r\n"),
    "two Hosts alike": head(more="Host: 127.0.0.1:{port}\r\n"),
    "two Origins": head({"Origin": "http://127.0.0.1:{port}"}, "Origin: http://evil.example\r\n"),
    "a Host behind a fold": head({"Host": "127.0.0.1:{port}\r\n evil.example"}),
    # Who speaks.
    "no credential": head({"Authorization": None}),
    "an empty credential": head({"Authorization": ""}),
    "a scheme without a credential": head({"Authorization": "Bearer"}),
    "another scheme": head({"Authorization": "Basic dGVzdGVyOng="}),
    "two credentials": head(more="Authorization: Bearer {key}\r\n"),
    "two credentials in one": head({"Authorization": "Bearer {key}, Bearer {key}"}),
    "a credential with more behind": head({"Authorization": "Bearer {key} x"}),
    "a credential with a letter more": head({"Authorization": "Bearer {key}x"}),
    "a credential with a letter less": head({"Authorization": "Bearer {cut}"}),
    "a credential in the wrong header": head({"Authorization": None, "X-Api-Key": "{key}", "Proxy-Authorization": "Bearer {key}"}),
    "a credential in a cookie": head({"Authorization": None, "Cookie": "authorization=Bearer {key}"}),
    "a credential in the query": head({"Authorization": None}, line="POST /mcp/witness?access_token={key} HTTP/1.1"),
    "a credential of Latin-1": head({"Authorization": "Bearer \u00e9\u00e9"}),
    # Where to.
    **{
        f"the path {path!r}": head(line=f"POST {path} HTTP/1.1")
        for path in (
            "/", "//mcp/witness", "/mcp//witness", "/mcp/witness/", "/mcp/witness/x", "/mcp/../mcp/witness", "/mcp/./witness", "/MCP/witness",
            "/mcp/Witness", "/mcp%2fwitness", "/mcp/%77itness", "/mcp/witness%00", "/mcp/witness;x", "/mcp/witness#", "/mcp/witness?x=1",
            "/mcp/witness/..;/", "/mcp\\witness", "/mcp/nobody", "/mcp/a" + "b" * 300, "/v1/agents", "/metrics", "/healthz", "/readyz", "*",
            "http://127.0.0.1:{port}/mcp/witness", "http://evil.example/mcp/witness", "evil.example:443",
        )
    },
    **{f"the method {method}": head(line=f"{method} /mcp/witness HTTP/1.1") for method in FOREIGN_METHODS},
    "version 1.0": head(line="POST /mcp/witness HTTP/1.0"),
    "version 2.0": head(line="POST /mcp/witness HTTP/2.0"),
    "version 1.1 of something else": head(line="POST /mcp/witness SIP/1.1"),
    "no version": head(line="POST /mcp/witness"),
    "the preface of version 2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    # Where one request ends and the next begins.
    "a length and chunks": head({"Transfer-Encoding": "chunked"}),
    "two lengths": head(more="Content-Length: 0\r\n"),
    "two lengths alike": head(more="Content-Length: " + str(len(BODY)) + "\r\n"),
    "a list of lengths": head({"Content-Length": f"{len(BODY)}, {len(BODY)}"}),
    "a length with a sign": head({"Content-Length": f"+{len(BODY)}"}),
    "a negative length": head({"Content-Length": "-1"}),
    "a length in hexadecimal": head({"Content-Length": "0x10"}),
    "a length with a letter": head({"Content-Length": f"{len(BODY)}a"}),
    "a length beyond all bounds": head({"Content-Length": "9" * 30}),
    "a length above the limit": head({"Content-Length": "1048577"}),
    "no length": head({"Content-Length": None}),
    "chunks in another coding": head({"Content-Length": None, "Transfer-Encoding": "gzip, chunked"}),
    "chunks twice": head({"Content-Length": None, "Transfer-Encoding": "chunked, chunked"}),
    "chunks before something else": head({"Content-Length": None, "Transfer-Encoding": "chunked, identity"}),
    "chunks of two headers": head({"Content-Length": None, "Transfer-Encoding": "chunked"}, "Transfer-Encoding: identity\r\n"),
    "chunks behind a tab": head({"Content-Length": None, "Transfer-Encoding": "\x0bchunked"}),
    "another coding": head({"Content-Length": None, "Transfer-Encoding": "xchunked"}),
    "a space before the colon": head(more="Transfer-Encoding : chunked\r\n"),
    "a folded header": head(more="X-One: a\r\n b\r\n"),
    "a bare line feed": head().replace("\r\n", "\n"),
    "one bare line feed": head(more="X-One: a\nX-Two: b\r\n"),
    "a bare carriage return": head(more="X-One: a\rX-Two: b\r\n"),
    "a NUL in a header": head({"X-One": "a\x00b"}),
    "a NUL in a name": head(more="X-\x00: a\r\n"),
    "a header without a colon": head(more="X-One\r\n"),
    "a header without a name": head(more=": a\r\n"),
    "a space before the first header": head().replace("\r\nHost", "\r\n Host", 1),
    "a hundred and more headers": head(more="".join(f"X-{number}: a\r\n" for number in range(120))),
    "a header without end": head({"X-One": "a" * 40_000}),
    "an upgrade": head({"Connection": "Upgrade", "Upgrade": "websocket"}),
    "an upgrade to version 2": head({"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}),
    # What it is.
    "no type": head({"Content-Type": None}),
    "another type": head({"Content-Type": "text/plain"}),
    "a form": head({"Content-Type": "application/x-www-form-urlencoded"}),
    "another character set": head({"Content-Type": "application/json; charset=utf-16"}),
    "two types": head(more="Content-Type: text/plain\r\n"),
    "a coding of the body": head({"Content-Encoding": "gzip"}),
    "nothing acceptable": head({"Accept": "text/html"}),
    # What the protocol's own headers say, and the body does not.
    "no revision": head({"MCP-Protocol-Version": None}),
    "another revision": head({"MCP-Protocol-Version": "2025-11-25"}),
    "a revision that nobody knows": head({"MCP-Protocol-Version": "2099-01-01"}),
    "two revisions": head(more="MCP-Protocol-Version: 2025-11-25\r\n"),
    "no method": head({"Mcp-Method": None}),
    "another method": head({"Mcp-Method": "tools/list"}),
    "a method in capitals": head({"Mcp-Method": "TOOLS/CALL"}),
    "two methods": head(more="Mcp-Method: tools/list\r\n"),
    "no name": head({"Mcp-Name": None}),
    "another name": head({"Mcp-Name": "echo"}),
    "a name in another case": head({"Mcp-Name": "Any"}),
    "two names": head(more="Mcp-Name: echo\r\n"),
    "a name in bad base64": head({"Mcp-Name": "=?base64?YW55"}),
    "a name in base64 of nothing": head({"Mcp-Name": "=?base64??="}),
    "a name in base64 of another": head({"Mcp-Name": "=?base64?ZWNobw==?="}),
    "a name in base64 of no text": head({"Mcp-Name": "=?base64?/w==?="}),
}  # fmt: skip

FINE = {
    "as it should be": head(),
    "by name": head({"Host": "localhost:{port}"}),
    "by name in capitals": head({"Host": "LOCALHOST:{port}"}),
    "by IPv6": head({"Host": "[::1]:{port}"}),
    "from a page of its own": head({"Origin": "http://127.0.0.1:{port}"}),
    "with names of headers in capitals": head().replace("Authorization", "AUTHORIZATION"),
    "with space around values": head({"Mcp-Name": "any \t"}),
    "with a name in base64": head({"Mcp-Name": "=?base64?YW55?="}),
    "with the scheme in capitals": head({"Authorization": "BEARER {key}"}),
    "with a character set": head({"Content-Type": "application/json; charset=UTF-8"}),
    "with two spaces before the path": head(line="POST  /mcp/witness HTTP/1.1"),
    "with a parameter that its tool did not ask for": head({"Mcp-Param-Value": "other"}),
    "with cookies, which mean nothing": head({"Cookie": "session=1"}),
}


def answered(running: Running, text: str, patience_seconds: float = 1) -> list[int]:
    """The statuses of everything that comes back on a request of this head and the hostile body, until the other side ends the connection."""
    key = running.key()
    for name, value in (("port", str(running.port)), ("key", key), ("cut", key[:-1])):
        text = text.replace("{" + name + "}", value)
    raw = text.encode("utf-8" if not text.isascii() else "latin-1") + BODY
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=patience_seconds) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(raw)
        try:
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            # It waits for more, which there will not be.
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)]


@pytest.mark.parametrize("name", HEADS)
def test_hostile_head_is_refused_and_nothing_goes_upstream(running: Running, witness: Witness, name: str) -> None:
    before = len(witness.calls())
    statuses = answered(running, HEADS[name])
    assert all(400 <= status < 500 or status == 505 for status in statuses), statuses
    assert len(statuses) <= 1, statuses
    assert len(witness.calls()) == before


@pytest.mark.parametrize("name", FINE)
def test_odd_but_honest_head_is_answered(running: Running, witness: Witness, name: str) -> None:
    before = len(witness.calls("any"))
    assert answered(running, FINE[name], LONG_SECONDS) == [200]
    assert len(witness.calls("any")) == before + 1


SMUGGLED = head() + BODY.decode()

TAILS = {
    "behind a body of no length": head({"Content-Length": "0"}),
    "behind a last chunk": head({"Content-Length": None, "Transfer-Encoding": "chunked"}) + "0\r\n\r\n",
    "behind a chunk of the wrong length": head({"Content-Length": None, "Transfer-Encoding": "chunked"}) + "1\r\nab\r\n0\r\n\r\n",
    "behind a chunk with an extension": head({"Content-Length": None, "Transfer-Encoding": "chunked"}) + "0;a=\n\r\n\r\n",
    "behind a trailer": head({"Content-Length": None, "Transfer-Encoding": "chunked"}) + "0\r\nMcp-Name: echo\r\n\r\n",
    "in the body of a refused request": head({"Host": "evil.example", "Content-Length": str(len(SMUGGLED))}),
    "in the body of a request without a credential": head({"Authorization": None, "Content-Length": str(len(SMUGGLED))}),
    "in the body of an unknown method": head({"Content-Length": str(len(SMUGGLED))}, line="GET /mcp/witness HTTP/1.1"),
    "behind a length that chunks contradict": head({"Content-Length": "0", "Transfer-Encoding": "chunked"}),
}


@pytest.mark.parametrize("name", TAILS)
def test_request_behind_a_broken_one_is_a_request_of_its_own_or_none(running: Running, witness: Witness, name: str) -> None:
    before = len(witness.calls("any"))
    statuses = answered(running, TAILS[name].replace("Connection: close\r\n", "", 1) + head(), LONG_SECONDS)
    run = len(witness.calls("any")) - before
    assert statuses[:1] == [] or 400 <= statuses[0] < 500, statuses
    assert statuses.count(200) == run
    is_separate = name in ("behind a body of no length", "behind a last chunk")
    assert run == int(is_separate), statuses


def test_gateway_still_serves_and_holds_nothing_open_after_all_of_it(running: Running, witness: Witness) -> None:
    with Client(running.url("witness"), running.key()) as client:
        assert body_of(witness.requests[-1])["method"]
        assert client.call("echo", {"mark": "still here"}).text == json.dumps({"mark": "still here"})
    assert "Traceback" not in running.journal.read_text()
