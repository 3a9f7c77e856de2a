"""Proofs of possession: for one request, of one key, once."""

import json
from typing import Any

import pytest
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from doorward.domain.reasons import Reason, Refused
from doorward.identity.tokens.dpop import AGE_SECONDS, Proofs, Wanted, access_token_hash
from tests.identity.tokens.mint import AUDIENCE, EC, ED, NOW, OTHER, RSA, b64, claims, header, proof, signed, thumbprint, token
from tests.made import Clock

TOKEN = "a.b.c"


def wanted(request: int = 1, **changed: str) -> Wanted:
    usual = {"method": "POST", "url": AUDIENCE, "ath": access_token_hash(TOKEN)}
    return Wanted(**(usual | changed), request=request)


def refusal(proofs: Proofs, text: str, request: int = 1, key: str | None = None, **changed: str) -> str:
    with pytest.raises(Refused) as caught:
        proofs.check(text, wanted(request, **changed), key)
    assert caught.value.reason is Reason.UNAUTHENTICATED
    return caught.value.detail


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def proofs(clock: Clock) -> Proofs:
    return Proofs(clock)


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519"), (RSA, "PS256"), (RSA, "RS256")])
def test_a_proof_names_its_key(proofs: Proofs, key: Key, alg: str) -> None:
    assert proofs.check(proof(TOKEN, key, {"alg": alg}), wanted(), None) == thumbprint(key)


def test_the_same_request_may_show_it_again_and_no_other(proofs: Proofs) -> None:
    text = proof(TOKEN)
    assert proofs.check(text, wanted(1), None) == proofs.check(text, wanted(1), None)
    assert "shown before" in refusal(proofs, text, 2)
    assert "shown before" in refusal(proofs, proof(TOKEN, iat=NOW - 1), 3)
    assert proofs.check(proof(TOKEN, jti="another"), wanted(2), None)


def test_requests_that_nobody_counts_are_all_different(proofs: Proofs) -> None:
    text = proof(TOKEN)
    proofs.check(text, wanted(0), None)
    assert "shown before" in refusal(proofs, text, 0)


def test_two_keys_may_use_one_jti(proofs: Proofs) -> None:
    assert proofs.check(proof(TOKEN), wanted(1), None) != proofs.check(proof(TOKEN, OTHER), wanted(2), None)


def test_a_proof_of_another_key_is_refused_and_leaves_no_trace(proofs: Proofs) -> None:
    text = proof(TOKEN)
    assert "another key" in refusal(proofs, text, key=thumbprint(ED))
    assert proofs.check(text, wanted(2), thumbprint(EC))


@pytest.mark.parametrize("away", [-AGE_SECONDS, AGE_SECONDS])
def test_the_time_of_a_proof_is_bounded_both_ways(proofs: Proofs, away: float) -> None:
    assert "made within" in refusal(proofs, proof(TOKEN, iat=NOW + away))
    assert proofs.check(proof(TOKEN, iat=NOW + away * 0.99), wanted(), None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"htm": "GET"}, "htm"),
        ({"htm": "post"}, "htm"),
        ({"htm": None}, "htm"),
        ({"htu": AUDIENCE + "/git"}, "htu"),
        ({"htu": AUDIENCE + "/"}, "htu"),
        ({"htu": "https://mcp.example.com.evil.example/mcp"}, "htu"),
        ({"htu": "http://mcp.example.com/mcp"}, "htu"),
        ({"htu": None}, "htu"),
        ({"htu": "/mcp"}, "htu"),
        ({"jti": None}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 257}, "jti"),
        ({"iat": None}, "iat"),
        ({"iat": str(NOW)}, "iat"),
        ({"iat": True}, "iat"),
        ({"ath": access_token_hash("another")}, "another access token"),
        ({"ath": None}, "another access token"),
    ],
)
def test_what_a_proof_must_say(proofs: Proofs, changed: dict[str, Any], why: str) -> None:
    assert why in refusal(proofs, proof(TOKEN, **changed))


