"""The groups of a person whose token leaves them out because they are too many (Entra's group overage): asked for, or else refused.

LAW: a person whose groups cannot be told has no access at all; somebody with too few groups might be let through where a policy forbids.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

import anyio
import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.identity.tokens.issuer import Issuer
from doorward.identity.tokens.jws import refused
from doorward.identity.tokens.keys import KeysError
from doorward.net.fetch import Web, json_object
from doorward.net.oauth.asking import FORM
from doorward.net.oauth.metadata import endpoint, metadata
from doorward.net.urls import parse_url
from doorward.wire.jsonrpc import dump

KEPT_SECONDS: Final = 300.0
"""How long groups that were asked for count: as long as it may take until somebody who has left a group is out of it here."""
SUBJECT: Final = "{subject}"
MOST_GROUPS: Final = 4096

_PAUSE_SECONDS = 5.0
_MOST_PEOPLE = 4096
_SECONDS = 10.0
_EARLY_SECONDS = 60.0
_ALL = dump({"securityEnabledOnly": False})
"""Every kind of group: one left out might be the one that a policy forbids."""


class _Known(msgspec.Struct, frozen=True):
    """A person's groups; None where they could not be had."""

    groups: frozenset[str] | None
    until: float
    trouble: str = ""


class Groups:
    """Asks an issuer's directory for groups, as the client that Doorward is there."""

    __slots__ = ("_bearer", "_client", "_flights", "_issuer", "_known", "_now", "_secret", "_until", "_web")

    def __init__(self, issuer: Issuer, client: str, secret: Callable[[], Secret | None], web: Web, now: Callable[[], float]) -> None:
        """`client` and `secret`: as for signing in; `secret` may raise `DoorwardError`. The issuer has a `groups_url`."""
        self._issuer, self._client, self._secret, self._web, self._now = issuer, client, secret, web, now
        self._known: dict[str, _Known] = {}
        self._flights: dict[str, anyio.Event] = {}
        self._bearer = Secret("")
        self._until = float("-inf")

    def find(self, subject: str) -> frozenset[str] | None:
        """The groups of a person, as they were asked for lately; None where that has not been done. Raises `Refused` where it failed."""
        known = self._known.get(subject)
        if known is None or self._now() >= known.until:
            return None
        if known.groups is None:
            raise refused(f"the groups that the token leaves out could not be had from {self._issuer.name}: {known.trouble}")
        return known.groups

    def until(self, subject: str) -> float:
        """Until when they count."""
        known = self._known.get(subject)
        return known.until if known else float("-inf")

    async def fetch(self, subject: str) -> None:
        """Asks for them, once for all who wait; `find` says what came of it."""
        flight = self._flights.get(subject)
        if flight is not None:
            await flight.wait()
            return
        flight = self._flights[subject] = anyio.Event()
        try:
            known = _Known(None, self._now() + _PAUSE_SECONDS, f"no answer within {_SECONDS:g} seconds")
            # Shielded: others wait for the same answer.
            with anyio.move_on_after(_SECONDS, shield=True):
                known = await self._asked(subject)
            self._remember(subject, known)
        finally:
            del self._flights[subject]
            flight.set()

    async def _asked(self, subject: str) -> _Known:
        try:
            return _Known(await self._groups(subject), self._now() + KEPT_SECONDS)
        except DoorwardError as error:
            return _Known(None, self._now() + _PAUSE_SECONDS, str(error))

    async def _groups(self, subject: str) -> frozenset[str]:
        url = (self._issuer.habits.groups_url or "").replace(SUBJECT, quote(subject, safe=""))
        headers = (("Authorization", f"Bearer {(await self._token(url)).reveal()}"), ("Content-Type", "application/json"))
        answer = await self._web.post(url, _ALL, headers)
        if answer.status != 200:
            self._until = float("-inf")
            raise KeysError(f"the groups were answered with status {answer.status}")
        said = json_object(answer)
        listed = said.get("value")
        if "@odata.nextLink" in said or not isinstance(listed, list) or len(listed) > MOST_GROUPS:
            raise KeysError(f"expected a whole list of at most {MOST_GROUPS} groups")
        if not all(isinstance(one, str) and one for one in listed):
            raise KeysError("expected texts as names of groups")
        return frozenset(listed)

    async def _token(self, url: str) -> Secret:
        """An access token of our own for the directory (client credentials, RFC 6749 §4.4)."""
        now = self._now()
        if now < self._until:
            return self._bearer
        secret = self._secret()
        if secret is None:
            raise KeysError("a client secret was expected in sign_in")
        place = parse_url(url)
        fields = {
            "grant_type": "client_credentials",
            "client_id": self._client,
            "client_secret": secret.reveal(),
            "scope": f"{place.scheme}://{place.authority}/.default",
        }
        answer = await self._web.post(await self._token_url(), urlencode(fields).encode(), FORM)
        if answer.status != 200:
            raise KeysError(f"the token endpoint answered with status {answer.status}")
        said = json_object(answer)
        token, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or type(seconds) is not int:
            raise KeysError("expected access_token and expires_in of the token endpoint")
        self._bearer, self._until = Secret(token), now + seconds - _EARLY_SECONDS
        return self._bearer

    async def _token_url(self) -> str:
        return endpoint(await metadata(self._issuer, self._web), "token_endpoint", self._issuer)

    def _remember(self, subject: str, known: _Known) -> None:
        self._known.pop(subject, None)
        if len(self._known) >= _MOST_PEOPLE:
            del self._known[next(iter(self._known))]
        self._known[subject] = known
