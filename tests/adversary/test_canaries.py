"""What proves who somebody is stays where it was shown: not upstream, not in the state directory, journal or log, not in an answer."""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.adversary.connected import SECRET, VERIFIER, connected, exchanged, gateway, own_token, posted, refreshed, token
from tests.browser import Browser
from tests.e2e.client import Client
from tests.e2e.oauth import CALLBACK
from tests.e2e.witness import witnessing
from tests.gateway import Running
from tests.oidc import RELYING_PARTY, provider

pytestmark = pytest.mark.peer

HEADERS = {
    "DPoP": "canary-dpop-header",
    "Cookie": "canary-cookie=canary-cookie-value",
    "Proxy-Authorization": "Basic canary-proxy",
    "X-Upstream-Authorization": "Bearer canary-upstream",
    "X-Api-Key": "canary-api-key",
    "Authentication": "canary-authentication",
}


def pieces(jwt: str) -> list[str]:
    """A token, and its signature, which alone makes it one."""
    return [jwt, jwt.rpartition(".")[2]]


def found(canaries: Iterable[str], texts: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Which canaries are where."""
    whole = list(texts)
    return [(canary, place) for canary in canaries for place, text in whole if canary.encode() in text]


def left(running: Running) -> list[tuple[str, bytes]]:
    """Everything that the gateway has written, the files of its secrets among it."""
    return [(str(path), path.read_bytes()) for path in running.directory.rglob("*") if path.is_file() and path.name != "doorward.yaml"]


def asked(running: Running, method: str, path: str, body: str | None = None, **headers: str) -> bytes:
    """Head and body of whatever comes back."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return f"{answer.getheaders()}".encode() + answer.read()
    finally:
        connection.close()


def test_no_credential_is_found_where_it_was_not_shown(tmp_path: Path) -> None:
    idp_secret = str(RELYING_PARTY["client_secret"])
    with provider() as company, witnessing() as witness, gateway(tmp_path, company.issuer, witness.url) as running:
        browser = Browser(stops_at=(CALLBACK,))
        tokens = connected(running, company, "alice", browser)
        status, renewed = refreshed(running, tokens["refresh_token"])
        assert status == 200, renewed
        parent = own_token(running, "lead-client")
        child = exchanged(running, parent)[1]["access_token"]
        key = running.key()
        shown = [parent, child, str(renewed["access_token"])]
        with Client(running.url(), key, extra=HEADERS) as client:
            assert client.call("up__echo", {"mark": "key"}).status == 200
        for one in shown:
            with Client(running.url(), one, extra=HEADERS) as client:
                assert client.call("up__echo", {"mark": "token"}).status == 200
        # What goes wrong is told to operators: without what went wrong with it.
        answers = [str(refreshed(running, tokens["refresh_token"])).encode()]
        again = {"code": tokens["code"], "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "client_id": "desk-client"}
        answers += [str(token(running, grant_type="authorization_code", **again)).encode()]
        answers += [str(token(running, grant_type="client_credentials", client_id="lead-client", client_secret=SECRET + "x")).encode()]
        basic = b64encode(f"lead-client:{SECRET}".encode()).decode()
        answers += [asked(running, "POST", "/oauth/token?" + urlencode(again), "grant_type=x", Authorization=f"Basic {basic}")]
        answers += [
            str(posted(running, "/oauth/revoke", {"token": parent, "client_id": "helper-client", "client_secret": SECRET})).encode()
        ]
        answers += [asked(running, "GET", f"/mcp?access_token={child}", Accept="text/event-stream")]
        answers += [asked(running, "GET", f"/oauth/callback?code=canary-idp-code&state={VERIFIER}")]
        for wrong in (f"Bearer {child[:-3]}AAA", f"DPoP {child}", f"Bearer {tokens['access_token']}", f"Basic {basic}", f"Bearer {key}x"):
            answers += [
                asked(running, "POST", "/mcp", "{}", Authorization=wrong, Content_Type="application/json", DPoP="canary-dpop-header")
            ]
        canaries = [SECRET, idp_secret, idp_secret.replace(" ", "+"), VERIFIER, basic, key, tokens["code"], "canary-idp-code"]
        canaries += [tokens["refresh_token"], str(renewed["refresh_token"]), *browser.jar.values()]
        canaries += [piece for one in (*shown, tokens["access_token"]) for piece in pieces(one)]
        canaries += ["canary-dpop", "canary-cookie", "canary-proxy", "canary-upstream", "canary-api-key", "canary-authentication"]
        assert found(canaries, (("upstream", request) for request in witness.requests)) == []
        assert found(canaries, (("answer", answer) for answer in answers)) == []
        assert found(canaries, [("log", str(running.admin.get("/v1/log?limit=200")).encode())]) == []
        assert found(canaries, left(running)) == []
    assert found(canaries, left(running)) == []
