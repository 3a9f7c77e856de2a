"""The public keys that Doorward signs with towards upstreams and authorization servers, as a page (RFC 7517)."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from doorward.serving.pages import Place, Places
from doorward.wire.jsonrpc import dump

JWKS = "/.well-known/jwks.json"

_KEPT = "public, max-age=3600"
"""Keys are published for a day before they sign, and for hours after they have."""


def keys(jwks: Callable[[], Mapping[str, object]]) -> Places:
    """The page; `jwks` gives the set as it is now."""

    async def page(request: Request) -> Response:
        del request
        return Response(dump(jwks()), headers={"cache-control": _KEPT}, media_type="application/json")

    return {JWKS.encode("ascii"): Place(page)}
