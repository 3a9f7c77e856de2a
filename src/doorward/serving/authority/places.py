"""Which path is what: the pages of our authorization server, for the table of the data listener."""

from doorward.serving.authority.endpoints import Endpoints
from doorward.serving.authority.entrance import Entrance
from doorward.serving.authority.flow import Flow
from doorward.serving.pages import ANY, Place, Places, Readers

_METADATA = (
    b"/.well-known/oauth-authorization-server",
    b"/.well-known/openid-configuration",
)
_ENDPOINTS = (b"", b"/mcp", b"/mcp" + ANY)
"""Clients that take the endpoint's address for the issuer's (revisions up to 2025-03-26) look below it: what they find names the true issuer."""


def places(endpoints: Endpoints, flow: Flow) -> Places:
    """Path → page."""
    documents = {document + endpoint: Place(endpoints.metadata) for document in _METADATA for endpoint in _ENDPOINTS}
    return {
        **documents,
        b"/oauth/jwks": Place(endpoints.jwks),
        b"/oauth/token": Place(endpoints.token, ("POST",)),
        b"/oauth/revoke": Place(endpoints.revoke, ("POST",)),
        b"/oauth/register": Place(endpoints.register, ("POST",)),
        b"/oauth/authorize": Place(flow.authorize, ("GET",), Readers.PEOPLE),
        b"/oauth/consent": Place(flow.consent, ("POST",), Readers.PEOPLE),
        **doors(flow.entrance),
    }


def doors(entrance: Entrance) -> Places:
    """Path → page of the sign-in."""
    return {
        b"/oauth/callback": Place(entrance.callback, ("GET",), Readers.PEOPLE),
        b"/oauth/signout": Place(entrance.signout, ("POST",), Readers.PEOPLE),
    }
