"""Client secrets: of declared clients alone, shown in one place, and no other way around."""

from base64 import b64encode
from hashlib import sha256
from urllib.parse import quote_plus

import pytest
from msgspec.structs import replace

from doorward.identity.authority.port import OAuthError, TokenRequest
from tests.identity.authority.made import RESOURCE, House

pytestmark = pytest.mark.anyio

SECRET = "s3:cr+t/" + "x" * 40
REQUEST = {"grant_type": "client_credentials", "resource": RESOURCE}


def house() -> House:
    """A house whose sub-agent has a secret instead of keys."""
    made = House()
    made.declared["sub"] = replace(made.declared["sub"], jwks=None, secret_sha256=sha256(SECRET.encode()).hexdigest())
    return made


def basic(client: str, secret: str) -> str:
    """The header of RFC 6749 §2.3.1."""
    return "Basic " + b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


async def asked(made: House, authorization: str | None = None, **fields: str) -> dict[str, object]:
    """The answer to a request of the sub-agent."""
    return await made.server.token(TokenRequest({**REQUEST, **fields}, None, None, "192.0.2.1", 0, authorization))


async def test_a_secret_is_shown_in_the_form_or_in_the_header() -> None:
    assert await asked(house(), client_id="sub", client_secret=SECRET)
    assert await asked(house(), basic("sub", SECRET))
    assert await asked(house(), basic("sub", SECRET), client_id="sub")
    assert await asked(house(), basic("sub", SECRET).replace("Basic", "bASIC"))


@pytest.mark.parametrize(
    ("authorization", "fields"),
    [
        (None, {"client_id": "sub"}),
        (None, {"client_id": "sub", "client_secret": ""}),
        (None, {"client_id": "sub", "client_secret": SECRET + "x"}),
        (None, {"client_id": "sub", "client_secret": sha256(SECRET.encode()).hexdigest()}),
        (None, {"client_id": "sub", "client_secret": "\ud800"}),
        (None, {"client_secret": SECRET}),
        (None, {"client_id": "desk", "client_secret": SECRET}),
        (None, {"client_id": "desk", "client_secret": ""}),
        (None, {"client_id": "agent", "client_secret": SECRET}),
        (basic("sub", "wrong"), {}),
        (basic("sub", ""), {}),
        (basic("", SECRET), {}),
        (basic("agent", SECRET), {}),
        (basic("sub", SECRET), {"client_id": "agent"}),
        (basic("sub", SECRET), {"client_secret": SECRET}),
        (f"Bearer {SECRET}", {"client_id": "sub"}),
        ("Basic !!!", {}),
        ("Basic", {"client_id": "sub", "client_secret": SECRET}),
        ("Basic " + "A" * 5000, {}),
        ("", {"client_id": "sub"}),
    ],
)
async def test_whatever_else_is_shown_is_refused(authorization: str | None, fields: dict[str, str]) -> None:
    with pytest.raises(OAuthError) as caught:
        await asked(house(), authorization, **fields)
    assert (caught.value.error, caught.value.status) == ("invalid_client", 401)


async def test_a_secret_beside_an_assertion_is_refused() -> None:
    made = house()
    for authorization, fields in ((basic("agent", SECRET), {}), (None, {"client_secret": SECRET})):
        with pytest.raises(OAuthError) as caught:
            await asked(made, authorization, **{**made.signed(), **fields})
        assert caught.value.error == "invalid_client"


async def test_a_request_says_nothing_of_its_secret() -> None:
    request = TokenRequest({"client_secret": SECRET}, None, None, "192.0.2.1", 0, basic("sub", SECRET))
    assert SECRET not in repr(request)
    assert basic("sub", SECRET) not in repr(request)
