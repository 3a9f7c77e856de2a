"""Clients that are the URL of a document about themselves (Client ID Metadata Documents, draft-ietf-oauth-client-id-metadata-document).

The URL proves who wrote the document, and that is all: names in it are claims. Nothing else that it mentions (logos, policies) is ever
fetched. LAW: whoever asks for an unknown URL makes us fetch it, so fetches are few: cached, failures too, and paced for each host.
Documents that were found before have no part in that pace: whoever makes URLs up keeps none of their clients out.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import anyio
import msgspec
from msgspec.structs import replace

from doorward.config.redirects import fault
from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.identity import patterns
from doorward.identity.authority import redirects
from doorward.identity.authority.port import Client, Grant, OAuthError, Origin
from doorward.net.fetch import Web
from doorward.net.urls import UrlError, parse_url
from doorward.wire.jsonrpc import Limits, parse_value

BODY_BYTES: Final = 5_120
"""As the draft (§4) recommends."""
LONGEST: Final = 512
"""Characters of a URL that is a client id."""
_JSON: Final = Limits(body_bytes=BODY_BYTES, depth=8, nodes=1_000, string_bytes=4_096)

_SHORTEST_SECONDS: Final = 60.0
_LONGEST_SECONDS: Final = 3_600.0
"""Whatever its cache headers say, a document is kept for no less and no longer: a client that changes its redirects is believed within the hour."""
_FAILED_SECONDS: Final = 30.0
_MOST_KEPT: Final = 256
_PACE: Final = 10
"""Fetches of one host in a minute."""
_PACE_ALL: Final = 60
_MINUTE_SECONDS: Final = 60.0

_MAX_AGE: Final = re.compile(r"(?:^|,)\s*max-age=([0-9]{1,9})\s*(?:,|$)")
_NO_KEEPING: Final = re.compile(r"(?:^|,)\s*(?:no-store|no-cache)\b")
_GRANTS: Final = {grant.wire: grant for grant in (Grant.CODE, Grant.REFRESH, Grant.ASSERTION)}
"""What a client can be allowed by its own word. To act without a person, or for another agent, it must be declared."""


class Terms(msgspec.Struct, frozen=True):
    """Which documents count."""

    hosts: tuple[str, ...]
    """Patterns; empty: every host that the web lets us reach."""


class _Kept(msgspec.Struct, frozen=True):
    found: Client | str
    """The client, or why there is none."""
    until: float
    was_found: bool = False
    """Now or before: it is looked at again whatever else is asked for, at most as often as its time runs out."""


class Documents:
    """Knows clients by their documents."""

    __slots__ = ("_flights", "_kept", "_now", "_paces", "_terms", "_web")

    def __init__(self, web: Web, terms: Terms, now: Callable[[], float]) -> None:
        self._web = web
        self._terms = terms
        self._now = now
        self._kept: dict[str, _Kept] = {}
        self._flights: dict[str, anyio.Event] = {}
        self._paces: dict[str, deque[float]] = {}

    async def client(self, url: str) -> Client:
        """The client of a URL; raises `OAuthError` `invalid_client`."""
        host = _host(url)
        if self._terms.hosts and not any(patterns.matches(pattern, host) for pattern in self._terms.hosts):
            raise _invalid("clients that are described at this host are not accepted here")
        while (kept := self._fresh(url)) is None:
            flight = self._flights.get(url)
            if flight is None:
                await self._fetch(url, host)
            else:
                await flight.wait()
        if isinstance(kept.found, str):
            raise _invalid(kept.found)
        return kept.found

    def _fresh(self, url: str) -> _Kept | None:
        kept = self._kept.get(url)
        return kept if kept is not None and kept.until > self._now() else None

    async def _fetch(self, url: str, host: str) -> None:
        """Fetches a document once for all who ask meanwhile; raises `OAuthError` where too much was fetched already."""
        if not self._was_found(url):
            self._pace(host)
        flight = self._flights[url] = anyio.Event()
        try:
            self._keep(url, await self._fetched(url))
        finally:
            del self._flights[url]
            flight.set()

    async def _fetched(self, url: str) -> _Kept:
        try:
            answer = await self._web.get(url, (("Accept", "application/json"),))
        except DoorwardError:
            # Why is for nobody outside: it would map the network behind us.
            return _Kept("the document of the client could not be fetched", self._now() + _FAILED_SECONDS)
        try:
            found = _client(url, _document(answer.status, answer.headers.get("content-type", ""), answer.body))
        except OAuthError as error:
            return _Kept(error.description, self._now() + _FAILED_SECONDS)
        return _Kept(found, self._now() + _seconds(answer.headers.get("cache-control", "")), was_found=True)

    def _keep(self, url: str, kept: _Kept) -> None:
        """What was never found makes room first."""
        if url not in self._kept and len(self._kept) >= _MOST_KEPT:
            del self._kept[next((one for one, other in self._kept.items() if not other.was_found), next(iter(self._kept)))]
        self._kept[url] = replace(kept, was_found=True) if self._was_found(url) else kept

    def _was_found(self, url: str) -> bool:
        kept = self._kept.get(url)
        return kept is not None and kept.was_found

    def _pace(self, host: str) -> None:
        """Counts a fetch; raises `OAuthError` where there have been too many in the last minute."""
        now = self._now()
        for name in [name for name, pace in self._paces.items() if pace[-1] <= now - _MINUTE_SECONDS]:
            del self._paces[name]
        pace = self._paces.get(host, deque())
        while pace and pace[0] <= now - _MINUTE_SECONDS:
            pace.popleft()
        if len(pace) >= _PACE or sum(map(len, self._paces.values())) >= _PACE_ALL:
            raise OAuthError("temporarily_unavailable", "too many documents of clients were asked for; try again in a minute", 503)
        pace.append(now)
        self._paces[host] = pace


def is_url(client_id: str) -> bool:
    """Whether a client id wants to be the URL of a document."""
    return client_id.startswith("https://")


def _host(url: str) -> str:
    """The host of a URL that can be a client id (§3 of the draft, and a little stricter); raises `OAuthError`."""
    try:
        origin = parse_url(url)
    except UrlError as error:
        raise _invalid("the client id was expected to be a URL in plain form") from error
    path = origin.target.split("/")[1:]
    is_plain = (
        len(url) <= LONGEST
        and origin.scheme == "https"
        and "?" not in url
        and "%" not in url
        and url.startswith(f"https://{origin.authority}/")
    )
    if not is_plain or path == [""] or not {".", ".."}.isdisjoint(path):
        raise _invalid("the client id was expected to be an https URL with a path, without query, escapes or dot segments")
    return origin.host


def _document(status: int, content_type: str, body: bytes) -> Mapping[str, object]:
    media = content_type.partition(";")[0].strip().lower()
    if status != 200:
        raise _invalid(f"the document of the client was answered with {status}")
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise _invalid("the document of the client was expected to be application/json")
    try:
        value = parse_value(body, _JSON)
    except Refused as refused:
        raise _invalid(f"the document of the client was expected to be strict JSON of at most {BODY_BYTES} bytes") from refused
    if not isinstance(value, dict):
        raise _invalid("the document of the client was expected to be a JSON object")
    return value


def _client(url: str, document: Mapping[str, object]) -> Client:
    if document.get("client_id") != url:
        # Exact: else one host could speak for another's client.
        raise _invalid("client_id in the document of the client is not its URL")
    name = named(document.get("client_name"))
    uris = redirect_uris(document.get("redirect_uris"))
    jwks, jwks_url = _keys(document)
    return Client(
        id=url,
        name=name,
        origin=Origin.DOCUMENT,
        redirect_uris=uris,
        grants=_grants(document, is_confidential=jwks is not None or jwks_url is not None),
        scopes=frozenset({"mcp"}),
        jwks=jwks,
        jwks_url=jwks_url,
    )


def named(value: object) -> str:
    """What a client calls itself, fit to be shown; raises `OAuthError`."""
    name = " ".join(value.split()) if isinstance(value, str) else ""
    if not 0 < len(name) <= 128 or not name.isprintable():
        raise OAuthError("invalid_client_metadata", "client_name was expected to be 1 to 128 printable characters")
    return name


def redirect_uris(value: object) -> tuple[str, ...]:
    """Where a client's codes may be sent; raises `OAuthError` unless each can be."""
    if not isinstance(value, list) or not 0 < len(value) <= redirects.MOST:
        raise OAuthError("invalid_redirect_uri", f"redirect_uris was expected to be a list of 1 to {redirects.MOST}")
    uris = tuple(uri for uri in value if isinstance(uri, str))
    faults = [found for uri in uris if (found := fault(uri))]
    if faults or len(uris) != len(value):
        raise OAuthError("invalid_redirect_uri", faults[0] if faults else "redirect_uris was expected to hold texts")
    return uris


