"""Credentials of one upstream out of people's connections: each person's calls with that person's own account, or not at all."""

from collections.abc import Callable
from typing import Final

from doorward.credentials.connections.asks import Asks
from doorward.credentials.connections.book import Book, Live
from doorward.credentials.connections.connection import EVERY_AGENT, OWN, Place, holder_of
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.connections.party import Party
from doorward.credentials.connections.port import Means
from doorward.credentials.connections.renewal import Renewal
from doorward.credentials.port import Mint, Minted, Use
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from doorward.wire.challenges import bearer_challenge

_AGAIN_SECONDS: Final = 60.0
"""An access token that is refused so soon after it was refreshed for that reason will not be taken."""
_MOST_STEPPING: Final = 256
"""Calls of one connection that are remembered to need more scopes; each is looked for once, right after."""
_KIND: Final = "insufficient_scope"


class UserMint(Mint):
    """The mint of one upstream."""

    __slots__ = ("_asks", "_book", "_means", "_party", "_plan", "_renewal")

    def __init__(self, plan: PerUser, party: Callable[[], Party], book: Book, renewal: Renewal, asks: Asks, means: Means) -> None:
        self._plan, self._party = plan, party
        self._book, self._renewal, self._asks, self._means = book, renewal, asks, means

    def holder(self, use: Use) -> str:
        """The connection of whom a call acts for; raises `Refused` CONSENT_NEEDED, or NO_CREDENTIAL where there is nobody to ask."""
        live = self._live(use)
        if live.stepping and use.call.id in live.stepping:
            del live.stepping[use.call.id]
            raise self._consent(use, live.place, "it needs more scopes than were granted")
        live.used_at = self._means.now()
        return live.kept.id

    async def mint(self, use: Use) -> Minted:
        """The access token of the connection, refreshed where that is due."""
        live = self._live(use)
        if self._means.is_barred(live.place.holder, use.call.principal.agent.id):
            raise Refused(Reason.NO_CREDENTIAL, "whoever it is for is stopped or revoked")
        kept = await self._renewal.fresh(live, self._party)
        if live.is_gone or kept.broken:
            raise self._consent(use, live.place, kept.broken or "it was revoked meanwhile")
        return Minted(
            headers=(("Authorization", Secret(f"Bearer {kept.access}")),),
            secrets=tuple(Secret(text) for text in (kept.access, kept.refresh) if text),
            account=kept.id,
            scope=" ".join(kept.scopes),
            seconds=self._renewal.seconds_left(live),
            is_current=lambda: live.kept is kept and not live.is_gone and not live.is_refused,
        )

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        """The upstream does not take an access token: it is refreshed, or the person is asked for the scopes that it asks for."""
        holder = holder_of(use.call.principal)
        live = None if holder is None else self._book.find(holder, self._plan.upstream, use.call.principal.agent.id)
        if live is None or live.kept.broken or dict(lease.headers).get("Authorization") != Secret(f"Bearer {live.kept.access}"):
            # Another one has taken its place meanwhile.
            return
        said = bearer_challenge(challenge)
        if said is not None and said.error == _KIND:
            self._step_up(live, use, said.scopes)
        elif self._means.monotonic() < live.refused_at + _AGAIN_SECONDS:
            live.is_hopeless = True
        else:
            live.is_refused = True

    def _step_up(self, live: Live, use: Use, scopes: tuple[str, ...]) -> None:
        """Asks for what is not granted. What was asked for and not given is not asked for again: there would be no end of it."""
        missing = tuple(scope for scope in scopes if scope not in live.kept.scopes and scope not in live.kept.asked)
        if not missing:
            return
        self._asks.ask(live.place, use.call.principal.agent.id, missing)
        live.stepping[use.call.id] = None
        if len(live.stepping) > _MOST_STEPPING:
            live.stepping.popitem(last=False)

    def _live(self, use: Use) -> Live:
        """The working connection of a use. LAW: the holder's own, or none."""
        principal = use.call.principal
        holder = holder_of(principal)
        if holder is None:
            raise self._nobody(
                "the agent acts for nobody", f"`{self._plan.upstream}` is for people's own accounts, and this agent acts for nobody."
            )
        live = self._book.find(holder, self._plan.upstream, principal.agent.id)
        if live is not None and not live.kept.broken:
            if not self._plan.is_at(live.kept.audience):
                # LAW: nobody is shown a token that a person let somebody else be shown, whoever the upstream's name stands for now.
                raise self._consent(use, live.place, f"it was connected for {live.kept.audience}, where the upstream is no longer")
            return live
        if holder == OWN:
            raise self._nobody("the gateway has no account of its own there, for discovery: connect one", None)
        place = Place(holder, self._plan.upstream, EVERY_AGENT) if live is None else live.place
        raise self._consent(use, place, "nothing is connected" if live is None else f"the connection is broken: {live.kept.broken}")

    def _consent(self, use: Use, place: Place, why: str) -> Refused:
        if place.holder == OWN:
            return self._nobody(why, None)
        return Refused(Reason.CONSENT_NEEDED, why, extra={"connect": self._asks.ask(place, use.call.principal.agent.id).reference})

    def _nobody(self, why: str, sentence: str | None) -> Refused:
        return Refused(Reason.NO_CREDENTIAL, f"{self._plan.upstream}: {why}", sentence=sentence)
