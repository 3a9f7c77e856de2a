"""Authorization requests (OAuth 2.1 §4.1.1): what a browser brings is nobody's word until it fits what the client has said of itself.

Until client and redirect URI fit each other an error is shown here: sent on, it would make us somebody's open redirector.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from doorward.domain.reasons import Refused
from doorward.identity.authority import redirects, scopes
from doorward.identity.authority.clients import Clients
from doorward.identity.authority.grants.code import is_challenge
from doorward.identity.authority.grants.kit import not_admitted
from doorward.identity.authority.port import Asked, Client, Clientele, Grant, OAuthError

_LONGEST_STATE: Final = 2_048
_STATE: Final = re.compile(r"[\x20-\x7E]*")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class Requests:
    """Reads authorization requests for one issuer."""

    __slots__ = ("_clientele", "_clients", "_is_ours", "_issuer")

    def __init__(self, issuer: str, clients: Clients, clientele: Clientele, is_ours: Callable[[str], bool]) -> None:
        self._issuer = issuer
        self._clients = clients
        self._clientele = clientele
        self._is_ours = is_ours

    async def asked(self, params: Mapping[str, str]) -> Asked:
        """What is asked for; raises `OAuthError`, and `StoreError`."""
        client, redirect = await self._proven(params)
        state = params.get("state")
        if state is not None and (len(state) > _LONGEST_STATE or _STATE.fullmatch(state) is None):
            raise OAuthError("invalid_request", f"a state of at most {_LONGEST_STATE} characters of printable ASCII was expected")
        try:
            return self._asked(client, redirect, params)
        except OAuthError as error:
            raise OAuthError(error.error, error.description, 400, self.error_url(redirect, state, error)) from error

    async def check(self, asked: Asked) -> Client:
        """The client of a request that was read a while ago, if it is still its redirect URI; raises `OAuthError`."""
        client, _ = await self._proven({"client_id": asked.client_id, "redirect_uri": asked.redirect_uri})
        return client

    def error_url(self, redirect: str, state: str | None, error: OAuthError) -> str:
        """Where the browser goes with an error."""
        return self._url(redirect, {"error": error.error, "error_description": error.description}, state)

    def code_url(self, asked: Asked, code: str) -> str:
        """Where it goes with a code."""
        return self._url(asked.redirect_uri, {"code": code}, asked.state)

    def _url(self, redirect: str, answer: Mapping[str, str], state: str | None) -> str:
        """A response in the query; with `iss` always, so that clients of several servers cannot be confused about whose it is (RFC 9207)."""
        fields = {**answer, **({} if state is None else {"state": state}), "iss": self._issuer}
        return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(fields)}"

    async def _proven(self, params: Mapping[str, str]) -> tuple[Client, str]:
        """The client, and the redirect URI that is one of its own."""
        client_id, redirect = params.get("client_id", ""), params.get("redirect_uri", "")
        if not client_id or not redirect:
            raise OAuthError("invalid_request", "client_id and redirect_uri were expected")
        client = await self._clients.client(client_id)
        if not redirects.is_registered(redirect, client.redirect_uris):
            raise OAuthError("invalid_request", "redirect_uri was expected to be, character by character, one that the client has")
        try:
            self._clientele.admit(client.id)
        except Refused as refused:
            raise not_admitted() from refused
        return client, redirect

    def _asked(self, client: Client, redirect: str, params: Mapping[str, str]) -> Asked:
        _check_kind(client, params)
        challenge, jkt = params.get("code_challenge", ""), params.get("dpop_jkt", "")
        if params.get("code_challenge_method") != "S256" or not is_challenge(challenge):
            raise OAuthError("invalid_request", "code_challenge with code_challenge_method=S256 was expected")
        if jkt and _THUMBPRINT.fullmatch(jkt) is None:
            raise OAuthError("invalid_request", "dpop_jkt was expected to be a SHA-256 thumbprint in base64url")
        resource = params.get("resource", "")
        if not self._is_ours(resource):
            raise OAuthError("invalid_target", "resource was expected to be exactly the URL of an MCP endpoint here")
        return Asked(
            client_id=client.id,
            client_name=client.name,
            origin=client.origin,
            redirect_uri=redirect,
            state=params.get("state"),
            scopes=scopes.given(scopes.asked(params), client.scopes),
            resource=resource,
            code_challenge=challenge,
            dpop_jkt=jkt,
        )


def _check_kind(client: Client, params: Mapping[str, str]) -> None:
    if "request" in params:
        raise OAuthError("request_not_supported", "no request object was expected")
    if "request_uri" in params:
        raise OAuthError("request_uri_not_supported", "no request_uri was expected")
    if params.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type=code was expected")
    if params.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode=query was expected, or none")
    if Grant.CODE not in client.grants:
        raise OAuthError("unauthorized_client", "this client may not ask for codes")
    if params.get("prompt") == "none":
        raise OAuthError("interaction_required", "nothing is granted here without asking the person")
