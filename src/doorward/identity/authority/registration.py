"""Clients that register themselves (RFC 7591; deprecated by MCP, off by default): public ones, with redirect URIs and a name, and no more."""

from collections.abc import Mapping
from typing import Final

from doorward.identity.authority.clients import REGISTERED_PREFIX
from doorward.identity.authority.documents import named, redirect_uris
from doorward.identity.authority.families import Registered
from doorward.identity.authority.port import Grant, OAuthError

MOST: Final = 1_000
"""Registered clients that are kept: those that in a day got no token make room."""

_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")
"""What a request may ask for: it gets `none` and no secret, as RFC 7591 §3.2.1 lets us answer."""


def read(body: Mapping[str, object], identifier: str, now: float) -> Registered:
    """The client that a request describes; raises `OAuthError` `invalid_redirect_uri` or `invalid_client_metadata`."""
    uris = redirect_uris(body.get("redirect_uris"))
    method = body.get("token_endpoint_auth_method", "none")
    if method not in _METHODS:
        raise _invalid("token_endpoint_auth_method was expected to be none: use a client id metadata document for a client with keys")
    grants = body.get("grant_types", [Grant.CODE.wire])
    if not isinstance(grants, list) or Grant.CODE.wire not in grants:
        raise _invalid("grant_types was expected to hold authorization_code")
    kinds = body.get("response_types", ["code"])
    if not isinstance(kinds, list) or "code" not in kinds:
        raise _invalid("response_types was expected to hold code")
    if "software_statement" in body:
        raise OAuthError("invalid_software_statement", "no software statement was expected")
    return Registered(f"{REGISTERED_PREFIX}{identifier}", named(body.get("client_name", "a client without a name")), uris, now)


def answer(client: Registered) -> dict[str, object]:
    """What it was registered as (RFC 7591 §3.2.1)."""
    return {
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": [Grant.CODE.wire, Grant.REFRESH.wire],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)
