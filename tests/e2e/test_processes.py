"""Server processes that not everybody shares, behind a real gateway: each has its own holder's token, and nobody else's call."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser
from tests.e2e import accounts, oauth
from tests.e2e.client import RECEIPT, Client, Said
from tests.e2e.commands import asked, ordered
from tests.e2e.grants import connected
from tests.e2e.log import of_call, until
from tests.exchanging import SECRET, exchanging
from tests.gateway import Running, doorward, stdio_upstream
from tests.oidc import provider
from tests.upstream.servers import PRELUDE, SESSION

TELLS = """
import base64, hashlib
def call(message):
    token = os.environ.get("TOKEN", "")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")) if token else {}
    said = {"pid": os.getpid(), "sub": claims.get("sub"), "mark": message["params"]["arguments"].get("text")}
    result(message, {"content": [{"type": "text", "text": json.dumps(said)}]})
"""
REACH = {"private": True, "plain_http": True}


def document(**more: Any) -> dict[str, Any]:
    """A gateway in front of one such server."""
    upstream = stdio_upstream((sys.executable, "-I", "-S", "-c", PRELUDE + TELLS + SESSION), era="session")
    upstream["stdio"] |= more.pop("stdio")
    return {"upstreams": {"own": {**upstream, **more}}}


def read(said: Said) -> dict[str, Any]:
    """What the process told of itself."""
    return dict(json.loads(said.result["content"][0]["text"]))


def told(running: Running, key: str, mark: str = "hi") -> dict[str, Any]:
    with Client(running.url("own"), key) as client:
        return read(client.call("echo", {"text": mark}))


def processes(running: Running) -> int:
    (upstream,) = running.admin.get("/v1/status")["upstreams"]
    return int(upstream["addresses"][0]["processes"])


def seen(running: Running, key: str) -> None:
    """Waits until the server was looked at, and the process of the look has gone."""
    with Client(running.url("own"), key) as client:
        until(lambda: client.ask("tools/list").result["tools"])
    until(lambda: processes(running) == 0)


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_each_agent_has_a_process_which_ends_when_the_agent_is_revoked_and_there_are_never_too_many(tmp_path: Path) -> None:
    with doorward(tmp_path, document(stdio={"per": "agent", "most": 2})) as running:
        keys = {name: running.key(name) for name in ("ada", "bob", "cleo")}
        seen(running, keys["ada"])
        with ThreadPoolExecutor(8) as pool:
            names = ["ada", "bob"] * 12
            pids = list(pool.map(lambda name: told(running, keys[name])["pid"], names))
        of = dict(zip(names, pids, strict=True))
        assert pids == [of[name] for name in names]
        assert (len(set(pids)), processes(running)) == (2, 2)
        assert told(running, keys["cleo"])["pid"] not in pids
        assert (is_there(of["ada"]), is_there(of["bob"])).count(True) == 1
        bob = told(running, keys["bob"])["pid"]
        running.admin.post("/v1/agents/cleo/revoke", {})
        until(lambda: processes(running) == 1)
        assert told(running, keys["bob"])["pid"] == bob


@pytest.mark.peer
def test_each_persons_process_holds_that_persons_token_of_a_real_provider(tmp_path: Path) -> None:
    with exchanging() as company:
        server = {"issuer": company.issuer, "client_id": "doorward", "client_secret": "${env:IDP_SECRET}", **REACH}
        credential = {"kind": "token_exchange", "server": server, "resource": "urn:own", "scopes": ["read"]}
        whole = document(stdio={"per": "principal", "env": {"TOKEN": "${credential}"}, "most": 4}, credential=credential)
        whole["identity"] = {
            "issuers": {"corp": {"url": company.issuer, "algorithms": ["ES256"], **REACH}},
            "enrol": [{"issuer": "corp", "client": "desk", "agent": "desk", "team": "sales", "owner": "ada"}],
        }
        with doorward(tmp_path, whole, environment={"IDP_SECRET": SECRET}) as running:
            tokens = {name: company.token_of(name, running.url("own")) for name in ("alice", "bob")}
            seen(running, tokens["alice"])
            with ThreadPoolExecutor(8) as pool:
                names = ["alice", "bob"] * 8
                said = list(pool.map(lambda name: told(running, tokens[name], name), names))
            assert [(one["sub"], one["mark"]) for one in said] == [(name, name) for name in names]
            assert len({(one["sub"], one["pid"]) for one in said}) == processes(running) == 2
            with Client(running.url("own"), tokens["alice"]) as client:
                receipt = client.call("echo").result["_meta"][RECEIPT]
            lease = of_call(tmp_path / "state", receipt)[-1]["credential"]
            assert (lease["kind"], lease["audience"], lease["scope"]) == ("token_exchange", "stdio:own", "read")
            with Client(running.url("own"), running.key("robot")) as client:
                assert "acts for nobody" in client.call("echo").error["message"]
            running.admin.post("/v1/stops", {"matter": "user:corp:alice", "effect": "revoked", "reason": "left"})
            until(lambda: processes(running) == 1)
            assert told(running, tokens["bob"])["sub"] == "bob"


ASKS = """
import urllib.request
def call(message):
    asked = urllib.request.Request(os.environ["ISSUER"] + "/me", headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
    account = json.load(urllib.request.urlopen(asked, timeout=20))["sub"]
    result(message, {"content": [{"type": "text", "text": json.dumps({"pid": os.getpid(), "account": account})}]})
"""


@pytest.mark.peer
def test_people_connect_accounts_and_their_processes_open_these_until_they_are_revoked(tmp_path: Path) -> None:
    with provider() as company, provider(clients=[], registration=True, rotates=True) as service:
        oauth.write_keys(tmp_path)
        whole = accounts.document(company, "http://127.0.0.1:1/mcp")
        upstream = stdio_upstream((sys.executable, "-I", "-S", "-c", PRELUDE + ASKS + SESSION), era="session")
        upstream["stdio"] |= {"per": "user", "env": {"TOKEN": "${credential}", "ISSUER": service.issuer}}
        credential = {"kind": "user", "issuer": service.issuer, "scopes": ["openid", "offline_access"], "resource": "", **REACH}
        whole["upstreams"] = {"own": {**upstream, "credential": {**credential, "discovery": {"kind": "none"}}}}
        with doorward(tmp_path, whole, accounts.POLICY, oauth.ENVIRONMENT) as running:
            tokens = {name: str(connected(running, name)["access_token"]) for name in ("alice", "bob")}
            with Client(running.url(), tokens["alice"]) as client:
                until(lambda: client.ask("tools/list").result["tools"])
            for name, token in tokens.items():
                with Client(running.url(), token) as client:
                    link = accounts.LINK.search(client.call("own__echo").text)
                assert link is not None
                assert "is connected" in accounts.connect(Browser(), link[0], name, account=name).text

            def whose(name: str) -> dict[str, Any]:
                with Client(running.url(), tokens[name]) as client:
                    return read(client.call("own__echo"))

            with ThreadPoolExecutor(8) as pool:
                names = ["alice", "bob"] * 10
                said = list(pool.map(whose, names))
            assert [one["account"] for one in said] == names
            assert len({one["pid"] for one in said}) == processes(running) == 2
            [mine] = asked(running, "connection", "list", "--user", "corp:alice")["connections"]
            ordered(running, "connection", "revoke", mine["id"])
            until(lambda: not is_there(said[0]["pid"]))
            assert whose("bob")["pid"] == said[1]["pid"]
