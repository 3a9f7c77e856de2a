"""What an upstream says of who may let people in there: protected resource metadata (RFC 9728), found as MCP's authorization says.

LAW: an upstream speaks for itself alone. Its metadata is read from its own origin (CVE-2026-51994), by the rule that it is itself reached
by, and must be about the very URL that we call, or about what that URL is part of.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.net.errors import NetError
from doorward.net.fetch import Fetched, Web, json_object
from doorward.net.urls import Origin, UrlError, parse_url
from doorward.wire.challenges import Challenge, bearer_challenge

_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_PROBE: Final = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
"""The message with the least effect: who asks for a credential does so before reading it."""
_PROBE_HEADERS: Final = (("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"))
_MOST_ISSUERS: Final = 8
_MOST_SCOPES: Final = 64
_SHOWN: Final = 120


class ResourceError(DoorwardError):
    """An upstream whose word about its authorization cannot be used; for operators."""


class Resource(msgspec.Struct, frozen=True):
    """What tokens for an upstream are asked for, and of whom."""

    identifier: str
    """What `resource` says (RFC 8707)."""
    issuers: tuple[str, ...]
    """Its authorization servers, as it orders them; empty where it names none."""
    scopes: tuple[str, ...]
    """What it asks for; empty where it does not say."""


async def protected(url: str, web: Web) -> Resource:
    """The resource at an MCP endpoint; raises `ResourceError` or `NetError`."""
    challenge = await _challenge(url, web)
    document = await _metadata(url, challenge, web)
    asked = () if challenge is None else challenge.scopes
    if document is None:
        # MCP of 2025-03-26: the upstream's own origin is its authorization server.
        return Resource(canonical(url), (_root(parse_url(url)),), asked)
    identifier = document.get("resource")
    if not isinstance(identifier, str) or not _covers(identifier, url):
        raise ResourceError(f"the metadata is of {_shown(identifier)}, expected {_shown(canonical(url))}")
    issuers = _texts(document, "authorization_servers")[:_MOST_ISSUERS]
    if not issuers:
        raise ResourceError("the metadata names no authorization server")
    return Resource(identifier, issuers, asked or _texts(document, "scopes_supported")[:_MOST_SCOPES])


def canonical(url: str) -> str:
    """The resource identifier of an MCP endpoint where it does not say another, none for a process; raises `UrlError`."""
    if not url:
        return ""
    origin = parse_url(url)
    return _root(origin) + ("" if origin.target == "/" else origin.target)


async def _challenge(url: str, web: Web) -> Challenge | None:
    try:
        answer = await web.post(url, _PROBE, _PROBE_HEADERS)
    except NetError:
        # One that answers with a stream, or is too slow for a probe, may have metadata all the same.
        return None
    return bearer_challenge(answer.headers.get("www-authenticate", "")) if answer.status == 401 else None


async def _metadata(url: str, challenge: Challenge | None, web: Web) -> Mapping[str, object] | None:
    """The document that the challenge names, else one of the well-known ones; None where there is none."""
    if challenge is not None and challenge.metadata:
        answer = await web.get(_own(challenge.metadata, url))
        if answer.status != 200:
            raise ResourceError(f"the metadata that it names was answered with {answer.status}")
        return _object(answer)
    for place in _places(url):
        answer = await web.get(place)
        if answer.status == 200:
            return _object(answer)
    return None


def _places(url: str) -> tuple[str, ...]:
    origin = parse_url(url)
    path = origin.target.partition("?")[0].rstrip("/")
    return tuple(dict.fromkeys((f"{_root(origin)}{_WELL_KNOWN}{path}", f"{_root(origin)}{_WELL_KNOWN}")))


def _own(named: str, url: str) -> str:
    """A URL that an upstream names, if it is at its own origin; raises `ResourceError`."""
    try:
        found, ours = parse_url(named), parse_url(url)
    except UrlError as error:
        raise ResourceError(f"its resource_metadata cannot be used: {error}") from error
    if _root(found) != _root(ours):
        raise ResourceError(f"its resource_metadata is at {_shown(_root(found))}, expected its own origin {_shown(_root(ours))}")
    return named


def _covers(identifier: str, url: str) -> bool:
    """Whether a resource is the URL or a whole part of its path: RFC 9728 §3.3 asks for the former, servers in use say the latter."""
    try:
        wide, ours = parse_url(identifier), parse_url(url)
    except UrlError:
        return False
    path = wide.target.rstrip("/")
    return _root(wide) == _root(ours) and (ours.target.rstrip("/") == path or ours.target.startswith(f"{path}/"))


def _object(answer: Fetched) -> Mapping[str, object]:
    return json_object(answer)


def _texts(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _root(origin: Origin) -> str:
    return f"{origin.scheme}://{origin.authority}"


def _shown(value: object) -> str:
    return repr(value if isinstance(value, str) else str(value))[:_SHOWN]
