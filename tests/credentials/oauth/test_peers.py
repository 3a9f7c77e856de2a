"""Against a real provider: every way to prove ourselves, and every grant, over real connections."""

import os
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey
from msgspec.structs import replace

from doorward.app.reach import authorization_server
from doorward.config.references import Resolver
from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.mints import OAuthMint
from doorward.credentials.oauth.plans import (
    Actor,
    Certified,
    ClientCredentials,
    JwtBearer,
    Key,
    Keyed,
    OAuth,
    OnBehalfOf,
    Presented,
    Proving,
    Secretly,
    Server,
    Shown,
    TokenExchange,
    Unproven,
    Vouched,
    Wanted,
    Way,
)
from doorward.credentials.port import CredentialError, Minted, Use
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.net.oauth.jose import signed
from tests.certificates import authority
from tests.credentials.oauth.authority import person, use
from tests.e2e.served import site
from tests.exchanging import CLIENTS, KEY, SECRET, Provider, exchanging

pytestmark = [pytest.mark.peer, pytest.mark.anyio]

CRM = "https://crm.example/mcp"
OURS = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256"})
ENVIRONMENT = {"SECRET": SECRET, "WRONG": "another secret", "KEY": KEY.as_pem(private=True).decode()}
WANTED = Wanted(None, CRM, ("read",))
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
BY_SECRET = Secretly("${env:SECRET}", Shown.AUTO)
VOUCHED = Vouched(JWT, None, None, None, None)


@pytest.fixture(scope="module")
def doorward() -> Iterator[str]:
    """Where Doorward publishes the key that it signs with: its issuer's URL."""
    with site() as ours:
        ours.publish("/jwks", {"keys": [OURS.as_dict(private=False)]})
        yield ours.origin


@pytest.fixture(scope="module")
def company(doorward: str) -> Iterator[Provider]:
    with exchanging(trusted={doorward: f"{doorward}/jwks"}) as running:
        yield running


def server(company: Provider, client: str = "doorward", proving: Proving = BY_SECRET, way: Way | None = None) -> Server:
    return Server(company.issuer, None, client, proving, way or Way(is_private=True, is_plain=True))


def means(issuer: str = "", root: Path = Path("/nowhere")) -> Means:
    """Real connections and real time."""

    def sign(claims: Any, typ: str) -> Secret:
        return signed({"typ": typ, "kid": "ours"}, {"iss": issuer, **claims}, OURS, "ES256")

    resolve = Resolver(root, ENVIRONMENT).resolve
    return Means(resolve, root, lambda way: authorization_server(root, way), sign, time.time, time.monotonic, os.urandom)


async def minted(plan: OAuth, of: Use, by: Means) -> tuple[Minted, str]:
    """What was made, and the token that the upstream is shown."""
    made = await OAuthMint(plan, by).mint(of)
    ((name, value),) = made.headers
    assert name == "Authorization"
    return made, value.reveal().removeprefix("Bearer ")


@pytest.mark.parametrize(
    ("client", "proving"),
    [
        ("doorward", BY_SECRET),
        ("doorward", Secretly("${env:SECRET}", Shown.BASIC)),
        ("poster", Secretly("${env:SECRET}", Shown.POST)),
        ("signer", Keyed(Key("${env:KEY}", "client-key", None), None, None)),
    ],
)
async def test_doorward_gets_a_token_of_its_own_for_the_upstream_alone(company: Provider, client: str, proving: Proving) -> None:
    made, token = await minted(ClientCredentials(CRM, server(company, client, proving), WANTED), use(), means())
    claims = company.verified(token, CRM)
    assert (claims["sub"], claims["client_id"], claims["scope"], made.scope) == (client, client, "read", "read")
    assert made.seconds is not None
    assert 290 < made.seconds <= 300
    assert made.release is not None
    # A JWT of this provider is verified by nobody but the upstream: it cannot be taken back, and says so.
    with pytest.raises(CredentialError, match="unsupported_token_type"):
        await made.release()


async def test_a_token_that_can_be_given_back_is(company: Provider) -> None:
    made, _ = await minted(ClientCredentials(CRM, server(company), Wanted(None, None, ())), use(), means())
    assert made.release is not None
    await made.release()


