"""Admin API: the accounts that people have connected, by whom and where, and never what they are called or their tokens."""

from collections.abc import Callable

import msgspec
from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.control.catalog import teams_of
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.credentials.connections.connection import EVERY_AGENT, Connection, ConnectionId, subject_of
from doorward.credentials.connections.connections import Connections
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Event
from doorward.runtime.generations import Generations

OwnLink = Callable[[UpstreamId], str | None]
"""A new link by which the gateway's own account is connected; None where the upstream takes none."""


class ConnectionView(Shape):
    """One account that was connected. Times are Unix seconds."""

    id: str
    upstream: str
    user: str = Field(description="Whose it is, such as `corp:alice`; empty: the gateway's own, for looking at what an upstream offers")
    agent: str = Field(description="The one agent that it is for; empty: every agent that acts for the user")
    issuer: str = Field(description="The authorization server that its tokens come from")
    scopes: tuple[str, ...] = Field(description="What was granted; none: the service does not say")
    status: str = Field(description="`working`, or `broken` until it is connected again")
    why: str = Field(description="Why it is broken")
    created_at: float
    refreshed_at: float | None
    used_at: float | None = Field(description="To about an hour; null: never")


class ConnectionList(Shape):
    """Connections, the oldest first."""

    connections: tuple[ConnectionView, ...]


class Which(Shape):
    """Of whom, and where."""

    user: str | None = Field(None, max_length=512, description="Whose, such as `corp:alice`")
    upstream: str | None = Field(None, max_length=31)


class NewOwn(Shape):
    """Where the gateway is to have an account of its own."""

    upstream: str = Field(max_length=31)


class LinkView(Shape):
    """A link that somebody opens in a browser, once and within minutes; whoever has it may use it."""

    url: str


class ConnectionRows(msgspec.Struct, frozen=True):
    """The operations on connections."""

    connections: Connections
    generations: Generations
    recorder: Recorder
    own_link: OwnLink

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        gone = "End a connection, here and where possible at the service"
        link = "Make a link by which the gateway's own account at an upstream is connected"
        path = "/v1/connections/{connection}"
        return (
            Route("GET", "/v1/connections", Role.VIEWER, "List connected accounts", self.all, gives=ConnectionList, query=Which),
            Route("DELETE", path, Role.OWNER, gone, self.revoke, gives=Done, within=self._team),
            Route("POST", "/v1/connections/own", Role.ADMIN, link, self.own, NewOwn, LinkView),
        )

    async def all(self, ask: Ask) -> ConnectionList:
        """Every connection, or those of somebody or somewhere."""
        which = ask.query
        assert isinstance(which, Which)
        shown = (_view(one) for one in self.connections.every())
        return ConnectionList(
            connections=tuple(one for one in shown if which.user in (None, one.user) and which.upstream in (None, one.upstream))
        )

    async def revoke(self, ask: Ask) -> Done:
        """Ends one: no call is made with it from now on."""
        try:
            gone = await self.connections.revoke(ConnectionId(ask.path["connection"]), ask.operator.name)
        except StoreError as error:
            return Done(warnings=(f"it holds now, but would not survive a restart: {error}",))
        except UnrecordedError as error:
            return Done(warnings=(f"it holds now, but the log could not be told: {error}",))
        if gone is None:
            raise _unknown(ask)
        return Done()

    async def own(self, ask: Ask) -> LinkView:
        """A new link; those before stay good for their minutes."""
        wanted = ask.body
        assert isinstance(wanted, NewOwn)
        link = self.own_link(UpstreamId(wanted.upstream))
        if link is None:
            raise ControlError(404, "unknown_upstream", f"no upstream {wanted.upstream!r} takes accounts of people's own (kind: user)")
        # Nobody has the link before the log knows of it.
        await self.recorder.note(Event("connection_link_made", ask.operator.name, {"upstream": wanted.upstream}))
        return LinkView(url=link)

    def _team(self, ask: Ask) -> frozenset[str]:
        """Whose upstream it is for."""
        found = self.connections.find(ConnectionId(ask.path["connection"]))
        if found is None:
            raise _unknown(ask)
        return teams_of((found.place.upstream,), self.generations.current.document)


def _unknown(ask: Ask) -> ControlError:
    return ControlError(404, "unknown_connection", f"there is no connection {ask.path['connection'][:64]!r}")


def _view(connection: Connection) -> ConnectionView:
    place = connection.place
    return ConnectionView(
        id=connection.id,
        upstream=place.upstream,
        user=subject_of(place.holder) or "",
        agent="" if place.agent == EVERY_AGENT else place.agent,
        issuer=connection.issuer,
        scopes=connection.scopes,
        status=connection.status,
        why=connection.why,
        created_at=connection.created_at,
        refreshed_at=connection.refreshed_at,
        used_at=connection.used_at,
    )
