"""Refresh tokens: each good once; an old one that comes back ends everything."""

import asyncio

import pytest

from doorward.identity.authority.port import OAuthError
from tests.identity.authority.made import GIT, NOW, RESOURCE, House, certificate

pytestmark = pytest.mark.anyio


async def error_of(house: House, token: object, **fields: str) -> str:
    """The error that a refresh gets."""
    with pytest.raises(OAuthError) as caught:
        await house.refreshed(token, **fields)
    return caught.value.error


async def test_each_refresh_gives_a_new_token_of_the_same_family() -> None:
    house = House()
    first = await house.redeemed()
    house.now += 300
    second = await house.refreshed(first["refresh_token"])
    third = await house.refreshed(second["refresh_token"], resource=RESOURCE)
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    said = [house.claims(one) for one in (first, second, third)]
    assert len({one["fam"] for one in said}) == 1
    assert len({one["jti"] for one in said}) == 3
    assert (said[1]["iat"], said[1]["exp"], said[1]["sub"], said[1]["groups"]) == (NOW + 300, NOW + 900, "corp:ann", said[0]["groups"])
    # Only grants are events; how often one was refreshed is counted.
    assert [event.type for event in house.events] == ["sign_in_granted", "token_issued"]
    family = await house.store.family(str(said[0]["fam"]))
    assert family is not None
    assert family.refreshed == 2


@pytest.mark.parametrize("generations", [1, 2, 7])
async def test_an_old_token_ends_everything_however_old_it_is(generations: int) -> None:
    house = House()
    old = first = await house.redeemed()
    latest = first
    for _ in range(generations):
        latest = await house.refreshed(latest["refresh_token"])
    assert await error_of(house, old["refresh_token"]) == "invalid_grant"
    assert house.ended == [(house.claims(first)["fam"], "refresh_token_reused")]
    assert (house.events[-1].type, house.events[-1].fields["network"]) == ("token_reuse_detected", "192.0.2.1")
    assert await error_of(house, latest["refresh_token"]) == "invalid_grant"
    assert len(house.ended) == 1


async def test_of_64_uses_at_once_one_gets_tokens_and_the_family_ends() -> None:
    house = House()
    token = (await house.redeemed())["refresh_token"]
    got = await asyncio.gather(*(house.refreshed(token) for _ in range(64)), return_exceptions=True)
    assert len([one for one in got if isinstance(one, dict)]) == 1
    assert {one.error for one in got if isinstance(one, OAuthError)} == {"invalid_grant"}
    assert len(house.ended) == 1


async def test_a_token_that_was_never_made_here_ends_nothing() -> None:
    house = House()
    good = str((await house.redeemed())["refresh_token"])
    access = (await house.redeemed())["access_token"]
    other = House()
    other.draws(1)
    for token in ("", "x", "dwr_", good[:-1], good + "A", good[4:], "dwr_" + "A" * len(good), access):
        assert await error_of(house, token) in ("invalid_grant", "invalid_request")
    assert house.ended == []
    assert await house.refreshed(good)


async def test_a_token_of_another_client_is_refused_and_ends_nothing() -> None:
    house = House()
    token = str((await house.redeemed())["refresh_token"])
    with pytest.raises(OAuthError) as caught:
        await house.token({"grant_type": "refresh_token", "refresh_token": token, **house.signed()})
    assert caught.value.error == "invalid_grant"
    assert await house.refreshed(token)


async def test_a_refresh_narrows_for_one_token_and_never_widens() -> None:
    house = House()
    token = (await house.redeemed(scope="mcp:git mcp:read"))["refresh_token"]
    for wider in ("mcp", "mcp:mail", "mcp:git admin"):
        assert await error_of(house, token, scope=wider) == "invalid_scope"
    for other in (GIT, "https://gate.example", ""):
        assert await error_of(house, token, resource=other) == "invalid_target"
    narrow = await house.refreshed(token, scope="mcp:git:read")
    assert narrow["scope"] == "mcp:git:read"
    assert (await house.refreshed(narrow["refresh_token"]))["scope"] == "mcp:git mcp:read"


async def test_a_family_ends_when_the_person_must_sign_in_again() -> None:
    house = House()
    token = (await house.redeemed())["refresh_token"]
    house.now += 30 * 86_400 - 100
    last = await house.refreshed(token)
    assert last["expires_in"] == 100
    house.now += 100
    assert await error_of(house, last["refresh_token"]) == "invalid_grant"
    assert house.ended == []


async def test_a_tied_token_needs_the_same_key() -> None:
    house = House()
    answered = await house.token(house.redemption(await house.code()), dpop="key-1")
    fields = {"grant_type": "refresh_token", "client_id": "desk", "refresh_token": str(answered["refresh_token"])}
    for other in (None, "key-2"):
        with pytest.raises(OAuthError):
            await house.token(fields, dpop=other)
    assert house.claims(await house.token(fields, dpop="key-1"))["cnf"] == {"jkt": "key-1"}


async def test_a_renewed_certificate_of_the_same_names_may_refresh_and_another_may_not() -> None:
    house = House()
    answered = await house.token(house.redemption(await house.code()), certificate=certificate("t1"))
    fields = {"grant_type": "refresh_token", "client_id": "desk", "refresh_token": str(answered["refresh_token"])}
    for other in (None, certificate("t3", "spiffe://example.org/b")):
        with pytest.raises(OAuthError):
            await house.token(fields, certificate=other)
    assert house.claims(await house.token(fields, certificate=certificate("t2")))["cnf"] == {"x5t#S256": "t2"}
