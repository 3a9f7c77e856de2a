"""The pages in front of a real OpenID Provider, over real connections: a person signs in there, consents here, and the client gets a token."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio.to_thread
import pytest

from doorward.config.identity import Issuer
from doorward.config.identity import SignIn as Client
from doorward.config.model import Listen
from doorward.domain.secret import Secret
from doorward.identity.authority.grants.kit import Terms
from doorward.identity.consents import Consents
from doorward.identity.sign_in import SignIn
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Fetch
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.authority.browser import Browsers, Departed, Jar, Sealing
from doorward.serving.authority.endpoints import Endpoints
from doorward.serving.authority.entrance import Hall
from doorward.serving.authority.flow import Around, Flow
from doorward.serving.authority.places import places
from doorward.serving.authority.views import Views
from doorward.serving.authority.visits import Visits
from doorward.serving.edge import allowed
from doorward.serving.listener import Bind, Listener
from doorward.serving.pages import Pages
from doorward.serving.port import Receive, Scope, Send
from doorward.stores.memory_consents import MemoryConsents
from doorward.wire.sealed import Seal
from tests.browser import Browser, Page
from tests.identity.authority.made import House as Core
from tests.oidc import RELYING_PARTY, provider, sign_in
from tests.serving.asgi import Counted, FakeSpine

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

BACK = "http://127.0.0.1:9/cb"


@asynccontextmanager
async def served(company: str) -> AsyncIterator[tuple[str, Core]]:
    """A gateway's pages on a free port: their public URL, and the authority behind them."""
    doors: list[Door] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await doors[0](scope, receive, send)

    listener = Listener(app, Bind(port=0))
    _, port = await listener.open()
    public = f"http://127.0.0.1:{port}"
    core = Core(terms=Terms(public, {f"{public}/mcp"}.__contains__))
    issuer = Issuer(url=company, sign_in=Client(client_id=str(RELYING_PARTY["client_id"]), scopes=("profile", "groups")), plain_http=True)
    secret = Secret(str(RELYING_PARTY["client_secret"]))
    fetch = Fetch(Rule(Reach.PRIVATE, frozenset({"http"})))
    hall = Hall(
        public,
        SignIn(issuer, "corp", lambda: secret, fetch, core.draws, time.time),
        Visits(core.draws, time.time),
        Browsers(Jar(public), Sealing(Seal((bytes(32),)), core.draws, time.time), Departed),
        Views(public),
        lambda _: True,
        core._told,
        lambda subject: subject,
    )
    around = Around(core.server, Consents(MemoryConsents(), time.time, 86_400.0), hall)
    pages = Pages(places(Endpoints(core.server), Flow(around)), public, time.monotonic)
    surroundings = Surroundings(FakeSpine(), lambda _, __: False, Counted(), time.monotonic, lambda: "j", pages)
    doors.append(Door(surroundings, Settings(allowed(Listen(public_url=public), port), is_loopback=True)))
    try:
        yield public, core
    finally:
        await listener.drain(0)


def signed_in(link: str, browser: Browser, name: str) -> Page:
    """The page that a person gets by a client's link, in a thread of its own."""
    return sign_in(browser, browser.get(link), name)


async def test_person_of_a_real_provider_lets_a_client_in() -> None:
    with provider() as company:
        async with served(company.issuer) as (public, core):
            browser = Browser(stops_at=(BACK,))
            asked = core.question(redirect_uri=BACK, resource=f"{public}/mcp")
            page = await anyio.to_thread.run_sync(signed_in, f"{public}/oauth/authorize?{urlencode(asked)}", browser, "alice")
            assert (page.status, "Did you start this yourself" in page.text) == (200, True)
            back = await anyio.to_thread.run_sync(browser.submit, page, page.forms[0], {"decision": "allow"})
            answer = dict(parse_qsl(urlsplit(back.url).query))
            assert (back.url.partition("?")[0], answer["iss"]) == (BACK, public)
            tokens = await core.token(core.redemption(answer["code"], redirect_uri=BACK, resource=f"{public}/mcp"))
            claims = core.claims(tokens)
            assert (claims["sub"], claims["groups"]) == ("corp:alice", ["corp:gateway-admins", "corp:sales"])


async def test_person_who_gives_up_at_a_real_provider_is_told_so() -> None:
    with provider() as company:
        async with served(company.issuer) as (public, core):
            browser = Browser()
            asked = core.question(redirect_uri=BACK, resource=f"{public}/mcp")
            page = await anyio.to_thread.run_sync(browser.get, f"{public}/oauth/authorize?{urlencode(asked)}")
            gone = page.url.partition("/interaction/")[0] + "/interaction/" + page.url.rpartition("/")[2] + "/abort"
            page = await anyio.to_thread.run_sync(browser.get, gone)
            assert (page.status, "You could not be signed in" in page.text) == (403, True)
