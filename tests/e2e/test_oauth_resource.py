"""Whose tokens are good, and where: one endpoint each, the company's groups, clients that are known, clocks apart, keys that go or cannot be had."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.browser import Browser
from tests.e2e.client import Client
from tests.e2e.grants import authorize, call, connected, granted, own_token, posted, signed
from tests.e2e.log import until
from tests.e2e.oauth import ENVIRONMENT, House, Visit, gateway, house, issuer
from tests.e2e.served import Issuer, issuing
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, start
from tests.oidc import provider

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def other() -> Iterator[Issuer]:
    """A second issuer, which signs whatever a test wants."""
    with issuing() as running:
        yield running


def trusting(other: Issuer) -> dict[str, object]:
    """The part of the document that trusts it, for one of its clients."""
    rule = {"issuer": "other", "client": "agent", "agent": "robot-of-others", "team": "machines", "owner": "platform"}
    return {"issuers": {"other": issuer(other.url, scopes={"use": ["mcp"]})}, "enrol": [rule]}


@pytest.fixture(scope="module")
def ours(other: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with three issuers: the company's, the other one, and itself."""
    with house(tmp_path_factory.mktemp("resource"), trusting(other)) as made:
        yield made


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def lists(running: Running, token: str, upstream: str = "") -> int:
    """The status of a list, which every known agent may ask for."""
    with Client(running.url(upstream), token) as client:
        return client.ask("tools/list").status


def test_a_token_is_for_one_endpoint_whoever_issued_it(ours: House, other: Issuer) -> None:
    running = ours.running
    for upstream in ("", "up"):
        resource = running.url(upstream)
        for token in (
            granted(own_token(running, resource=resource))["access_token"],
            ours.company.token_for_robot(resource),
            other.access_token(resource),
        ):
            there = {at: lists(running, token, at) for at in ("", "up", "side")}
            assert there == {at: 200 if at == upstream else 401 for at in there}


def test_a_token_of_a_trusted_issuer_for_somebody_else_is_refused(ours: House, other: Issuer) -> None:
    here = ours.running.url()
    for audience in (
        "https://mcp.example.com/mcp",
        ours.origin,
        f"{here}/",
        here.upper(),
        here.replace("127.0.0.1", "localhost"),
        "doorward",
    ):
        assert lists(ours.running, other.access_token(audience)) == 401, audience
    for audience in ("https://mcp.example.com/mcp", ours.origin):
        assert lists(ours.running, ours.company.token_for_robot(audience)) == 401, audience
    assert lists(ours.running, other.access_token([here, "https://other.example"])) == 200


def test_a_token_that_is_no_access_token_of_a_trusted_issuer_is_refused(ours: House, other: Issuer) -> None:
    here, now = ours.running.url(), int(time.time())
    claims = {"iss": other.url, "aud": here, "client_id": "agent", "sub": "agent", "scope": "mcp", "iat": now, "exp": now + 300}
    plain = signed(claims, "at+jwt", other.key, kid=other.key.kid).split(".")
    as_secret = b64(b'{"alg":"HS256","typ":"at+jwt","kid":"first"}') + f".{plain[1]}"
    by_secret = b64(hmac.digest(other.key.as_pem(private=False), as_secret.encode(), "sha256"))
    unsigned = b64(b'{"alg":"none","typ":"at+jwt"}') + f".{plain[1]}."
    refused = {
        "an ID token": signed(claims, "JWT", other.key, kid=other.key.kid),
        "an identity assertion": other.assertion(here, here),
        "signed with the public key as a secret": f"{as_secret}.{by_secret}",
        "signed with nothing": unsigned,
        "by a key of the same name": signed(claims, "at+jwt", ECKey.generate_key("P-256"), kid=other.key.kid),
        "by a key that it brings along": signed(claims, "at+jwt", other.key, jwk=other.key.as_dict(private=False)),
        "by a key of another kind": signed(claims, "at+jwt", RSAKey.generate_key(2048), kid=other.key.kid),
        "by a key that is a path": signed(claims, "at+jwt", other.key, kid="../../../dev/null"),
        "as another issuer": other.access_token(here, iss=ours.company.issuer),
        "as our authority": other.access_token(here, iss=ours.origin),
        "of nobody": other.access_token(here, iss="https://nobody.example"),
        "without an end": other.access_token(here, exp=None),
        "of no client": other.access_token(here, client_id=None),
        "of a client that no rule knows": other.access_token(here, client_id="stranger"),
        "by an actor that no rule knows": other.access_token(here, act={"sub": "stranger"}),
        "for everybody": other.access_token([]),
        "for nobody": other.access_token("", aud=None),
    }
    assert lists(ours.running, other.access_token(here)) == 200
    assert {why: status for why, token in refused.items() if (status := lists(ours.running, token)) != 401} == {}


