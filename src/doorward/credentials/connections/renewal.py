"""Tokens stay fresh: one refresh at a time for each connection, however many calls wait for it.

LAW: a new refresh token is durable before the new access token is used, for the old one may be void from the moment it was shown. What was
given and could not be stored is stored before anything else is asked.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from doorward.credentials.connections.book import Book, Live
from doorward.credentials.connections.connection import Holder, subject_of
from doorward.credentials.connections.party import Party
from doorward.credentials.connections.port import Means, person_of
from doorward.credentials.connections.store import Kept
from doorward.credentials.connections.tokens import Given, NoTokensError, Verdict
from doorward.credentials.port import CredentialError
from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event, Scalar
from doorward.domain.secret import Secret

AHEAD_SECONDS: Final = 120.0
"""A token that holds for less is refreshed while the old one still does."""
_AHEAD_PART: Final = 0.2
"""Of tokens that live shortly, a part of their life."""
_PAUSE_SECONDS: Final = 5.0
"""Between two attempts while the server is not well."""

ENDED: Final = "its access has ended, and the service gave nothing to renew it with"
REFUSED: Final = "the service does not take its access any more, and gave nothing to renew it with"
VOID: Final = "the service does not renew it any more: it was revoked or has ended there, or a renewal was lost on its way"
OTHER_SERVER: Final = "the upstream has another authorization server than the one it was connected at"
OTHER_CLIENT: Final = "the service does not know this gateway any more as it was known when it was connected"
STILL_REFUSED: Final = "the upstream does not accept it, though it was renewed just now"


class Renewal:
    """Gives tokens that are good, and says of a connection that it is broken."""

    __slots__ = ("_book", "_means")

    def __init__(self, book: Book, means: Means) -> None:
        self._book, self._means = book, means

    async def fresh(self, live: Live, party: Callable[[], Party]) -> Kept:
        """The connection with an access token that is good now, or as it is broken; an old token goes on while it holds.

        Raises a `DoorwardError` where there is none for now.
        """
        if self._is_due(live):
            await live.flight.run(lambda: self._renew(live, party))
        return live.kept

    def seconds_left(self, live: Live) -> float | None:
        """How long the access token holds from now; None where nobody says."""
        return None if live.holds_until is None else max(0.0, live.holds_until - self._means.monotonic())

    def _is_due(self, live: Live) -> bool:
        if live.kept.broken or live.is_gone:
            return False
        if live.unsaved is not None:
            return True
        left = self.seconds_left(live)
        return live.is_refused or live.is_hopeless or (left is not None and left < ahead_seconds(live.kept.lifetime_seconds))

    async def _renew(self, live: Live, party: Callable[[], Party]) -> None:
        """Raises `CredentialError` where no token is good; breaks the connection where none will be."""
        if live.unsaved is not None:
            await self._save(live, live.unsaved)
            return
        if live.is_hopeless:
            await self._broken(live, STILL_REFUSED)
            return
        if not live.kept.refresh:
            await self._without_refresh(live)
            return
        if self._means.monotonic() < live.retry_at:
            self._go_on(live, "its authorization server was not well just now")
            return
        try:
            given = await self._given(live, party())
        except DoorwardError as error:
            live.retry_at = self._means.monotonic() + _PAUSE_SECONDS
            self._go_on(live, str(error))
        else:
            if given is not None:
                live.unsaved = self._renewed(live.kept, given)
                await self._save(live, live.unsaved)

    async def _given(self, live: Live, party: Party) -> Given | None:
        """New tokens; None where the connection is broken now. Raises a `DoorwardError` where there are none for now."""
        found, kept = await party.known(), live.kept
        if found.provider.issuer != kept.issuer:
            await self._broken(live, OTHER_SERVER)
            return None
        us = await party.client_as(found.provider, kept.client_id)
        if us is None:
            await self._broken(live, OTHER_CLIENT)
            return None
        try:
            return await party.endpoint(found.provider, us).refreshed(Secret(kept.refresh), kept.resource)
        except NoTokensError as error:
            if error.verdict is Verdict.GRANT:
                await self._broken(live, VOID)
                return None
            if error.verdict is Verdict.CLIENT and await party.forgotten(found.provider, kept.client_id):
                await self._broken(live, OTHER_CLIENT)
                return None
            raise

    async def _without_refresh(self, live: Live) -> None:
        if live.is_refused:
            await self._broken(live, REFUSED)
        elif self.seconds_left(live) == 0.0:
            await self._broken(live, ENDED)

    def _go_on(self, live: Live, why: str) -> None:
        """The old token goes on while it holds and the upstream takes it; raises `CredentialError` where it does not."""
        if live.is_refused or self.seconds_left(live) == 0.0:
            raise CredentialError(f"its access could not be renewed: {why}")

    async def _save(self, live: Live, renewed: Kept) -> None:
        """INVARIANT: nobody sees the new access token before this has returned."""
        if not await self._book.change(live, renewed):
            # It was revoked meanwhile: what was given stays here for whoever gives it back.
            return
        if live.is_refused:
            live.refused_at = self._means.monotonic()
        live.unsaved, live.is_refused = None, False

    async def _broken(self, live: Live, why: str) -> None:
        if live.kept.broken or live.is_gone:
            return
        # Its tokens are no good to us, and might be to a thief.
        await self._book.change(live, replace(live.kept, broken=why, access="", refresh=""))
        await self._means.told(Event("connection_broken", "doorward", {**fields_of(live.kept, self._means), "why": why}))

    def _renewed(self, kept: Kept, given: Given) -> Kept:
        now = self._means.now()
        return replace(
            kept,
            access=given.access.reveal(),
            refresh=kept.refresh if given.refresh is None else given.refresh.reveal(),
            scopes=kept.scopes if given.scopes is None else given.scopes,
            obtained_at=now,
            lifetime_seconds=given.lifetime_seconds,
            refreshed_at=now,
        )


def ahead_seconds(lifetime_seconds: float | None) -> float:
    """How long before its end a token of such a life is refreshed."""
    return AHEAD_SECONDS if lifetime_seconds is None else min(AHEAD_SECONDS, _AHEAD_PART * lifetime_seconds)


def fields_of(kept: Kept, means: Means) -> dict[str, Scalar]:
    """How events name a connection: no token, no account, and its person by pseudonym."""
    return {
        "connection": kept.id,
        "upstream": kept.upstream,
        "subject": person_of(subject_of(Holder(kept.holder)), means.mark),
        "agent": kept.agent,
        "issuer": kept.issuer,
        "scope": " ".join(kept.scopes),
    }
