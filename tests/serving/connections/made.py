"""A door with the pages about connections on it, in front of a service in process; and people with browsers."""

from __future__ import annotations

from itertools import count
from urllib.parse import urlencode

from doorward.credentials.connections.connection import EVERY_AGENT, Holder, Place
from doorward.credentials.connections.port import Begun
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.serving.authority.browser import CONNECTION, Browsers, Jar, Sealing
from doorward.serving.connections.flow import Around, Flow
from doorward.serving.connections.own_links import OwnLinks
from doorward.serving.connections.places import places
from doorward.wire.sealed import Seal
from tests.credentials.connections import world
from tests.credentials.connections.world import ALICE, AS, UPSTREAM, Service, a_use
from tests.serving.asgi import Exchange
from tests.serving.authority import made
from tests.serving.authority.made import read

AGENT = "claude"


class House(made.House):
    """The pages, with people who sign in by their name."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service(self.clock)
        self.inner = world.House(self.service, wall=self.clock, ticks=self.clock)
        numbers = count(1_000)

        def draw(size: int) -> bytes:
            return next(numbers).to_bytes(size, "big")

        self.own_links = OwnLinks(draw, self.clock)
        self.looked: list[UpstreamId] = []
        self.browsers = Browsers(Jar(self.public, CONNECTION), Sealing(Seal((bytes(32),)), draw, self.clock), Begun)

    async def open(self) -> House:
        """As after a start."""
        await self.inner.open(scopes=("openid", "read"))
        self.connections = self.inner.connections
        self.pages.adopt(places(Flow(Around(self.connections, self.hall, self.browsers, self.own_links, self.looked.append))))
        return self

    def link(self, holder: Holder = ALICE, agent: str = AGENT) -> str:
        """The link of a call that needs an account."""
        try:
            self.inner.mint.holder(a_use(holder, agent))
        except Refused as refused:
            return f"/connect/{refused.extra['connect']}"
        raise AssertionError("it has an account")

    def accounts(self, holder: Holder = ALICE) -> list[tuple[str, str, str]]:
        """Agent, account and status of what somebody has connected."""
        return [(one.place.agent, one.account, one.status) for one in self.connections.of(holder)]

    async def connect(self, holder: Holder, who: str, agent: str = EVERY_AGENT) -> None:
        """Beside the pages."""
        redirect = f"{self.public}/connections/callback"
        url, begun = await self.connections.begin(Place(holder, UPSTREAM, AgentId(agent)), redirect)
        await self.connections.finish(begun, self.service.authorize(url, who), holder)


class Browser(made.Browser):
    """One person's."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.town = house

    async def look(self, url: str, who: str = "alice") -> Exchange:
        """A page, after a sign-in where that is asked for."""
        return await self.follow(await self.get(url), who)

    async def press(self, page: Exchange, **fields: str) -> Exchange:
        """Presses the button of a page that connects something."""
        return await self.post(action(page), {"question": made.token(page), **fields})

    async def comes_back(self, away: Exchange, account: str) -> Exchange:
        """From the service, with this account."""
        assert away.status == 303, away.raw
        return await self.get(f"/connections/callback?{urlencode(self.town.service.authorize(away.headers['location'], account))}")

    async def connects(self, url: str, who: str = "alice", account: str = "alices", **fields: str) -> Exchange:
        """The whole way."""
        away = await self.press(await self.look(url, who), **fields)
        assert away.headers["location"].startswith(f"{AS}/authorize?")
        return await self.comes_back(away, account)


def action(page: Exchange) -> str:
    """Where the first form of a page leads."""
    return next(attributes["action"] for tag, attributes in read(page).elements if tag == "form")
