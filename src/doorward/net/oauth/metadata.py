"""What an authorization server or OpenID Provider says of itself (RFC 8414, OpenID Connect Discovery 1.0).

LAW: metadata counts for exactly the issuer that was configured: one issuer could bring the endpoints or keys of another else (mix-up).
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from doorward.domain.errors import DoorwardError
from doorward.net.fetch import Fetched, Web, json_object
from doorward.net.urls import UrlError, parse_url

_SHOWN = 120
"""Characters of outside text that are repeated to operators."""


Places = Callable[[str], tuple[str, ...]]
"""Where the metadata of an issuer may be."""


class MetadataError(DoorwardError):
    """Metadata that cannot be had or used."""


class Described(Protocol):
    """Whose metadata is read."""

    @property
    def name(self) -> str:
        """What it is called here."""
        ...

    @property
    def url(self) -> str:
        """Its issuer identifier."""
        ...

    @property
    def is_plain(self) -> bool:
        """Its metadata may lead to http."""
        ...


async def metadata(issuer: Described, web: Web, places: Places | None = None) -> dict[str, object]:
    """What an issuer says of itself, at the first of its places where there is anything; raises `MetadataError` or `NetError`."""
    for url in (places or metadata_urls)(issuer.url):
        fetched = await web.get(url)
        if fetched.status == 200:
            return _own_words(fetched, issuer)
    raise MetadataError(f"no metadata of {_shown(issuer.url)} was found")


def endpoint(document: Mapping[str, object], name: str, issuer: Described) -> str:
    """A URL that the metadata names; raises `MetadataError`."""
    url = document.get(name)
    if not isinstance(url, str):
        raise MetadataError(f"the metadata of {issuer.name} names no {name}")
    try:
        scheme = parse_url(url).scheme
    except UrlError as error:
        raise MetadataError(f"the {name} of {issuer.name} cannot be used: {error}") from error
    if scheme != "https" and not issuer.is_plain:
        raise MetadataError(f"the {name} of {issuer.name} was expected to be https")
    return url


def texts(document: Mapping[str, object], name: str) -> frozenset[str] | None:
    """A list of texts in the metadata; None where it is absent. What is no text in it is passed over."""
    value = document.get(name)
    if name not in document:
        return None
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Where an issuer's metadata is: as OpenID Connect Discovery §4 says, and as RFC 8414 §3 does."""
    scheme, _, rest = issuer.partition("://")
    host, slash, path = rest.partition("/")
    path = (slash + path).rstrip("/")
    return f"{scheme}://{host}{path}/.well-known/openid-configuration", f"{scheme}://{host}/.well-known/oauth-authorization-server{path}"


def mcp_urls(issuer: str) -> tuple[str, ...]:
    """Where MCP has its clients look, in that order (authorization server discovery): RFC 8414, and OpenID Connect in two ways."""
    scheme, _, rest = issuer.partition("://")
    host, slash, path = rest.partition("/")
    appended, inserted = metadata_urls(issuer)
    return tuple(dict.fromkeys((inserted, f"{scheme}://{host}/.well-known/openid-configuration{(slash + path).rstrip('/')}", appended)))


def _own_words(fetched: Fetched, issuer: Described) -> dict[str, object]:
    """RFC 8414 §3.3."""
    found = json_object(fetched)
    if found.get("issuer") != issuer.url:
        raise MetadataError(f"the metadata is of {_shown(found.get('issuer'))}, expected {_shown(issuer.url)}")
    return found


def _shown(value: object) -> str:
    return repr(value if isinstance(value, str) else str(value))[:_SHOWN]
