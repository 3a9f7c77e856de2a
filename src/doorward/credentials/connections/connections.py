"""People's connections as one thing: what pages, commands and the broker are given."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from doorward.credentials.connections.asks import Asks
from doorward.credentials.connections.book import Book, Live
from doorward.credentials.connections.client import document
from doorward.credentials.connections.connection import Connection, ConnectionId, Holder, Place
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.connections.flow import Flow, place_of
from doorward.credentials.connections.mint import UserMint
from doorward.credentials.connections.party import Parties, Party
from doorward.credentials.connections.port import Ask, Begun, ConnectError, Means, Offer, Prospect, Trouble
from doorward.credentials.connections.renewal import Renewal, fields_of
from doorward.credentials.port import CredentialError
from doorward.domain.errors import DoorwardError, StoreError
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.net.urls import parse_url

_GIVING_BACK_SECONDS: Final = 10.0
"""For telling a service that its tokens are not needed any more: here they are gone already."""


class Connections:
    """Every connection, across reloads: `load` once, then `adopt` each document."""

    __slots__ = ("_asks", "_book", "_flow", "_followers", "_means", "_parties", "_renewal")

    def __init__(self, means: Means) -> None:
        self._means = means
        self._book = Book(means.store, means.now, means.monotonic)
        self._asks = Asks(means.mark)
        self._renewal = Renewal(self._book, means)
        self._flow = Flow(self._book, means)
        self._parties: Parties = {}
        self._followers: list[Callable[[Place], None]] = []

    async def load(self) -> None:
        """Reads what is stored, before anything is asked. Raises `StoreError`."""
        await self._book.load()

    def parties(self, plans: Mapping[UpstreamId, PerUser]) -> Parties:
        """The upstreams of a document, with what is known of those that stay as they are; raises `NetError`, and changes nothing."""
        before = self._parties
        return {
            name: before[name] if name in before and before[name].plan == plan else Party(plan, self._means) for name, plan in plans.items()
        }

    def adopt(self, parties: Parties) -> None:
        """Goes on with other upstreams.

        Connections of an upstream that is gone stay, in case it comes back, until they are revoked.
        """
        self._parties = parties

    def mint(self, plan: PerUser) -> UserMint:
        """What makes the credentials of an upstream."""
        return UserMint(plan, lambda: self._party(plan.upstream), self._book, self._renewal, self._asks, self._means)

    def ask(self, reference: str) -> Ask | None:
        """What the link of a call leads to (`extra["connect"]` of CONSENT_NEEDED). Show it to its holder alone; None after a restart."""
        return self._asks.find(reference)

    def offers(self) -> tuple[Offer, ...]:
        """The upstreams that people can connect, by name."""
        return tuple(self._offer(name) for name in sorted(self._parties))

    def of(self, holder: Holder) -> tuple[Connection, ...]:
        """What somebody has connected."""
        return tuple(live.shown() for live in self._book.all() if live.place.holder == holder)

    def every(self) -> tuple[Connection, ...]:
        """Everybody's connections, for operators: do not show them `account`."""
        return tuple(replace(live.shown(), account="") for live in self._book.all())

    def find(self, connection: ConnectionId) -> Connection | None:
        """One connection."""
        live = self._book.get(connection)
        return None if live is None else live.shown()

    async def prospect(self, place: Place) -> Prospect:
        """Whom `begin` would send a browser to, and for what; raises `ConnectError`."""
        ask = self._asks.at(place)
        return await self._flow.prospect(self._party(place.upstream), place, () if ask is None else ask.scopes)

    async def begin(self, place: Place, redirect_uri: str) -> tuple[str, Begun]:
        """Where the browser of whoever is signed in as the holder of a place goes, and what that browser alone is to remember, sealed.

        `redirect_uri` is one of `Ourselves.redirect_uris`. Raises `ConnectError`.
        """
        self._check(place.holder, place.agent)
        ask = self._asks.at(place)
        return await self._flow.begin(self._party(place.upstream), place, () if ask is None else ask.scopes, redirect_uri)

    async def finish(self, begun: Begun, params: Mapping[str, str], holder: Holder) -> Connection:
        """The new connection; raises `ConnectError`, and `StoreError`.

        `begun` came out of this browser's own sealed memory, `holder` is who is signed in with it, `params` is what came back (each name once).
        """
        place = place_of(begun)
        self._check(holder, place.agent)
        kept = await self._flow.finish(self._party(place.upstream), begun, params, holder)
        # What gives more rights is told before it is done.
        fields = fields_of(kept, self._means)
        await self._means.told(Event("connection_made", "doorward", fields))
        try:
            made, before = await self._book.add(kept)
        except StoreError as error:
            await self._means.told(Event("change_failed", "doorward", {**fields, "event": "connection_made", "why": str(error)}))
            raise
        self._asks.settle(place)
        if before is not None and kept.account and before.kept.account != kept.account:
            # Of the same account nothing is given back: many services would end the new tokens with the old ones.
            await self._given_back(before)
        return made.shown()

    async def revoke(self, connection: ConnectionId, by: str, why: str = "") -> Connection | None:
        """Ends a connection here at once, then at the service if it can be told within seconds; None where there is none.

        `by`: an operator's name or the holder's pseudonym, for the log. Raises `StoreError`; it is not found any more even then.
        """
        live = self._book.get(connection)
        return None if live is None else (await self._all_revoked([live], by, why))[0]

    async def withdraw(self, holder: Holder, by: str, why: str) -> tuple[Connection, ...]:
        """Ends everything that somebody has connected: they were revoked for good."""
        return await self._all_revoked([live for live in self._book.all() if live.place.holder == holder], by, why)

    async def withdraw_agent(self, agent: AgentId, by: str, why: str) -> tuple[Connection, ...]:
        """Ends what people have connected for one agent alone: it was revoked for good."""
        return await self._all_revoked([live for live in self._book.all() if live.place.agent == agent], by, why)

    def follow(self, follower: Callable[[Place], None]) -> None:
        """Calls back with the place of a connection that was revoked just now: whatever goes on with its tokens is to end."""
        self._followers.append(follower)

    async def upkeep(self) -> None:
        """Stores when connections were last used; every minute or so. Raises `StoreError`."""
        await self._book.keep_times()

    async def close(self) -> None:
        """Waits, for seconds, until what was asked for is stored: a refresh that is cut off costs its connection."""
        running = [asyncio.ensure_future(live.flight.settled()) for live in self._book.all() if live.flight.is_running]
        if running:
            _, late = await asyncio.wait(running, timeout=_GIVING_BACK_SECONDS)
            for task in late:
                task.cancel()

    def client_document(self) -> dict[str, object] | None:
        """Our client document, to be served as JSON at exactly `Ourselves.document_url`; None where we have none."""
        ours = self._means.ourselves()
        return None if ours.document_url is None else document(ours)

    def _party(self, upstream: UpstreamId) -> Party:
        party = self._parties.get(upstream)
        if party is None:
            raise ConnectError(Trouble.UNKNOWN, f"no upstream {upstream!r} takes accounts of people's own")
        return party

    def _check(self, holder: Holder, agent: AgentId) -> None:
        if self._means.is_barred(holder, agent):
            raise ConnectError(Trouble.BARRED, "whoever wants to connect it is stopped or revoked")

    def _offer(self, name: UpstreamId) -> Offer:
        plan = self._parties[name].plan
        return Offer(name, plan.url, parse_url(plan.url).authority if plan.url else "", plan.credential.scopes)

    async def _all_revoked(self, lives: list[Live], by: str, why: str) -> tuple[Connection, ...]:
        for live in lives:
            await self._end(live, by, why)
        await asyncio.gather(*(self._given_back(live) for live in lives))
        return tuple(live.shown() for live in lives)

    async def _end(self, live: Live, by: str, why: str) -> None:
        try:
            await self._book.drop(live)
        finally:
            for follower in self._followers:
                follower(live.place)
        self._asks.settle(live.place)
        fields = fields_of(live.kept, self._means)
        await self._means.told(Event("connection_revoked", by, {**fields, "why": why} if why else fields))

    async def _given_back(self, live: Live) -> None:
        """Tells the service, as far as that is possible."""
        try:
            async with asyncio.timeout(_GIVING_BACK_SECONDS):
                await self._give_back(live)
        except (DoorwardError, TimeoutError) as error:
            fields = fields_of(live.kept, self._means)
            await self._means.told(Event("connection_not_given_back", "doorward", {**fields, "why": str(error) or "it took too long"}))

    async def _give_back(self, live: Live) -> None:
        party = self._parties.get(live.place.upstream)
        if party is None:
            raise CredentialError("the upstream is not declared any more")
        await live.flight.settled()
        kept = live.unsaved or live.kept
        found = await party.known()
        if found.provider.issuer != kept.issuer:
            raise CredentialError("the upstream has another authorization server now")
        us = await party.client_as(found.provider, kept.client_id)
        if us is None:
            raise CredentialError("we are another client there now")
        endpoint = party.endpoint(found.provider, us)
        if kept.refresh:
            await endpoint.given_back(Secret(kept.refresh), "refresh_token")
        if kept.access:
            await endpoint.given_back(Secret(kept.access), "access_token")
