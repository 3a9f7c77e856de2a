"""Against servers nobody here wrote: a certified OpenID Provider, and the official SDK's OAuth-protected MCP server, over real sockets."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from joserfc.jwk import ECKey

from doorward.credentials.connections.connection import Connection, Holder
from doorward.credentials.connections.port import ConnectError
from doorward.credentials.connections.renewal import VOID
from doorward.domain.ids import LeaseId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from tests.browser import Browser
from tests.credentials.connections.door import BACK, Door
from tests.credentials.connections.world import ALICE, BOB, a_use
from tests.made import Clock
from tests.oidc import Provider, provider, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

SECRET = "a secret of tests: long, with + and %"
DECLARED = {
    "client_id": "door",
    "client_secret": SECRET,
    "redirect_uris": [BACK],
    "application_type": "native",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
}
SCOPES = ("openid", "offline_access", "mcp")


@contextmanager
def protected(company: Provider, *scopes: str) -> Iterator[str]:
    """An MCP server that takes tokens of a provider."""
    command = [sys.executable, str(Path(__file__).with_name("protected.py")), company.issuer, f"{company.issuer}/jwks", *scopes]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def signed_in(url: str, who: str) -> str:
    """Where the provider sends a person back to."""
    browser = Browser(stops_at=(BACK,))
    return sign_in(browser, browser.get(url), who).url


async def connect(door: Door, holder: Holder, who: str) -> Connection:
    return await door.connect(holder, lambda url: signed_in(url, who))


async def seen_by(door: Door, holder: Holder) -> str:
    """Whose token the upstream sees."""
    return await asyncio.to_thread(whoami, door.url, await door.header(holder))


def whoami(url: str, header: str) -> str:
    """Whose token the upstream sees; its status where it takes none."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}}
    headers = {
        "Authorization": header,
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    try:
        with urlopen(Request(url, json.dumps(call).encode(), headers), timeout=20) as answer:
            return str(json.load(answer)["result"]["content"][0]["text"])
    except HTTPError as error:
        return f"{error.code} {error.headers['WWW-Authenticate']}"


async def test_two_people_connect_by_registration_and_the_upstream_sees_each_of_them() -> None:
    """RFC 9728, 8414, 7591, 8707, 9207 and PKCE, all of it said by the servers themselves."""
    with provider(clients=[], registration=True) as company, protected(company, "mcp") as url:
        door = await Door(url).open()
        for holder, who in ((ALICE, "alice"), (BOB, "bob")):
            made = await connect(door, holder, who)
            assert (made.issuer, made.scopes) == (company.issuer, ("mcp",))
        assert await seen_by(door, ALICE) == "alice"
        assert await seen_by(door, BOB) == "bob"
        assert (await asyncio.to_thread(whoami, url, "Bearer nothing")).startswith("401 Bearer")
        assert len(await door.store.registered(company.issuer)) == 1


async def test_tokens_are_refreshed_by_rotation_and_one_that_was_used_twice_ends_all() -> None:
    with provider(clients=[DECLARED], rotates=True) as company, protected(company, "mcp") as url:
        door = await Door(url, secret=SECRET).open(issuer=company.issuer, client_id="door", client_secret="${env:X}", scopes=SCOPES)
        made = await connect(door, ALICE, "alice")
        assert (made.account, made.scopes) == ("alice", ("mcp",))
        first = await door.header(ALICE)
        before = (await door.store.load())[0][0]
        door.ticks.at += 290
        headers = await asyncio.gather(*(door.header(ALICE) for _ in range(100)))
        assert len(set(headers)) == 1
        assert headers[0] != first
        assert await seen_by(door, ALICE) == "alice"
        after = (await door.store.load())[0][0]
        assert after.refresh != before.refresh
        # As after a crash: what was rotated away is shown once more, and the provider ends the grant.
        await door.store.update(before)
        door = await Door(url, store=door.store, ticks=Clock(400.0), secret=SECRET).open(
            issuer=company.issuer, client_id="door", client_secret="${env:X}", scopes=SCOPES
        )
        with pytest.raises(Refused):
            await door.header(ALICE)
        assert door.connections.of(ALICE)[0].why == VOID
        assert [event.type for event in door.told] == ["connection_broken"]
        await connect(door, ALICE, "alice")
        assert await seen_by(door, ALICE) == "alice"


async def test_a_revoked_connection_is_ended_at_the_provider() -> None:
    with provider(clients=[DECLARED], rotates=True) as company, protected(company, "mcp") as url:
        door = await Door(url, secret=SECRET).open(issuer=company.issuer, client_id="door", client_secret="${env:X}", scopes=SCOPES)
        made = await connect(door, ALICE, "alice")
        kept = (await door.store.load())[0][0]
        assert await door.connections.revoke(made.id, "ada") is not None
        assert [event.type for event in door.told] == ["connection_made", "connection_revoked"]
        await door.store.put(kept)
        again = await Door(url, store=door.store, ticks=Clock(400.0), secret=SECRET).open(
            issuer=company.issuer, client_id="door", client_secret="${env:X}", scopes=SCOPES
        )
        with pytest.raises(Refused):
            await again.header(ALICE)


async def test_a_token_of_one_upstream_is_none_of_another() -> None:
    with provider(clients=[], registration=True) as company, protected(company, "mcp") as url, protected(company, "mcp") as other:
        door = await Door(url).open()
        await connect(door, ALICE, "alice")
        assert (await asyncio.to_thread(whoami, other, await door.header(ALICE))).startswith("401")


async def test_scopes_that_the_upstream_asks_for_lead_to_more() -> None:
    with provider(clients=[], registration=True) as company, protected(company, "mcp", "mcp:read") as url:
        door = await Door(url).open(scopes=("mcp",))
        await connect(door, ALICE, "alice")
        said = await seen_by(door, ALICE)
        assert said.startswith("403 ")
        lease = Lease(LeaseId("l1"), "user", url, "", (("Authorization", Secret(await door.header(ALICE))),))
        mint = door.connections.mint(door.plan)
        # This SDK does not say which scopes it misses; a server that does is what is stood in for here.
        mint.turned_down(a_use(ALICE), lease, f'{said.removeprefix("403 ")}, scope="mcp mcp:read"')
        with pytest.raises(Refused):
            mint.holder(a_use(ALICE))
        made = await connect(door, ALICE, "alice")
        assert set(made.scopes) == {"mcp", "mcp:read"}
        assert await seen_by(door, ALICE) == "alice"


async def test_an_upstream_leads_nobody_to_an_authorization_server_on_this_machine() -> None:
    """SSRF: the upstream is trusted to be at a special address, whoever it names is not."""
    with provider(clients=[], registration=True) as company, protected(company, "mcp") as url:
        door = await Door(url, is_local=False).open()
        with pytest.raises(ConnectError, match="loopback"):
            await connect(door, ALICE, "alice")


async def test_a_client_with_a_key_signs_for_the_server_alone() -> None:
    key = ECKey.generate_key("P-256", {"kid": "door", "use": "sig", "alg": "ES256"})
    client: dict[str, Any] = {name: value for name, value in DECLARED.items() if name != "client_secret"}
    client |= {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [key.as_dict(private=False)]},
    }
    with provider(clients=[client], rotates=True) as company, protected(company, "mcp") as url:
        door = await Door(url, secret=json.dumps(key.as_dict(private=True))).open(
            issuer=company.issuer, client_id="door", client_key="${file:door.jwk}", scopes=SCOPES
        )
        made = await connect(door, ALICE, "alice")
        assert await seen_by(door, ALICE) == "alice"
        door.ticks.at += 290
        assert await seen_by(door, ALICE) == "alice"
        await door.connections.revoke(made.id, "ada")
        assert [event.type for event in door.told] == ["connection_made", "connection_revoked"]
