"""What is found out of an upstream's authorization, and what is not believed (RFC 9728, RFC 8414, CVE-2026-51994)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorward.credentials.connections.port import ConnectError, Trouble
from doorward.domain.reasons import Ran
from doorward.net.errors import NetError
from doorward.net.errors import Trouble as NetTrouble
from doorward.net.fetch import Fetched
from doorward.wire.pkce import challenge
from tests.credentials.connections.world import ALICE, AS, BACK, BOB, URL, House, Service, answered
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


def asked_with(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


async def test_the_upstream_says_who_lets_people_in(house: House) -> None:
    url, begun = await house.begin(ALICE)
    assert house.service.asked == [
        URL,
        f"{WELL_KNOWN}/mcp",
        f"{AS}/.well-known/oauth-authorization-server",
        f"{AS}/register",
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


async def test_a_probe_that_is_not_answered_is_no_reason_to_give_up(house: House) -> None:
    def slow(url: str, answer: Fetched) -> Fetched:
        if url == URL:
            raise NetError(NetTrouble.TOTAL_TIMEOUT, "too slow", Ran.MAYBE)
        return answer

    house.service.lies = slow
    assert await house.begin(ALICE)


async def test_a_slash_behind_the_origin_of_a_server_names_the_same_server(house: House) -> None:
    house.service.resource = {"authorization_servers": [f"{AS}/"]}
    assert (await house.begin(ALICE))[1].issuer == AS
