"""Client assertions: made by the client, for us alone, now, and good once."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from doorward.identity.authority.port import OAuthError
from tests.identity.authority.made import AGENT_KEY, ISSUER, NOW, OTHER_KEY, RESOURCE, House, sign

pytestmark = pytest.mark.anyio

REQUEST = {"grant_type": "client_credentials", "resource": RESOURCE}


async def error_of(house: House, fields: dict[str, str]) -> OAuthError:
    """What a request is refused with."""
    with pytest.raises(OAuthError) as caught:
        await house.token({**REQUEST, **fields})
    return caught.value


async def test_a_client_that_signs_its_request_is_known() -> None:
    house = House()
    assert await house.token({**REQUEST, **house.signed()})
    assert await house.token({**REQUEST, **house.signed(), "client_id": "agent"})
    assert await house.token({**REQUEST, **house.signed(aud=[ISSUER])})


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": f"{ISSUER}/"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": "https://other.example"},
        {"aud": None},
        {"aud": []},
        {"iss": "sub"},
        {"iss": None},
        {"sub": None},
        {"exp": None},
        {"exp": int(NOW) - 61},
        {"exp": int(NOW) + 3600},
        {"exp": "soon"},
        {"exp": True},
        {"iat": int(NOW) + 300},
        {"iat": int(NOW) - 3600},
        {"nbf": int(NOW) + 300},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 3000},
    ],
)
async def test_an_assertion_with_wrong_claims_proves_nothing(claims: dict[str, Any]) -> None:
    house = House()
    error = await error_of(house, house.signed(**claims))
    assert (error.error, error.status) == ("invalid_client", 401)


async def test_an_assertion_is_good_once() -> None:
    house = House()
    fields = house.signed()
    await house.token({**REQUEST, **fields})
    assert (await error_of(house, fields)).error == "invalid_client"
    house.now += 100
    assert (await error_of(house, fields)).error == "invalid_client"


async def test_two_clients_may_use_one_jti() -> None:
    house = House()
    sub_key = ECKey.generate_key("P-256", {"kid": "x"})
    assert await house.token({**REQUEST, **house.signed(jti="one")})
    assert (await error_of(house, house.signed("sub", sub_key, jti="one"))).error == "invalid_client"


async def test_an_assertion_of_another_key_proves_nothing_and_spends_nothing() -> None:
    house = House()
    assert (await error_of(house, house.signed(key=OTHER_KEY, jti="one"))).error == "invalid_client"
    assert await house.token({**REQUEST, **house.signed(jti="one")})


async def test_the_public_key_is_no_secret_to_sign_with() -> None:
    house = House()
    secret = OctKey.import_key({"kty": "oct", "kid": "agent-key", "k": AGENT_KEY.as_dict(private=False)["x"]})
    good = house.signed()["client_assertion"]
    claims = {"iss": "agent", "sub": "agent", "aud": ISSUER, "jti": "j", "exp": int(NOW) + 60}
    for token in (
        sign(secret, claims, alg="HS256"),
        "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".",
        good.split(".")[0] + "." + good.split(".")[1] + ".",
        good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        "a.b.c",
        "",
        "x" * 20_000,
    ):
        assert (await error_of(house, {**house.signed(), "client_assertion": token})).error == "invalid_client"


async def test_a_token_of_another_sort_is_no_client_assertion() -> None:
    house = House()
    claims = {"iss": "agent", "sub": "agent", "aud": ISSUER, "jti": "j", "exp": int(NOW) + 60}
    for typ in ("at+jwt", "dpop+jwt", "oauth-id-jag+jwt"):
        token = sign(AGENT_KEY, claims, typ)
        assert (await error_of(house, {**house.signed(), "client_assertion": token})).error == "invalid_client"
    assert await house.token({**REQUEST, **house.signed(), "client_assertion": sign(AGENT_KEY, claims, "client-authentication+jwt")})


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "sub"},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": ""},
        {"client_secret": "x"},
    ],
)
async def test_an_assertion_beside_something_else_is_refused(change: dict[str, str]) -> None:
    house = House()
    assert (await error_of(house, {**house.signed(), **change})).error == "invalid_client"


async def test_a_public_client_cannot_prove_itself() -> None:
    house = House()
    assert (await error_of(house, house.signed("desk"))).error == "invalid_client"


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSAKey.generate_key(2048, {"kid": "k"}), "RS256"),
        (RSAKey.generate_key(2048, {"kid": "k"}), "PS256"),
        (ECKey.generate_key("P-384", {"kid": "k"}), "ES384"),
        (OKPKey.generate_key("Ed25519", {"kid": "k"}), "Ed25519"),
    ],
)
async def test_keys_of_a_document_are_fetched_once_and_anew_when_they_change(key: Key, alg: str) -> None:
    house = House()
    url = "https://tool.example/client.json"
    document = {
        "client_id": url,
        "client_name": "Tool",
        "redirect_uris": ["https://tool.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": "https://tool.example/jwks.json",
    }
    house.net.put(url, document)
    house.net.put("https://tool.example/jwks.json", {"keys": [key.as_dict(private=False)]})
    question = house.question(client_id=url, redirect_uri="https://tool.example/cb")
    assert (await house.server.asked(question)).client_id == url

    async def redeemed(signer: Key, name: str) -> object:
        code = await house.code(client_id=url, redirect_uri="https://tool.example/cb")
        claims = {"iss": url, "sub": url, "aud": ISSUER, "jti": house.draws(8).hex(), "exp": int(house.now) + 60}
        proof = {**house.signed(), "client_assertion": sign(signer, claims, alg=name)}
        return await house.token({**house.redemption(code, client_id=url, redirect_uri="https://tool.example/cb"), **proof})

    assert await redeemed(key, alg)
    assert await redeemed(key, alg)
    assert house.net.asked == [url, "https://tool.example/jwks.json"]
    rotated = ECKey.generate_key("P-256", {"kid": "new"})
    house.net.put("https://tool.example/jwks.json", {"keys": [rotated.as_dict(private=False)]})
    house.now += 20
    assert await redeemed(rotated, "ES256")
    with pytest.raises(OAuthError):
        await redeemed(key, alg)
