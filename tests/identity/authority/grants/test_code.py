"""Codes: used once, by whom and for what they were asked; a second use ends what the first began."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.identity.authority.grants.code import is_verified
from doorward.identity.authority.port import OAuthError
from tests.identity.authority.made import CHALLENGE, GIT, LOCAL, NOW, RESOURCE, VERIFIER, House, Registry

pytestmark = pytest.mark.anyio


async def error_of(house: House, fields: dict[str, str], dpop: str | None = None) -> str:
    """The error that a request gets."""
    with pytest.raises(OAuthError) as caught:
        await house.token(fields, dpop=dpop)
    return caught.value.error


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": ""}, "invalid_request"),
        ({"code": "dwc_unknown"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"redirect_uri": LOCAL}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "="}, "invalid_grant"),
        ({"code_verifier": "v" * 200}, "invalid_grant"),
        ({"resource": GIT}, "invalid_target"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
    ],
)
async def test_a_request_that_does_not_fit_gets_nothing_and_spoils_nothing(changes: dict[str, str], error: str) -> None:
    house = House()
    code = await house.code()
    assert await error_of(house, house.redemption(code, **changes)) == error
    assert await house.token(house.redemption(code))


async def test_the_endpoint_need_not_be_said_again() -> None:
    house = House()
    assert house.claims(await house.token(house.redemption(await house.code(), resource="")))["aud"] == RESOURCE


async def test_a_code_of_another_client_gets_nothing() -> None:
    house = House()
    code = await house.code()
    stolen = {**house.redemption(code, client_id=""), **house.signed()}
    assert await error_of(house, stolen) == "invalid_grant"
    assert house.ended == []


async def test_a_code_lasts_a_minute() -> None:
    house = House()
    late, early = await house.code(), await house.code()
    house.now += 59.5
    assert await house.token(house.redemption(early))
    house.now += 0.5
    assert await error_of(house, house.redemption(late)) == "invalid_grant"
    assert house.ended == []


@pytest.mark.parametrize("wait", [0, 59, 3600])
async def test_a_code_used_again_ends_what_came_of_it(wait: float) -> None:
    house = House()
    code = await house.code()
    answered = await house.token(house.redemption(code))
    house.now += wait
    assert await error_of(house, house.redemption(code)) == "invalid_grant"
    family = house.claims(answered)["fam"]
    assert house.ended == [(family, "code_reused")]
    assert house.events[-1].type == "token_reuse_detected"
    assert await error_of(house, {"grant_type": "refresh_token", "client_id": "desk", "refresh_token": str(answered["refresh_token"])}) == (
        "invalid_grant"
    )


async def test_of_64_uses_at_once_one_gets_tokens_and_they_end_with_the_others() -> None:
    house = House()
    code = await house.code()
    got = await asyncio.gather(*(house.token(house.redemption(code)) for _ in range(64)), return_exceptions=True)
    good = [one for one in got if isinstance(one, dict)]
    assert (len(good), {one.error for one in got if isinstance(one, OAuthError)}) == (1, {"invalid_grant"})
    assert {family for family, _ in house.ended} == {house.claims(good[0])["fam"]}


async def test_a_code_that_is_tied_to_a_key_needs_its_proof() -> None:
    house = House()
    key = "key-" + "k" * 39
    code = await house.code(dpop_jkt=key)
    assert await error_of(house, house.redemption(code)) == "invalid_dpop_proof"
    assert await error_of(house, house.redemption(code), dpop="key-2") == "invalid_dpop_proof"
    assert house.claims(await house.token(house.redemption(code), dpop=key))["cnf"] == {"jkt": key}


async def test_a_client_that_may_not_refresh_gets_a_family_as_short_as_its_token() -> None:
    house = House()
    url = "https://tool.example/client.json"
    house.net.put(url, {"client_id": url, "client_name": "Tool", "redirect_uris": [LOCAL]})
    answered = await house.redeemed_by(url, LOCAL)
    assert "refresh_token" not in answered
    family = await house.store.family(str(house.claims(answered)["fam"]))
    assert family is not None
    assert (family.expires_at, family.refresh) == (NOW + 600, "")


async def test_an_agent_suspended_after_consent_gets_nothing() -> None:
    house = House()
    code = await house.code()
    assert isinstance(house.registry, Registry)
    house.registry.out.add("desk")
    assert await error_of(house, house.redemption(code)) == "unauthorized_client"


@given(st.text(max_size=150))
def test_no_other_text_is_the_verifier(text: str) -> None:
    assert is_verified(text, CHALLENGE) == (text == VERIFIER)
