"""What tokens of the usual providers say here: tokens as their vendors document them."""

from collections.abc import Mapping
from typing import Any

import pytest

from doorward.domain.actors import Principal, Subject
from doorward.domain.ids import SubjectId
from doorward.domain.reasons import Refused
from tests.identity.tokens.mint import NOW, URL, House, header, signed

pytestmark = pytest.mark.anyio

AUDIENCE = "https://mcp.example.com/mcp"
TIMES = {"iss": URL, "aud": AUDIENCE, "exp": NOW + 3600, "iat": NOW}

OKTA = {
    **TIMES,
    "ver": 1,
    "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
    "cid": "abc",
    "uid": "00ujmkLgagxeRrAg20g3",
    "scp": ["openid", "mcp"],
    "sub": "alice@example.com",
    "groups": ["Everyone", "Sales"],
}
ENTRA = {
    **TIMES,
    "ver": "2.0",
    "tid": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
    "azp": "abc",
    "azpacr": "1",
    "oid": "oid-of-alice",
    "sub": "pairwise",
    "scp": "mcp offline",
    "groups": ["6dc5b3e2"],
    "roles": ["Approver"],
}
ENTRA_APP = {
    **TIMES,
    "ver": "1.0",
    "appid": "abc",
    "appidacr": "1",
    "idtyp": "app",
    "oid": "of-app",
    "sub": "of-app",
    "roles": ["mcp:read"],
}
AUTH0 = {**TIMES, "aud": [AUDIENCE, f"{URL}/userinfo"], "azp": "abc", "sub": "auth0|123456", "scope": "openid mcp", "permissions": ["mcp"]}
AUTH0_APP = {**TIMES, "azp": "abc", "sub": "abc@clients", "gty": "client-credentials", "scope": "mcp"}
AUTH0_9068 = {**TIMES, "client_id": "abc", "jti": "j", "sub": "auth0|123456", "scope": "mcp"}
KEYCLOAK = {
    **TIMES,
    "typ": "Bearer",
    "azp": "abc",
    "sub": "9b1a",
    "sid": "s",
    "preferred_username": "alice",
    "realm_access": {"roles": ["offline_access"]},
    "scope": "email mcp",
    "groups": ["/sales", "/sales/eu"],
}
KEYCLOAK_APP = {
    **TIMES,
    "typ": "Bearer",
    "azp": "abc",
    "client_id": "abc",
    "sub": "7f",
    "preferred_username": "service-account-abc",
    "scope": "mcp",
}
GOOGLE = {
    **TIMES,
    "azp": "abc",
    "sub": "10769150350006150715113082367",
    "hd": "example.com",
    "email": "a@example.com",
    "at_hash": "HK6E_P6Dh8Y",
}
GOOGLE_ROBOT = {**TIMES, "azp": "abc", "sub": "abc", "email": "robot@project.iam.gserviceaccount.com", "email_verified": True}
GENERIC = {**TIMES, "client_id": "abc", "sub": "alice", "scope": "mcp", "jti": "j", "groups": ["sales"]}


async def identified(preset: str, said: Mapping[str, object], typ: str | None, **declared: Any) -> Principal:
    house = await House(preset=preset, **declared).ready()
    return house.identified(signed(said, header(typ=typ)))


@pytest.mark.parametrize(
    ("preset", "said", "typ", "subject", "groups", "scopes"),
    [
        ("okta", OKTA, None, "00ujmkLgagxeRrAg20g3", {"Everyone", "Sales"}, {"openid", "mcp"}),
        ("okta", {**OKTA, "uid": None, "sub": "abc", "groups": []}, "at+jwt", None, set(), {"openid", "mcp"}),
        ("entra", ENTRA, "JWT", "oid-of-alice", {"6dc5b3e2"}, {"mcp", "offline"}),
        ("entra", ENTRA_APP, "JWT", None, set(), {"mcp:read"}),
        ("auth0", AUTH0, "JWT", "auth0|123456", set(), {"openid", "mcp"}),
        ("auth0", AUTH0_APP, "JWT", None, set(), {"mcp"}),
        ("auth0", AUTH0_9068, "at+jwt", "auth0|123456", set(), {"mcp"}),
        ("keycloak", KEYCLOAK, "JWT", "9b1a", {"/sales", "/sales/eu"}, {"email", "mcp"}),
        ("keycloak", {**KEYCLOAK, "typ": "DPoP"}, "at+jwt", "9b1a", {"/sales", "/sales/eu"}, {"email", "mcp"}),
        ("keycloak", KEYCLOAK_APP, "JWT", None, set(), {"mcp"}),
        ("google", GOOGLE, "JWT", "10769150350006150715113082367", {"example.com"}, {"mcp"}),
        ("google", GOOGLE_ROBOT, "JWT", None, set(), {"mcp"}),
        ("generic", GENERIC, "at+jwt", "alice", {"sales"}, {"mcp"}),
    ],
)
async def test_a_token_says_who_acts(
    preset: str, said: Mapping[str, object], typ: str | None, subject: str | None, groups: set[str], scopes: set[str]
) -> None:
    found = await identified(preset, {name: value for name, value in said.items() if value is not None}, typ)
    person = found.subject
    assert found.agent.id == "claude"
    assert (person and person.id) == (subject and f"corp:{subject}")
    assert (person.groups if person else frozenset()) == {f"corp:{group}" for group in groups}
    assert found.proof.scopes == scopes


