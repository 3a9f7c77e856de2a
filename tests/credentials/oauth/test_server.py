"""One authorization server: who it is, where it is asked, how we prove ourselves, and what of its errors is repeated."""

import base64
import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from msgspec.structs import replace

from doorward.credentials.oauth.plans import Certified, Key, Keyed, Proving, Secretly, Shown, Unproven, Way
from doorward.credentials.oauth.server import KEPT_SECONDS, RETRY_SECONDS, AuthorizationServer
from doorward.credentials.port import CredentialError
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from tests.certificates import authority
from tests.credentials.oauth.authority import SECRET, SERVER, URL, Authority
from tests.made import Clock

pytestmark = pytest.mark.anyio

GRANT = {"grant_type": "client_credentials"}
BASIC = "Basic " + base64.b64encode(f"doorward:{SECRET}".encode()).decode()


def asked(provider: Authority, proving: Proving = SERVER.proving, clock: Clock | None = None, **more: Any) -> AuthorizationServer:
    return AuthorizationServer(replace(SERVER, proving=proving, **more), provider.means(clock))


async def test_the_endpoint_of_the_metadata_is_asked_and_metadata_is_read_once_an_hour() -> None:
    provider, clock = Authority(), Clock()
    server = asked(provider, clock=clock)
    for _ in range(2):
        assert (await server.ask(GRANT)).secrets == (Secret(SECRET),)
    assert provider.asked == ["/.well-known/openid-configuration", "/token", "/token"]
    clock.at += KEPT_SECONDS
    await server.ask(GRANT)
    assert provider.asked[3:] == ["/.well-known/openid-configuration", "/token"]


async def test_a_named_endpoint_is_asked_without_metadata() -> None:
    provider = Authority()
    await asked(provider, issuer=None, token_url=f"{URL}/elsewhere").ask(GRANT)
    assert provider.asked == ["/elsewhere"]


async def test_metadata_of_another_issuer_is_an_error_and_nothing_is_said_to_it() -> None:
    provider = Authority({"issuer": "https://evil.example"})
    with pytest.raises(DoorwardError, match="the metadata is of"):
        await asked(provider).ask(GRANT)
    assert provider.forms == []


@pytest.mark.parametrize("endpoint", [None, "http://idp.example.com/token", "https://u:p@idp.example.com/", 7])
async def test_metadata_without_a_proper_endpoint_is_an_error(endpoint: object) -> None:
    provider = Authority({"token_endpoint": endpoint})
    with pytest.raises(DoorwardError, match="token_endpoint"):
        await asked(provider).ask(GRANT)
    assert provider.forms == []


async def test_older_metadata_goes_on_while_it_cannot_be_read_anew() -> None:
    provider, clock = Authority(), Clock()
    server = asked(provider, clock=clock)
    await server.ask(GRANT)
    clock.at += KEPT_SECONDS
    provider.metadata["issuer"] = "https://evil.example"
    await server.ask(GRANT)
    await server.ask(GRANT)
    assert provider.asked[2:] == ["/.well-known/openid-configuration", "/token", "/token"]
    clock.at += RETRY_SECONDS
    await server.ask(GRANT)
    assert provider.asked.count("/.well-known/openid-configuration") == 3


async def test_many_who_ask_at_once_read_the_metadata_once() -> None:
    provider = Authority()
    server = asked(provider)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(server.ask, GRANT)
    assert provider.asked.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    ("shown", "methods", "in_header"),
    [
        (Shown.AUTO, None, True),
        (Shown.AUTO, ["client_secret_post", "client_secret_basic"], True),
        (Shown.AUTO, ["client_secret_post"], False),
        (Shown.BASIC, ["client_secret_post"], True),
        (Shown.POST, ["client_secret_basic"], False),
    ],
)
async def test_a_secret_stands_where_the_server_takes_it_or_the_configuration_says(shown: Shown, methods: object, in_header: bool) -> None:
    provider = Authority({"token_endpoint_auth_methods_supported": methods})
    await asked(provider, Secretly("${env:SECRET}", shown)).ask(GRANT)
    in_form = {"client_id": "doorward", "client_secret": SECRET}
    assert provider.forms == [GRANT if in_header else {**GRANT, **in_form}]
    assert provider.headers[0].get("Authorization") == (BASIC if in_header else None)
    assert provider.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"


async def test_a_server_that_takes_no_secret_is_told_so_and_shown_none() -> None:
    provider = Authority({"token_endpoint_auth_methods_supported": ["private_key_jwt"]})
    with pytest.raises(CredentialError, match="neither by client_secret_basic nor"):
        await asked(provider).ask(GRANT)
    assert provider.forms == []


@pytest.mark.parametrize("proving", [Certified(), Unproven()])
async def test_a_client_without_secret_names_itself_alone(proving: Proving) -> None:
    provider = Authority()
    await asked(provider, proving).ask(GRANT)
    assert provider.forms == [{**GRANT, "client_id": "doorward"}]


