"""Authorization requests: nothing leaves for an address that is not proven, and nothing is asked that PKCE does not protect."""

import pytest

from doorward.identity.authority.port import Asked, OAuthError, Origin
from tests.identity.authority.made import ANN, CHALLENGE, ISSUER, LOCAL, REDIRECT, RESOURCE, House, answer

pytestmark = pytest.mark.anyio


async def error_of(house: House, **changes: str) -> OAuthError:
    """What a request is refused with."""
    with pytest.raises(OAuthError) as caught:
        await house.server.asked(house.question(**changes))
    return caught.value


async def test_a_good_request_is_read_whole() -> None:
    house = House()
    jkt = "j" * 43
    assert await house.server.asked(house.question(dpop_jkt=jkt, scope="mcp:read mcp:git offline_access")) == Asked(
        client_id="desk",
        client_name="Desk",
        origin=Origin.DECLARED,
        redirect_uri=REDIRECT,
        state="s1",
        scopes=("mcp:git", "mcp:read"),
        resource=RESOURCE,
        code_challenge=CHALLENGE,
        dpop_jkt=jkt,
    )


async def test_a_request_without_scopes_is_one_for_all_that_the_client_may_have() -> None:
    house = House()
    assert (await house.server.asked(house.question(scope=""))).scopes == ("mcp",)
    assert (await house.server.asked(house.question(scope="", client_id="agent"))).scopes == ("mcp:git", "mcp:read")


async def test_any_port_of_loopback_is_the_clients() -> None:
    house = House()
    asked = await house.server.asked(house.question(redirect_uri="http://127.0.0.1:51004/cb"))
    assert (asked.redirect_uri, asked.redirect_host, asked.is_local) == ("http://127.0.0.1:51004/cb", "127.0.0.1:51004", True)


@pytest.mark.parametrize(
    "redirect",
    [
        "",
        "https://desk.example/cb/",
        "https://desk.example/cb/../evil",
        "https://desk.example/cb/more",
        "https://desk.example/CB",
        "https://desk.example/c%62",
        "https://desk.example/cb?x=1",
        "https://desk.example/cb#f",
        "https://desk.example:443/cb",
        "https://desk.example.evil.example/cb",
        "https://desk.example@evil.example/cb",
        "https://evil.example/https://desk.example/cb",
        "https://desk.example\\@evil.example/cb",
        "https://desk.example/cb\n",
        " https://desk.example/cb",
        "HTTPS://desk.example/cb",
        "http://desk.example/cb",
        "//desk.example/cb",
        "http://127.0.0.1:51004/cb/more",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://127.0.0.2/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
        "http://127.0.0.1.evil.example/cb",
        "javascript:alert(1)",
    ],
)
async def test_an_address_that_is_not_the_clients_is_never_gone_to(redirect: str) -> None:
    error = await error_of(House(), redirect_uri=redirect)
    assert (error.error, error.redirect, error.status) == ("invalid_request", None, 400)


async def test_an_unknown_client_is_shown_its_error_here() -> None:
    for client in ("nobody", "dyn-nobody", "", "x" * 5000):
        error = await error_of(House(), client_id=client)
        assert error.redirect is None
        assert error.error == ("invalid_request" if not client else "invalid_client")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"resource": ""}, "invalid_target"),
        ({"resource": "https://gate.example"}, "invalid_target"),
        ({"resource": "https://gate.example/mcp/"}, "invalid_target"),
        ({"resource": "https://gate.example/mcp/unknown"}, "invalid_target"),
        ({"resource": "https://GATE.example/mcp"}, "invalid_target"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "mcp  mcp:read"}, "invalid_scope"),
        ({"scope": 'mcp "'}, "invalid_scope"),
        ({"scope": " ".join(["mcp"] * 257)}, "invalid_scope"),
        ({"scope": "mcp", "client_id": "agent"}, "invalid_scope"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "https://desk.example/r"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "interaction_required"),
    ],
)
async def test_a_wrong_request_of_a_proven_address_goes_back_there(changes: dict[str, str], expected: str) -> None:
    error = await error_of(House(), **changes)
    assert error.redirect is not None
    said = answer(error.redirect)
    assert error.redirect.startswith(f"{REDIRECT}?error=")
    assert (error.error, said["error"], said["state"], said["iss"]) == (expected, expected, "s1", ISSUER)


async def test_a_client_without_the_grant_gets_no_code() -> None:
    house = House()
    url = "https://tool.example/client.json"
    document = {"client_id": url, "client_name": "T", "redirect_uris": [REDIRECT], "grant_types": ["refresh_token"]}
    house.net.put(url, document)
    assert (await error_of(house, client_id=url)).error == "unauthorized_client"


async def test_a_state_that_cannot_be_sent_back_is_refused_here() -> None:
    for state in ("x" * 2049, "line\nbreak", "é"):
        assert (await error_of(House(), state=state)).redirect is None


async def test_a_redirect_that_has_a_query_keeps_it() -> None:
    house = House()
    url = "https://tool.example/client.json"
    house.net.put(url, {"client_id": url, "client_name": "T", "redirect_uris": ["https://tool.example/cb?a=b"]})
    asked = await house.server.asked(house.question(client_id=url, redirect_uri="https://tool.example/cb?a=b", state=""))
    went = await house.server.granted(asked, ANN)
    assert went.startswith("https://tool.example/cb?a=b&code=")
    assert set(answer(went)) == {"a", "code", "iss"}


async def test_a_request_that_the_client_has_disowned_meanwhile_is_not_granted() -> None:
    house = House()
    url = "https://tool.example/client.json"
    house.net.put(url, {"client_id": url, "client_name": "T", "redirect_uris": [REDIRECT]})
    asked = await house.server.asked(house.question(client_id=url))
    house.net.put(url, {"client_id": url, "client_name": "T", "redirect_uris": ["https://tool.example/new"]})
    house.now += 3601
    with pytest.raises(OAuthError) as caught:
        await house.server.granted(asked, ANN)
    assert caught.value.redirect is None


async def test_reading_a_request_makes_no_agent_known() -> None:
    house = House()
    asked = await house.server.asked(house.question(redirect_uri=LOCAL))
    assert house.registry.made == []
    await house.server.granted(asked, ANN)
    assert house.registry.made == ["desk"]
