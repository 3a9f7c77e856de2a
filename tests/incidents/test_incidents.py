"""What happened to other products (SECURITY.md, "What happened to others"), tried on a whole running gateway with real sockets.

The rooms test the same holes where they would have been; here nothing is known of rooms: a client attacks, and an upstream keeps every byte.
"""

import asyncio
import json
import random
import stat
import string
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from doorward.client.admin import AdminError
from doorward.net.addresses import STRICT
from doorward.net.egress import resolve
from doorward.net.errors import EgressError
from doorward.net.urls import parse_url
from tests.e2e.client import EXCHANGE, REVISIONS, Client, Json
from tests.e2e.commands import told
from tests.e2e.log import until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, write_config

CREDENTIAL = "gateway-managed-credential-3Wm8"
POLICIES = (
    PERMIT_ALL
    + """
@id("ada-alone")
@reason("Only ada's team has this tool.")
forbid (principal, action == Action::"witness/other", resource) unless { principal in Team::"adas" };
"""
)


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream of the exchange era."""
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def old() -> Iterator[Witness]:
    """An upstream with sessions."""
    with witnessing(Witness("session")) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness, old: Witness) -> Iterator[Running]:
    """A gateway with a credential of its own for the first, and two agents: ada and eve."""
    credential = {"header": "Authorization", "value": "Bearer ${env:CREDENTIAL}"}
    document = {
        "upstreams": {"witness": http_upstream(witness.url, credential=credential), "old": http_upstream(old.url)},
        "admission": {"calls_per_minute": 1_000_000, "burst": 1_000_000},
        "sessions": {"per_principal": 6, "overall": 10},
    }
    with doorward(tmp_path_factory.mktemp("incidents"), document, POLICIES, {"CREDENTIAL": CREDENTIAL}) as gateway:
        gateway.key("ada", "adas")
        gateway.key("eve", "eves")
        yield gateway


def test_litellm_cve_2026_59822_no_bearer_but_an_issued_key_is_anybody(tmp_path: Path, witness: Witness) -> None:
    document = {"upstreams": {"witness": http_upstream(witness.url)}, "identity": {"anonymous": {"agent": "visitor"}}}
    dice = random.Random(59822)
    with doorward(tmp_path, document) as running:
        key = running.key("ada")
        with Client(running.url("witness"), "") as client:
            assert (
                client.call("echo").status == 200
            )  # declared: whoever brings nothing is a visitor; whoever brings something wrong is nobody
        tried = [
            "",
            "null",
            "undefined",
            "None",
            "{}",
            "[]",
            "Bearer",
            "0",
            key[:-1],
            key + "=",
            key.upper(),
            key[::-1],
            key.replace("_", "-", 1),
        ]
        tried += ["".join(dice.choices(string.ascii_letters + string.digits + "-._~+/=_", k=dice.randrange(1, 90))) for _ in range(200)]
        for text in tried:
            with Client(running.url("witness"), extra={"Authorization": f"Bearer {text}"}) as client:
                said = client.call("echo", {"mark": "nobody"})
                assert (said.status, "www-authenticate" in said.headers) == (401, True), text
        assert "nobody" not in witness.marks()


def test_litellm_cve_2026_35030_keys_that_share_a_beginning_share_no_identity(running: Running, witness: Witness) -> None:
    key = running.key("ada")
    with Client(running.url("witness"), key) as ada:
        assert ada.call("echo").status == 200
    for end in ("x", "xx", "A" * 20):
        with Client(running.url("witness"), key[: -len(end)] + end if not key.endswith(end) else key[:-1] + "y") as forged:
            assert forged.call("echo", {"mark": "forged"}).status == 401
    assert "forged" not in witness.marks()


@pytest.mark.parametrize(
    "path", ["/v1/agents", "/v1/status", "/metrics", "/readyz", "/healthz", "/v1/openapi.json", "/", "/mcp/#/v1/agents", "/docs"]
)
def test_litellm_cve_2026_49468_no_host_and_no_path_leads_past_authentication(running: Running, path: str) -> None:
    for host in (
        f"127.0.0.1:{running.port}",
        f"127.0.0.1:{running.port}/#",
        f"127.0.0.1:{running.port}/?",
        "doorward",
        "localhost/healthz",
    ):
        for key in ("", running.key("ada")):
            with Client(f"http://127.0.0.1:{running.port}{path}", key, extra={"Host": host}) as client:
                said = client.ask("tools/list")
                assert said.status in (400, 403, 404), (said.status, host)
                assert b"agents" not in said.raw


def test_contextforge_cve_2026_110279_no_header_of_a_client_reaches_an_upstream(running: Running, witness: Witness, old: Witness) -> None:
    canary = "client-canary-8Rt5"
    names = """
        X-Upstream-Authorization Proxy-Authorization Cookie X-Api-Key Api-Key X-Auth-Token X-Access-Token X-Amz-Security-Token
        X-Goog-Iam-Authorization X-Forwarded-Authorization X-Original-Authorization X-Forwarded-User X-Forwarded-Email X-Remote-
        User X-Forwarded-For X-Real-Ip Forwarded Via Authentication X-Authorization X-Csrf-Token X-Vault-Token X-Gitlab-Token
        X-Github-Token Private-Token Referer User-Agent From Dpop Signature Signature-Input X-Mcp-Authorization Mcp-Param-
        Authorization Mcp-Param-Mark Last-Event-Id Baggage Tracestate X-Request-Id Accept-Language
    """.split()
    before = len(witness.requests), len(old.requests)
    for revision in REVISIONS:
        for upstream in ("witness", "old"):
            with Client(running.url(upstream), running.key("ada"), revision, extra=dict.fromkeys(names, canary)) as client:
                assert client.call("echo", {"mark": "headers"}).text == '{"mark": "headers"}'
    sent = witness.requests[before[0] :], old.requests[before[1] :]
    raw = b"".join(sent[0] + sent[1])
    assert len(sent[0]) >= len(REVISIONS)
    assert (canary.encode() in raw, running.key("ada").encode() in raw) == (False, False)
    assert all(request.count(f"Authorization: Bearer {CREDENTIAL}\r\n".encode()) == 1 for request in sent[0])
    assert not any(CREDENTIAL.encode() in request for request in sent[1])


def test_contextforge_cve_2026_110279_a_credential_header_twice_or_in_the_body_changes_nothing(running: Running, witness: Witness) -> None:
    with Client(running.url("witness"), running.key("ada")) as client:
        meta = {"authorization": "Bearer body-canary", "headers": {"Authorization": "Bearer body-canary"}}
        assert client.ask("tools/call", {"name": "echo", "arguments": {"mark": "body"}}, **meta).status == 200
    heads = [request.partition(b"\r\n\r\n")[0] for request in witness.requests]
    assert not any(b"body-canary" in head for head in heads)


def test_contextforge_cve_2026_78573_a_new_gateway_knows_nobody_and_has_no_default_secret(tmp_path: Path) -> None:
    with doorward(tmp_path / "one", {}) as one, doorward(tmp_path / "two", {}) as two:
        for running in (one, two):
            assert running.admin.get("/v1/agents") == {"agents": []}
            for guess in ("", "admin", "changeme", "password", "secret", "doorward", "test", "my-test-key", "dw_test"):
                with Client(running.url(), guess) as client:
                    assert client.ask("tools/list").status == 401
        names = {path.name for path in (tmp_path / "one/state").glob("*.key")}
        assert names >= {"log.key", "audit.key", "side.key", "seal.key"}
        assert all((tmp_path / "one/state" / name).read_text() != (tmp_path / "two/state" / name).read_text() for name in names)
        with Client(two.url(), one.key("ada")) as client:
            assert client.ask("tools/list").status == 401
    (tmp_path / "one/state/seal.key").write_text("")
    with pytest.raises(AssertionError, match="the gateway ended with 1"):
        start(tmp_path / "one")


@pytest.mark.parametrize(
    "change", [{"credential": {"value": "Bearer ${env:EMPTY}"}}, {"credential": {"value": "Bearer ${env:NOT_SET_AT_ALL}"}}]
)
def test_contextforge_cve_2026_78573_an_empty_secret_is_never_sent(tmp_path: Path, witness: Witness, change: Json) -> None:
    before = len(witness.requests)
    with doorward(tmp_path, {"upstreams": {"keyed": http_upstream(witness.url, **change)}}, environment={"EMPTY": ""}) as running:
        [missed] = until(lambda: running.events("upstream_missed"))[:1]
        assert "no_credential" in missed["why"]
    assert len(witness.requests) == before


def test_contextforge_cve_2026_77822_a_name_is_looked_up_once_and_every_answer_is_checked() -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["169.254.169.254"]

    async def mixed(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "127.0.0.1"]

    found = asyncio.run(resolve(parse_url("https://rebind.example/mcp"), STRICT, rebinding))
    assert (found, asked) == (("93.184.215.14",), ["rebind.example"])
    assert all(ip_address(address).is_global for address in found)
    with pytest.raises(EgressError):
        asyncio.run(resolve(parse_url("https://rebind.example/mcp"), STRICT, mixed))


AT_HOME = (
    "localhost",
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "[::]",
    "169.254.169.254",
    "10.0.0.1",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
)


def test_ssrf_an_upstream_that_is_not_declared_private_is_not_looked_for_at_home(tmp_path: Path) -> None:
    with witnessing() as witness:
        port = witness.url.split(":")[2].split("/")[0]
        rest = {"plain_http": True, "trust": "first-use", "timeouts": {"connect": 1}}
        upstreams = {f"inside-{number}": {"url": f"http://{host}:{port}/mcp", **rest} for number, host in enumerate(AT_HOME)}
        refused = {
            name
            for name, upstream in upstreams.items()
            if told(None, "check", "-c", str(write_config(tmp_path, {"upstreams": {name: upstream}})))[0]
        }
        with doorward(tmp_path, {"upstreams": {name: one for name, one in upstreams.items() if name not in refused}}) as running:
            missed = {line["upstream"] for line in until(lambda: running.events("upstream_missed"))}
            assert missed | refused == upstreams.keys()
        assert witness.requests == []


def test_mcphub_cve_2026_79747_an_agent_adds_no_server_and_makes_the_gateway_fetch_nothing(
    running: Running, witness: Witness, old: Witness
) -> None:
    with witnessing() as secret, Client(running.url("witness"), running.key("ada")) as client:
        body = json.dumps({"upstreams": {"mine": {"url": secret.url}}}).encode()
        for path in ("/v1/upstreams", "/v1/config", "/v1/reload", "/servers", "/api/servers"):
            with Client(f"http://127.0.0.1:{running.port}{path}", running.key("ada")) as other:
                assert other.post(body, other._headers()).status == 404
        client.ask("resources/read", {"uri": secret.url})
        client.ask("tools/call", {"name": "echo", "arguments": {"mark": secret.url}})
        client.ask("completion/complete", {"ref": {"type": "ref/resource", "uri": secret.url}, "argument": {"name": "a", "value": ""}})
        with Client(running.url(), running.key("ada")) as both:
            both.ask("resources/read", {"uri": f"witness+{secret.url}"})
        assert secret.requests == []


def test_mcp_inspector_cve_2025_49596_only_the_owner_of_the_socket_operates_and_nothing_on_the_network_does(running: Running) -> None:
    sock = running.directory / "state/control.sock"
    assert stat.S_IMODE(sock.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(sock.parent.stat().st_mode) & 0o077 == 0
    listening = (
        {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
        if _has_proc()
        else set()
    )
    assert not listening or f"0100007F:{running.port:04X}" in listening
    assert f"00000000:{running.port:04X}" not in listening
    with Client(f"http://127.0.0.1:{running.port}/v1/agents", running.key("ada")) as client:
        said = client.post(b'{"id": "mallory", "team": "x"}', {**client._headers(), "X-Operator": "root", "X-Forwarded-User": "root"})
    assert said.status == 404
    with pytest.raises(AdminError):
        running.admin.get("/v1/agents/mallory")


def _has_proc() -> bool:
    return Path("/proc/net/tcp").exists()


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "OPTIONS", "PUT"])
@pytest.mark.parametrize("foreign", [{"Host": "rebound.example"}, {"Origin": "http://page.example"}, {"Origin": "null"}])
def test_python_sdk_cve_2025_66416_a_rebound_name_or_a_foreign_page_reaches_nothing(
    running: Running, method: str, foreign: dict[str, str]
) -> None:
    for revision in REVISIONS:
        with Client(running.url("witness"), running.key("ada"), revision) as client:
            if not client.is_exchange:
                client.open()
            client._connection.request(method, "/mcp/witness", b"{}", {**client._headers(), **foreign})
            response = client._connection.getresponse()
            assert response.status == 403
            assert response.getheader("access-control-allow-origin") is None
            if not client.is_exchange:
                client._connection.close()
                assert client.ask("tools/list").status == 200


def test_python_sdk_cve_2026_59951_sessions_are_bounded_for_each_and_for_all(running: Running) -> None:
    def sessions() -> list[Json]:
        return list(running.admin.get("/v1/sessions")["sessions"])

    def opened(agent: str) -> Client:
        client = Client(running.url("witness"), running.key(agent), "2025-11-25")
        client.open()
        return client

    clients = [opened("ada") for _ in range(30)]
    assert sum(1 for one in sessions() if "ada" in json.dumps(one)) == 6
    assert [client.ask("tools/list").status for client in (clients[0], clients[-1])] == [404, 200]
    others = [opened("eve") for _ in range(4)]
    with pytest.raises(AssertionError, match="503"):
        opened("bob")
    assert others[0].ask("tools/list").status == 200
    assert len(sessions()) == 10
    for one in sessions():
        running.admin.delete(f"/v1/sessions/{one['id']}")
    assert sessions() == []


def test_python_sdk_cve_2026_52869_a_session_stream_or_cursor_of_another_is_none_at_all(running: Running, witness: Witness) -> None:
    with (
        Client(running.url("witness"), running.key("ada"), "2025-11-25") as ada,
        Client(running.url("witness"), running.key("eve"), "2025-11-25") as eve,
    ):
        ada.open()
        eve.open()
        pending = ada.begin_call("wait", {"mark": "hijacked"}, progressToken="t")
        witness.has_seen("hijacked")
        own, eve.session = eve.session, ada.session
        stolen = [eve.ask("tools/list"), eve.call("echo"), eve.notify("notifications/cancelled", {"requestId": pending.id})]
        assert [said.status for said in stolen] == [404] * 3
        unknown = Client(running.url("witness"), running.key("eve"), "2025-11-25", session=ada.session[:-2] + "AA")
        assert unknown.ask("tools/list").error["message"] == stolen[0].error["message"]
        with Client(running.url("old"), running.key("ada"), "2025-11-25", session=ada.session) as elsewhere:
            assert elsewhere.ask("tools/list").status == 404
        eve.session = own
        eve.notify("notifications/cancelled", {"requestId": pending.id})
        assert "hijacked" not in witness.ended
        witness.release()
        assert "hijacked" in pending.said().text


def test_asana_answers_lists_and_sessions_of_one_are_never_anothers(running: Running, witness: Witness, old: Witness) -> None:
    wrong: list[str] = []

    def call(agent: str, revision: str, upstream: str) -> None:
        with Client(running.url(upstream), running.key(agent), revision) as client:
            for number in range(40):
                mark = f"{agent}-{revision}-{upstream}-{number}"
                if client.call("echo", {"mark": mark}).text != json.dumps({"mark": mark}):
                    wrong.append(mark)
            if upstream == "witness" and ("other" in str(client.ask("tools/list").result)) is not (agent == "ada"):
                wrong.append(f"list of {agent}")

    plan = [
        (agent, revision, upstream) for agent in ("ada", "eve") for revision in ("2025-11-25", EXCHANGE) for upstream in ("witness", "old")
    ]
    threads = [threading.Thread(target=call, args=one) for one in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    used: dict[str, set[str]] = {}
    for request in old.requests:
        head, _, body = request.decode().partition("\r\n\r\n")
        session = next((line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("mcp-session-id")), "")
        for agent in ("ada", "eve"):
            if f'"{agent}-' in body:
                used.setdefault(agent, set()).add(session)
    assert used["ada"].isdisjoint(used["eve"])
