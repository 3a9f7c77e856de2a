"""What happened to others with tokens and sign-in (SECURITY.md, "What happened to others"), tried with the tokens of a whole running house."""

import http.client
import random
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import EXCHANGE, Client
from tests.e2e.grants import authorize, claims_of, connected, exchanged, granted, own_token, refreshed
from tests.e2e.oauth import ENVIRONMENT, House, document, house, issuer
from tests.e2e.served import site
from tests.gateway import doorward, write_config

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with an authority of its own."""
    with house(tmp_path_factory.mktemp("tokens")) as made:
        yield made


def test_litellm_cve_2026_59822_no_token_but_a_verified_one_is_anybody(ours: House) -> None:
    dice = random.Random(59822)
    good = granted(own_token(ours.running))["access_token"]
    head, payload, signature = good.split(".")
    letters = string.ascii_letters + string.digits + "-_"
    tried = [
        "..",
        "a.b.c",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f".{payload}.{signature}",
        f"{head}..{signature}",
        f"{good}.{signature}",
        f"{good}=",
        f"{good}, Bearer {good}",
        good[::-1],
        good.lower(),
        "e30.e30.e30",
        head + "." * 8_000,
    ]
    for _ in range(200):
        at = dice.randrange(len(good))
        tried.append(good[:at] + dice.choice([letter for letter in letters if letter != good[at]]) + good[at + 1 :])
    for token in tried:
        for scheme in ("Bearer", "DPoP"):
            with Client(ours.running.url(), extra={"Authorization": f"{scheme} {token}"}) as client:
                said = client.call("up__echo", {"mark": "nobody"})
                assert (said.status, "www-authenticate" in said.headers) == (401, True), token
    assert "nobody" not in ours.witness.marks()
    with Client(ours.running.url(), good) as client:
        assert client.call("up__echo").status == 200


def test_litellm_cve_2026_35030_tokens_that_share_a_beginning_share_no_identity(ours: House) -> None:
    alice, bob = (connected(ours.running, name)["access_token"] for name in ("alice", "bob"))
    shared = next(number for number, (one, other) in enumerate(zip(alice, bob, strict=False)) if one != other)
    assert shared > 100
    for _ in range(3):
        for token, may in ((alice, True), (bob, False), (alice[:shared] + bob[shared:-2] + "AA", None), (alice[:-4] + "AAAA", None)):
            with Client(ours.running.url(), token) as client:
                said = client.ask("tools/list")
                assert said.status == (401 if may is None else 200)
                assert may is None or bool(said.result["tools"]) is may


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
def test_python_sdk_cve_2026_52869_a_session_is_one_persons_and_goes_on_with_their_next_token(ours: House, revision: str) -> None:
    url, had = ours.running.url(), connected(ours.running, "alice")
    with Client(url, had["access_token"], revision) as alice:
        alice.open()
        assert alice.call("up__echo", {"mark": f"before {revision}"}).status == 200
        others = {
            "another person through the same client": connected(ours.running, "bob")["access_token"],
            "a sub-agent of the same person": granted(exchanged(ours.running, had["access_token"]))["access_token"],
            "a program": granted(own_token(ours.running))["access_token"],
        }
        for who, token in others.items():
            with Client(url, token, revision, session=alice.session) as thief:
                assert (thief.ask("tools/list").status, thief.call("up__echo", {"mark": "stolen"}).status) == (404, 404), who
        after = granted(refreshed(ours.running, had["refresh_token"]))["access_token"]
        with Client(url, after, revision, session=alice.session) as again:
            assert again.call("up__echo", {"mark": f"after {revision}"}).status == 200
        with Client(url, after, EXCHANGE) as other_era:
            assert other_era.call("up__echo").status == 200
    assert {f"before {revision}", f"after {revision}"} <= set(ours.witness.marks())
    assert "stolen" not in ours.witness.marks()
    assert claims_of(after)["fam"] == claims_of(had["access_token"])["fam"]


def test_mcp_remote_cve_2025_6514_a_sign_in_page_that_is_no_plain_address_is_gone_nowhere(tmp_path: Path) -> None:
    """A provider, or whoever speaks for it, that names something else than an address for its page."""
    endpoints = (
        "javascript:alert(1)",
        "file:///bin/sh",
        "a:$(touch${IFS}pwned)?response_type=code",
        "http://127.0.0.1/$(touch pwned)",
        "https://idp.example/auth\r\nSet-Cookie: a=b",
        "https://idp.example@evil.example/auth",
        ["https://idp.example/auth"],
        "",
        "http://127.0.0.1:9/auth",
    )
    with site() as provider:
        provider.publish("/jwks", {"keys": []})
        whole = document(provider.origin, "http://127.0.0.1:9/mcp", {})
        client = {"client_id": "doorward"}
        names = {}
        for number, endpoint in enumerate(endpoints):
            name, url = f"idp{number}", f"{provider.origin}/{number}"
            told = {"issuer": url, "authorization_endpoint": endpoint, "token_endpoint": f"{url}/token", "jwks_uri": f"{url}/jwks"}
            provider.publish(f"/{number}/.well-known/openid-configuration", told)
            names[name] = issuer(url, sign_in=client)
        whole["identity"]["issuers"] = names
        whole["identity"]["enrol"] = [rule for rule in whole["identity"]["enrol"] if rule["issuer"] == "self"]
        whole["identity"]["authority"] |= {"sign_in": "idp0", "known": {"desk": whole["identity"]["authority"]["known"]["desk"]}}
        policies = '@id("all")\n@reason("Everything.")\npermit (principal, action, resource);\n'
        with doorward(tmp_path, {**whole, "upstreams": {}}, policies, ENVIRONMENT) as running:
            for name, endpoint in zip(names, endpoints, strict=True):
                whole["identity"]["authority"]["sign_in"] = name
                write_config(tmp_path, {**whole, "upstreams": {}}, policies)
                running.admin.post("/v1/reload")
                connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
                connection.request("GET", authorize(running).partition(str(running.port))[2])
                answer = connection.getresponse()
                shown = answer.read()
                connection.close()
                seen = (answer.status, (answer.getheader("Location") or "").partition("?")[0], b"pwned" in shown)
                assert seen == ((303, endpoint, False) if name == "idp8" else (503, "", False)), endpoint
                assert (answer.getheader("Set-Cookie") or "").startswith("doorward-") is (name == "idp8")
        assert not list(tmp_path.rglob("pwned"))
