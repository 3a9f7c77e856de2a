"""Endpoints for clients: what is read strictly, what is passed on, and how errors are said."""

from typing import Any

import pytest

from doorward.identity.authority.port import OAuthError, TokenRequest
from doorward.identity.certificate import Certificate
from doorward.serving.app import Door
from tests.serving.asgi import Exchange
from tests.serving.authority.made import PUBLIC, House

pytestmark = pytest.mark.anyio

FORM = {"grant_type": "authorization_code", "code": "c", "client_id": "x y", "empty": ""}


@pytest.fixture
def house() -> House:
    return House()


def said(answer: Exchange) -> tuple[int, object]:
    return answer.status, answer.json["error"]


@pytest.mark.parametrize("document", ["oauth-authorization-server", "openid-configuration"])
@pytest.mark.parametrize("endpoint", ["", "/mcp", "/mcp/git"])
async def test_metadata_is_where_clients_look_for_it(house: House, document: str, endpoint: str) -> None:
    answer = await house.send("GET", f"/.well-known/{document}{endpoint}", [])
    assert (answer.status, answer.json, answer.headers["cache-control"]) == (200, {"issuer": PUBLIC}, "public, max-age=300")


async def test_keys_are_public(house: House) -> None:
    assert (await house.send("GET", "/oauth/jwks", [])).json == {"keys": []}


async def test_token_request_is_passed_on_with_its_proofs(house: House) -> None:
    answer = await house.post("/oauth/token", FORM, dpop="proof")
    assert (answer.status, answer.json) == (200, {"access_token": "at", "token_type": "Bearer"})
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    await house.post("/oauth/token", b"grant_type=refresh_token&refresh_token=a%2Bb+c")
    first, second = house.authority.requests
    fields = {"grant_type": "authorization_code", "code": "c", "client_id": "x y"}
    assert first == TokenRequest(fields, "proof", None, "127.0.0.1", -1)
    assert second == TokenRequest({"grant_type": "refresh_token", "refresh_token": "a+b c"}, None, None, "127.0.0.1", -2)


async def test_certificate_of_the_connection_is_passed_on(house: House) -> None:
    certificate = Certificate("", 1, "", "", (), (), 0.0, "")

    class Shown(Exchange):
        def __init__(self, door: Door, scope: dict[str, Any], pieces: list[bytes]) -> None:
            super().__init__(door, scope, pieces)
            self.certificate = certificate

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/oauth/token",
        "raw_path": b"/oauth/token",
        "query_string": b"",
        "headers": [(b"host", b"mcp.example.com"), (b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"3")],
        "client": ("10.0.0.9", 1),
    }
    await Shown(house.door, scope, [b"a=b"]).done()
    (request,) = house.authority.requests
    assert (request.certificate, request.network) == (certificate, "10.0.0.9")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=a&grant_type=a",
        b"grant_type=a&grant_type=",
        b"code=%zz",
        b"code=%ff",
        b"code=\xc3\xa9",
        b"&".join(b"f%d=1" % number for number in range(65)),
    ],
)
async def test_form_that_can_be_read_in_two_ways_is_refused(house: House, path: str, body: bytes) -> None:
    assert said(await house.post(path, body)) == (400, "invalid_request")
    assert house.authority.requests == []


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_other_content_types_are_refused(house: House, content_type: str) -> None:
    answer = await house.post("/oauth/token", FORM, content_type=content_type)
    assert (said(answer), house.authority.requests) == ((415, "invalid_request"), [])


async def test_content_type_may_name_its_charset(house: House) -> None:
    assert (await house.post("/oauth/token", FORM, content_type="application/x-www-form-urlencoded; charset=UTF-8")).status == 200


async def test_credentials_in_the_url_are_refused(house: House) -> None:
    assert said(await house.post("/oauth/token?client_id=x", FORM)) == (400, "invalid_request")


async def test_large_body_is_refused(house: House) -> None:
    assert (await house.post("/oauth/token", b"a=" + b"x" * 65_536)).status == 413
    assert house.authority.requests == []


async def test_client_secret_in_a_header_is_passed_on(house: House) -> None:
    await house.post("/oauth/token", FORM, authorization="Basic eDp5")
    assert [request.authorization for request in house.authority.requests] == ["Basic eDp5"]


async def test_client_that_is_not_let_in_is_challenged_by_no_scheme_of_browsers(house: House) -> None:
    house.authority.fails = OAuthError("invalid_client", "because", 401)
    answer = await house.post("/oauth/token", FORM, authorization="Basic eDp5")
    assert answer.headers["www-authenticate"] == 'private_key_jwt realm="doorward"'


async def test_repeated_proof_is_refused(house: House) -> None:
    headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", "a"), ("dpop", "b")]
    answer = await house.send("POST", "/oauth/token", headers, b"grant_type=x")
    assert (answer.status, house.authority.requests) == (400, [])


@pytest.mark.parametrize(("error", "status"), [("invalid_grant", 400), ("invalid_client", 401), ("temporarily_unavailable", 503)])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
async def test_error_is_said_as_oauth_says_it(house: House, path: str, error: str, status: int) -> None:
    house.authority.fails = OAuthError(error, "because", status)
    answer = await house.post(path, FORM)
    assert (answer.status, answer.json) == (status, {"error": error, "error_description": "because"})
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) is (status == 401)


async def test_revocation_says_nothing(house: House) -> None:
    answer = await house.post("/oauth/revoke", {"token": "t"})
    assert (answer.status, answer.raw, house.authority.requests[0].fields) == (200, b"", {"token": "t"})


async def test_client_registers_with_json(house: House) -> None:
    answer = await house.post("/oauth/register", b'{"redirect_uris": ["https://c.example/"]}', content_type="application/json")
    assert (answer.status, answer.json, answer.headers["cache-control"]) == (201, {"client_id": "new"}, "no-store")
    assert house.authority.registered == [{"redirect_uris": ["https://c.example/"]}]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"[" * 40 + b"]" * 40])
async def test_registration_that_is_no_one_object_is_refused(house: House, body: bytes) -> None:
    answer = await house.post("/oauth/register", body, content_type="application/json")
    assert (said(answer), house.authority.registered) == ((400, "invalid_client_metadata"), [])


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/register"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_endpoints_take_posts_alone(house: House, path: str, method: str) -> None:
    answer = await house.send(method, path, [])
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_no_endpoint_answers_another_host(house: House) -> None:
    answer = await house.send("GET", "/oauth/jwks", [("host", "evil.example")])
    assert answer.status in (400, 403)
