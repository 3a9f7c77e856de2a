"""Whether an access token is good: every way in which one is not, one by one and ten thousand at random."""

import hmac
import json
import random
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from doorward.domain.actors import Principal
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import Chain, NotYetError
from doorward.identity.tokens.issuer import own
from doorward.identity.tokens.jws import check_signature, read
from doorward.net.oauth.jose import fits
from tests.identity.tokens.mint import EC, ED, NOW, OTHER, RSA, URL, House, b64, claims, header, signed, token

pytestmark = pytest.mark.anyio


async def refused(text: str, why: str = "", **declared: Any) -> None:
    house = await House(**declared).ready()
    house.clock.at += 60
    house.web.pages.clear()
    with pytest.raises(Refused) as caught:
        await Chain([house.source]).identified(house.shown(text))
    assert caught.value.reason is Reason.UNAUTHENTICATED
    assert why in caught.value.detail


async def accepted(text: str, **declared: Any) -> Principal:
    return (await House(**declared).ready()).identified(text)


# Signature, algorithm and key.


async def test_a_token_of_another_key_of_the_same_name_is_refused() -> None:
    await refused(signed(claims(), key=OTHER), "signature is wrong")


async def test_no_signature_is_no_token() -> None:
    for alg in ("none", "None", "NONE", ""):
        body = f"{b64(json.dumps(header(alg=alg)).encode())}.{b64(json.dumps(claims()).encode())}"
        await refused(f"{body}.", "asymmetric")
        await refused(f"{body}.AAAA", "asymmetric")


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_public_key_is_never_a_shared_secret(alg: str) -> None:
    """Algorithm confusion: the attacker knows the public key in every form it is written."""
    forms = [RSA.as_pem(private=False), RSA.as_der(private=False), json.dumps(RSA.as_dict(private=False)).encode()]
    for form in (*forms, RSA.as_pem(private=False).strip()):
        body = f"{b64(json.dumps(header(alg=alg, kid='two')).encode())}.{b64(json.dumps(claims()).encode())}"
        await refused(f"{body}.{b64(hmac.digest(form, body.encode(), f'sha{alg[2:]}'))}", "asymmetric", algorithms=["RS256", "ES256"])


async def test_an_algorithm_that_the_issuer_does_not_use_is_refused_with_a_right_signature() -> None:
    await refused(signed(claims(), header(alg="PS256", kid="two"), RSA), "expected ES256, RS256")
    await refused(signed(claims()), "expected RS256", algorithms=["RS256"])


async def test_the_key_says_for_which_algorithm_it_is() -> None:
    house = await House(algorithms=["RS256", "PS256"]).ready()
    house.web.pages[f"{URL}/keys"] = {"keys": [RSA.as_dict(private=False) | {"alg": "RS256"}]}
    house.clock.at += 60
    await house.trust.of(URL).keys.refresh()  # type: ignore[union-attr]
    assert house.identified(signed(claims(), header(alg="RS256", kid="two"), RSA))
    with pytest.raises(NotYetError):
        house.identified(signed(claims(), header(alg="PS256", kid="two"), RSA))


@pytest.mark.parametrize("kid", ["../../../dev/null", "' OR 1=1 --", "two\x00", "http://evil.example/k", "", "ONE", " one", "one\n"])
async def test_a_key_id_is_a_name_and_nothing_else(kid: str) -> None:
    await refused(signed(claims(), header(kid=kid)))


@pytest.mark.parametrize("kid", [7, ["one"], {"k": "one"}, True, "x" * 257])
async def test_a_key_id_of_another_kind_is_refused(kid: object) -> None:
    await refused(signed(claims(), header(kid=kid)), "kid")


async def test_without_a_key_id_the_one_key_for_the_algorithm_is_meant() -> None:
    assert await accepted(signed(claims(), header(kid=None)))


@pytest.mark.parametrize(
    "more",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"jwk": OTHER.as_dict(private=False)},
        {"x5c": ["AAAA"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"jku": None},
    ],
)
async def test_a_header_that_says_how_to_verify_is_refused(more: dict[str, object]) -> None:
    await refused(signed(claims(), header() | more), "expected a token header without")


@pytest.mark.parametrize("typ", [None, "JWT", "dpop+jwt", "logout+jwt", "secevent+jwt", "at+jwt ", "application/jwt", 7])
async def test_only_access_tokens_are_access_tokens(typ: object) -> None:
    await refused(signed(claims(), header(typ=typ)), "typ")


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
async def test_the_type_is_a_media_type(typ: str) -> None:
    assert await accepted(signed(claims(), header(typ=typ)))


