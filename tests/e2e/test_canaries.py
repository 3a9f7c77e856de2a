"""What Doorward shows an upstream is seen nowhere else: not by agents, operators, the log or another upstream, whatever is done with it there.

The upstreams give back whatever they were sent, in every place of the protocol that carries text; token endpoints do too.
"""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from doorward.client.admin import AdminError
from tests.e2e.client import Client
from tests.e2e.commands import ordered, page
from tests.e2e.log import PATIENT
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import Running, doorward, http_upstream, stdio_upstream
from tests.net.raw import STREAM_HEAD, Peer, chunk, response
from tests.upstream.kit import error, event, result
from tests.upstream.servers import PRELUDE, script

Json = dict[str, Any]

HEADER, PASSWORD, VARIABLE, CLIENT = (f"canary-{name}-{number:024x}" for name, number in (("h", 1), ("p", 2), ("v", 3), ("c", 4)))
ACCESS = "canary-access-token-0000000000000005"
ODD = 'canary odd/"quoted"\\ 0000+000=06'
BASIC = base64.b64encode(f"doorward:{PASSWORD}".encode()).decode()
CANARIES = (HEADER, PASSWORD, VARIABLE, CLIENT, ACCESS, BASIC, ODD)
ENVIRONMENT = {"T_HEADER": HEADER, "T_PASSWORD": PASSWORD, "T_VARIABLE": VARIABLE, "T_CLIENT": CLIENT, "T_ODD": ODD}
PLACES = ("result", "nested", "encoded", "percent", "failure", "notice", "logged", "challenge", "broken", "redirect", "garbage", "session")


