"""The whole way of a client: metadata, code, token, refresh, revocation; and what goes wrong on our side."""

import pytest

from doorward.domain.receipts import Event
from doorward.identity.authority.grants.kit import Terms
from doorward.identity.authority.metadata import Abilities
from doorward.identity.authority.port import OAuthError, TokenRequest
from tests.identity.authority.made import ANN, ISSUER, NOW, RESOURCE, House, answer, certificate

pytestmark = pytest.mark.anyio


async def refused(work: object) -> OAuthError:
    """The error of a request."""
    with pytest.raises(OAuthError) as caught:
        await work  # type: ignore[misc]
    return caught.value


async def test_a_code_becomes_tokens_of_the_person_for_one_endpoint() -> None:
    house = House()
    answered = await house.redeemed()
    claims = house.claims(answered)
    family = claims.pop("fam")
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "corp:ann",
        "client_id": "desk",
        "scope": "mcp",
        "iat": NOW,
        "exp": NOW + 600,
        "groups": ["corp:all", "corp:sales"],
    }
    assert {name: value for name, value in answered.items() if name not in ("access_token", "refresh_token")} == {
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "mcp",
    }
    assert [event.type for event in house.events] == ["sign_in_granted", "token_issued"]
    assert [event.fields["subject"] for event in house.events] == ["veiled(corp:ann)"] * 2
    assert {event.fields["family"] for event in house.events} == {family}


async def test_no_event_says_a_code_or_token() -> None:
    house = House()
    code = await house.code()
    answered = await house.token(house.redemption(code))
    again = await house.refreshed(answered["refresh_token"])
    await refused(house.refreshed(answered["refresh_token"]))
    told = repr(house.events)
    assert not [secret for secret in (code, *answered.values(), *again.values()) if len(str(secret)) > 20 and str(secret) in told]


async def test_the_redirect_says_code_state_and_issuer() -> None:
    house = House()
    asked = await house.server.asked(house.question(state="a&b=c d"))
    url = await house.server.granted(asked, ANN)
    assert url.startswith("https://desk.example/cb?code=dwc_")
    assert {**answer(url), "code": ""} == {"code": "", "state": "a&b=c d", "iss": ISSUER}


async def test_a_refusal_by_the_person_says_error_state_and_issuer() -> None:
    house = House()
    asked = await house.server.asked(house.question())
    said = answer(house.server.denied(asked, "access_denied"))
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "s1", ISSUER)
    assert answer(house.server.denied(asked, "javascript:alert(1)"))["error"] == "server_error"


async def test_the_metadata_says_what_clients_of_mcp_look_for() -> None:
    document = House().server.metadata()
    assert document["issuer"] == ISSUER
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["client_id_metadata_document_supported"] is True
    assert document["token_endpoint_auth_methods_supported"] == ["none", "private_key_jwt"]
    assert document["authorization_grant_profiles_supported"] == ["urn:ietf:params:oauth:grant-profile:id-jag"]
    assert document["registration_endpoint"] == f"{ISSUER}/oauth/register"
    assert document["grant_types_supported"] == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]


async def test_the_metadata_leaves_out_what_is_not_on() -> None:
    document = House(abilities=Abilities(documents=False, dynamic=False, assertions=False, certificates=False)).server.metadata()
    assert document["client_id_metadata_document_supported"] is False
    assert not {"registration_endpoint", "authorization_grant_profiles_supported"} & set(document)
    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" not in str(document["grant_types_supported"])


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password", "client_id": "desk"}, "unsupported_grant_type"),
        ({"grant_type": "jwt-bearer", "client_id": "desk"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "desk"}, "unauthorized_client"),
        ({"grant_type": "refresh_token", "client_id": "nobody"}, "invalid_client"),
        ({"grant_type": "refresh_token"}, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": "agent"}, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": "desk", "client_secret": "x"}, "invalid_client"),
    ],
)
async def test_requests_that_are_none_get_their_error(fields: dict[str, str], error: str) -> None:
    found = await refused(House().token(fields))
    assert (found.error, found.status) == (error, 401 if error == "invalid_client" else 400)


async def test_what_cannot_be_written_down_is_not_given() -> None:
    house = House()
    code = await house.code()
    house.log_fails = True
    assert (await refused(house.token(house.redemption(code)))).status == 503
    assert (await refused(house.code())).error == "temporarily_unavailable"


async def test_a_client_that_is_no_agent_in_good_standing_gets_nothing() -> None:
    house = House()
    answered = await house.redeemed()
    code, asked = await house.code(), await house.server.asked(house.question())
    house.registry.out.add("desk")
    assert (await refused(house.token(house.redemption(code)))).error == "unauthorized_client"
    assert (await refused(house.refreshed(answered["refresh_token"]))).error == "unauthorized_client"
    shown = await refused(house.server.asked(house.question()))
    assert (shown.error, shown.redirect) == ("unauthorized_client", None)
    assert (await refused(house.server.granted(asked, ANN))).error == "unauthorized_client"
    house.registry.out.clear()
    assert await house.token(house.redemption(code))
    assert await house.refreshed(answered["refresh_token"])


