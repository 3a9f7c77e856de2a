"""Connections to one real upstream, over real sockets."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from doorward.config.credentials_user import UserCredential
from doorward.credentials.connections.connection import EVERY_AGENT, Connection, Holder, Place
from doorward.credentials.connections.connections import Connections
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.connections.port import Means, Ourselves
from doorward.credentials.oauth.plans import Way
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Fetch, Web
from doorward.stores.memory_connections import MemoryConnections
from tests.credentials.connections.world import UPSTREAM, a_use
from tests.made import Clock

BACK = "http://127.0.0.1:8420/connections/callback"


@dataclass(slots=True)
class Door:
    """Connections to one real upstream."""

    url: str
    store: MemoryConnections = field(default_factory=MemoryConnections)
    ticks: Clock = field(default_factory=lambda: Clock(0.0))
    told: list[Event] = field(default_factory=list)
    is_local: bool = True
    back: str = BACK
    secret: str = ""
    connections: Connections = field(init=False)
    plan: PerUser = field(init=False)

    async def open(self, **credential: Any) -> "Door":
        numbers = count(1)
        self.connections = Connections(
            Means(
                store=self.store,
                resolve=lambda text: Secret(self.secret),
                web=self.web,
                now=lambda: time.time() + self.ticks(),
                monotonic=self.ticks,
                draw=os.urandom,
                new_id=lambda: f"c{next(numbers)}",
                mark=lambda text: f"mark of {len(text)}",
                told=self.tell,
                is_barred=lambda holder, agent: False,
                ourselves=lambda: Ourselves("Doorward", (self.back,), None),
            )
        )
        await self.connections.load()
        wanted = UserCredential(kind="user", private=self.is_local, plain_http=True, **credential)
        self.plan = PerUser(self.url, UPSTREAM, self.url, Way(is_private=True, is_plain=True), wanted)
        self.connections.adopt(self.connections.parties({UPSTREAM: self.plan}))
        return self

    def web(self, way: Way) -> Web:
        return Fetch(Rule(Reach.PRIVATE if way.is_private else Reach.PUBLIC, frozenset({"https", "http"})))

    async def tell(self, event: Event) -> None:
        self.told.append(event)

    async def connect(self, holder: Holder, sign_in: Callable[[str], str]) -> Connection:
        """`sign_in` takes a person where the browser goes, and says where it ends."""
        url, begun = await self.connections.begin(Place(holder, UPSTREAM, EVERY_AGENT), self.back)
        end = await asyncio.to_thread(sign_in, url)
        assert end.startswith(self.back), end
        return await self.connections.finish(begun, dict(parse_qsl(urlsplit(end).query)), holder)

    async def header(self, holder: Holder) -> str:
        mint = self.connections.mint(self.plan)
        assert mint.holder(a_use(holder))
        ((_, value),) = (await mint.mint(a_use(holder))).headers
        return value.reveal()
