"""What a token can be for (RFC 8707, RFC 9728 §3.1): each endpoint is a resource of its own, named by its URL, one exact text."""

from doorward.config.model import Listen
from doorward.domain.ids import UpstreamId
from doorward.net.urls import UrlError, parse_url

_ENDPOINT = "/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource"
"""Where the metadata of a resource is: between the origin and the resource's own path."""


class Resources:
    """The names of our endpoints as clients see them, under one public origin."""

    __slots__ = ("_all", "origin")

    def __init__(self, public_url: str) -> None:
        """`public_url`: scheme, host and perhaps a port; raises `UrlError` for anything else."""
        public = parse_url(public_url)
        if public.target != "/":
            raise UrlError(
                f"a public url of scheme, host and perhaps a port alone was expected, not one with the path {public.target[:80]!r}"
            )
        self.origin = f"{public.scheme}://{public.authority}"
        """Scheme and host in lower case, no port where it is the scheme's own, no slash at the end."""
        self._all = self.origin + _ENDPOINT

    def of(self, endpoint: UpstreamId | None) -> str:
        """The resource of `/mcp/{endpoint}`, or of `/mcp` for None: the only audience a token for it can have, and the `htu` of a proof."""
        return self._all if endpoint is None else f"{self._all}/{endpoint}"

    def metadata_url(self, endpoint: UpstreamId | None) -> str:
        """Where the metadata of that resource is."""
        return self.origin + metadata_path(endpoint)


def public_url(listen: Listen, port: int) -> str:
    """How clients see a gateway: as declared, else by the address it listens on; `port` as bound, for the configured one may be 0."""
    if listen.public_url is not None:
        return listen.public_url
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{'http' if listen.tls is None else 'https'}://{host}:{port}"


def metadata_path(endpoint: UpstreamId | None) -> str:
    """The path of a resource's metadata on any of our origins."""
    return WELL_KNOWN + (_ENDPOINT if endpoint is None else f"{_ENDPOINT}/{endpoint}")
