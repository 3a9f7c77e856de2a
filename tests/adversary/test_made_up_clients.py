"""Strangers who make up clients make the gateway fetch nothing, and keep no client out."""

from __future__ import annotations

import pytest

from doorward.domain.reasons import Reason, Refused
from doorward.identity.authority.port import OAuthError
from tests.identity.authority.made import House, Registry

pytestmark = pytest.mark.anyio

TOOLS = "https://tools.example/"
URL = f"{TOOLS}client.json"
REDIRECT = "https://tools.example/cb"


class Tools(Registry):
    """One rule: clients whose documents are at the company's own host."""

    def admit(self, client_id: str) -> None:
        if not client_id.startswith(TOOLS):
            raise Refused(Reason.UNAUTHENTICATED, "no rule enrols it")


def house() -> House:
    made = House(registry=Tools())
    made.net.put(URL, {"client_id": URL, "client_name": "Tool", "redirect_uris": [REDIRECT]})
    return made


async def knocks(at: House, client: str) -> None:
    """Somebody says that they are a client, at both endpoints."""
    with pytest.raises(OAuthError):
        await at.token(
            {"grant_type": "authorization_code", "client_id": client, "code": "x", "redirect_uri": REDIRECT, "code_verifier": "x"}
        )
    with pytest.raises(OAuthError):
        await at.server.asked(at.question(client_id=client, redirect_uri=f"{REDIRECT}/other"))


async def can_ask(at: House) -> bool:
    return (await at.server.asked(at.question(client_id=URL, redirect_uri=REDIRECT))).client_id == URL


async def test_a_client_that_no_rule_would_enrol_is_not_even_looked_for() -> None:
    at = house()
    for number in range(100):
        await knocks(at, f"https://evil-{number}.example/client.json")
    assert at.net.asked == []
    assert await can_ask(at)


async def test_a_client_that_was_found_before_is_found_again_however_many_are_made_up_beside_it() -> None:
    at = house()
    assert await can_ask(at)
    for minute in range(30):
        for number in range(12):
            await knocks(at, f"{TOOLS}{minute}/{number}.json")
        assert await can_ask(at)
        at.now += 60
    assert len(at.net.asked) < 30 * 11 + 30


async def test_a_client_whose_document_could_not_be_had_for_a_while_is_found_again() -> None:
    at = house()
    assert await can_ask(at)
    at.now += 400
    there = at.net.pages.pop(URL)
    with pytest.raises(OAuthError):
        await can_ask(at)
    at.net.pages[URL] = there
    for number in range(12):
        await knocks(at, f"{TOOLS}{number}.json")
    at.now += 31
    assert await can_ask(at)