# What it says.


@pytest.mark.parametrize("name", ["exp", "aud", "iss", "client_id"])
async def test_what_a_token_must_say(name: str) -> None:
    await refused(token(**{name: None}))


@pytest.mark.parametrize("late", [60, 61, 3600, 80_000])
async def test_a_token_is_over_when_its_end_and_the_leeway_have_passed(late: float) -> None:
    house = await House().ready()
    text = token(exp=NOW)
    house.clock.at = NOW + late
    assert "expired" in house.refusal(text).detail


@pytest.mark.parametrize("late", [-1, 0, 59, 59.999])
async def test_a_clock_that_is_a_minute_off_is_forgiven_at_the_end(late: float) -> None:
    house = await House().ready()
    house.clock.at = NOW + late
    assert house.identified(token(exp=NOW, iat=NOW - 600))


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_clock_that_is_a_minute_off_is_forgiven_at_the_start(claim: str) -> None:
    assert await accepted(token(**{claim: NOW + 60}))
    house = await House().ready()
    assert "of the future" in house.refusal(token(**{claim: NOW + 60.01})).detail


async def test_a_token_that_lives_longer_than_its_issuer_may_give_is_refused() -> None:
    assert await accepted(token(iat=NOW, exp=NOW + 300), longest_seconds=300)
    await refused(token(iat=NOW - 1, exp=NOW + 300), "at most 300 seconds", longest_seconds=300)
    assert await accepted(token(iat=NOW, exp=NOW + 86_400))


async def test_where_a_life_is_bounded_a_token_says_when_it_began() -> None:
    without = {name: value for name, value in claims(exp=NOW + 60).items() if name != "iat"}
    await refused(signed(without), "no iat", longest_seconds=300)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1900000000", True, [], {}, -1, 2**60])
async def test_a_time_is_a_number_of_this_epoch(claim: str, value: object) -> None:
    await refused(token(**{claim: value}), claim)


async def test_a_time_may_have_fractions() -> None:
    assert await accepted(token(exp=NOW + 0.5, iat=NOW - 0.5))


@pytest.mark.parametrize(
    "aud",
    [
        "https://mcp.example.com/mcp/",
        "https://mcp.example.com/mcp/git",
        "https://mcp.example.com",
        "https://MCP.example.com/mcp",
        "https://evil.example/mcp",
        ["https://other.example"],
        [],
        "",
        7,
        {"https://mcp.example.com/mcp": 1},
        ["https://mcp.example.com/mcp", 7],
        [["https://mcp.example.com/mcp"]],
        ["https://mcp.example.com/mcp"] * 33,
    ],
)
async def test_a_token_for_somebody_else_is_refused(aud: object) -> None:
    await refused(token(aud=aud))


async def test_a_token_may_be_for_several() -> None:
    assert await accepted(token(aud=["https://other.example", "https://mcp.example.com/mcp"]))


async def test_configured_audiences_stand_in_place_of_the_endpoint() -> None:
    assert await accepted(token(aud="api://doorward"), audiences=["api://doorward"])
    await refused(token(), "expected a token for", audiences=["api://doorward"])


@pytest.mark.parametrize("iss", [URL + "/", URL.upper(), "http://idp.example.com", "", 7, [URL]])
async def test_the_issuer_is_compared_character_by_character(iss: object) -> None:
    await refused(token(iss=iss), "no issuer")


@pytest.mark.parametrize("more", [{"at_hash": "x"}, {"c_hash": "x"}, {"s_hash": "x"}, {"events": {}}])
async def test_other_tokens_of_the_same_issuer_are_refused(more: dict[str, object]) -> None:
    await refused(token(**more), "claim of other tokens")


# How it is written.


@pytest.mark.parametrize(
    "said",
    [
        '{"iss": "https://idp.example.com", "sub": "mallory", ' + json.dumps(claims())[1:],
        json.dumps(claims())[:-1] + ', "sub": "mallory"}',
        json.dumps(claims())[:-1] + ', "exp": NaN}',
        json.dumps(claims())[:-1] + ', "x": 1e999}',
        json.dumps(claims())[:-1] + ', "x": "\\ud800"}',
        json.dumps(claims()) + "{}",
        "\ufeff" + json.dumps(claims()),
        json.dumps([claims()]),
        "null",
        "",
        json.dumps(claims())[:-1] + ', "x": ' + "[" * 40 + "]" * 40 + "}",
    ],
)
async def test_claims_that_could_be_read_in_two_ways_are_refused(said: str) -> None:
    await refused(signed(said), "payload")