@pytest.mark.parametrize(("claim", "within", "beyond"), [("nbf", 50, 80), ("iat", 50, 80), ("exp", -50, -80)])
def test_clocks_may_differ_by_a_minute(ours: House, other: Issuer, claim: str, within: int, beyond: int) -> None:
    for seconds, status in ((within, 200), (beyond, 401)):
        token = other.access_token(ours.running.url(), **{claim: int(time.time()) + seconds})
        assert lists(ours.running, token) == status


def test_an_issuer_cannot_speak_of_anothers_people_and_its_scopes_are_its_own_words(ours: House, other: Issuer) -> None:
    here = ours.running.url()
    mine = other.access_token(here, sub="corp:alice", groups=["corp:sales", "sales"], scope="use")
    with Client(here, mine) as client:
        assert [tool["name"] for tool in client.ask("tools/list").result["tools"]] == ["up__wait"]
        assert client.call("up__echo", {"mark": "not of corp"}).reason == "unknown_target"
    assert "not of corp" not in ours.witness.marks()


def test_policies_see_the_groups_that_the_companys_provider_says(ours: House) -> None:
    tokens = {name: connected(ours.running, name)["access_token"] for name in ("alice", "bob", "mallory")}
    reasons = {name: call(ours.running.url(), token, mark=f"of {name}").reason for name, token in tokens.items()}
    assert reasons == {"alice": "", "bob": "unknown_target", "mallory": "unknown_target"}
    assert [mark for mark in ours.witness.marks() if mark.startswith("of ")] == ["of alice"]


def test_a_client_that_nobody_knows_registers_nowhere_and_gets_nothing(ours: House) -> None:
    status, said = posted(ours.running, "/oauth/register", {"redirect_uris": "http://127.0.0.1/callback"})
    assert (status, "client_id" in said) in ((403, False), (404, False), (415, False))
    for client in ("dyn-0123456789abcdef", "stranger", "robot", "doorward"):
        page = Visit("alice").browser.get(authorize(ours.running, client))
        assert (page.status, page.url.startswith(ours.origin)) == (400, True)
        assert own_token(ours.running, client)[0] == 401


def test_a_token_is_taken_from_its_header_alone(ours: House) -> None:
    token = granted(own_token(ours.running))["access_token"]
    with Client(f"{ours.running.url()}?access_token={token}", "") as client:
        client._path += f"?access_token={token}"
        assert client.ask("tools/list").status in (400, 401)
    with Client(ours.running.url(), "", extra={"Cookie": f"access_token={token}", "X-Access-Token": token}) as client:
        assert client.ask("tools/list").status == 401


def test_keys_of_an_issuer_that_change_are_followed_and_those_that_go_are_gone(ours: House, other: Issuer) -> None:
    here = ours.running.url()
    before = other.access_token(here)
    assert lists(ours.running, before) == 200
    other.key = ECKey.generate_key("P-256", {"kid": "second"})
    after = other.access_token(here)
    other.publish_keys()
    asked = len(other.site.asked)
    # Asked for at once, unless that was done within 15 seconds: made-up names of keys make nobody ask without end.
    for number in range(40):
        other.key = ECKey.generate_key("P-256", {"kid": f"invented-{number}"})
        assert lists(ours.running, other.access_token(here)) == 401
    assert len(other.site.asked) - asked <= 4
    until(lambda: lists(ours.running, after) == 200)
    assert lists(ours.running, before) == 401


@pytest.fixture
def witness() -> Iterator[Witness]:
    with witnessing() as running:
        yield running


def test_a_provider_that_is_gone_stops_nobody_whose_keys_are_known_and_lets_nobody_in_without(witness: Witness, tmp_path: Path) -> None:
    with ExitStack() as away, ExitStack() as here_still:
        company = away.enter_context(provider())
        made = here_still.enter_context(gateway(tmp_path, company, witness))
        running, here = made.running, made.running.url()
        used, unused = company.token_for_robot(here), company.token_for_robot(here)
        own = connected(running)["access_token"]
        assert lists(running, used) == 200
        away.close()
        assert [lists(running, token) for token in (used, unused, own)] == [200, 200, 200]
        # Its pages are known for an hour: the browser is sent where nobody listens, and nobody is let in.
        bob = Visit("bob", Browser(stops_at=(company.issuer,)))
        assert bob.browser.get(authorize(running)).url.startswith(company.issuer)
        running.kill()
        again = start(tmp_path, ENVIRONMENT)
        try:
            assert [lists(again, token) for token in (used, unused)] == [401, 401]
            assert bob.browser.get(authorize(again)).status == 503
            assert lists(again, granted(own_token(again))["access_token"]) == 200
        finally:
            again.kill()
