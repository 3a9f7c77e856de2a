"""The way of a client to a token: the challenge, the metadata it leads to, and the wider scope later; read as the SDK reads them."""

import httpx2
import pytest
from mcp.client.auth.utils import extract_field_from_www_auth, extract_resource_metadata_from_www_auth, extract_scope_from_www_auth
from mcp.shared.auth import ProtectedResourceMetadata

from doorward.call.inbound import Inbound, Notices
from doorward.config.identity import Identity, Issuer
from doorward.config.model import Listen
from doorward.domain.reasons import Reason, Refused
from doorward.identity.challenge import Challenges
from doorward.identity.metadata import advertised
from doorward.identity.resources import Resources
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.documents import documents
from doorward.serving.edge import allowed
from doorward.serving.pages import Pages
from tests.serving.asgi import PORT, Counted, Exchange, FakeSpine, House

pytestmark = pytest.mark.anyio

ORIGIN = "https://mcp.example.com"
ROOT = "/.well-known/oauth-protected-resource"
LISTEN = Listen(public_url=ORIGIN)
CORP = Identity(issuers={"corp": Issuer(url="https://login.example.com")})
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


async def out_of_scope(inbound: Inbound, notices: Notices) -> None:
    raise Refused(Reason.INSUFFICIENT_SCOPE, "limited to mcp:read", extra={"scope": "mcp:files"})


def house(identity: Identity) -> House:
    resources = Resources(ORIGIN)
    offer = advertised(identity, LISTEN, resources)
    spine = FakeSpine(out_of_scope)  # type: ignore[arg-type]
    built = House(spine, LISTEN)
    pages = Pages(documents(offer, resources), resources.origin, lambda: 0.0)
    challenges = Challenges(offer, resources)
    around = Surroundings(spine, lambda _, upstream: upstream == "files", Counted(), lambda: 0.0, lambda: "id", pages, lambda: challenges)
    built.door = Door(around, Settings(allowed(LISTEN, PORT), is_loopback=True))
    return built


def as_client(exchange: Exchange) -> httpx2.Response:
    assert exchange.head is not None
    return httpx2.Response(exchange.status, headers=exchange.head["headers"], content=exchange.raw)


@pytest.mark.parametrize("path", ["/mcp", "/mcp/files", "/mcp/no-such-thing"])
async def test_challenge_leads_to_the_metadata_of_the_endpoint(path: str) -> None:
    asked = house(CORP)
    told = as_client(await asked.open("POST", {**JSON, "authorization": "", "content-length": "2"}, b"{}", path=path).done())
    assert (told.status_code, extract_scope_from_www_auth(told), extract_field_from_www_auth(told, "error")) == (401, "mcp", None)
    url = extract_resource_metadata_from_www_auth(told)
    assert url == f"{ORIGIN}{ROOT}{path}"
    found = await asked.open("GET", {"authorization": ""}, path=url.removeprefix(ORIGIN)).done()
    assert (found.status, found.headers["content-type"], found.headers["cache-control"]) == (200, "application/json", "public, max-age=300")
    document = ProtectedResourceMetadata.model_validate_json(found.raw)
    assert (str(document.resource), list(map(str, document.authorization_servers))) == (ORIGIN + path, ["https://login.example.com"])
    assert document.scopes_supported == ["mcp"]


async def test_root_describes_the_endpoint_of_everything() -> None:
    asked = house(CORP)
    root, whole = [(await asked.open("GET", {"authorization": ""}, path=path).done()).raw for path in (ROOT, f"{ROOT}/mcp")]
    assert root == whole


async def test_upstreams_that_are_there_and_those_that_are_not_are_described_alike() -> None:
    asked = house(CORP)
    one, other = [await asked.open("GET", {"authorization": ""}, path=f"{ROOT}/mcp/{name}").done() for name in ("files", "sfile")]
    assert one.raw.replace(b"files", b"sfile") == other.raw
    assert one.head == other.head


async def test_bad_token_is_an_error_of_its_challenge() -> None:
    told = as_client(await house(CORP).open("POST", {**JSON, "authorization": "Bearer wrong", "content-length": "2"}, b"{}").done())
    assert extract_field_from_www_auth(told, "error") == "invalid_token"
    assert [value.split(" ")[0] for value in told.headers.get_list("www-authenticate")] == ["Bearer", "DPoP"]


async def test_scope_that_would_do_is_told_with_403_to_clients_of_both_eras() -> None:
    asked = house(CORP)
    client = await asked.session()
    for exchange in (asked.ask("tools/call", {"name": "x"}), client.ask("tools/call", {"name": "x"})):
        told = as_client(await exchange.done())
        assert (told.status_code, extract_field_from_www_auth(told, "error")) == (403, "insufficient_scope")
        assert (extract_scope_from_www_auth(told), extract_resource_metadata_from_www_auth(told)) == ("mcp:files", f"{ORIGIN}{ROOT}/mcp")
        assert told.json()["error"]["data"] == {"reason": "insufficient_scope", "scope": "mcp:files"}


async def test_nothing_of_oauth_is_there_where_nobody_gives_out_tokens() -> None:
    asked, without = house(Identity()), House(listen=LISTEN)
    for path in (ROOT, f"{ROOT}/mcp", f"{ROOT}/mcp/files"):
        found, plain = [await one.open("GET", {"authorization": ""}, path=path).done() for one in (asked, without)]
        assert (found.status, found.head, found.raw) == (404, plain.head, plain.raw)
    told = await asked.open("POST", {**JSON, "authorization": "", "content-length": "2"}, b"{}").done()
    assert told.headers["www-authenticate"] == 'Bearer realm="doorward"'
