"""Groups that a token leaves out are asked for, or nobody gets in."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from doorward.identity.chain import Chain, NotYetError
from doorward.identity.tokens.groups import KEPT_SECONDS, MOST_GROUPS
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust
from tests.identity.tokens.mint import NOW, URL, House, header, signed

pytestmark = pytest.mark.anyio

GRAPH = "https://graph.microsoft.com/v1.0/users/alice%2F1/getMemberObjects"
OVERAGE = {
    "_claim_names": {"groups": "src1"},
    "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/users/x/getMemberObjects"}},
}
SIGN_IN = {"client_id": "doorward", "client_secret": "${file:secret}"}


def token(**more: Any) -> str:
    """A token of Entra whose groups are too many."""
    said: dict[str, Any] = {
        "iss": URL,
        "aud": "https://mcp.example.com/mcp",
        "oid": "alice/1",
        "sub": "pairwise",
        "azp": "abc",
        "scp": "mcp",
        "exp": NOW + 3600,
        "iat": NOW,
    }
    return signed({name: value for name, value in (said | OVERAGE | more).items() if value is not None}, header(typ="JWT"))


class Entra(House):
    """With Doorward as a client of the directory, as far as it is declared."""

    def __init__(self, secret: str | None = "s3", **declared: Any) -> None:
        super().__init__(preset="entra", **({"sign_in": SIGN_IN} | declared))
        self.trust = Trust(Means(lambda _declared: self.web, lambda _name: None if secret is None else Secret(secret), self.clock))
        self.trust.adopt({"corp": self.declared}, None)
        self.source = AccessTokens(
            self.trust, Registered(self.known, lambda: self.known.version), self.audience, self.proofs, Demand.ANY, self.clock
        )
        self.web.pages[f"{URL}/token"] = {"access_token": "graph-token", "expires_in": 3599, "token_type": "Bearer"}
        self.web.pages[GRAPH] = {"value": ["g1", "g2"]}

    async def groups(self, text: str) -> frozenset[str]:
        found = await Chain([self.source]).identified(self.shown(text))
        assert found.subject is not None
        return found.subject.groups

    async def trouble(self, text: str) -> str:
        with pytest.raises(Refused) as caught:
            await Chain([self.source]).identified(self.shown(text))
        assert caught.value.reason is Reason.UNAUTHENTICATED
        return caught.value.detail


async def test_groups_that_are_left_out_are_asked_for_at_the_directory() -> None:
    house = Entra()
    assert await house.groups(token()) == {"corp:g1", "corp:g2"}
    (asked, form, _), (url, body, headers) = house.web.sent
    assert (asked, parse_qs(form.decode())) == (
        f"{URL}/token",
        {
            "grant_type": ["client_credentials"],
            "client_id": ["doorward"],
            "client_secret": ["s3"],
            "scope": ["https://graph.microsoft.com/.default"],
        },
    )
    assert (url, json.loads(body), dict(headers)["Authorization"]) == (GRAPH, {"securityEnabledOnly": False}, "Bearer graph-token")


async def test_the_place_that_the_token_names_is_never_asked() -> None:
    house = Entra()
    await house.groups(token())
    assert not any("graph.windows.net" in url for url in house.web.asked)


@pytest.mark.parametrize("said", [{"hasgroups": True, **dict.fromkeys(OVERAGE)}, {"hasgroups": "true", **dict.fromkeys(OVERAGE)}, {}])
async def test_both_ways_of_leaving_groups_out_are_understood(said: Mapping[str, object]) -> None:
    assert await Entra().groups(token(**said)) == {"corp:g1", "corp:g2"}


async def test_groups_that_are_there_are_not_asked_for() -> None:
    house = Entra()
    assert await house.groups(token(groups=["g9"], **dict.fromkeys(OVERAGE))) == {"corp:g9"}
    assert await house.groups(token(**dict.fromkeys(OVERAGE))) == frozenset()
    assert house.web.sent == []


async def test_groups_that_were_asked_for_count_for_minutes_and_then_are_asked_for_again() -> None:
    house = Entra()
    text = token()
    await house.groups(text)
    house.web.pages[GRAPH] = {"value": ["g3"]}
    house.clock.at += KEPT_SECONDS - 1
    assert await house.groups(text) == {"corp:g1", "corp:g2"}
    house.clock.at += 1
    assert await house.groups(text) == {"corp:g3"}
    assert [url for url, _, _ in house.web.sent].count(f"{URL}/token") == 1


@pytest.mark.parametrize("declared", [{"sign_in": None}, {"sign_in": {"client_id": "doorward"}}])
async def test_where_nobody_can_be_asked_the_token_is_refused_and_says_what_to_configure(declared: dict[str, Any]) -> None:
    assert "needs groups_url and sign_in" in await Entra(**declared).trouble(token())


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"value": "g1"},
        {"value": ["g1", 7]},
        {"value": ["g1"], "@odata.nextLink": "https://graph.microsoft.com/next"},
        {"value": ["g"] * (MOST_GROUPS + 1)},
        b"<html>",
    ],
)
async def test_groups_that_cannot_be_had_whole_let_nobody_in(answer: object) -> None:
    house = Entra()
    house.web.pages[GRAPH] = answer
    assert "the groups that the token leaves out could not be had from corp" in await house.trouble(token())


async def test_without_a_secret_or_a_token_of_our_own_nobody_gets_in() -> None:
    assert "a client secret was expected" in await Entra(secret=None).trouble(token())
    house = Entra()
    house.web.pages[f"{URL}/token"] = {"error": "invalid_client"}
    assert "expected access_token" in await house.trouble(token())


async def test_a_directory_that_fails_is_not_asked_at_each_call() -> None:
    house = Entra()
    house.web.pages.pop(GRAPH)
    await house.trouble(token())
    asked = len(house.web.asked)
    await house.trouble(token())
    assert len(house.web.asked) == asked
    house.clock.at += 5
    house.web.pages[GRAPH] = {"value": ["g1"]}
    assert await house.groups(token()) == {"corp:g1"}


async def test_what_operators_are_told_names_no_person() -> None:
    house = Entra()
    house.web.pages.pop(GRAPH)
    assert "alice" not in await house.trouble(token())
    assert "alice" not in await Entra(sign_in=None).trouble(token())


async def test_nobody_is_asked_for_the_groups_of_a_client_that_is_not_known() -> None:
    house = Entra()
    await house.trust.renew()
    with pytest.raises(Refused):
        house.source.identify(house.shown(token(azp="stranger")))
    assert house.web.sent == []
    with pytest.raises(NotYetError):
        house.source.identify(house.shown(token()))


async def test_a_place_for_groups_of_an_operators_own_is_asked_instead() -> None:
    house = Entra(groups_url="https://groups.example.com/of/{subject}")
    house.web.pages["https://groups.example.com/of/alice%2F1"] = {"value": ["g7"]}
    assert await house.groups(token()) == {"corp:g7"}
