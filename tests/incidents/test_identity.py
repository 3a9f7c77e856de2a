"""What happened to sign-in and discovery elsewhere (SECURITY.md, "What happened to others"), tried on a whole running gateway."""

import base64
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.browser import Browser, Form, Page
from tests.e2e.client import Client, Json
from tests.e2e.log import until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.net.raw import Peer
from tests.oidc import RELYING_PARTY, Provider, provider, sign_in

pytestmark = pytest.mark.peer

EVIL, HONEST = "https://evil.example/back", "https://honest.example/back"
VERIFIER = "a verifier of tests, which is long enough to be one".replace(" ", "-").replace(",", "")


@pytest.fixture(scope="module")
def company() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(company: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that lets people in with the company's provider, and anybody register a client."""
    with_it = {"client_id": RELYING_PARTY["client_id"], "client_secret": "${env:IDP_SECRET}", "scopes": ["profile", "email", "groups"]}
    issuer = {"url": company.issuer, "plain_http": True, "private": True, "algorithms": ["RS256"], "sign_in": with_it}
    rules = {
        "issuers": {"corp": issuer},
        "authority": {"sign_in": "corp", "clients": {"dynamic": True}},
        "enrol": [{"issuer": "self", "client": "*", "agent": "desktop", "team": "people", "owner": "platform"}],
    }
    with witnessing() as witness:
        document = {"upstreams": {"up": http_upstream(witness.url)}, "identity": rules}
        place: Path = tmp_path_factory.mktemp("identity")
        with doorward(place, document, environment={"IDP_SECRET": str(RELYING_PARTY["client_secret"])}) as running:
            yield running


def origin(gateway: Running) -> str:
    return f"http://127.0.0.1:{gateway.port}"


def link(gateway: Running, redirect: str) -> str:
    """Where a client of its own sends a browser."""
    body = json.dumps({"client_name": "A client", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}).encode()
    request = Request(f"{origin(gateway)}/oauth/register", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=20) as answer:
        client = json.load(answer)["client_id"]
    challenge = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {"response_type": "code", "client_id": client, "redirect_uri": redirect, "state": "s", "resource": gateway.url()}
    return f"{origin(gateway)}/oauth/authorize?{urlencode({**asked, 'code_challenge': challenge, 'code_challenge_method': 'S256'})}"


def opened(browser: Browser, url: str, name: str) -> Page:
    """What a person is shown in the end who follows a link and signs in where they are asked to."""
    return sign_in(browser, browser.get(url), name)


def answered(browser: Browser, page: Page, answer: str = "allow") -> Page:
    """What comes of an answer to the question of a page, in whichever browser."""
    form = page.forms[0]
    [button] = [button for button in form.buttons if button[1] == answer]
    return browser.submit(page, form, dict([button]))


def test_fastmcp_cve_2026_27124_a_consent_is_nothing_in_another_browser(gateway: Running) -> None:
    alice, mallory = (Browser(stops_at=(EVIL, HONEST)) for _ in range(2))
    agreed = answered(alice, opened(alice, link(gateway, HONEST), "alice"))
    assert "code" in parse_qs(urlsplit(agreed.url).query)

    # A link of mallory's, in the browser of somebody who is signed in and has consented to another client: she is asked.
    bait = link(gateway, EVIL)
    question = alice.get(bait)
    assert (question.status, question.url.startswith(origin(gateway))) == (200, True)

    # Her question is nothing in another browser, nor another one's in hers.
    own = opened(mallory, bait, "mallory")
    for browser, page in ((mallory, question), (alice, own)):
        came = answered(browser, page)
        assert (came.url.startswith(EVIL), came.status) == (False, 403), came
    # A sign-in that one browser began ends in no other.
    callback = f"{origin(gateway)}/oauth/callback"
    fresh = Browser(stops_at=(callback,))
    back = opened(fresh, bait, "mallory")
    assert back.url.startswith(callback)
    for browser in (alice, Browser(stops_at=(EVIL,))):
        came = browser.get(back.url)
        assert (came.url.startswith(EVIL), came.status) == (False, 400), came
    # No address says yes.
    said_yes = {**question.forms[0].fields, "answer": "allow", **dict(question.forms[0].buttons)}
    came = alice.get(f"{question.forms[0].action}?{urlencode(said_yes)}")
    assert (came.url.startswith(EVIL), came.status) == (False, 405), came


@contextmanager
def trap() -> Iterator[tuple[str, list[str]]]:
    """A place inside that nobody should be made to ask: its URL, and who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def wait() -> None:
            while not over.is_set():
                try:
                    connection, peer = server.accept()
                except TimeoutError:
                    continue
                came.append(str(peer))
                connection.close()

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", came
        finally:
            over.set()
            thread.join()


def jwt(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token that nobody signed."""
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])


def status_of(url: str, fields: Mapping[str, str] | None = None) -> int:
    """The status of one request, whatever comes of it."""
    page = Browser(stops_at=("https://",))
    if fields is None:
        return page.get(url).status
    return page.submit(Page(url, 0, {}, ""), Form(url, "POST", {}, ()), fields).status


def test_mcp_remote_cve_2026_51994_no_address_that_a_caller_or_a_server_names_is_asked(gateway: Running, tmp_path: Path) -> None:
    with trap() as (place, came), witnessing() as witness:
        for scheme in ("http", "https"):
            url = f"{scheme}://{place}"
            forged = {"alg": "RS256", "typ": "at+jwt", "kid": url, "jku": f"{url}/jwks", "x5u": f"{url}/x5u"}
            claims = {"iss": url, "sub": "alice", "aud": gateway.url(), "client_id": f"{url}/client", "exp": 4e9}
            for issuer in (url, f"{origin(gateway)}/{url}"):
                assert Client(gateway.url(), jwt(forged, {**claims, "iss": issuer})).ask("tools/list").status == 401
            asked = {"response_type": "code", "client_id": f"{url}/client.json", "redirect_uri": f"{url}/back", "resource": gateway.url()}
            assert status_of(f"{origin(gateway)}/oauth/authorize?{urlencode(asked)}") >= 400
            assertion = {"iss": f"{url}/client.json", "sub": f"{url}/client.json", "aud": origin(gateway), "exp": 4e9, "jti": "1"}
            signed = {
                "grant_type": "client_credentials",
                "client_id": f"{url}/client.json",
                "resource": gateway.url(),
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": jwt(forged, assertion),
            }
            assert status_of(f"{origin(gateway)}/oauth/token", signed) >= 400
        _let_a_server_point_there(witness, place, tmp_path)
        assert came == []
        socket.create_connection(("127.0.0.1", int(place.partition(":")[2]))).close()
        until(lambda: came)


def _let_a_server_point_there(witness: Witness, place: str, directory: Path) -> None:
    """A server that answers as one that wants a token, and says where the metadata would be."""
    with doorward(directory, {"upstreams": {"up": http_upstream(witness.url)}}) as running:
        key = running.key()
        assert Client(running.url(), key).call("up__echo", {"mark": "before"}).reason == ""

        async def challenge(peer: Peer, message: Json, head: bytes) -> None:
            del message, head
            lines = (
                "HTTP/1.1 401 Unauthorized",
                f'WWW-Authenticate: Bearer resource_metadata="http://{place}/.well-known/oauth-protected-resource"',
                f'Link: <http://{place}/>; rel="oauth-protected-resource"',
                "Content-Length: 0",
                "",
                "",
            )
            await peer.send("\r\n".join(lines).encode())

        witness.handlers["tools/call"] = challenge
        assert Client(running.url(), key).call("up__echo", {"mark": "after"}).reason != ""
