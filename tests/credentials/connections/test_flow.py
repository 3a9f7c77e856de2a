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
from doorward.domain.reasons import Ran, Refused
from doorward.net.errors import NetError
from doorward.net.errors import Trouble as NetTrouble
from doorward.net.fetch import Fetched
from doorward.wire.pkce import challenge
from tests.credentials.connections.world import ALICE, AS, BACK, BOB, DOCUMENT, UPSTREAM, URL, House, Service, a_use, answered
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


# What is found out.


async def test_the_upstream_says_who_lets_people_in(house: House) -> None:
    url, begun = await house.begin(ALICE)
    assert house.service.asked == [
        URL,
        f"{WELL_KNOWN}/mcp",
        f"{AS}/.well-known/openid-configuration",
        *[f"{AS}/.well-known/oauth-authorization-server", f"{AS}/register"],
    ]
    assert asked_with(url) == {
        "response_type": "code",
        "client_id": "dyn-1",
        "redirect_uri": BACK,
        "scope": "read",
        "state": begun.state,
        "resource": URL,
        "code_challenge": challenge(begun.verifier),
        "code_challenge_method": "S256",
    }
    assert begun.verifier not in url


async def test_what_was_found_out_counts_for_an_hour_and_longer_where_nobody_answers(house: House) -> None:
    await house.begin(ALICE)
    known = len(house.service.asked)
    await house.begin(BOB)
    assert len(house.service.asked) == known
    house.later(3600)
    house.service.is_down = True
    await house.begin(ALICE)
    assert len(house.service.asked) == known + 2


async def test_a_server_that_is_down_is_not_asked_for_each_person(house: House) -> None:
    house.service.is_down = True
    for _ in range(5):
        assert "nobody answers" in await fails(house)
    assert len(house.service.asked) == 2
    house.service.is_down = False
    house.later(5)
    assert await house.begin(ALICE)


@pytest.mark.parametrize("said", [None, "Basic realm=x", "Bearer", 'Bearer error="invalid_token"'])
async def test_metadata_is_looked_for_where_the_upstream_does_not_say_where_it_is(house: House, said: str | None) -> None:
    house.service.challenge = said
    assert await house.begin(ALICE)
    assert house.service.asked[1] == f"{WELL_KNOWN}/mcp"


async def test_scopes_of_the_challenge_come_before_those_of_the_metadata_and_those_of_the_configuration_before_both(house: House) -> None:
    assert house.service.challenge is not None
    house.service.challenge += ', scope="files:read profile"'
    assert (await house.begin(ALICE))[1].scopes == ("files:read", "profile")
    house.declare(scopes=("mine",))
    assert (await house.begin(ALICE))[1].scopes == ("mine",)


async def test_no_scope_is_invented(house: House) -> None:
    house.service.resource = {"scopes_supported": None}
    assert "scope" not in asked_with((await house.begin(ALICE))[0])


async def test_offline_access_is_asked_for_where_the_server_knows_it(house: House) -> None:
    house.service.metadata = {"scopes_supported": ["read", "offline_access"]}
    asked = asked_with((await house.begin(ALICE))[0])
    assert (asked["scope"], asked["prompt"]) == ("read offline_access", "consent")


async def test_further_parameters_go_along_and_stand_for_none_of_ours(house: House) -> None:
    house.declare(parameters={"access_type": "offline", "state": "mine", "redirect_uri": "https://evil.example.com"})
    url, begun = await house.begin(ALICE)
    asked = asked_with(url)
    assert (asked["access_type"], asked["state"], asked["redirect_uri"]) == ("offline", begun.state, BACK)


@pytest.mark.parametrize("identifier", ["https://crm.example.com", "https://crm.example.com/", "https://crm.example.com/mcp"])
async def test_a_resource_may_be_the_url_or_what_it_is_part_of(house: House, identifier: str) -> None:
    house.service.resource = {"resource": identifier}
    assert (await house.begin(ALICE))[1].resource == identifier


@pytest.mark.parametrize(
    "identifier",
    [
        None,
        7,
        "",
        "https://evil.example.com/mcp",
        "http://crm.example.com/mcp",
        "https://crm.example.com/mc",
        "https://crm.example.com/mcp/x",
        "https://crm.example.com:444/mcp",
        "https://crm.example.com@evil.example.com/mcp",
        "https://crm.example.com/mcp#x",
    ],
)
async def test_metadata_of_another_resource_is_not_used(house: House, identifier: object) -> None:
    house.service.resource = {"resource": identifier}
    assert "the metadata is of" in await fails(house)


@pytest.mark.parametrize(
    "named",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://evil.example.com/x",
        "http://crm.example.com/x",
        "https://crm.example.com:8443/x",
        "https://crm.example.com.evil.example/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//crm.example.com/x",
        "https://crm.example.com@evil/x",
    ],
)
async def test_metadata_is_read_at_the_upstreams_own_origin_alone(house: House, named: str) -> None:
    """CVE-2026-51994: else an upstream could have us ask anybody, ourselves included."""
    house.service.challenge = f'Bearer resource_metadata="{named}"'
    assert "resource_metadata" in await fails(house)
    assert house.service.asked == [URL]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"issuer": "https://evil.example.com"}, "expected"),
        ({"issuer": AS + "/"}, "expected"),
        ({"code_challenge_methods_supported": None}, "PKCE"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "cannot be used"),
        ({"authorization_endpoint": "http://as.example.com/authorize"}, "https"),
        ({"token_endpoint": "http://127.0.0.1:9/token"}, "https"),
        ({"token_endpoint": None}, "no token_endpoint"),
        ({"revocation_endpoint": "ftp://as.example.com"}, "cannot be used"),
        ({"registration_endpoint": None}, "declare client_id"),
    ],
)
async def test_metadata_of_another_server_or_of_too_little_is_not_used(house: House, change: dict[str, Any], told: str) -> None:
    house.service.metadata = change
    assert told in await fails(house)
    assert house.service.count("/register") == 0


@pytest.mark.parametrize(
    "servers", [None, [], "https://as.example.com", [7], ["http://as.example.com"], ["javascript:alert(1)"], ["https://as.example.com#x"]]
)
async def test_an_upstream_that_names_no_proper_server_connects_nobody(house: House, servers: object) -> None:
    house.service.resource = {"authorization_servers": servers}
    assert await fails(house)


async def test_an_upstream_without_any_metadata_is_its_own_server_as_it_used_to_be(house: House) -> None:
    old = Service(house.wall, issuer="https://crm.example.com", challenge="Bearer")
    old.lies = lambda url, answer: answered({}, 404) if "protected-resource" in url else answer
    house = await House(old, wall=house.wall).open()
    _, begun = await house.begin(ALICE)
    assert (begun.issuer, begun.resource) == ("https://crm.example.com", URL)
    assert old.asked[:3] == [URL, f"{WELL_KNOWN}/mcp", WELL_KNOWN]


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


async def test_a_probe_that_is_not_answered_is_no_reason_to_give_up(house: House) -> None:
    def slow(url: str, answer: Fetched) -> Fetched:
        if url == URL:
            raise NetError(NetTrouble.TOTAL_TIMEOUT, "too slow", Ran.MAYBE)
        return answer

    house.service.lies = slow
    assert await house.begin(ALICE)