async def test_tokens_are_tied_to_the_key_or_certificate_of_their_request() -> None:
    house = House()
    by_key = await house.token(house.redemption(await house.code()), dpop="key-1", certificate=certificate())
    assert (house.claims(by_key)["cnf"], by_key["token_type"]) == ({"jkt": "key-1"}, "DPoP")
    by_certificate = await house.token(house.redemption(await house.code()), certificate=certificate())
    assert (house.claims(by_certificate)["cnf"], by_certificate["token_type"]) == ({"x5t#S256": "t1"}, "Bearer")
    assert (await refused(house.token(house.redemption(await house.code()), dpop="bad"))).error == "invalid_dpop_proof"


async def test_no_token_is_free_where_all_must_be_tied() -> None:
    house = House(terms=Terms(ISSUER, {RESOURCE}.__contains__, must_bind=True))
    code = await house.code()
    assert (await refused(house.token(house.redemption(code)))).error == "invalid_request"
    assert house.claims(await house.token(house.redemption(code), dpop="key-1"))["cnf"] == {"jkt": "key-1"}


async def test_a_client_gives_its_tokens_back() -> None:
    house = House()
    first, second = await house.redeemed(), await house.redeemed()
    for answered, name in ((first, "refresh_token"), (second, "access_token")):
        request = TokenRequest({"client_id": "desk", "token": str(answered[name])}, None, None, "192.0.2.1")
        await house.server.revoke(request)
        await house.server.revoke(request)
        assert (await refused(house.refreshed(answered["refresh_token"]))).error == "invalid_grant"
    families = [str(house.claims(answered)["fam"]) for answered in (first, second)]
    assert house.ended == [(family, "given_back") for family in families]
    assert house.events[-1] == Event("family_revoked", "doorward", {"family": families[1], "client": "desk", "why": "given_back"})


async def test_nobody_gives_back_what_is_not_theirs_and_unknown_tokens_are_no_error() -> None:
    house = House()
    answered = await house.redeemed()
    other = {**house.signed(), "token": str(answered["refresh_token"])}
    assert (await refused(house.server.revoke(TokenRequest(other, None, None, "192.0.2.1")))).error == "unauthorized_client"
    for unknown in ("", "dwr_abc", "a.b.c", "nonsense"):
        fields = {"client_id": "desk", "token": unknown or "x"}
        await house.server.revoke(TokenRequest(fields, None, None, "192.0.2.1"))
    assert await house.refreshed(answered["refresh_token"])


@pytest.mark.parametrize("by", ["family", "subject", "client"])
async def test_an_operators_word_ends_families_and_voids_codes(by: str) -> None:
    house = House()
    code, answered = await house.code(), await house.redeemed()
    match by:
        case "family":
            await house.store.end(str(house.claims(answered)["fam"]), "operator", house.now)
        case "subject":
            assert len(await house.store.end_subject("corp:ann", "operator", house.now)) == 1
        case _:
            assert len(await house.store.end_client("desk", "operator", house.now)) == 1
    assert (await refused(house.refreshed(answered["refresh_token"]))).error == "invalid_grant"
    if by != "family":
        assert (await refused(house.token(house.redemption(code)))).error == "invalid_grant"


async def test_families_that_ended_before_a_restart_are_told_again_once() -> None:
    house = House()
    answered = await house.redeemed()
    family = str(house.claims(answered)["fam"])
    await house.store.end(family, "refresh_token_reused", house.now)
    restarted = House(store=house.store)
    await restarted.server.upkeep()
    await restarted.server.upkeep()
    assert restarted.ended == [(family, "refresh_token_reused")]


async def test_clients_register_themselves_where_they_may() -> None:
    house = House()
    body = {
        "client_name": " Some  client ",
        "redirect_uris": ["http://localhost:3000/cb"],
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token"],
        "logo_uri": "https://evil.example/logo.png",
    }
    registered = await house.server.register(body)
    client_id = str(registered["client_id"])
    assert registered == {
        "client_id": client_id,
        "client_id_issued_at": int(NOW),
        "client_name": "Some client",
        "redirect_uris": ["http://localhost:3000/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    asked = await house.server.asked(house.question(client_id=client_id, redirect_uri="http://localhost:4711/cb"))
    assert (asked.client_name, asked.origin, asked.is_local, asked.redirect_host) == ("Some client", "registered", True, "localhost:4711")
    assert house.net.asked == []
    off = House(abilities=Abilities(documents=True, dynamic=False, assertions=True, certificates=True))
    assert (await refused(off.server.register(body))).status == 403


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://evil.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [7]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.example/cb"}, "invalid_redirect_uri"),
        ({"client_name": "evil\u202ename"}, "invalid_client_metadata"),
        ({"client_name": ""}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"software_statement": "x"}, "invalid_software_statement"),
    ],
)
async def test_registrations_that_cannot_be_are_refused(change: dict[str, object], error: str) -> None:
    body: dict[str, object] = {"client_name": "c", "redirect_uris": ["https://a.example/cb"]}
    assert (await refused(House().server.register({**body, **change}))).error == error
