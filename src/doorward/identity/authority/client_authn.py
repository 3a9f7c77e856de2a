"""Which client sends a token request, and whether it proved that (RFC 6749 §2.3; private_key_jwt: RFC 7521 §4.2, RFC 7523 §3).

A client with keys must sign, one with a secret must show it. One with neither has nothing to prove itself with, and is told from others by
PKCE and its refresh token alone.
"""

from collections.abc import Callable, Mapping
from typing import Final

from joserfc.jwk import Key

from doorward.identity.authority import secrets, signed
from doorward.identity.authority.clients import Clients
from doorward.identity.authority.families import AuthorityStore
from doorward.identity.authority.port import Client, OAuthError, TokenRequest
from doorward.identity.authority.signed import ALGORITHMS, Keys, SignedError, Times, Wanted
from doorward.identity.tokens.issuer import Habits, Issuer
from doorward.identity.tokens.keys import KeysError, RemoteKeys, public_keys
from doorward.net.fetch import Web
from doorward.net.oauth.asking import CLIENT_ASSERTION

_WHAT: Final = "client assertion"
_WANTED: Final = Wanted(_WHAT, frozenset({"", "jwt", "client-authentication+jwt"}), ALGORITHMS)
_LEEWAY_SECONDS: Final = 60.0
_LONGEST_SECONDS: Final = 300.0
_MOST_KEPT: Final = 256


class ClientAuthn:
    """Authenticates clients for one issuer."""

    __slots__ = ("_clients", "_issuer", "_now", "_remote", "_store", "_web")

    def __init__(self, issuer: str, clients: Clients, store: AuthorityStore, web: Web, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._clients = clients
        self._store = store
        self._web = web
        self._now = now
        self._remote: dict[tuple[str, str], RemoteKeys] = {}

    async def authenticated(self, request: TokenRequest) -> Client:
        """The client that sent a request; raises `OAuthError` `invalid_client`, and `StoreError`."""
        fields = request.fields
        is_signed = "client_assertion" in fields or "client_assertion_type" in fields
        shown = secrets.shown(request)
        if is_signed and shown is not None:
            raise _invalid("one way to authenticate was expected, not two")
        if is_signed:
            return await self._proven(request)
        if shown is not None:
            return await self._known(*shown)
        client_id = fields.get("client_id")
        if client_id is None:
            raise _invalid("client_id or a client assertion was expected")
        client = await self._clients.client(client_id)
        if client.is_confidential:
            raise _invalid("this client was expected to authenticate")
        return client

    async def _known(self, client_id: str, secret: str) -> Client:
        client = await self._clients.client(client_id)
        if not secrets.matches(secret, client.secret_sha256):
            raise _invalid("the client has no secret, or another one")
        return client

    async def _proven(self, request: TokenRequest) -> Client:
        fields = request.fields
        if fields.get("client_assertion_type") != CLIENT_ASSERTION:
            raise _invalid(f"client_assertion_type was expected to be {CLIENT_ASSERTION}")
        try:
            token = signed.read(fields.get("client_assertion", ""), _WHAT)
            client_id = signed.text(token.claims, "sub", _WHAT)
            if fields.get("client_id", client_id) != client_id:
                raise SignedError("client_id is not the sub of the client assertion")
            client = await self._clients.client(client_id)
            claims = await signed.verified(token, await self._keys(client), _WANTED)
            if claims.get("iss") != client_id:
                raise SignedError("iss and sub of the client assertion were expected to be the client's id")
            signed.check_audience(claims, self._issuer, _WHAT)
            now = self._now()
            ends = signed.check_times(claims, Times(now, _LEEWAY_SECONDS, _LONGEST_SECONDS), _WHAT)
            name = signed.once("assertion", client_id, signed.text(claims, "jti", _WHAT))
        except SignedError as error:
            raise _invalid(str(error)) from error
        if not await self._store.spend(name, ends + _LEEWAY_SECONDS, now):
            raise _invalid("this client assertion was used before; make one for each request")
        return client

    async def _keys(self, client: Client) -> Keys:
        if client.jwks is not None:
            return Given(client.jwks)
        if client.jwks_url is None:
            raise SignedError("this client has no keys")
        slot = (client.id, client.jwks_url)
        kept = self._remote.get(slot)
        if kept is None:
            if len(self._remote) >= _MOST_KEPT:
                del self._remote[next(iter(self._remote))]
            source = Issuer(client.id, client.id, "generic", Habits(), ALGORITHMS, jwks_url=client.jwks_url)
            kept = self._remote[slot] = RemoteKeys(source, self._web, self._now)
        elif not kept.due_in():
            await kept.refresh()
        return kept


class Given:
    """Keys that need not be fetched: a client's own word, or the configuration's."""

    __slots__ = ("_keys",)

    def __init__(self, jwks: Mapping[str, object]) -> None:
        """Raises `SignedError` where none of them can verify anything."""
        try:
            self._keys = public_keys(jwks, ALGORITHMS)
        except KeysError as error:
            raise SignedError("this client has no keys that can be used") from error

    def find(self, kid: str | None, alg: str) -> Key | None:
        """The key of an id; without one, the only key for the algorithm."""
        return self._keys.get((kid, alg))

    async def refresh(self) -> None:
        """Nothing: what is known is all there is."""


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client", description, 401)