@pytest.mark.parametrize(
    ("preset", "said", "typ"),
    [
        ("generic", GENERIC, "JWT"),
        ("generic", GENERIC, None),
        ("entra", ENTRA, None),
        ("auth0", AUTH0, None),
        ("keycloak", {**KEYCLOAK, "typ": "ID"}, "JWT"),
        ("keycloak", {**KEYCLOAK, "typ": "Refresh"}, "JWT"),
        ("keycloak", {name: value for name, value in KEYCLOAK.items() if name != "typ"}, "JWT"),
        ("keycloak", KEYCLOAK, "logout+jwt"),
        ("okta", {**OKTA, "at_hash": "x"}, None),
        ("okta", {name: value for name, value in OKTA.items() if name != "cid"}, None),
        ("okta", OKTA, "application/okta-internal-at+jwt"),
        ("entra", {name: value for name, value in ENTRA.items() if name != "azp"}, "JWT"),
        ("google", {**GOOGLE, "azp": None}, "JWT"),
    ],
)
async def test_other_tokens_of_the_same_provider_are_refused(preset: str, said: Mapping[str, object], typ: str | None) -> None:
    with pytest.raises(Refused):
        await identified(preset, said, typ)


async def test_a_person_who_is_named_like_a_service_account_is_still_a_person() -> None:
    found = await identified("keycloak", {**KEYCLOAK, "preferred_username": "service-account-abc"}, "JWT")
    assert found.subject is not None


async def test_the_configuration_has_the_last_word_on_claims_types_and_scopes() -> None:
    said = {**TIMES, "app": "abc", "mail": "alice@example.com", "teams": "sales", "rights": ["read.all", "other"]}
    claims = {"client": ["app"], "subject": ["mail"], "groups": ["teams", "squads"], "scopes": ["rights"]}
    scopes = {"read.all": ["mcp:read", "mcp:mail"]}
    house = await House(preset="auth0", claims=claims, types=["X+JWT"], scopes=scopes).ready()
    principal = house.identified(signed(said, header(typ="application/x+jwt")))
    assert principal.subject == Subject(SubjectId("corp:alice@example.com"), frozenset({"corp:sales"}))
    assert principal.proof.scopes == {"mcp:read", "mcp:mail", "other"}


async def test_what_every_token_of_an_issuer_may_can_be_said() -> None:
    found = await identified("generic", {**GENERIC, "scope": "email"}, "at+jwt", scopes={"*": ["mcp:read"]})
    assert found.proof.scopes == {"email", "mcp:read"}


async def test_a_token_without_scopes_is_good_for_nothing() -> None:
    said = {name: value for name, value in GENERIC.items() if name != "scope"}
    assert (await identified("generic", said, "at+jwt")).proof.scopes == frozenset()


@pytest.mark.parametrize(
    "more",
    [
        {"groups": {"a": 1}},
        {"groups": [7]},
        {"groups": ["x" * 257]},
        {"groups": ["a\nb"]},
        {"groups": ["g"] * 1001},
        {"scope": 7},
        {"scope": [["mcp"]]},
        {"sub": 7},
        {"sub": ""},
        {"sub": "a\u202eb"},
        {"client_id": ["abc"]},
        {"client_id": None},
        {"_claim_names": "groups"},
    ],
)
async def test_claims_that_say_nothing_clear_let_nobody_in(more: Mapping[str, object]) -> None:
    with pytest.raises(Refused):
        await identified("generic", {**GENERIC, **more}, "at+jwt")
