"""Tokens for clients that act for themselves."""

import pytest

from doorward.identity.authority.port import OAuthError
from tests.identity.authority.made import GIT, ISSUER, NOW, RESOURCE, House

pytestmark = pytest.mark.anyio

REQUEST = {"grant_type": "client_credentials", "resource": RESOURCE}


async def test_a_client_gets_a_token_without_a_person() -> None:
    house = House()
    answered = await house.token({**REQUEST, **house.signed()})
    claims = house.claims(answered)
    assert claims == {
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "agent",
        "client_id": "agent",
        "scope": "mcp:git mcp:read",
        "jti": claims["jti"],
        "iat": NOW,
        "exp": NOW + 600,
        "fam": claims["fam"],
    }
    assert "refresh_token" not in answered
    assert [dict(event.fields) for event in house.events] == [
        {
            "grant": "client_credentials",
            "client": "agent",
            "family": claims["fam"],
            "resource": RESOURCE,
            "scope": "mcp:git mcp:read",
        }
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "mcp"}, "invalid_scope"),
        ({"scope": "mcp:git mcp:mail"}, "invalid_scope"),
        ({"resource": ""}, "invalid_target"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
    ],
)
async def test_more_than_the_client_may_have_is_refused(changes: dict[str, str], error: str) -> None:
    house = House()
    with pytest.raises(OAuthError) as caught:
        await house.token({**REQUEST, **changes, **house.signed()})
    assert caught.value.error == error


async def test_less_is_given_as_asked() -> None:
    house = House()
    answered = await house.token({**REQUEST, "resource": GIT, "scope": "mcp:mail:read", **house.signed()})
    assert (answered["scope"], house.claims(answered)["aud"]) == ("mcp:mail:read", GIT)