class Mirror(Witness):
    """An upstream that gives back the credential that it was shown."""

    elsewhere = ""
    """Where it redirects to."""

    def __init__(self) -> None:
        super().__init__()
        self.tools = [tool(name) for name in PLACES]
        self.behaviours = {name: getattr(self, f"_{name}") for name in PLACES}

    async def _text(self, peer: Peer, message: Json, text: str) -> None:
        await peer.send(response(result(message, {"content": [{"type": "text", "text": text}], "resultType": "complete"})))

    async def _result(self, peer: Peer, message: Json, head: bytes) -> None:
        await self._text(peer, message, head.decode())

    async def _nested(self, peer: Peer, message: Json, head: bytes) -> None:
        await self._text(peer, message, json.dumps({"request": {"head": json.dumps(head.decode())}}))

    async def _encoded(self, peer: Peer, message: Json, head: bytes) -> None:
        await self._text(peer, message, base64.b64encode(head).decode())

    async def _percent(self, peer: Peer, message: Json, head: bytes) -> None:
        await self._text(peer, message, f"https://x.example/?q={quote(head.decode(), safe='')}")

    async def _failure(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(error(message, -32000, head.decode(), {"head": [head.decode()]})))

    async def _streamed(self, peer: Peer, message: Json, notice: Json) -> None:
        done = json.loads(result(message, {"content": [{"type": "text", "text": "done"}], "resultType": "complete"}))
        await peer.send(STREAM_HEAD + chunk(event(notice)) + chunk(event(done)) + chunk(b""))

    async def _notice(self, peer: Peer, message: Json, head: bytes) -> None:
        params = {"progressToken": message["params"]["_meta"]["progressToken"], "progress": 1, "message": head.decode()}
        await self._streamed(peer, message, {"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

    async def _logged(self, peer: Peer, message: Json, head: bytes) -> None:
        params = {"level": "error", "data": head.decode(), "logger": head.decode()}
        await self._streamed(peer, message, {"jsonrpc": "2.0", "method": "notifications/message", "params": params})

    async def _challenge(self, peer: Peer, message: Json, head: bytes) -> None:
        said = _shown(head)
        lines = f'WWW-Authenticate: Bearer error="invalid_token", error_description="{said}", scope="{said}"'
        await peer.send(response(head, lines, status=f"401 {said}"))

    async def _broken(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(head, f"X-Debug: {_shown(head)}", status=f"500 {_shown(head)}", kind="text/plain"))

    async def _redirect(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(b"", f"Location: {self.elsewhere}?q={quote(_shown(head))}", status="307 Temporary Redirect"))

    async def _garbage(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(b'{"jsonrpc":"2.0","' + _shown(head).encode() + b'": ' + head))

    async def _session(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(b"{}", f"Mcp-Session-Id: {_shown(head)}", f"Content-Encoding: {_shown(head)}", kind=_shown(head)))


class Teller(Mirror):
    """One that tells of its credential while it is discovered: in definitions, and of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers = self.handlers | {"tools/list": self._listed, "server/discover": self._introduced}

    async def _introduced(self, peer: Peer, message: Json, head: bytes) -> None:
        himself = {"name": _shown(head), "version": _shown(head)}
        body = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "instructions": head.decode(), "resultType": "complete"}
        await peer.send(response(result(message, {**body, "_meta": {"io.modelcontextprotocol/serverInfo": himself}})))

    async def _listed(self, peer: Peer, message: Json, head: bytes) -> None:
        tools = [tool("described", head.decode()), tool("plain"), tool("titled", title=_shown(head))]
        tools += [{**tool("schemed"), "inputSchema": {"type": "object", "properties": {"a": {"type": "string", "default": _shown(head)}}}}]
        await peer.send(response(result(message, {"tools": tools, "resultType": "complete"})))


def _shown(head: bytes) -> str:
    [line] = [line for line in head.decode().split("\r\n") if line.lower().startswith("authorization:")] or ["authorization: none"]
    return line.partition(":")[2].strip()


STDIO = """
told = os.environ["CANARY"] + " " + os.environ["ODD"]
sys.stderr.write(told + "\\n")
sys.stderr.flush()
for message in messages():
    method = message.get("method")
    if method == "initialize":
        initialized(message)
    elif method == "tools/list":
        result(message, {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("result", "failure", "crash", "noise")]})
    elif method == "tools/call":
        name = message["params"]["name"]
        if name == "crash":
            sys.stderr.write("Traceback: " + told + "\\n")
            sys.stderr.flush()
            sys.exit(told)
        elif name == "failure":
            error(message, -32000, told)
        else:
            if name == "noise":
                print(told, flush=True)
                print('{"jsonrpc":"2.0","' + told, flush=True)
            result(message, {"content": [{"type": "text", "text": told}]})
    elif method == "server/discover":
        error(message, -32601)
    elif "id" in message:
        result(message, {})
"""


class Tokens(http.server.BaseHTTPRequestHandler):
    """A token endpoint that gives a token, or repeats what it was sent."""

    mode = "token"
    asked: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = f"{self.headers} {body.decode()} {CLIENT}"
        self.asked.append(told.encode())
        status, said = 400, json.dumps({"error": told, "error_description": told})
        match type(self).mode:
            case "token":
                status, said = 200, json.dumps({"access_token": ACCESS, "token_type": "Bearer", "expires_in": 2})
            case "unfit":
                status, said = 200, json.dumps({"access_token": f"{ACCESS}\r\nX: {told}", "token_type": told, "scope": told})
            case "garbage":
                status, said = 200, told
            case "moved":
                status = 307
        self.send_response(status, None)
        for name, value in (
            ("Location", f"{self.path}?q={quote(told)}"),
            ("Content-Type", "application/json"),
            ("Content-Length", len(said)),
        ):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *said: object) -> None:
        """Says nothing."""


@contextmanager
def issuing() -> Iterator[tuple[type[Tokens], str]]:
    kind = type("Issuing", (Tokens,), {"asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kind, f"http://127.0.0.1:{server.server_address[1]}/token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def found(texts: Iterable[tuple[str, bytes]], canaries: Iterable[str] = CANARIES) -> list[tuple[str, str]]:
    """Which canaries are where, plain or in an encoding."""
    forms = [(canary, form) for canary in canaries for form in _forms(canary)]
    return [(canary, place) for place, text in texts for canary, form in forms if form in text]


def _forms(canary: str) -> set[bytes]:
    plain = canary.encode()
    ends = [base64.b64encode(b"x" * at + plain)[4 if at else 0 : -4] for at in range(3)]
    return {plain, json.dumps(canary)[1:-1].encode(), quote(canary, safe="").encode(), plain.hex().encode(), *ends}


def written(running: Running) -> Iterator[tuple[str, bytes]]:
    """Every file of the gateway, and what others on the machine see of its process."""
    for path in running.directory.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield str(path), path.read_bytes()
        except OSError:
            continue


def operators(running: Running) -> Iterator[tuple[str, bytes]]:
    """What operators are shown."""
    for path in (
        "/metrics",
        "/healthz",
        "/readyz",
        "/v1/log?limit=200",
        "/v1/upstreams",
        "/v1/secrets",
        "/v1/catalog",
        "/v1/configuration",
    ):
        try:
            yield path, page(running, path).encode()
        except AssertionError as missing:
            yield path, str(missing).encode()
    for words in ("upstream list --json", "secret list --json", "log list", "status"):
        yield words, ordered(running, *words.split()).encode() if words != "log list" else b""


@contextmanager
def world(directory: Path, *upstreams: tuple[str, Mirror, Json], tokens: str = "") -> Iterator[tuple[Running, Witness]]:
    """A gateway before mirrors, a process and a bystander."""
    with ExitStack() as stack:
        bystander = stack.enter_context(witnessing())
        declared: Json = {"aside": http_upstream(bystander.url)}
        for name, mirror, credential in upstreams:
            mirror.elsewhere = bystander.url
            stack.enter_context(witnessing(mirror))
            declared[name] = http_upstream(mirror.url, credential=credential)
        declared["process"] = stdio_upstream((*script()[:-1], PRELUDE + STDIO), env={})
        declared["process"].pop("env")
        declared["process"]["stdio"]["env"] = {"CANARY": "x=${env:T_VARIABLE}", "ODD": "${env:T_ODD}"}
        much = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
        document = {"upstreams": declared, "admission": much, "runaway": PATIENT}
        running = stack.enter_context(doorward(directory, document, environment={**ENVIRONMENT, "DOORWARD_JOURNAL": "debug"}))
        yield running, bystander


def own(tokens: str) -> Json:
    server = {"token_url": tokens, "client_id": "doorward", "client_secret": "${env:T_CLIENT}", "private": True, "plain_http": True}
    return {"kind": "client_credentials", "server": server}


PLANS: tuple[tuple[str, Json], ...] = (
    ("header", {"value": "Bearer ${env:T_HEADER}"}),
    ("basic", {"kind": "basic", "username": "doorward", "password": "${env:T_PASSWORD}"}),
    ("signed", {"kind": "assertion"}),
)


def test_what_an_upstream_gives_back_of_its_credential_reaches_nobody(tmp_path: Path) -> None:
    with issuing() as (issuer, url):
        plans = [(name, Mirror(), plan) for name, plan in (*PLANS, ("own", own(url)))]
        with world(tmp_path, *plans) as (running, bystander):
            answers: list[tuple[str, bytes]] = []
            with Client(running.url(), running.key()) as client:
                for name in ("header", "basic", "own", "signed"):
                    for place in PLACES:
                        said = client.call(f"{name}__{place}", progressToken=7, logLevel="debug")
                        answers.append((f"{name} {place}", f"{said.headers} ".encode() + said.raw))
                crashes = ("result", "failure", "noise", "crash", "result")
                answers += [(f"process {place}", client.call(f"process__{place}").raw) for place in crashes]
                answers.append(("list", client.ask("tools/list").raw))
                # Whatever an agent has of a credential, it sends to nobody.
                forms = (str, lambda text: base64.b64encode(text.encode()).decode(), lambda text: json.dumps({"a": text}))
                answers += [("argument", client.call("aside__echo", {"mark": form(one)}).raw) for one in CANARIES for form in forms]
            assert len(issuer.asked) > 0
            shown = {name: b"".join(mirror.requests) for name, mirror, _ in plans}
            assert all(canary.encode() in shown[name] for name, canary in (("header", HEADER), ("basic", BASIC), ("own", ACCESS)))
            tokens = {one.split(b"\r\n")[0].decode() for one in shown["signed"].split(b"uthorization: Bearer ")[1:]}
            assert len(tokens) > 10
            canaries = [*CANARIES, *(part for token in tokens for part in (token, *token.split(".")[1:]))]
            assert found(answers, canaries) == []
            # By the guard of our own credentials or, where a token has a form, by that of others: either takes it out whole.
            assert sum(b"[withheld: " in answer for _, answer in answers) == 4 * 6 + 3
            assert sum(b"unsafe_request" in answer for place, answer in answers if place == "argument") == 3 * len(CANARIES)
            assert found([("bystander", b"".join(bystander.requests))], canaries) == []
            assert found(operators(running), canaries) == []
            others = [(name, text) for name, text in shown.items() if name != "header"]
            assert found(others, [HEADER, VARIABLE, CLIENT, ODD]) == []
            assert found([("header", shown["header"])], [PASSWORD, BASIC, ACCESS, CLIENT, VARIABLE, *canaries[len(CANARIES) :]]) == []
            assert found(written(running), canaries) == []
        assert found(written(running), canaries) == []


def test_what_an_upstream_says_of_its_credential_while_it_is_discovered_reaches_nobody(tmp_path: Path) -> None:
    with world(tmp_path, ("header", Teller(), PLANS[0][1])) as (running, _):
        with Client(running.url(), running.key()) as client:
            answers = [("list", client.ask("tools/list").raw), ("discover", client.ask("server/discover").raw)]
            answers += [(f"call {name}", client.call(f"header__{name}").raw) for name in ("plain", "described", "nothing")]
        assert found(answers) == []
        assert found(operators(running)) == []
        assert found(written(running)) == []


@pytest.mark.parametrize("mode", ["refused", "unfit", "garbage", "moved"])
def test_what_a_token_endpoint_repeats_reaches_nobody(tmp_path: Path, mode: str) -> None:
    with issuing() as (issuer, url):
        issuer.mode = mode
        with world(tmp_path, ("own", Mirror(), own(url))) as (running, _):
            with Client(running.url(), running.key()) as client:
                answers = [("call", client.call("own__result").raw), ("list", client.ask("tools/list").raw)]
            assert issuer.asked
            assert all(CLIENT.encode() in asked or BASIC.encode() in asked for asked in issuer.asked)
            assert found(answers) == []
            assert found(operators(running)) == []
            assert found(written(running)) == []


class Padded(Mirror):
    """An upstream that fails with so many characters before its credential that a text is cut in the middle of it."""

    padding = 0
    is_listed = True

    def __init__(self) -> None:
        super().__init__()
        self.handlers = self.handlers | {"tools/list": self._listed}

    async def _listed(self, peer: Peer, message: Json, head: bytes) -> None:
        if self.is_listed:
            await self._list(peer, message, head)
        else:
            await peer.send(response(error(message, -32000, self._said(head))))

    async def _failure(self, peer: Peer, message: Json, head: bytes) -> None:
        self.padding = int(message["params"]["arguments"]["mark"])
        await peer.send(response(b"{", kind=self._said(head)))

    async def _broken(self, peer: Peer, message: Json, head: bytes) -> None:
        self.padding = int(message["params"]["arguments"]["mark"])
        await peer.send(response(error(message, -32000, self._said(head)), status="500 no"))

    def _said(self, head: bytes) -> str:
        return ("-" * self.padding + " " + _shown(head).removeprefix("Bearer "))[-1 - self.padding - len(HEADER) :]


def test_no_half_of_a_credential_is_left_where_a_text_is_cut(tmp_path: Path) -> None:
    mirror = Padded()
    with world(tmp_path, ("header", mirror, PLANS[0][1])) as (running, _):
        with Client(running.url(), running.key()) as client:
            pads = [str(pad) for cut in (40, 80, 128, 200, 500) for pad in (cut - 30, cut - 16)]
            answers = [(pad, client.call(f"header__{place}", {"mark": pad}).raw) for pad in pads for place in ("failure", "broken")]
        mirror.is_listed, mirror.padding = False, 178
        with suppress(AdminError):
            running.admin.post("/v1/upstreams/header/refresh")
        halves = [HEADER[:12]]
        assert found(answers, halves) == []
        assert found(operators(running), halves) == []
        assert found(written(running), halves) == []
