"""Programs without a browser on the SDK's own clients (private_key_jwt, ID-JAG), and clients that come back for a wider scope."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.e2e.grants import call, claims_of, connected, granted, own_token, proven, token
from tests.e2e.oauth import CLIENT_KEY, SECRET, House, Visit, act, house, issuer, work
from tests.e2e.served import Issuer, issuing

pytestmark = pytest.mark.peer

ASSERTED = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def workforce() -> Iterator[Issuer]:
    """The company's provider of identity assertions."""
    with issuing() as running:
        yield running


@pytest.fixture(scope="module")
def ours(workforce: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway whose authority takes that provider's assertions."""
    issuers = {"staff": issuer(workforce.url)}
    with house(tmp_path_factory.mktemp("machines"), {"issuers": issuers}, assertions=["staff"]) as made:
        yield made


def by_key(ours: House, **more: Any) -> dict[str, Any]:
    return {"kind": "key", "client": "night", "pem": CLIENT_KEY.as_pem(private=True).decode(), "issuer": ours.origin, **more}


def by_assertion(ours: House, *assertions: str, **more: Any) -> dict[str, Any]:
    known = {"client": "courier", "secret": SECRET, "issuer": ours.origin}
    return {"kind": "assertion", **known, "assertions": assertions, **more}


def asserted(ours: House, assertion: str, **changed: str) -> tuple[int, dict[str, Any]]:
    """What `courier` gets for an identity assertion."""
    fields = {
        "grant_type": ASSERTED,
        "assertion": assertion,
        "client_id": "courier",
        "client_secret": SECRET,
        "resource": ours.running.url(),
    }
    return token(ours.running, **(fields | changed))


def test_a_program_calls_by_its_own_key(ours: House) -> None:
    seen = work(ours.running.url(), by_key(ours), [("up__echo", {"mark": "by key"})])
    assert seen.get("failed") is None, seen
    [given] = seen["tokens"]
    said = claims_of(given["access_token"])
    assert (said["sub"], said["client_id"], said["aud"], "refresh_token" in given) == ("night", "night", ours.running.url(), False)
    assert ("up__echo" in seen["tools"], "by key" in ours.witness.marks()) == (True, True)
    [leaf, *_] = ours.running.admin.get("/v1/log?agent=night&limit=1")["leaves"]
    assert "subject" not in leaf or leaf["subject"] in (None, "")


def test_a_program_with_another_key_or_another_id_gets_nothing(ours: House) -> None:
    other = ECKey.generate_key("P-256").as_pem(private=True).decode()
    for changed in ({"pem": other}, {"client": "nobody"}, {"client": "desk"}):
        seen = work(ours.running.url(), by_key(ours) | changed, [("up__echo", {"mark": "wrong key"})])
        assert "invalid_client" in seen["failed"], seen
    assert "wrong key" not in ours.witness.marks()


@pytest.mark.parametrize(
    ("why", "changed"),
    [
        ("for another server", {"aud": "https://other.example"}),
        ("for the token endpoint, not the server", {"aud": "{origin}/oauth/token"}),
        ("for two servers", {"aud": ["{origin}", "https://other.example"]}),
        ("over", {"iat": -700, "exp": -100}),
        ("not begun", {"nbf": 300}),
        ("good for a day", {"exp": 86_400}),
        ("without an end", {"exp": None}),
        ("without a name", {"jti": None}),
        ("of another client", {"iss": "helper"}),
    ],
)
def test_a_client_assertion_that_is_not_meant_for_this_request_proves_nothing(ours: House, why: str, changed: dict[str, Any]) -> None:
    now = claims_of(proven(ours.running, "night")["client_assertion"])["iat"]
    # Numbers are seconds from now.
    filled: Any = {name: now + value if isinstance(value, int) else value for name, value in changed.items()}
    filled = json.loads(json.dumps(filled).replace("{origin}", ours.origin))
    status, said = token(
        ours.running, grant_type="client_credentials", resource=ours.running.url(), **proven(ours.running, "night", **filled)
    )
    assert (status, said.get("error")) == (401, "invalid_client"), why


def test_a_client_assertion_is_good_once(ours: House) -> None:
    shown = proven(ours.running, "night")
    fields = {"grant_type": "client_credentials", "resource": ours.running.url(), **shown}
    assert [token(ours.running, **fields)[0] for _ in range(3)] == [200, 401, 401]


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_an_identity_assertion_lets_a_program_act_for_a_person_who_is_not_asked(ours: House, workforce: Issuer, method: str) -> None:
    assertion = workforce.assertion(ours.origin, ours.running.url())
    seen = work(ours.running.url(), by_assertion(ours, assertion, method=method), [("up__echo", {"mark": f"for alice {method}"})])
    assert seen.get("failed") is None, seen
    said = claims_of(seen["tokens"][0]["access_token"])
    assert (said["sub"], said["groups"], said["client_id"]) == ("staff:alice", ["staff:sales"], "courier")
    # Another issuer's people are other people: what is permitted to `corp:sales` is nothing to them.
    assert seen["tools"] == ["up__echo"]
    assert f"for alice {method}" in ours.witness.marks()


def test_an_identity_assertion_is_good_once_for_us_for_its_client_and_within_its_bounds(ours: House, workforce: Issuer) -> None:
    here = ours.running.url()
    once = workforce.assertion(ours.origin, here)
    assert [asserted(ours, once)[0] for _ in range(2)] == [200, 400]
    narrow = granted(asserted(ours, workforce.assertion(ours.origin, here, scope="mcp:read")))
    assert narrow["scope"] == "mcp:read"
    assert ("refresh_token" in narrow) is False
    refused = {
        "for another server": asserted(ours, workforce.assertion("https://other.example", here)),
        "for two servers": asserted(ours, workforce.assertion(ours.origin, here, aud=[ours.origin, "https://other.example"])),
        "for another client": asserted(ours, workforce.assertion(ours.origin, here, client_id="night")),
        "for another endpoint": asserted(ours, workforce.assertion(ours.origin, ours.running.url("up"))),
        "wider than it says": asserted(ours, workforce.assertion(ours.origin, here, scope="mcp:read"), scope="mcp"),
        "an access token": asserted(ours, workforce.access_token(ours.origin)),
        "tied to a key that is not shown": asserted(ours, workforce.assertion(ours.origin, here, cnf={"jkt": "x" * 43})),
        "over": asserted(ours, workforce.assertion(ours.origin, here, exp=1_000_000_000)),
        "without a name": asserted(ours, workforce.assertion(ours.origin, here, jti=None)),
        "of nobody we trust": asserted(ours, workforce.assertion(ours.origin, here, iss="https://idp.example")),
        "with a wrong secret": asserted(ours, workforce.assertion(ours.origin, here), client_secret=SECRET + "x"),
        "with no secret": token(
            ours.running, grant_type=ASSERTED, assertion=workforce.assertion(ours.origin, here), client_id="courier", resource=here
        ),
        "by a client without this grant": token(
            ours.running,
            grant_type=ASSERTED,
            assertion=workforce.assertion(ours.origin, here, client_id="night"),
            **proven(ours.running, "night"),
        ),
    }
    assert {why: said for why, said in refused.items() if said[0] not in (400, 401)} == {}


def test_a_token_that_only_reads_is_told_what_to_ask_for(ours: House) -> None:
    reads = granted(own_token(ours.running, "helper", scope="mcp:read"))["access_token"]
    assert call(ours.running.url(), reads, mark="may read").status == 200
    said = call(ours.running.url(), reads, "side__echo", mark="may not")
    assert said.status == 403
    challenge = said.headers["www-authenticate"]
    metadata = f'resource_metadata="{ours.origin}/.well-known/oauth-protected-resource/mcp"'
    assert all(part in challenge for part in ('error="insufficient_scope"', 'scope="mcp:side"', metadata)), challenge
    assert "may not" not in ours.witness.marks()
    wide = granted(own_token(ours.running, "helper", scope="mcp:read mcp:side"))["access_token"]
    assert call(ours.running.url(), wide, "side__echo", mark="stepped up").status == 200
    assert "stepped up" in ours.witness.marks()


def test_what_policy_denies_is_no_question_of_scope(ours: House) -> None:
    reads = granted(own_token(ours.running, "night", scope="mcp:read"))["access_token"]
    said = call(ours.running.url(), reads, "up__other")
    assert (said.reason, said.status == 403, "www-authenticate" in said.headers) == ("unknown_target", False, False)


@pytest.mark.parametrize("agent", ["python", "typescript"])
def test_an_agent_that_may_only_read_comes_back_with_a_wider_scope(ours: House, agent: str) -> None:
    had = connected(ours.running, scope="mcp:read")
    if agent == "typescript":
        # Its SDK (1.32) would try that first, get as much again, and give up.
        del had["refresh_token"]
    alice = Visit("alice")
    kept = {"token": had, "client": {"client_id": "desk", "issuer": ours.origin, "redirect_uris": ["http://127.0.0.1:9/callback"]}}
    calls = [("up__echo", {"mark": f"read {agent}"}), ("up__other", {"mark": f"written {agent}"})]
    seen = act(agent, ours.running.url(), alice, calls, kept=kept)
    assert seen.get("failed") is None, seen
    assert {f"read {agent}", f"written {agent}"} <= set(ours.witness.marks())
    assert len(alice.questions) == 1
    assert "mcp:up" in claims_of(seen["token"]["access_token"])["scope"].split(" ")
