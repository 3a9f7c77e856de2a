"""Identity assertions (ID-JAG): of a trusted provider, for us, this client and this endpoint, once."""

from typing import Any

import pytest

from doorward.identity.authority.port import OAuthError
from tests.identity.authority.made import GIT, IDP, IDP_KEY, ISSUER, NOW, OTHER_KEY, RESOURCE, House

pytestmark = pytest.mark.anyio

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def error_of(house: House, assertion: str, **fields: str) -> str:
    """The error that an assertion gets."""
    with pytest.raises(OAuthError) as caught:
        await given(house, assertion, **fields)
    return caught.value.error


async def given(house: House, assertion: str, **fields: str) -> dict[str, object]:
    """What an assertion of the agent is answered with."""
    return await house.token({"grant_type": GRANT, "assertion": assertion, **house.signed(), **fields})


async def test_an_assertion_becomes_a_token_of_the_person_it_names() -> None:
    house = House()
    answered = await given(house, house.id_jag())
    claims = house.claims(answered)
    assert {name: claims[name] for name in ("sub", "aud", "client_id", "scope", "groups", "exp")} == {
        "sub": "corp:ann",
        "aud": GIT,
        "client_id": "agent",
        "scope": "mcp:git:read",
        "groups": ["corp:sales"],
        "exp": NOW + 600,
    }
    assert "refresh_token" not in answered
    assert (house.events[0].fields["grant"], house.events[0].fields["subject"]) == ("jwt-bearer", "veiled(corp:ann)")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example"},
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": RESOURCE},
        {"iss": "https://evil.example"},
        {"iss": IDP + "/"},
        {"client_id": "desk"},
        {"client_id": None},
        {"sub": None},
        {"sub": ""},
        {"exp": int(NOW) - 61},
        {"exp": int(NOW) + 86_400},
        {"exp": None},
        {"iat": int(NOW) + 120},
        {"nbf": int(NOW) + 120},
        {"jti": None},
        {"scope": 7},
        {"cnf": {"jkt": "other"}},
    ],
)
async def test_an_assertion_with_wrong_claims_is_refused(claims: dict[str, Any]) -> None:
    house = House()
    assert await error_of(house, house.id_jag(**claims)) == "invalid_grant"
    assert house.events == []


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "id_token+jwt", ""])
async def test_another_token_of_the_provider_is_no_assertion(typ: str) -> None:
    house = House()
    assert await error_of(house, house.id_jag(typ=typ)) == "invalid_grant"


async def test_a_forged_assertion_is_refused() -> None:
    house = House()
    assert await error_of(house, house.id_jag(key=OTHER_KEY)) == "invalid_grant"
    good = house.id_jag()
    for bad in ("", "a.b.c", good[:-4] + "AAAA", "eyJhbGciOiJub25lIn0." + good.split(".")[1] + "."):
        assert await error_of(house, bad) in ("invalid_grant", "invalid_request")


async def test_an_assertion_is_good_once_also_after_a_restart() -> None:
    house = House()
    assertion = house.id_jag(jti="one")
    await given(house, assertion)
    assert await error_of(house, assertion) == "invalid_grant"
    restarted = House(store=house.store, draws=house.draws)
    assert await error_of(restarted, assertion) == "invalid_grant"


async def test_an_assertion_that_is_refused_for_its_scope_is_not_used_up() -> None:
    house = House()
    assertion = house.id_jag()
    assert await error_of(house, assertion, scope="mcp:git") == "invalid_scope"
    assert await error_of(house, assertion, resource=RESOURCE) == "invalid_target"
    assert await given(house, assertion, scope="mcp:git:read", resource=GIT)


async def test_scopes_are_within_both_the_assertion_and_the_client() -> None:
    house = House()
    assert (await given(house, house.id_jag(scope="mcp")))["scope"] == "mcp:git mcp:read"
    assert (await given(house, house.id_jag(scope=None)))["scope"] == "mcp:git mcp:read"
    assert await error_of(house, house.id_jag(scope="mcp"), scope="mcp") == "invalid_scope"
    assert await error_of(house, house.id_jag(scope="calendar")) == "invalid_scope"
    assert await error_of(house, house.id_jag(scope="")) == "invalid_scope"


async def test_the_endpoint_is_the_assertions_or_else_the_requests() -> None:
    house = House()
    assert house.claims(await given(house, house.id_jag(resource=None), resource=RESOURCE))["aud"] == RESOURCE
    assert house.claims(await given(house, house.id_jag(resource=[RESOURCE, GIT]), resource=GIT))["aud"] == GIT
    for wrong in (None, [RESOURCE, GIT], "https://other.example/mcp", [], 7):
        assert await error_of(house, house.id_jag(resource=wrong)) == "invalid_target"


async def test_the_client_must_sign_its_request() -> None:
    house = House()
    fields = {"grant_type": GRANT, "assertion": house.id_jag(client_id="desk"), "client_id": "desk"}
    with pytest.raises(OAuthError) as caught:
        await house.token(fields)
    assert caught.value.error == "unauthorized_client"


async def test_an_assertion_tied_to_a_key_needs_its_proof() -> None:
    house = House()
    assertion = house.id_jag(IDP_KEY, cnf={"jkt": "key-1"})
    assert await error_of(house, assertion) == "invalid_grant"
    fields = {"grant_type": GRANT, "assertion": assertion}
    assert await house.token({**fields, **house.signed()}, dpop="key-1")