async def test_a_client_is_known_by_its_certificate(tmp_path: Path) -> None:
    issued = authority().leaf()
    certificate = issued.certificate.public_bytes(Encoding.DER)
    jwk = {**ECKey.import_key(issued.key_pem).as_dict(private=False), "x5c": [b64encode(certificate).decode()]}
    known = {"client_id": "certified", "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [jwk]}}
    issued.written(tmp_path, "own")
    with exchanging(tmp_path, [*CLIENTS, known]) as company:
        way = Way(is_private=True, ca_file="provider-ca.pem", certificate=("own.pem", "own.key"))
        plan = ClientCredentials(CRM, server(company, "certified", Certified(), way), WANTED)
        _, token = await minted(plan, use(), means(root=tmp_path))
        assert company.verified(token, CRM)["client_id"] == "certified"
        other = replace(plan, server=replace(plan.server, way=replace(way, certificate=None)))
        with pytest.raises(CredentialError, match="invalid_client"):
            await minted(other, use(), means(root=tmp_path))
        with pytest.raises(DoorwardError, match="no TLS connection"):
            await minted(replace(plan, server=replace(plan.server, way=replace(way, ca_file=None))), use(), means(root=tmp_path))


async def test_a_wrong_secret_is_told_by_its_code(company: Provider) -> None:
    with pytest.raises(CredentialError) as raised:
        await minted(ClientCredentials(CRM, server(company, proving=Secretly("${env:WRONG}", Shown.AUTO)), WANTED), use(), means())
    assert str(raised.value) == "the token endpoint answered 401, invalid_client"


async def test_people_get_tokens_of_their_own_in_exchange(company: Provider) -> None:
    plan = TokenExchange(CRM, server(company), WANTED, Presented("corp", ACCESS), Actor.NONE)
    for name in ("alice", "bob"):
        presented = company.token_of(name, "https://mcp.example.com/mcp")
        made, token = await minted(plan, use(person(name), presented), means())
        claims = company.verified(token, CRM)
        assert (claims["sub"], claims["act"], claims["client_id"]) == (name, {"sub": "doorward"}, "doorward")
        assert token != presented
        assert made.release is None


async def test_a_token_that_is_forged_or_over_is_exchanged_for_nothing(company: Provider) -> None:
    plan = TokenExchange(CRM, server(company), WANTED, Presented("corp", ACCESS), Actor.NONE)
    forged = company.token_of("alice", CRM)[:-4] + "AAAA"
    over = signed(
        {"typ": "at+jwt", "kid": "provider-key"}, {"iss": company.issuer, "sub": "alice", "exp": 1}, company.key, "ES256"
    ).reveal()
    for presented in (forged, over):
        with pytest.raises(CredentialError) as raised:
            await minted(plan, use(person(), presented), means())
        assert str(raised.value) == "the token endpoint answered 400, invalid_grant"


async def test_a_person_whom_doorward_names_and_the_agent_that_acts_are_told(company: Provider, doorward: str) -> None:
    plan = TokenExchange(CRM, server(company), WANTED, VOUCHED, Actor.TOKEN)
    _, token = await minted(plan, use(person("alice", "planner")), means(doorward))
    claims = company.verified(token, CRM)
    assert (claims["sub"], claims["act"]) == ("corp:alice", {"sub": "planner"})


async def test_a_jwt_of_doorwards_is_a_grant(company: Provider, doorward: str) -> None:
    plan = JwtBearer(CRM, server(company, "desk", Unproven()), WANTED, replace(VOUCHED, issuer="corp"))
    _, token = await minted(plan, use(person("alice", "planner")), means(doorward))
    claims = company.verified(token, CRM)
    assert (claims["sub"], claims["act"], claims["client_id"]) == ("alice", {"sub": "planner"}, "desk")
    with pytest.raises(CredentialError, match="invalid_grant"):
        await minted(plan, use(person("alice")), means("https://somebody-else.example"))


async def test_a_server_is_asked_on_behalf_of_somebody(company: Provider) -> None:
    plan = OnBehalfOf(CRM, server(company), Wanted(None, None, ("read",)), Presented("corp", ACCESS))
    presented = company.token_of("bob", "https://mcp.example.com/mcp")
    made, _ = await minted(plan, use(person("bob"), presented), means())
    assert (company.seen()[-1]["requested_token_use"], made.scope) == ("on_behalf_of", "read")


async def test_a_hundred_people_at_once_get_their_own(company: Provider) -> None:
    plan = TokenExchange(CRM, server(company), WANTED, Presented("corp", ACCESS), Actor.NONE)
    mint, got = OAuthMint(plan, means()), dict[str, str]()

    async def one(name: str) -> None:
        presented = await anyio.to_thread.run_sync(company.token_of, name, "https://mcp.example.com/mcp")
        ((_, value),) = (await mint.mint(use(person(name), presented))).headers
        got[name] = company.verified(value.reveal().removeprefix("Bearer "), CRM)["sub"]

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(one, f"person-{number}")
    assert got == {f"person-{number}": f"person-{number}" for number in range(100)}
