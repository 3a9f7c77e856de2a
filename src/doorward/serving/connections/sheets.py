"""What the pages about connections say, as values: outside text cleaned, times as people read them. Pure."""

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import msgspec

from doorward.credentials.connections.connection import EVERY_AGENT, Connection, Place, Status
from doorward.credentials.connections.port import Offer, Prospect
from doorward.domain.ids import AgentId
from doorward.serving.authority.words import clean

_MOST_SCOPES = 64
_NAMELESS = "an account that the service does not name"


class Choice(msgspec.Struct, frozen=True):
    """What a person is asked before an account is connected."""

    place: Place
    agent: AgentId | None
    """The one agent that it may be for instead; None where there is no choice."""


class ConnectSheet(msgspec.Struct, frozen=True):
    """What is about to be connected."""

    upstream: str
    host: str
    issuer: str
    """Host of the authorization server that the browser goes to."""
    scopes: tuple[str, ...]
    agent: str
    """The one agent that it is for; empty for all."""
    asking: str
    """The one that it may be for instead; empty where there is no choice."""
    before: str
    """The account that is connected there now; empty for none."""
    is_broken: bool


class Row(msgspec.Struct, frozen=True):
    """One connection of the person who looks."""

    id: str
    upstream: str
    account: str
    agent: str
    """The one agent that it is for; empty for all."""
    scopes: tuple[str, ...]
    is_broken: bool
    why: str
    made: str
    used: str
    again: str
    """Where it is connected again."""


def connect_sheet(choice: Choice, offer: Offer, prospect: Prospect, before: Connection | None) -> ConnectSheet:
    """The question before an account is connected."""
    return ConnectSheet(
        upstream=clean(offer.upstream),
        host=clean(offer.host, 256),
        issuer=clean(urlsplit(prospect.issuer).netloc or prospect.issuer, 256),
        scopes=_scopes(prospect.scopes),
        agent=_agent(choice.place.agent),
        asking="" if choice.agent is None else clean(choice.agent),
        before="" if before is None else clean(before.account) or _NAMELESS,
        is_broken=before is not None and before.status is Status.BROKEN,
    )


def row(connection: Connection) -> Row:
    """A connection as its holder sees it."""
    return Row(
        id=connection.id,
        upstream=clean(connection.place.upstream),
        account=clean(connection.account) or _NAMELESS,
        agent=_agent(connection.place.agent),
        scopes=_scopes(connection.scopes),
        is_broken=connection.status is Status.BROKEN,
        why=clean(connection.why, 256),
        made=_day(connection.created_at),
        used="" if connection.used_at is None else _day(connection.used_at),
        again=connect_path(connection.place),
    )


def connect_path(place: Place) -> str:
    """The page on which the holder of a place connects it."""
    agent = "" if place.agent == EVERY_AGENT else f"?agent={quote(place.agent, safe='')}"
    return f"/connect/to/{place.upstream}{agent}"


def _agent(agent: AgentId) -> str:
    return "" if agent == EVERY_AGENT else clean(agent)


def _scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean(scope, 128) for scope in scopes[:_MOST_SCOPES])


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %B %Y")
