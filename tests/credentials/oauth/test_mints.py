"""What each kind asks for, in whose name, and who may use what comes of it."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from doorward.credentials.oauth.answer import ID_JAG
from doorward.credentials.oauth.mints import OAuthMint, Parted
from doorward.credentials.oauth.plans import (
    Actor,
    IdJag,
    JwtBearer,
    Key,
    OAuth,
    OnBehalfOf,
    Presented,
    TokenExchange,
    Unproven,
    Vouched,
    Wanted,
)
from doorward.credentials.port import EVERYBODY, CredentialError, Minted, Use
from doorward.domain.actors import Actor as Link
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from doorward.identity.own import own
from tests.credentials.oauth.authority import CRM, PLAN, SECRET, SERVER, URL, WANTED, Authority, person, use
from tests.made import Clock, principal

pytestmark = pytest.mark.anyio

ACCESS = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
PRESENTED = Presented("corp", ACCESS)
VOUCHED = Vouched(JWT, None, None, None, None)
EXCHANGE = TokenExchange(CRM, SERVER, WANTED, PRESENTED, Actor.NONE)
BEHALF = OnBehalfOf(CRM, SERVER, Wanted(None, None, ("api://crm/.default",)), PRESENTED)
BEARER = JwtBearer(CRM, msgspec.structs.replace(SERVER, proving=Unproven()), WANTED, VOUCHED)
ASKED = {"scope": "crm.read", "resource": f"{CRM}/mcp"}
MOMENT = {"iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_060, "jti": "07" * 16}


async def minted(plan: OAuth, of: Use, provider: Authority | None = None) -> tuple[Minted, dict[str, str]]:
    """What was made, and the last form that was sent for it."""
    provider = provider or Authority()
    made = await OAuthMint(plan, provider.means()).mint(of)
    return made, provider.forms[-1]


def said(token: str) -> Any:
    """What Doorward has signed."""
    return json.loads(token)


async def test_doorward_as_itself_is_one_account_for_everybody() -> None:
    made, form = await minted(PLAN, use())
    assert form == {"grant_type": "client_credentials", **ASKED}
    assert made == Minted(
        headers=(("Authorization", Secret("Bearer token-own")),),
        secrets=(Secret("token-own"), Secret(SECRET)),
        account=f"doorward at {URL}",
        scope="crm.read",
        seconds=300.0,
    )
    assert OAuthMint(PLAN, Authority().means()).holder(use(own())) == EVERYBODY


async def test_a_presented_token_is_exchanged_for_the_persons_own() -> None:
    made, form = await minted(EXCHANGE, use(person(), "alices"))
    grant = "urn:ietf:params:oauth:grant-type:token-exchange"
    assert form == {"grant_type": grant, "subject_token": "alices", "subject_token_type": ACCESS, **ASKED}
    assert made.headers == (("Authorization", Secret("Bearer token-alices")),)
    assert made.account == f"corp:alice at {URL}"
    assert Secret("alices") not in made.secrets


async def test_an_actor_token_names_the_agent_in_doorwards_name() -> None:
    _, form = await minted(msgspec.structs.replace(EXCHANGE, actor=Actor.TOKEN), use(person(), "alices"))
    claims = {"iss": "https://mcp.example.com", "sub": "claude", "aud": URL, **MOMENT}
    assert (said(form["actor_token"]), form["actor_token_type"]) == ({"typ": "JWT", **claims}, JWT)


async def test_a_signed_subject_names_the_person_the_agent_and_those_it_was_handed_on_by() -> None:
    by = person()
    chained = replace(by, actors=(Link("x", "corp", principal("planner").agent), Link("y", "corp", principal("desk").agent)))
    _, form = await minted(msgspec.structs.replace(EXCHANGE, subject=VOUCHED), use(chained))
    act = {"sub": "claude", "act": {"sub": "planner", "act": {"sub": "desk"}}}
    claims = {"iss": "https://mcp.example.com", "sub": "corp:alice", "aud": URL, "act": act, **MOMENT}
    assert (said(form["subject_token"]), form["subject_token_type"]) == ({"typ": "JWT", **claims}, JWT)


async def test_entra_is_asked_on_behalf_of_the_person() -> None:
    made, form = await minted(BEHALF, use(person(), "alices"))
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    asked = {"requested_token_use": "on_behalf_of", "scope": "api://crm/.default"}
    assert form == {"grant_type": grant, "assertion": "alices", **asked}
    assert made.scope == "api://crm/.default"


async def test_a_jwt_with_a_key_of_its_own_names_the_person_as_their_issuer_does() -> None:
    key = ECKey.generate_key("P-256")
    provider = Authority()
    means = msgspec.structs.replace(provider.means(), resolve={"${env:KEY}": Secret(json.dumps(key.as_dict(private=True)))}.__getitem__)
    vouched = Vouched(JWT, "corp", f"{URL}/token", Key("${env:KEY}", "k9", None), "robot@crm.example")
    await OAuthMint(msgspec.structs.replace(BEARER, subject=vouched), means).mint(use(person()))
    form = dict(provider.forms[0])
    read = jwt.decode(form.pop("assertion"), key, algorithms=["ES256"])
    assert form == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id": "doorward", **ASKED}
    assert read.header == {"alg": "ES256", "kid": "k9", "typ": "JWT"}
    assert read.claims == {"iss": "robot@crm.example", "sub": "alice", "aud": f"{URL}/token", "act": {"sub": "claude"}, **MOMENT}


async def test_an_identity_assertion_is_asked_of_the_provider_and_shown_to_the_upstreams_server() -> None:
    crm, idp = Authority(url=CRM), Authority()
    idp.answer = lambda form: (200, {"access_token": "the.id.jag", "token_type": "N_A", "issued_token_type": ID_JAG})
    server = msgspec.structs.replace(SERVER, issuer=CRM, proving=Unproven())
    means = msgspec.structs.replace(idp.means(), web=lambda way: crm if way.is_private else idp)
    plan = IdJag(CRM, SERVER, msgspec.structs.replace(server, way=msgspec.structs.replace(server.way, is_private=True)), WANTED, PRESENTED)
    mint = OAuthMint(plan, means)
    made = await mint.mint(use(person(), "alices"))
    first = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": "alices", "subject_token_type": ACCESS}
    assert idp.forms == [{**first, **ASKED, "audience": CRM, "requested_token_type": ID_JAG}]
    second = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "the.id.jag", "client_id": "doorward"}
    assert crm.forms == [{**second, **ASKED}]
    assert made.headers == (("Authorization", Secret("Bearer token-the.id.jag")),)


async def test_a_call_of_a_group_is_made_with_scopes_of_that_group_and_shares_no_token_with_others() -> None:
    wanted = msgspec.structs.replace(WANTED, by_group=(("read", ("crm.list",)), ("write", ("crm.write", "crm.read"))))
    provider = Authority()
    mint = OAuthMint(msgspec.structs.replace(PLAN, wanted=wanted), provider.means())
    uses = [use(groups=frozenset(groups)) for groups in ({"read"}, {"write", "external"}, set[str]())]
    assert [mint.holder(one) for one in uses] == ["crm.read crm.list", "crm.read crm.write", "crm.read"]
    assert [(await mint.mint(one)).scope for one in uses] == ["crm.read crm.list", "crm.read crm.write", "crm.read"]
    assert [form["scope"] for form in provider.forms] == ["crm.read crm.list", "crm.read crm.write", "crm.read"]


async def test_the_scope_that_was_given_is_the_one_that_is_on_record() -> None:
    answer = {"access_token": "t", "token_type": "Bearer", "expires_in": "60", "scope": "crm.read.some"}
    made, _ = await minted(PLAN, use(), Authority(answer=lambda form: (200, answer)))
    assert (made.scope, made.seconds) == ("crm.read.some", 60.0)


@pytest.mark.parametrize("plan", [EXCHANGE, BEHALF, BEARER, msgspec.structs.replace(EXCHANGE, subject=VOUCHED)])
async def test_an_agent_that_acts_for_nobody_has_no_token_of_a_person(plan: OAuth) -> None:
    provider = Authority()
    mint = OAuthMint(plan, provider.means())
    with pytest.raises(Refused) as caught:
        mint.holder(use(principal(), "a-token-of-its-own"))
    assert caught.value.reason is Reason.NO_CREDENTIAL
    assert caught.value.sentence == "The upstream `crm` is used in a person's name, and this agent acts for nobody; the call was not made."
    with pytest.raises(Refused):
        await mint.mint(use(principal(), "a-token-of-its-own"))
    assert provider.asked == []


@pytest.mark.parametrize("plan", [EXCHANGE, BEHALF])
@pytest.mark.parametrize("of", [use(person()), use(person(issuer="other"), "others-canary")])
async def test_a_token_of_another_issuer_is_shown_to_nobody(plan: OAuth, of: Use) -> None:
    provider = Authority()
    mint = OAuthMint(plan, provider.means())
    with pytest.raises(Refused, match="no access token of corp"):
        mint.holder(of)
    with pytest.raises(Refused, match="no access token of corp"):
        await mint.mint(of)
    assert provider.forms == []


async def test_people_of_another_issuer_are_nobody_to_a_server_that_knows_ones_own() -> None:
    vouched = msgspec.structs.replace(VOUCHED, issuer="corp")
    mint = OAuthMint(msgspec.structs.replace(BEARER, subject=vouched), Authority().means())
    with pytest.raises(Refused) as caught:
        mint.holder(use(person(issuer="other")))
    assert caught.value.sentence == "The upstream `crm` knows the people of `corp` alone; the call was not made."
    assert "corp:alice" in mint.holder(use(person()))


async def test_the_presented_token_is_never_what_an_upstream_is_shown() -> None:
    echo = Authority(answer=lambda form: (200, {"access_token": form["subject_token"], "token_type": "Bearer"}))
    with pytest.raises(CredentialError, match="presented") as raised:
        await minted(EXCHANGE, use(person(), "alices-canary"), echo)
    assert "canary" not in str(raised.value)


async def test_a_token_that_came_too_late_is_none() -> None:
    clock, provider = Clock(), Authority()

    def slow(form: dict[str, str]) -> tuple[int, Any]:
        clock.at += 30
        return 200, {"access_token": "t", "token_type": "Bearer", "expires_in": 40}

    provider.answer = slow
    mint = OAuthMint(PLAN, provider.means(clock))
    assert (await mint.mint(use())).seconds == 10.0
    provider.answer = lambda form: (slow(form)[0], {"access_token": "t", "token_type": "Bearer", "expires_in": 30})
    with pytest.raises(CredentialError, match="ended before"):
        await mint.mint(use())


async def test_what_came_of_a_persons_grant_is_not_given_back_for_that_might_end_the_grant() -> None:
    provider = Authority({"revocation_endpoint": f"{URL}/revoke"})
    made = {
        type(plan): (await OAuthMint(plan, provider.means()).mint(use(person(), "alices"))).release
        for plan in (PLAN, EXCHANGE, BEHALF, BEARER)
    }
    assert {kind.__name__: release is not None for kind, release in made.items()} == {
        "ClientCredentials": True,
        "TokenExchange": False,
        "OnBehalfOf": False,
        "JwtBearer": True,
    }
    release = made[type(PLAN)]
    assert release is not None
    await release()
    assert (provider.asked[-1], provider.forms[-1]) == ("/revoke", {"token": "token-own", "token_type_hint": "access_token"})


async def test_the_gateways_own_calls_go_the_other_way() -> None:
    people, provider = Authority(), Authority()
    mint = Parted(OAuthMint(EXCHANGE, people.means()), OAuthMint(PLAN, provider.means()))
    assert mint.holder(use(own())) == EVERYBODY
    await mint.mint(use(own()))
    assert (people.forms, len(provider.forms)) == ([], 1)
    await mint.mint(use(person(), "alices"))
    assert (len(people.forms), len(provider.forms)) == (1, 1)