async def test_a_client_with_a_certificate_asks_where_certificates_are_asked_for() -> None:
    provider = Authority({"mtls_endpoint_aliases": {"token_endpoint": f"{URL}/mtls/token"}})
    way = Way(certificate=("own.pem", "own.key"))
    await asked(provider, Certified(), way=way).ask(GRANT)
    await asked(provider).ask(GRANT)
    assert [path for path in provider.asked if "token" in path] == ["/mtls/token", "/token"]
    assert provider.ways == [way, Way()]


def keyed(root: Path, provider: Authority, key: Key, **more: Any) -> AuthorizationServer:
    said = {"certificate": None, "audience": None, **more}
    return AuthorizationServer(replace(SERVER, proving=Keyed(key, **said)), provider.means(Clock(1_000_000.9), root))


async def test_a_key_signs_an_assertion_for_this_server_for_a_minute(tmp_path: Path) -> None:
    key, provider = ECKey.generate_key("P-256", {"kid": "k1"}), Authority()
    (tmp_path / "key").write_text(json.dumps(key.as_dict(private=True)))
    said = await keyed(tmp_path, provider, Key("${file:key}", None, None)).ask(GRANT)
    form = dict(provider.forms[0])
    read = jwt.decode(form.pop("client_assertion"), key, algorithms=["ES256"])
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form == {**GRANT, "client_id": "doorward", "client_assertion_type": kind}
    assert read.header == {"alg": "ES256", "kid": "k1", "typ": "JWT"}
    times = {"iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_060}
    assert read.claims == {"iss": "doorward", "sub": "doorward", "aud": URL, "jti": "07" * 16, **times}
    assert said.secrets == (Secret((tmp_path / "key").read_text()),)


async def test_a_server_that_knows_keys_by_their_certificate_is_told_its_thumbprint(tmp_path: Path) -> None:
    issued, provider = authority().leaf(), Authority()
    chain, key = issued.written(tmp_path, "entra")
    server = keyed(tmp_path, provider, Key("${file:entra.key}", "named", "ES256"), certificate=chain.name, audience=f"{URL}/token")
    await server.ask(GRANT)
    read = jwt.decode(provider.forms[0]["client_assertion"], ECKey.import_key(key.read_bytes()), algorithms=["ES256"])
    thumbprint = base64.urlsafe_b64encode(issued.certificate.fingerprint(SHA256())).rstrip(b"=").decode()
    assert read.header == {"alg": "ES256", "kid": "named", "typ": "JWT", "x5t#S256": thumbprint}
    assert read.claims["aud"] == f"{URL}/token"


@pytest.mark.parametrize("text", ["a-canary", json.dumps(RSAKey.generate_key(2048).as_dict(private=True))])
async def test_a_key_that_does_not_fit_is_an_error_that_repeats_nothing_of_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    provider = Authority()
    with pytest.raises(DoorwardError) as raised:
        await keyed(tmp_path, provider, Key("${file:key}", None, "ES256")).ask(GRANT)
    assert text[:40] not in str(raised.value)
    assert provider.forms == []


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (400, {"error": "invalid_grant", "error_description": SECRET}, "the token endpoint answered 400, invalid_grant"),
        (401, {"error": SECRET}, "the token endpoint answered 401, no error that is known"),
        (500, SECRET.encode(), "the token endpoint answered 500, without an error that is known"),
        (302, {"access_token": "t", "token_type": "Bearer"}, "the token endpoint answered 302, no error that is known"),
        (307, b"", "the token endpoint answered 307, without an error that is known"),
        (200, {"error": "bad_verification_code", "error_description": SECRET}, "the token endpoint answered 200, bad_verification_code"),
        (201, {"access_token": "t", "token_type": "Bearer"}, "the token endpoint answered 201, no error that is known"),
    ],
)
async def test_an_error_is_told_by_its_code_alone_and_a_redirect_is_one(status: int, said: object, told: str) -> None:
    provider = Authority(answer=lambda form: (status, said))
    with pytest.raises(CredentialError) as raised:
        await asked(provider).ask(GRANT)
    assert str(raised.value) == told
    assert provider.asked[-1] == "/token"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"access_token":"a","access_token":"b"}', b"<html>", b"{}{}"])
async def test_an_answer_that_two_could_read_differently_is_an_error(body: bytes) -> None:
    provider = Authority(answer=lambda form: (200, body))
    with pytest.raises(DoorwardError):
        await asked(provider).ask(GRANT)


async def test_a_token_is_given_back_where_the_server_takes_it() -> None:
    provider = Authority({"revocation_endpoint": f"{URL}/revoke"}, lambda form: (200, b""))
    server = asked(provider)
    assert await server.can_revoke()
    await server.revoke(Secret("t0ken"))
    assert provider.forms == [{"token": "t0ken", "token_type_hint": "access_token"}]
    assert provider.headers[0]["Authorization"] == BASIC
    provider.answer = lambda form: (503, b"")
    with pytest.raises(CredentialError, match="503"):
        await server.revoke(Secret("t0ken"))


async def test_a_server_that_takes_none_back_is_not_asked() -> None:
    provider = Authority()
    server = asked(provider)
    assert not await server.can_revoke()
    await server.revoke(Secret("t0ken"))
    assert provider.forms == []
