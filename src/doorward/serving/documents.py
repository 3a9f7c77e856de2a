"""The metadata of our endpoints as pages (RFC 9728 §3): at the root, beside each endpoint, and for every name that an upstream could have."""

from starlette.requests import Request
from starlette.responses import Response

from doorward.identity.metadata import Advertised, metadata
from doorward.identity.resources import WELL_KNOWN, Resources
from doorward.serving.edge import endpoint
from doorward.serving.pages import ANY, Place, Places
from doorward.wire.jsonrpc import dump

_MINUTES = "public, max-age=300"
"""Long enough for a client's flow, short enough that a change of issuers is seen."""


def documents(offer: Advertised | None, resources: Resources) -> Places:
    """The pages; none where nobody gives out tokens, so that no client looks for a server that is not there."""
    if offer is None:
        return {}
    known = offer

    async def page(request: Request) -> Response:
        path: bytes = request.scope["raw_path"]
        suffix = path.removeprefix(WELL_KNOWN.encode("ascii"))
        named = endpoint(suffix, b"") if suffix else None
        return Response(dump(metadata(known, resources, named)), headers={"cache-control": _MINUTES}, media_type="application/json")

    root = WELL_KNOWN.encode("ascii")
    return {path: Place(page) for path in (root, root + b"/mcp", root + b"/mcp" + ANY)}
