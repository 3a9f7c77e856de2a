"""Tokens that are bound to a key of the client (DPoP, RFC 9449): stolen they are no use, and where everything must be bound nothing else is one."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from joserfc.jwk import ECKey

from tests.e2e.client import Said
from tests.e2e.grants import (
    ACCESS_TOKEN,
    EXCHANGE,
    VERIFIER,
    asked_for,
    bound_call,
    call,
    claims_of,
    connected,
    granted,
    own_token,
    posted,
    proof,
    proven,
)
from tests.e2e.oauth import CALLBACK, House, Visit, house
from tests.oidc import ROBOT

pytestmark = pytest.mark.peer

KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway that takes bound tokens and others."""
    with house(tmp_path_factory.mktemp("bound")) as made:
        yield made


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway that takes no others."""
    with house(tmp_path_factory.mktemp("strict"), {"require_bound": True}) as made:
        yield made


def tokens(ours: House, key: ECKey | None = KEY, **fields: str) -> tuple[int, dict[str, Any]]:
    """What the token endpoint answers to a request with a proof of a key."""
    shown = {} if key is None else {"DPoP": proof(key, f"{ours.origin}/oauth/token")}
    return posted(ours.running, "/oauth/token", fields, shown)


def for_alice(ours: House, key: ECKey | None = KEY, **asked: str) -> tuple[int, dict[str, Any]]:
    """What `desk` gets for alice's code with a proof of a key."""
    code = asked_for(ours.running, Visit("alice"), **asked)["code"]
    fields = {"client_id": "desk", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return tokens(ours, key, grant_type="authorization_code", **fields)


def thumbprint(key: ECKey) -> str:
    return key.thumbprint()


def test_a_bound_token_works_with_a_proof_of_its_key_for_this_request_alone(ours: House) -> None:
    had = granted(for_alice(ours))
    bearing, url = had["access_token"], ours.running.url()
    assert (had["token_type"], claims_of(bearing)["cnf"]) == ("DPoP", {"jkt": thumbprint(KEY)})
    good = proof(KEY, url, bearing)
    assert bound_call(url, bearing, good, "bound").status == 200
    now = int(time.time())
    refused: dict[str, Said] = {
        "as a bearer token": call(url, bearing),
        "as a bearer token with a proof": call(url, bearing, DPoP=proof(KEY, url, bearing)),
        "without a proof": bound_call(url, bearing, None),
        "with a proof that was shown before": bound_call(url, bearing, good, "replayed"),
        "with a proof of another key": bound_call(url, bearing, proof(OTHER, url, bearing)),
        "with a proof for another endpoint": bound_call(url, bearing, proof(KEY, ours.running.url("up"), bearing)),
        "with a proof for another host": bound_call(url, bearing, proof(KEY, "https://mcp.example.com/mcp", bearing)),
        "with a proof for another method": bound_call(url, bearing, proof(KEY, url, bearing, htm="GET")),
        "with a proof for another token": bound_call(url, bearing, proof(KEY, url, bearing + "x")),
        "with a proof for no token": bound_call(url, bearing, proof(KEY, url)),
        "with a proof of yesterday": bound_call(url, bearing, proof(KEY, url, bearing, iat=now - 86_400)),
        "with a proof of tomorrow": bound_call(url, bearing, proof(KEY, url, bearing, iat=now + 86_400)),
        "with a proof without a name": bound_call(url, bearing, proof(KEY, url, bearing, jti="")),
        "with half a proof": bound_call(url, bearing, good[:-10]),
        "with two proofs": bound_call(url, bearing, f"{proof(KEY, url, bearing)}, {proof(KEY, url, bearing)}"),
        "at another endpoint": bound_call(ours.running.url("up"), bearing, proof(KEY, ours.running.url("up"), bearing)),
    }
    assert {how: said.status for how, said in refused.items() if said.status != 401} == {}
    assert "invalid_dpop_proof" in refused["with a proof that was shown before"].headers["www-authenticate"]
    assert "replayed" not in ours.witness.marks()


def test_an_unbound_token_is_not_shown_as_a_bound_one(ours: House) -> None:
    bearing, url = granted(own_token(ours.running))["access_token"], ours.running.url()
    assert bound_call(url, bearing, proof(KEY, url, bearing)).status == 401
    assert call(url, bearing).status == 200


def test_a_bound_refresh_token_and_a_code_for_a_key_are_no_use_to_another_key(ours: House) -> None:
    had = granted(for_alice(ours))
    fields = {"grant_type": "refresh_token", "client_id": "desk", "refresh_token": had["refresh_token"]}
    assert [tokens(ours, key, **fields)[0] for key in (None, OTHER, KEY)] == [400, 400, 200]
    assert [for_alice(ours, key, dpop_jkt=thumbprint(KEY))[0] for key in (None, OTHER, KEY)] == [400, 400, 200]


def test_what_is_handed_on_of_a_bound_token_is_bound_too(ours: House) -> None:
    parent = granted(for_alice(ours))["access_token"]
    fields = {"grant_type": EXCHANGE, "subject_token": parent, "subject_token_type": ACCESS_TOKEN}
    assert tokens(ours, None, **fields, **proven(ours.running, "helper"))[0] == 400
    child = granted(tokens(ours, OTHER, **fields, **proven(ours.running, "helper")))["access_token"]
    url = ours.running.url()
    assert [bound_call(url, child, proof(key, url, child)).status for key in (KEY, OTHER)] == [401, 200]


def company_token(ours: House, key: ECKey) -> str:
    """The robot's token of the company's provider, bound to a key there."""
    url = f"{ours.company.issuer}/token"
    basic = b64encode(f"robot:{ROBOT['client_secret']}".replace(" ", "+").replace(",", "%2C").encode()).decode()
    fields = {"grant_type": "client_credentials", "resource": ours.running.url(), "scope": "mcp"}
    request = Request(url, urlencode(fields).encode(), {"Authorization": f"Basic {basic}", "DPoP": proof(key, url)})
    with urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["access_token"])


def test_a_token_that_the_companys_provider_has_bound_is_bound_here(ours: House) -> None:
    bearing, url = company_token(ours, KEY), ours.running.url()
    assert claims_of(bearing)["cnf"] == {"jkt": thumbprint(KEY)}
    assert bound_call(url, bearing, proof(KEY, url, bearing), "a bound robot").status == 200
    assert [bound_call(url, bearing, proof(OTHER, url, bearing)).status, call(url, bearing).status] == [401, 401]


def test_where_tokens_must_be_bound_no_other_is_given_or_taken(strict: House) -> None:
    url = strict.running.url()
    for said in (for_alice(strict, None), own_token(strict.running)):
        assert (said[0], said[1]["error"]) == (400, "invalid_request")
    robot = strict.company.token_for_robot(url)
    assert call(url, robot).status == 401
    bound = company_token(strict, KEY)
    assert bound_call(url, bound, proof(KEY, url, bound)).status == 200
    had = granted(for_alice(strict))["access_token"]
    assert bound_call(url, had, proof(KEY, url, had), "bound in the strict house").status == 200
    connection = Request(f"{strict.origin}/.well-known/oauth-protected-resource/mcp")
    with urlopen(connection, timeout=20) as answer:
        assert json.load(answer)["dpop_bound_access_tokens_required"] is True


def test_a_bound_token_and_one_that_is_not_are_told_apart_in_the_log(ours: House) -> None:
    url = ours.running.url()
    had = granted(for_alice(ours))["access_token"]
    for said in (bound_call(url, had, proof(KEY, url, had)), call(url, connected(ours.running)["access_token"])):
        assert said.receipt
