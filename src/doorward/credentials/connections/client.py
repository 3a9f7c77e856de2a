"""Doorward as a client of somebody's authorization server: declared, by our own client document, or registered there (RFC 7591).

The order is MCP's. A client that is declared is shown to the server that was declared with it, and to no other: else whoever takes over an
upstream could name a server of its own, and be sent our secret.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from joserfc.jwk import Key

from doorward.credentials.connections.port import Ourselves
from doorward.credentials.connections.provider import Provider, ProviderError
from doorward.credentials.connections.store import Registered
from doorward.domain.secret import Secret
from doorward.net.fetch import Web, json_object
from doorward.net.oauth.asking import BASIC, CLIENT_ASSERTION, POST, basic, error_code, shown_by
from doorward.net.oauth.jose import signed, usual_algorithm

_ASSERTION_SECONDS: Final = 60
_GRANTS: Final = ["authorization_code", "refresh_token"]
_SECRETS: Final = (BASIC, POST)
_LONGEST: Final = 2048
_JSON: Final = (("Content-Type", "application/json"), ("Accept", "application/json"))


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at one server, and what we prove it with: a secret, a key, or nothing (PKCE alone then tells us from others)."""

    id: str
    secret: Secret | None = None
    key: Key | None = None
    authn: str | None = None
    """The one way the server has told us to show the secret; None: as its metadata says."""

    def __repr__(self) -> str:
        return f"Client(id={self.id!r})"


class Proving(msgspec.Struct, frozen=True):
    """Puts the proof of a client into a request to the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2)."""

    draw: Callable[[int], bytes]
    now: Callable[[], float]

    def proof(self, client: Client, provider: Provider) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
        """Headers and fields; raises `ProviderError`, and `UnfitKeyError`."""
        if client.key is not None:
            return (), {
                "client_id": client.id,
                "client_assertion_type": CLIENT_ASSERTION,
                "client_assertion": self._signed(client, client.key, provider),
            }
        if client.secret is None:
            return (), {"client_id": client.id}
        way = shown_by(provider.authn if client.authn is None else (client.authn,))
        if way == BASIC:
            return (("Authorization", basic(client.id, client.secret)),), {}
        if way == POST:
            return (), {"client_id": client.id, "client_secret": client.secret.reveal()}
        raise ProviderError("the server takes a client's secret neither by client_secret_basic nor by client_secret_post")

    def _signed(self, client: Client, key: Key, provider: Provider) -> str:
        """RFC 7523 §3; the audience is the issuer alone, so that no other server can use it (RFC 7523bis)."""
        alg = usual_algorithm(key)
        assert alg is not None, "whoever read the key has seen to it"
        now = int(self.now())
        header: dict[str, object] = {"typ": "JWT"}
        if isinstance(kid := key.get("kid"), str):
            header["kid"] = kid
        claims: dict[str, object] = {
            "iss": client.id,
            "sub": client.id,
            "aud": provider.issuer,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": urlsafe_b64encode(self.draw(16)).rstrip(b"=").decode(),
        }
        return signed(header, claims, key, alg).reveal()


def document(ourselves: Ourselves) -> dict[str, object]:
    """Our client document (OAuth Client ID Metadata Document): served as JSON at exactly `document_url`, to everybody."""
    assert ourselves.document_url is not None, "whoever serves it knows where"
    return {"client_id": ourselves.document_url, **_described(ourselves), "token_endpoint_auth_method": "none"}


async def registered(provider: Provider, ourselves: Ourselves, web: Web) -> Registered:
    """Us, registered with a server just now; raises `ProviderError` or `NetError`."""
    if provider.registration is None:
        raise ProviderError("the server takes neither client documents nor registrations: declare client_id")
    authn = _offered(provider)
    wanted = {**_described(ourselves), "token_endpoint_auth_method": authn}
    answer = await web.post(provider.registration, json.dumps(wanted).encode(), _JSON)
    said = json_object(answer)
    if answer.status not in (200, 201):
        raise ProviderError(f"the registration endpoint answered {answer.status}, {error_code(said)}")
    return _registered(said, provider, ourselves.redirect_uris, authn)


def client_of(found: Registered) -> Client:
    """Us, as we have registered."""
    return Client(found.client_id, Secret(found.secret) if found.secret else None, None, found.authn)


def _described(ourselves: Ourselves) -> dict[str, object]:
    uris = ourselves.redirect_uris
    return {
        "client_name": ourselves.name,
        "redirect_uris": list(uris),
        "grant_types": list(_GRANTS),
        "response_types": ["code"],
        "application_type": "web" if all(uri.startswith("https://") for uri in uris) else "native",
    }


def _offered(provider: Provider) -> str:
    """A secret where the server gives one: a stolen refresh token alone is then no use."""
    return next((way for way in (*_SECRETS, "none") if way in provider.authn), "none")


def _registered(said: Mapping[str, object], provider: Provider, redirect_uris: tuple[str, ...], authn: str) -> Registered:
    client_id, secret, end = said.get("client_id"), said.get("client_secret", ""), said.get("client_secret_expires_at", 0)
    given = said.get("token_endpoint_auth_method", authn)
    if not _is_text(client_id) or not isinstance(given, str):
        raise ProviderError("the registration endpoint gave no client_id")
    if given in _SECRETS and not _is_text(secret):
        raise ProviderError("the registration endpoint gave no client_secret")
    if given not in (*_SECRETS, "none"):
        raise ProviderError("the registration endpoint wants a way of authentication that was not asked for")
    return Registered(
        issuer=provider.issuer,
        redirect_uris=redirect_uris,
        client_id=str(client_id),
        secret=str(secret) if given in _SECRETS else "",
        authn=given,
        expires_at=float(end) if isinstance(end, int) and end > 0 else None,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable()
