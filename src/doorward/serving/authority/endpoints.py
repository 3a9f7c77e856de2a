"""What our authorization server answers to clients: metadata (RFC 8414), keys, tokens (RFC 6749), revocation (RFC 7009), registration."""

from collections.abc import Awaitable, Callable
from itertools import count

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from doorward.domain.reasons import Refused
from doorward.identity.authority.port import Authority, OAuthError, TokenRequest
from doorward.identity.certificate import Certificate
from doorward.serving.authority.forms import expect, form, single
from doorward.serving.port import CERTIFICATE
from doorward.wire.jsonrpc import Limits, parse_object

_JSON = Limits(body_bytes=262_144, depth=16, nodes=20_000, string_bytes=65_536)
"""Far above any registration of a client."""
_PUBLIC = {"Cache-Control": "public, max-age=300"}
_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_METHODS = 'private_key_jwt realm="doorward"'
"""How a client can authenticate here; never `Basic`, as which a browser would ask the person for a password."""


Fault = Callable[[Certificate], str | None]


def _faultless(certificate: Certificate) -> None:
    """Where no certificates are known, none is revoked."""


class Endpoints:
    """What answers clients."""

    __slots__ = ("_authority", "_fault", "_numbers")

    def __init__(self, authority: Authority, fault: Fault = _faultless) -> None:
        """`fault` says why a certificate does not hold now."""
        self._authority, self._fault = authority, fault
        # Below zero: the numbers of requests at the MCP endpoint are above.
        self._numbers = count(-1, -1)

    async def metadata(self, request: Request) -> Response:
        """`GET /.well-known/oauth-authorization-server`, and as OpenID Connect clients look for it."""
        del request
        return _document(self._authority.metadata)

    async def jwks(self, request: Request) -> Response:
        """`GET /oauth/jwks`."""
        del request
        return _document(self._authority.jwks)

    async def token(self, request: Request) -> Response:
        """`POST /oauth/token`."""
        return await _posted(request, self._token)

    async def revoke(self, request: Request) -> Response:
        """`POST /oauth/revoke`."""
        return await _posted(request, self._revoke)

    async def register(self, request: Request) -> Response:
        """`POST /oauth/register`."""
        return await _posted(request, self._register)

    async def _token(self, request: Request) -> Response:
        return _json(200, await self._authority.token(await self._asked(request)), _PRIVATE)

    async def _revoke(self, request: Request) -> Response:
        await self._authority.revoke(await self._asked(request))
        return Response(b"", 200, _PRIVATE)

    async def _register(self, request: Request) -> Response:
        expect(request, "application/json")
        try:
            client = parse_object(await request.body(), _JSON)
        except Refused as refused:
            raise OAuthError("invalid_client_metadata", "the body is not one well-formed JSON object") from refused
        return _json(201, await self._authority.register(client), _PRIVATE)

    async def _asked(self, request: Request) -> TokenRequest:
        """What a request to an endpoint for tokens holds; raises `OAuthError`."""
        certificate: Certificate | None = request.scope[CERTIFICATE]
        if certificate is not None and self._fault(certificate) is not None:
            raise OAuthError("invalid_client", "the client certificate does not hold any more", 401)
        return TokenRequest(
            fields=await form(request),
            dpop=single(request, "dpop"),
            certificate=certificate,
            network=request.scope["client"][0] if request.scope["client"] else "",
            request=next(self._numbers),
            authorization=single(request, "authorization"),
        )


def _document(document: Callable[[], dict[str, object]]) -> Response:
    try:
        return _json(200, document(), _PUBLIC)
    except OAuthError as error:
        return _failed(error)


async def _posted(request: Request, act: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        return await act(request)
    except OAuthError as error:
        return _failed(error)


def _failed(error: OAuthError) -> Response:
    more = {"WWW-Authenticate": _METHODS} if error.status == 401 else {}
    return _json(error.status, error.body(), {**_PRIVATE, **more})


def _json(status: int, value: object, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")
