"""The way to a connection: what is found out, what the browser is sent with, and every answer that connects nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from doorward.credentials.connections.connection import EVERY_AGENT, Place
from doorward.credentials.connections.port import BEGUN_SECONDS, Begun, ConnectError, Trouble
from doorward.domain.reasons import Refused
from tests.credentials.connections.world import ALICE, AS, BOB, DOCUMENT, UPSTREAM, House, Service, a_use, answered
from tests.made import Clock

pytestmark = pytest.mark.anyio

WELL_KNOWN = "https://crm.example.com/.well-known/oauth-protected-resource"


@pytest.fixture
async def house() -> House:
    wall = Clock(1_795_003_200.0)
    return await House(Service(wall), wall=wall).open()


async def fails(house: House, trouble: Trouble = Trouble.BROKEN) -> str:
    with pytest.raises(ConnectError) as raised:
        await house.begin(ALICE)
    assert raised.value.trouble is trouble
    return str(raised.value)


async def connects_nothing(house: House, change: Callable[[dict[str, str]], None] = lambda params: None, who: str = ALICE) -> ConnectError:
    url, begun = await house.begin(ALICE)
    params = house.service.authorize(url, "alice")
    change(params)
    with pytest.raises(ConnectError) as raised:
        await house.connections.finish(begun, params, who)  # type: ignore[arg-type]
    assert house.connections.every() == ()
    assert await house.store.load() == ()
    with pytest.raises(Refused):
        house.mint.holder(a_use(ALICE))
    return raised.value


def asked_with(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


# Who we are.


async def test_we_register_once_for_everybody(house: House) -> None:
    for who in (ALICE, BOB):
        await house.begin(who)
    again = await House(house.service, store=house.store, wall=house.wall).open()
    await again.begin(ALICE)
    assert house.service.count("/register") == 1


async def test_a_registration_that_has_ended_is_made_anew(house: House) -> None:
    await house.begin(ALICE)
    (one,) = await house.store.registered(AS)
    await house.store.register(replace(one, expires_at=house.wall() + 30))
    await house.begin(ALICE)
    assert house.service.count("/register") == 2


async def test_our_document_comes_before_a_registration(house: House) -> None:
    house.document = DOCUMENT
    house.service.metadata = {"client_id_metadata_document_supported": True}
    await house.connect(ALICE, "alice")
    assert await house.who(ALICE) == "alice"
    assert house.service.count("/register") == 0
    assert house.service.forms[0]["client_id"] == DOCUMENT


async def test_a_client_that_is_declared_comes_before_both(house: House) -> None:
    house.document = DOCUMENT
    house.service.client = ("door", "a secret")
    house.service.metadata = {"client_id_metadata_document_supported": True}
    house.declare(issuer=AS, client_id="door", client_secret="${env:a secret}")
    await house.connect(ALICE, "alice")
    assert house.service.count("/register") == 0
    assert await house.who(ALICE) == "alice"


async def test_a_service_without_metadata_is_used_as_it_is_declared(house: House) -> None:
    house.service.client = ("door", "a secret")
    house.declare(
        authorization_url=f"{AS}/authorize",
        token_url=f"{AS}/token",
        issuer=AS,
        client_id="door",
        client_secret="${env:a secret}",
        scopes=("repo",),
        resource="",
        account_url=f"{AS}/me",
    )
    made = await house.connect(ALICE, "alice")
    assert (made.account, made.issuer) == ("alice@crm", AS)
    assert house.service.asked == [f"{AS}/token", f"{AS}/me"]
    assert "resource" not in house.service.forms[0]


# What comes back.


def setting(**fields: str) -> Callable[[dict[str, str]], None]:
    return lambda params: params.update(fields)


def without(name: str) -> Callable[[dict[str, str]], None]:
    return lambda params: params.__delitem__(name)


@pytest.mark.parametrize(
    ("change", "trouble", "told"),
    [
        (setting(state="another"), Trouble.AGAIN, "the state is another"),
        (setting(state="ä"), Trouble.AGAIN, "the state is another"),
        (without("state"), Trouble.AGAIN, "the state is another"),
        (setting(iss="https://evil.example.com"), Trouble.AGAIN, "the answer is of"),
        (setting(iss=AS + "/"), Trouble.AGAIN, "the answer is of"),
        (without("iss"), Trouble.AGAIN, "has no iss"),
        (setting(code=""), Trouble.AGAIN, "no proper code"),
        (setting(code="a\nb"), Trouble.AGAIN, "no proper code"),
        (setting(code="x" * 5000), Trouble.AGAIN, "no proper code"),
        (without("code"), Trouble.AGAIN, "no proper code"),
        (setting(code="invented"), Trouble.BROKEN, "invalid_grant"),
        (setting(error="access_denied"), Trouble.DECLINED, "access_denied"),
        (setting(error="<b>buy</b>"), Trouble.DECLINED, "answered an error"),
        (setting(error="access_denied", iss="https://evil.example.com"), Trouble.AGAIN, "the answer is of"),
    ],
)
async def test_an_answer_that_does_not_fit_connects_nothing(
    house: House, change: Callable[[dict[str, str]], None], trouble: Trouble, told: str
) -> None:
    refused = await connects_nothing(house, change)
    assert refused.trouble is trouble
    assert told in str(refused)
    assert "<" not in refused.public


async def test_a_code_is_shown_to_nobody_where_its_answer_is_of_another_server(house: House) -> None:
    await connects_nothing(house, setting(iss="https://evil.example.com"))
    assert house.service.forms == []


async def test_another_person_finishes_nothing_that_was_begun(house: House) -> None:
    """Login CSRF: a link that was begun by somebody else connects neither account to anybody."""
    refused = await connects_nothing(house, who=BOB)
    assert (refused.trouble, str(refused)) == (Trouble.AGAIN, "it was begun by another person")
    assert house.service.forms == []


async def test_a_code_of_one_beginning_is_no_use_in_another(house: House) -> None:
    (theirs, _), (_, begun) = await house.begin(BOB), await house.begin(ALICE)
    stolen = house.service.authorize(theirs, "bob")
    with pytest.raises(ConnectError, match="invalid_grant"):
        await house.connections.finish(begun, {**stolen, "state": begun.state}, ALICE)


async def test_an_answer_is_good_once(house: House) -> None:
    url, begun = await house.begin(ALICE)
    params = house.service.authorize(url, "alice")
    await house.connections.finish(begun, params, ALICE)
    sent = len(house.service.forms)
    with pytest.raises(ConnectError, match="come back before"):
        await house.connections.finish(begun, params, ALICE)
    assert len(house.service.forms) == sent


@pytest.mark.parametrize("seconds", [BEGUN_SECONDS + 1, -61.0])
async def test_a_beginning_ends(house: House, seconds: float) -> None:
    url, begun = await house.begin(ALICE)
    params = house.service.authorize(url, "alice")
    house.wall.at += seconds
    with pytest.raises(ConnectError, match="too long"):
        await house.connections.finish(begun, params, ALICE)


async def test_a_server_that_takes_the_place_of_the_one_of_the_beginning_gets_no_code(house: House) -> None:
    """Mix-up: what was begun at one server is finished at no other, whatever the upstream says meanwhile."""
    url, begun = await house.begin(ALICE)
    params = house.service.authorize(url, "alice")
    house.service.issuer = "https://evil.example.com"
    house.later(0)
    house.ticks.at += 3600
    with pytest.raises(ConnectError):
        await house.connections.finish(begun, params, ALICE)
    assert house.service.forms == []


async def test_what_was_promised_when_it_began_must_be_kept(house: House) -> None:
    url, begun = await house.begin(ALICE)
    params = house.service.authorize(url, "alice")
    house.service.metadata = {"authorization_response_iss_parameter_supported": None}
    house.ticks.at += 3600
    del params["iss"]
    with pytest.raises(ConnectError, match="has no iss"):
        await house.connections.finish(begun, params, ALICE)


async def test_a_server_that_never_said_it_names_itself_need_not(house: House) -> None:
    house.service.metadata = {"authorization_response_iss_parameter_supported": None}
    assert await house.connect(ALICE, "alice")
    await house.connections.revoke(house.connections.every()[0].id, "ada")
    assert "the answer is of" in str(await connects_nothing(house, setting(iss="https://evil.example.com")))


@pytest.mark.parametrize(
    "said",
    [
        {"token_type": "dpop"},
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": "a\r\nX-Evil: 1"},
        {"access_token": "a b"},
        {"access_token": "x" * 20_000},
        {"refresh_token": ["rt"]},
        {"error": "invalid_grant"},
        {"id_token": "a.b.c"},
    ],
)
async def test_tokens_of_another_form_connect_nothing(house: House, said: dict[str, Any]) -> None:
    house.service.lies = lambda url, answer: answered({**json.loads(answer.body), **said}) if url.endswith("/token") else answer
    assert (await connects_nothing(house)).trouble is Trouble.BROKEN


async def test_a_beginning_is_of_plain_values_that_a_cookie_can_hold(house: House) -> None:
    _, begun = await house.begin(ALICE)
    packed = msgspec.msgpack.encode(begun)
    assert msgspec.msgpack.decode(packed, type=Begun) == begun
    assert len(packed) < 1500
    assert Place(ALICE, UPSTREAM, EVERY_AGENT) == Place(begun.holder, begun.upstream, begun.agent)  # type: ignore[arg-type]


async def test_no_two_beginnings_share_anything(house: House) -> None:
    begun = [(await house.begin(ALICE))[1] for _ in range(3)]
    assert len({text for one in begun for text in (one.state, one.nonce, one.verifier)}) == 9