@pytest.mark.parametrize("spelled", ["https://MCP.example.com/mcp", "https://mcp.example.com:443/mcp", AUDIENCE + "?x=1", AUDIENCE + "#f"])
def test_another_spelling_of_the_same_place_is_the_same(proofs: Proofs, spelled: str) -> None:
    assert proofs.check(proof(TOKEN, htu=spelled), wanted(), None)


def test_no_token_hash_is_asked_for_where_no_token_comes(proofs: Proofs) -> None:
    assert proofs.check(proof(None), wanted(ath=""), None)


JWK = EC.as_dict(private=False)


@pytest.mark.parametrize(
    "head",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": "ES512"},
        {"jwk": None},
        {"jwk": {"kty": "oct", "k": "eA"}},
        {"jwk": EC.as_dict(private=True)},
        {"jwk": {**JWK, "x": "AAAA"}},
        {"jwk": {"kty": "EC"}},
        {"jwk": {**JWK, "use": "enc"}},
        {"jwk": OTHER.as_dict(private=False)},
        {"jku": "https://evil.example/keys"},
        {"x5c": []},
        {"crit": ["exp"]},
        {"b64": False},
    ],
)
def test_a_proof_with_a_wrong_header_is_refused(proofs: Proofs, head: dict[str, object]) -> None:
    said = {name: value for name, value in ({"typ": "dpop+jwt", "alg": "ES256", "jwk": JWK} | head).items() if value is not None}
    text = json.dumps({"jti": "p", "htm": "POST", "htu": AUDIENCE, "iat": NOW, "ath": access_token_hash(TOKEN)})
    body = f"{b64(json.dumps(said).encode())}.{b64(text.encode())}"
    refusal(proofs, f"{body}.{b64(JWSRegistry.algorithms['ES256'].sign(body.encode(), EC))}")


def test_an_access_token_is_no_proof(proofs: Proofs) -> None:
    refusal(proofs, token())
    refusal(proofs, signed(claims(jti="p", htm="POST", htu=AUDIENCE), header(jwk=JWK)))


def test_while_there_is_no_room_to_remember_nothing_is_taken(clock: Clock) -> None:
    proofs = Proofs(clock, most=8)
    keys: list[Key] = [EC, OTHER, RSA, ED]
    assert proofs.check(proof(TOKEN), wanted(1), None)
    assert "no room" in refusal(proofs, proof(TOKEN, jti="q"), 2)
    for key, alg in zip(keys[1:], ("ES256", "RS256", "EdDSA"), strict=True):
        assert proofs.check(proof(TOKEN, key, {"alg": alg}), wanted(3), None)
    clock.at += AGE_SECONDS + 10
    assert proofs.check(proof(TOKEN, jti="q", iat=clock.at), wanted(4), None)


def test_what_could_still_be_replayed_is_never_forgotten(clock: Clock) -> None:
    proofs = Proofs(clock)
    ahead = proof(TOKEN, iat=NOW + 299)
    proofs.check(ahead, wanted(1), None)
    for number in range(1, 60):
        clock.at = NOW + number * 10
        proofs.check(proof(TOKEN, jti=str(number), iat=clock.at), wanted(number + 1), None)
        if clock.at < NOW + 599:
            assert "shown before" in refusal(proofs, ahead, 1000)
    clock.at = NOW + 599
    assert "made within" in refusal(proofs, ahead, 1001)


def test_a_request_that_takes_long_may_still_show_its_proof_again(proofs: Proofs) -> None:
    text = proof(TOKEN)
    proofs.check(text, wanted(1), None)
    for number in range(2, 1100):
        proofs.check(proof(TOKEN, jti=str(number)), wanted(number), None)
    assert proofs.check(text, wanted(1), None)
    assert "shown before" in refusal(proofs, text, 2)
