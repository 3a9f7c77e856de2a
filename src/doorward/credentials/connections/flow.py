"""A person connects an account: OAuth 2.1 authorization code with PKCE S256, `resource` (RFC 8707) and `iss` (RFC 9207).

LAW: what `finish` keeps was given by the server that `begin` sent the browser to, for this client, this person and this beginning, once.
Whoever began in another browser, or as another person, connects nothing (login CSRF, CVE-2026-27124, code injection, mix-up).
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from doorward.credentials.connections import account
from doorward.credentials.connections.book import Book
from doorward.credentials.connections.client import Client
from doorward.credentials.connections.connection import Holder, Place
from doorward.credentials.connections.party import Known, Party
from doorward.credentials.connections.port import BEGUN_SECONDS, Begun, ConnectError, Means, Prospect, Trouble
from doorward.credentials.connections.store import Kept
from doorward.credentials.connections.tokens import Given, NoTokensError, Verdict
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.secret import Secret
from doorward.wire import pkce

_LONGEST_CODE: Final = 4096
_CODE: Final = re.compile(r"[\x21-\x7e]+")
_ERROR: Final = re.compile(r"[a-z_]{1,60}")
_MOST_SPENT: Final = 50_000
"""Beginnings that have come back and are remembered for their ten minutes; with so many, no more can be finished."""
_OFFLINE: Final = "offline_access"


class Flow:
    """Begins and finishes connections."""

    __slots__ = ("_book", "_means", "_spent")

    def __init__(self, book: Book, means: Means) -> None:
        self._book, self._means = book, means
        # INVARIANT: in the order of their end.
        self._spent: dict[str, float] = {}

    async def begin(self, party: Party, place: Place, wanted: tuple[str, ...], redirect_uri: str) -> tuple[str, Begun]:
        """Where the browser goes now, and what it alone remembers; raises `ConnectError`. `wanted`: scopes besides the usual ones."""
        try:
            found = await party.known()
            us = await party.client(found.provider, redirect_uri)
        except ConnectError:
            raise
        except DoorwardError as error:
            raise ConnectError(Trouble.BROKEN, str(error)) from error
        begun = Begun(
            holder=place.holder,
            upstream=place.upstream,
            agent=place.agent,
            redirect_uri=redirect_uri,
            issuer=found.provider.issuer,
            client_id=us.id,
            audience=party.plan.place,
            resource=found.resource,
            scopes=self._scopes(found, place, wanted),
            state=self._random(),
            nonce=self._random(),
            verifier=self._random(),
            at=self._means.now(),
            names_itself=found.provider.names_itself,
        )
        return _authorization(found, begun, party.plan.credential.parameters), begun

    async def prospect(self, party: Party, place: Place, wanted: tuple[str, ...]) -> Prospect:
        """Where the browser would go, and for what; raises `ConnectError`."""
        found = await party.known()
        return Prospect(found.provider.issuer, self._scopes(found, place, wanted))

    async def finish(self, party: Party, begun: Begun, params: Mapping[str, str], holder: Holder) -> Kept:
        """What the new connection is, not kept yet; raises `ConnectError`.

        `params`: what the service sent along, each at most once; `holder`: who is signed in with this browser.
        """
        if not hmac.compare_digest(begun.holder.encode(), holder.encode()):
            raise ConnectError(Trouble.AGAIN, "it was begun by another person")
        code = self._code(begun, params, (await party.known()).provider.said)
        try:
            found, us = await self._same(party, begun)
            given = await self._redeemed(party, found, us, begun, code)
            name = await self._account(party, found, begun, given)
        except ConnectError:
            raise
        except DoorwardError as error:
            raise ConnectError(Trouble.BROKEN, str(error)) from error
        return self._kept(begun, given, name)

    async def _same(self, party: Party, begun: Begun) -> tuple[Known, Client]:
        """The server and client of the beginning; a server that was exchanged meanwhile gets no code."""
        found = await party.known()
        if found.provider.issuer != begun.issuer:
            raise ConnectError(Trouble.AGAIN, "the upstream has another authorization server than when it was begun")
        if not party.plan.is_at(begun.audience):
            raise ConnectError(Trouble.AGAIN, "the upstream is somewhere else than when it was begun")
        us = await party.client_as(found.provider, begun.client_id)
        if us is None:
            raise ConnectError(Trouble.AGAIN, "we are another client there than when it was begun")
        return found, us

    async def _redeemed(self, party: Party, found: Known, us: Client, begun: Begun, code: Secret) -> Given:
        try:
            return await party.endpoint(found.provider, us).redeemed(code, begun.verifier, begun.redirect_uri, begun.resource)
        except NoTokensError as error:
            if error.verdict is Verdict.CLIENT:
                await party.forgotten(found.provider, us.id)
            raise

    def _code(self, begun: Begun, params: Mapping[str, str], issuer: str | None) -> Secret:
        """The code of an answer that is the one expected; its issuer is checked before a word of it is believed."""
        if not hmac.compare_digest(params.get("state", "").encode(), begun.state.encode()):
            raise ConnectError(Trouble.AGAIN, "the state is another than the one this browser began with")
        self._spend(begun)
        said = params.get("iss")
        if said is None and begun.names_itself:
            raise ConnectError(Trouble.AGAIN, "the answer has no iss, though the server says that it gives one")
        if said is not None and said != issuer:
            expected = "declare it as issuer" if issuer is None else f"expected {issuer!r}"
            raise ConnectError(Trouble.AGAIN, f"the answer is of {said[:200]!r}, {expected}")
        error = params.get("error")
        if error is not None:
            name = error if _ERROR.fullmatch(error) else "an error"
            raise ConnectError(Trouble.DECLINED, f"the server answered {name}")
        code = params.get("code", "")
        if len(code) > _LONGEST_CODE or not _CODE.fullmatch(code):
            raise ConnectError(Trouble.AGAIN, "the answer has no proper code")
        return Secret(code)

    def _spend(self, begun: Begun) -> None:
        now = self._means.now()
        if not begun.at - 60.0 <= now <= begun.at + BEGUN_SECONDS:
            raise ConnectError(Trouble.AGAIN, "it took too long")
        while self._spent and next(iter(self._spent.values())) <= now:
            del self._spent[next(iter(self._spent))]
        if begun.state in self._spent or len(self._spent) >= _MOST_SPENT:
            raise ConnectError(Trouble.AGAIN, "it has come back before")
        self._spent[begun.state] = now + 2 * BEGUN_SECONDS

    async def _account(self, party: Party, found: Known, begun: Begun, given: Given) -> str:
        claims: Mapping[str, object] = {}
        if given.id_token is not None:
            claims = account.claims_of(given.id_token, found.provider.said, begun.client_id, begun.nonce)
        scopes = begun.scopes if given.scopes is None else given.scopes
        is_asked = party.plan.credential.account_url is not None or "openid" in scopes
        if found.provider.account is not None and is_asked:
            more = await account.asked(found.provider.account, given.access, party.web)
            if not claims or more.get("sub") == claims.get("sub"):
                claims = {**more, **claims}
        return account.label(claims)

    def _kept(self, begun: Begun, given: Given, name: str) -> Kept:
        now = self._means.now()
        return Kept(
            id=self._means.new_id(),
            holder=begun.holder,
            upstream=begun.upstream,
            agent=begun.agent,
            account=name,
            issuer=begun.issuer,
            client_id=begun.client_id,
            audience=begun.audience,
            resource=begun.resource,
            scopes=begun.scopes if given.scopes is None else given.scopes,
            asked=begun.scopes,
            access=given.access.reveal(),
            refresh="" if given.refresh is None else given.refresh.reveal(),
            obtained_at=now,
            lifetime_seconds=given.lifetime_seconds,
            broken="",
            created_at=now,
            refreshed_at=None,
        )

    def _scopes(self, found: Known, place: Place, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The usual ones, those that are wanted besides, and what a working connection has (a narrower grant would take its place)."""
        before = self._book.at(place)
        granted = () if before is None or before.kept.broken else before.kept.scopes
        offline = (_OFFLINE,) if _OFFLINE in found.provider.scopes else ()
        return tuple(dict.fromkeys((*found.scopes, *granted, *wanted, *offline)))

    def _random(self) -> str:
        return urlsafe_b64encode(self._means.draw(32)).rstrip(b"=").decode()


def place_of(begun: Begun) -> Place:
    """Where a connection that has begun will be."""
    return Place(Holder(begun.holder), UpstreamId(begun.upstream), AgentId(begun.agent))


def _authorization(found: Known, begun: Begun, parameters: Mapping[str, str]) -> str:
    asked = {
        "response_type": "code",
        "client_id": begun.client_id,
        "redirect_uri": begun.redirect_uri,
        "state": begun.state,
        "code_challenge": pkce.challenge(begun.verifier),
        "code_challenge_method": pkce.METHOD,
    }
    if begun.scopes:
        asked["scope"] = " ".join(begun.scopes)
    if begun.resource:
        asked["resource"] = begun.resource
    if "openid" in begun.scopes:
        asked["nonce"] = begun.nonce
    # OpenID Connect Core 11: offline access is given to whoever asks the person for it.
    usual = {"prompt": "consent"} if _OFFLINE in begun.scopes else {}
    url = found.provider.authorization
    return f"{url}{'&' if '?' in url else '?'}{urlencode({**usual, **parameters, **asked})}"
