"""Exchange for a sub-agent: in no respect more than its parent, and gone with it."""

import asyncio
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from doorward.identity.authority.grants.exchange import ACCESS_TOKEN, MOST_ACTORS
from doorward.identity.authority.port import Grant, OAuthError, TokenRequest
from doorward.identity.tokens.scopes import narrowed
from tests.identity.authority.made import AGENT_KEY, GIT, NOW, RESOURCE, SUB_KEY, House, certificate, sign

pytestmark = pytest.mark.anyio


def request(house: House, token: object, **fields: str) -> dict[str, str]:
    """The sub-agent's request for a token of its own."""
    asked = {
        "grant_type": Grant.EXCHANGE.wire,
        "subject_token": str(token),
        "subject_token_type": ACCESS_TOKEN,
        **house.signed("sub", SUB_KEY),
        **fields,
    }
    return {name: value for name, value in asked.items() if value}


async def error_of(house: House, token: object, **fields: str) -> str:
    """The error that it gets."""
    with pytest.raises(OAuthError) as caught:
        await house.token(request(house, token, **fields))
    return caught.value.error


async def parent(house: House, **changes: str) -> dict[str, object]:
    """Ann's own token, with everything."""
    return await house.redeemed(**changes)


async def test_a_sub_agent_gets_a_token_of_the_same_person_with_one_more_link() -> None:
    house = House()
    above = await parent(house)
    house.now += 100
    answered = await house.token(request(house, above["access_token"], scope="mcp:git:read"))
    claims, said = house.claims(answered), house.claims(above)
    assert claims == {
        **said,
        "client_id": "sub",
        "scope": "mcp:git:read",
        "iat": NOW + 100,
        "exp": NOW + 600,
        "jti": claims["jti"],
        "act": {"sub": "agent-sub", "client_id": "sub", "act": {"sub": "agent-desk", "client_id": "desk"}},
    }
    assert (answered["issued_token_type"], answered["expires_in"], "refresh_token" in answered) == (ACCESS_TOKEN, 500, False)
    assert house.events[-1].fields["parent"] == "desk"


async def test_a_chain_grows_at_its_head_up_to_a_bound() -> None:
    house = House()
    token = (await parent(house))["access_token"]
    for depth in range(MOST_ACTORS - 1):
        answered = await house.token(request(house, token))
        token = answered["access_token"]
        act: Any = house.claims(answered)["act"]
        names = []
        while act:
            names.append(act["sub"])
            act = act.get("act")
        assert names == ["agent-sub"] * (depth + 1) + ["agent-desk"]
    assert await error_of(house, token) == "invalid_request"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"audience": "https://other.example"}, "invalid_target"),
        ({"resource": GIT}, "invalid_target"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"scope": "mcp"}, "invalid_scope"),
        ({"scope": "mcp:read mcp:mail"}, "invalid_scope"),
    ],
)
async def test_what_is_more_or_other_than_the_parent_is_refused(fields: dict[str, str], error: str) -> None:
    house = House()
    above = await parent(house, scope="mcp:read mcp:git")
    assert await error_of(house, above["access_token"], **fields) == error
    assert (await house.token(request(house, above["access_token"])))["scope"] == "mcp:git mcp:read"


async def test_a_token_that_is_not_ours_or_not_good_is_nobodys_parent() -> None:
    house = House()
    above = await parent(house)
    good = str(above["access_token"])
    claims = house.claims(above)
    forged = sign(AGENT_KEY, claims, "at+jwt")
    for token in (forged, good[:-4] + "AAAA", str(above["refresh_token"]), "a.b.c", house.signed()["client_assertion"]):
        assert await error_of(house, token) == "invalid_request"
    house.now += 600
    assert await error_of(house, good) == "invalid_request"


async def test_a_parents_end_is_its_childrens() -> None:
    house = House()
    above = await parent(house)
    below = await house.token(request(house, above["access_token"]))
    family = str(house.claims(above)["fam"])
    assert house.claims(below)["fam"] == family
    await house.store.end(family, "operator", house.now)
    for token in (above["access_token"], below["access_token"]):
        assert await error_of(house, token) == "invalid_request"


async def test_a_child_cannot_end_its_parents_family() -> None:
    house = House()
    below = await house.token(request(house, (await parent(house))["access_token"]))
    fields = {**house.signed("sub", SUB_KEY), "token": str(below["access_token"])}
    with pytest.raises(OAuthError) as caught:
        await house.server.revoke(TokenRequest(fields, None, None, "192.0.2.1"))
    assert (caught.value.error, house.ended) == ("unsupported_token_type", [])


async def test_a_child_of_a_token_without_a_person_is_without_one() -> None:
    house = House()
    above = await house.token({"grant_type": "client_credentials", "resource": RESOURCE, **house.signed()})
    claims = house.claims(await house.token(request(house, above["access_token"])))
    before = {"sub": "agent-agent", "client_id": "agent"}
    assert (claims["sub"], claims["client_id"], claims["act"]) == ("sub", "sub", {"sub": "agent-sub", "client_id": "sub", "act": before})


async def test_a_child_of_a_tied_token_is_tied_too() -> None:
    house = House()
    above = await house.token(house.redemption(await house.code()), dpop="key-1")
    assert await error_of(house, above["access_token"]) == "invalid_request"
    fields = request(house, above["access_token"])
    assert house.claims(await house.token(fields, dpop="key-2"))["cnf"] == {"jkt": "key-2"}
    fields = request(house, above["access_token"])
    assert house.claims(await house.token(fields, certificate=certificate()))["cnf"] == {"x5t#S256": "t1"}


@pytest.mark.parametrize("out", ["desk", "sub"])
async def test_nobody_hands_on_for_an_agent_that_may_not_act(out: str) -> None:
    house = House()
    above = await parent(house)
    house.registry.out.add(out)
    assert await error_of(house, above["access_token"]) == "unauthorized_client"


async def test_a_public_client_cannot_exchange() -> None:
    house = House()
    above = await parent(house)
    with pytest.raises(OAuthError) as caught:
        await house.token(
            {
                "grant_type": Grant.EXCHANGE.wire,
                "client_id": "desk",
                "subject_token": str(above["access_token"]),
                "subject_token_type": ACCESS_TOKEN,
            }
        )
    assert caught.value.error == "unauthorized_client"


UPSTREAMS = ("", ":git", ":mail", ":read")
SCOPES = st.sampled_from([f"mcp{upstream}{reads}" for upstream in UPSTREAMS for reads in ("", ":read")] + ["calendar"])
SETS = st.frozensets(SCOPES, min_size=1, max_size=4)


@over(held=SETS, wanted=st.none() | SETS)
def test_no_exchange_widens(held: frozenset[str], wanted: frozenset[str] | None) -> None:
    """Whatever the parent holds and the child asks for, what the child gets is within the parent's."""

    async def exchanged() -> None:
        house = House()
        house.hold("desk", held)
        house.hold("sub", held | {"mcp"})
        above = await parent(house, scope=" ".join(sorted(held)))
        asked = {} if wanted is None else {"scope": " ".join(sorted(wanted))}
        if wanted is not None and not wanted <= narrowed(wanted, held):
            assert await error_of(house, above["access_token"], **asked) == "invalid_scope"
            return
        answered = await house.token(request(house, above["access_token"], **asked))
        got = frozenset(str(answered["scope"]).split(" "))
        assert got <= narrowed(got, held)
        assert wanted is None or got == wanted

    asyncio.run(exchanged())