def _keys(document: Mapping[str, object]) -> tuple[Mapping[str, object] | None, str | None]:
    method = document.get("token_endpoint_auth_method", "none")
    if method == "none":
        return None, None
    if method != "private_key_jwt":
        raise _invalid("token_endpoint_auth_method was expected to be none or private_key_jwt")
    match document.get("jwks"), document.get("jwks_uri"):
        case dict() as jwks, None:
            return jwks, None
        case None, str() as url:
            # Of its own host alone: its keys are its word as much as the document is.
            if _host(url) != _host(str(document.get("client_id"))):
                raise _invalid("jwks_uri was expected to be at the host of the client id")
            return None, url
        case _:
            raise _invalid("either jwks or jwks_uri was expected with private_key_jwt")


def _grants(document: Mapping[str, object], *, is_confidential: bool) -> frozenset[Grant]:
    asked = document.get("grant_types", [Grant.CODE.wire])
    names = asked if isinstance(asked, list) else []
    grants = frozenset(_GRANTS[name] for name in names if isinstance(name, str) and name in _GRANTS)
    return grants if is_confidential else grants - {Grant.ASSERTION}


def _seconds(cache_control: str) -> float:
    text = cache_control.lower()
    if _NO_KEEPING.search(text):
        return _SHORTEST_SECONDS
    match = _MAX_AGE.search(text)
    return min(max(float(match[1]), _SHORTEST_SECONDS), _LONGEST_SECONDS) if match else _SHORTEST_SECONDS * 5


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client", description, 401)
