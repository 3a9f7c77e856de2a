"""The pages with the authority, the sign-in and the stores that are served: from a client's link to a token for the person, and no other way."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from doorward.config.identity import Issuer
from doorward.config.identity import SignIn as Client
from doorward.config.model import Listen
from doorward.domain.secret import Secret
from doorward.identity.consents import Consents
from doorward.identity.sign_in import SignIn
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.authority.browser import Browsers, Departed, Jar, Sealing
from doorward.serving.authority.endpoints import Endpoints
from doorward.serving.authority.entrance import Hall
from doorward.serving.authority.flow import Around, Flow
from doorward.serving.authority.places import places
from doorward.serving.authority.views import Views
from doorward.serving.authority.visits import Visits
from doorward.serving.edge import allowed
from doorward.serving.pages import Pages
from doorward.stores.memory_consents import MemoryConsents
from doorward.wire.sealed import Seal
from tests.identity.authority.made import ISSUER, NOW, REDIRECT, Net
from tests.identity.authority.made import House as Core
from tests.identity.fake_provider import CLIENT, SECRET, FakeProvider
from tests.made import Clock
from tests.serving.asgi import Counted, Exchange, FakeSpine
from tests.serving.authority.made import Browser, House, heading, read

pytestmark = pytest.mark.anyio

DOCUMENT = "https://desk.example/client.json"


class Whole(House):
    """Everything but the network, the registry and the log."""

    def __init__(self) -> None:
        self.public, self.clock, self.core = ISSUER, Clock(NOW), Core()
        self.company = FakeProvider(self.clock)
        issuer = Issuer(url=self.company.url, sign_in=Client(client_id=CLIENT, scopes=("profile", "groups")))
        sign_in = SignIn(issuer, "corp", lambda: Secret(SECRET), self.company, self.core.draws, self.clock)
        hall = Hall(
            ISSUER,
            sign_in,
            Visits(self.core.draws, self.clock),
            Browsers(Jar(ISSUER), Sealing(Seal((bytes(32),)), self.core.draws, self.clock), Departed),
            Views(ISSUER),
            lambda _: True,
            self.core._told,
            lambda subject: f"veiled({subject})",
        )
        around = Around(self.core.server, Consents(MemoryConsents(), self.clock, 86_400.0), hall)
        pages = Pages(places(Endpoints(self.core.server), Flow(around)), ISSUER, lambda: 0.0)
        self.door = Door(
            Surroundings(FakeSpine(), lambda _, __: False, Counted(), lambda: 0.0, lambda: "j", pages),
            Settings(allowed(Listen(public_url=ISSUER), 8420), is_loopback=True),
        )

    def describe(self, net: Net, **changes: object) -> None:
        """Puts the client's document where its id says."""
        net.put(DOCUMENT, {"client_id": DOCUMENT, "client_name": "Desk & <Co>", "redirect_uris": [REDIRECT], **changes})

    async def signed_in(self, browser: Browser, link: str, **claims: object) -> Exchange:
        """What the browser shows once the person has signed in."""
        away = await browser.get(link)
        assert (away.status, away.headers["location"].startswith(self.company.url)) == (303, True)
        back = self.company.authorize(away.headers["location"], **claims)
        return await browser.follow(await browser.get(f"/oauth/callback?{urlencode(back)}"), "nobody")


@pytest.fixture
def house() -> Whole:
    return Whole()


def link(house: Whole, **changes: str) -> str:
    return f"/oauth/authorize?{urlencode(house.core.question(client_id=DOCUMENT, **changes))}"


async def test_from_the_link_to_a_token_for_the_person(house: Whole) -> None:
    house.describe(house.core.net)
    browser = Browser(house)
    page = await house.signed_in(browser, link(house), sub="ann", name="Ann", groups=["sales"])
    assert (page.status, "Let “Desk & <Co>” act for you at gate.example?" in read(page).text) == (200, True)
    back = (await browser.answer(page, "allow")).headers["location"]
    answer = dict(parse_qsl(urlsplit(back).query))
    assert (back.partition("?")[0], answer["state"], answer["iss"]) == (REDIRECT, "s1", ISSUER)
    redemption = house.core.redemption(answer["code"], client_id=DOCUMENT)
    tokens = await house.post("/oauth/token", redemption)
    claims = house.core.claims(tokens.json)
    assert (tokens.status, claims["sub"], claims["groups"], claims["client_id"]) == (200, "corp:ann", ["corp:sales"], DOCUMENT)
    again = await house.post("/oauth/token", redemption)
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    told = [(event.type, event.fields["subject"]) for event in house.core.events[:3]]
    assert told == [(event, "veiled(corp:ann)") for event in ("person_signed_in", "consent_given", "sign_in_granted")]


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/cb",
        "https://desk.example/cb/",
        "https://desk.example/cb?x=1",
        "https://desk.example/cb#x",
        "https://desk.example/%63b",
        "https://desk.example@evil.example/cb",
        "https://DESK.example/cb",
        "https://desk.example:443/cb",
        "http://desk.example/cb",
        "//desk.example/cb",
        "javascript:alert(1)//https://desk.example/cb",
        "",
    ],
)
async def test_browser_is_sent_to_no_address_that_the_client_has_not_named(house: Whole, redirect: str) -> None:
    house.describe(house.core.net)
    for changes in ({}, {"response_type": "token"}, {"scope": "everything"}):
        answer = await Browser(house).get(link(house, **{"redirect_uri": redirect, **changes}))
        assert (answer.status, "location" in answer.headers, heading(answer)) == (400, False, "This request cannot go on")


async def test_fault_of_the_request_goes_to_the_client_without_a_sign_in(house: Whole) -> None:
    house.describe(house.core.net)
    answer = await Browser(house).get(link(house, code_challenge_method="plain"))
    assert answer.headers["location"].startswith(f"{REDIRECT}?error=invalid_request&")
    assert house.company.asked == []


async def test_client_that_is_no_agent_gets_nowhere_near_a_person(house: Whole) -> None:
    house.describe(house.core.net)
    house.core.registry.out.add(DOCUMENT)
    answer = await Browser(house).get(link(house))
    assert (answer.status, house.company.asked) == (400, [])


async def test_client_that_is_put_out_while_the_person_reads_gets_no_code(house: Whole) -> None:
    house.describe(house.core.net)
    browser = Browser(house)
    page = await house.signed_in(browser, link(house), sub="ann", name="Ann", groups=["sales"])
    house.core.registry.out.add(DOCUMENT)
    answer = await browser.answer(page, "allow")
    assert "code=" not in answer.headers.get("location", "")


async def test_state_in_a_redirect_cannot_break_out_of_it(house: Whole) -> None:
    house.describe(house.core.net)
    browser = Browser(house)
    page = await house.signed_in(browser, link(house, state="s&code=evil#x "), sub="ann", name="Ann", groups=[])
    back = (await browser.answer(page, "deny")).headers["location"]
    assert dict(parse_qsl(urlsplit(back).query))["state"] == "s&code=evil#x "
    assert "code" not in dict(parse_qsl(urlsplit(back).query))