@pytest.mark.parametrize(
    "head",
    ['{"alg": "ES256", "alg": "ES256", "kid": "one", "typ": "at+jwt"}', '{"alg":"ES256","kid":"two","kid":"one","typ":"at+jwt"}'],
)
async def test_a_header_that_could_be_read_in_two_ways_is_refused(head: str) -> None:
    await refused(signed(claims(), head), "header")


async def test_a_token_has_one_spelling() -> None:
    text = token()
    head, payload, signature = text.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = signature[:-1] + last[last.index(signature[-1]) ^ 1]
    for changed in (
        f"{text}=",
        f"{text}==",
        f"{head}.{payload}.{other}",
        f"{head}=.{payload}.{signature}",
        f"{head}.{payload}.{signature}A",
    ):
        await refused(changed)


async def test_a_token_is_bounded() -> None:
    assert read(token(x="x" * 5000))
    with pytest.raises(Refused):
        read(token(x="x" * 9000))
    with pytest.raises(Refused):
        read(signed(claims(), header(x="x" * 2048)))


# Keys.


def test_keys_are_fit_for_their_own_algorithms_alone() -> None:
    assert fits(EC, "ES256")
    assert not any(fits(EC, alg) for alg in ("ES384", "RS256", "PS256", "EdDSA", "HS256", "none"))
    assert fits(ED, "EdDSA")
    assert fits(ED, "Ed25519")
    assert not fits(OKPKey.generate_key("Ed448"), "EdDSA")
    assert not fits(OKPKey.generate_key("X25519"), "EdDSA")
    assert not fits(ECKey.generate_key("secp256k1"), "ES256")
    assert not fits(OctKey.generate_key(256), "HS256")
    assert fits(RSA, "RS512")
    with pytest.warns(SecurityWarning):
        assert not fits(RSAKey.generate_key(1024), "RS256")


def test_a_key_of_another_algorithm_verifies_nothing() -> None:
    with pytest.raises(Refused):
        check_signature(read(token()), RSA)


def test_our_own_tokens_are_of_one_kind() -> None:
    ours = own("https://mcp.example.com")
    assert (ours.algorithms, ours.habits.types, ours.is_own) == (frozenset({"ES256"}), frozenset({"at+jwt"}), True)


# At random.

MUTATED = 10_000


def mutated(text: str, draw: random.Random) -> str:
    """The token with one thing changed: a character, a part, its order, a claim or a header, signed as before."""
    kind = draw.randrange(7)
    parts = text.split(".")
    at = draw.randrange(len(text))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \x00é"
    match kind:
        case 0:
            return text[:at] + draw.choice(alphabet) + text[at + 1 :]
        case 1:
            return text[:at] + text[at + draw.randrange(1, 9) :]
        case 2:
            return text[:at] + "".join(draw.choices(alphabet, k=draw.randrange(1, 5))) + text[at:]
        case 3:
            draw.shuffle(parts)
            return ".".join(parts[: draw.randrange(1, 4)])
        case 4:
            said = claims(
                **{draw.choice(["sub", "aud", "exp", "client_id", "scope", "groups", "x"]): draw.choice([0, "x", [], "mcp", 4e9])}
            )
            return ".".join([parts[0], b64(json.dumps(said).encode()), parts[2]])
        case 5:
            head = header(
                **{draw.choice(["alg", "kid", "typ", "jku", "crit"]): draw.choice(["none", "HS256", "RS256", "two", "", None, 7])}
            )
            return ".".join([b64(json.dumps(head).encode()), *parts[1:]])
        case _:
            raw = bytearray(64)  # as long as a signature
            raw[draw.randrange(len(raw))] = draw.randrange(256)
            return ".".join([*parts[:2], b64(bytes(raw))])


async def test_ten_thousand_changed_tokens_let_nobody_in() -> None:
    house, draw = await House().ready(), random.Random(3)
    good = token()
    assert house.identified(good)
    tried = {mutated(good, draw) for _ in range(MUTATED * 2)} - {good}
    for text in sorted(tried)[:MUTATED]:
        let_in(house, text)
    assert len(tried) >= MUTATED


def let_in(house: House, text: str) -> None:
    try:
        found = house.source.identify(house.shown(text))
    except (Refused, NotYetError):
        return
    assert found is None, text
