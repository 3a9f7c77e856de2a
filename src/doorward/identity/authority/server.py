"""Our OAuth 2.1 authorization server (`Authority`): who may connect, with whose consent, and the tokens that say so.

INVARIANTS: no token for a client that is no agent in good standing; none for anything but one endpoint of ours; none that is not in the
log; and whoever asks learns of a failure of ours nothing but that it is one.
"""

from collections.abc import Awaitable, Mapping
from typing import Final, TypeVar, assert_never

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.domain.receipts import Event, Scalar
from doorward.identity.authority import metadata, registration
from doorward.identity.authority.binding import Held
from doorward.identity.authority.client_authn import ClientAuthn
from doorward.identity.authority.clients import Clients
from doorward.identity.authority.families import Code
from doorward.identity.authority.grants import assertion, code, credentials, exchange, refresh
from doorward.identity.authority.grants.assertion import Trusted
from doorward.identity.authority.grants.code import CODE_SECONDS
from doorward.identity.authority.grants.kit import Asking, Kit, not_admitted, required
from doorward.identity.authority.keys import SigningKeys
from doorward.identity.authority.metadata import Abilities
from doorward.identity.authority.mint import digest
from doorward.identity.authority.port import Asked, Client, Grant, OAuthError, Origin, Person, Proven, TokenRequest
from doorward.identity.authority.requests import Requests
from doorward.identity.authority.revocation import Revocation

T = TypeVar("T")

_DENIALS: Final = frozenset({"access_denied", "temporarily_unavailable", "server_error", "login_required", "consent_required"})
_GRANTS: Final = {grant.wire: grant for grant in Grant}


class Parties(msgspec.Struct, frozen=True):
    """With whom a server deals, and how it tells who they are."""

    clients: Clients
    authn: ClientAuthn
    trusted: Mapping[str, Trusted]
    """Providers whose identity assertions count, by issuer identifier."""
    proven: Proven
    abilities: Abilities


class AuthorizationServer:
    """One issuer."""

    __slots__ = ("_keys", "_kit", "_parties", "_requests", "_revocation")

    def __init__(self, kit: Kit, keys: SigningKeys, parties: Parties) -> None:
        self._kit = kit
        self._keys = keys
        self._parties = parties
        self._requests = Requests(kit.terms.issuer, parties.clients, kit.clientele, kit.terms.is_ours)
        self._revocation = Revocation(kit, keys)

    @property
    def issuer(self) -> str:
        """Its identifier."""
        return self._kit.terms.issuer

    def metadata(self) -> dict[str, object]:
        """What it says of itself."""
        return metadata.metadata(self.issuer, self._parties.abilities)

    def jwks(self) -> dict[str, object]:
        """Its public keys; raises `OAuthError`."""
        try:
            return self._keys.jwks()
        except DoorwardError as error:
            raise _unable() from error

    async def client(self, client_id: str) -> Client:
        """The client of an id; raises `OAuthError`."""
        return await _answered(self._parties.clients.client(client_id))

    async def asked(self, params: Mapping[str, str]) -> Asked:
        """What an authorization request asks for; raises `OAuthError`."""
        return await _answered(self._requests.asked(params))

    async def granted(self, asked: Asked, person: Person) -> str:
        """Where the browser goes with a code; raises `OAuthError`."""
        return await _answered(self._granted(asked, person))

    def denied(self, asked: Asked, error: str) -> str:
        """Where the browser goes without one."""
        known = error if error in _DENIALS else "server_error"
        return self._requests.error_url(asked.redirect_uri, asked.state, OAuthError(known, "the request was not granted"))

    async def token(self, request: TokenRequest) -> dict[str, object]:
        """The answer of the token endpoint; raises `OAuthError`."""
        return await _answered(self._token(request))

    async def revoke(self, request: TokenRequest) -> None:
        """Ends the family of a token; raises `OAuthError`."""
        await _answered(self._revoke(request))

    async def register(self, body: Mapping[str, object]) -> dict[str, object]:
        """Registers a client; raises `OAuthError`."""
        return await _answered(self._register(body))

    async def upkeep(self) -> None:
        """Forgets what is over, and says again which families have ended lately: at the start, then every minute or so. Raises a `DoorwardError`."""
        await self._kit.store.sweep(self._kit.now())
        await self._revocation.repeat()

    async def _granted(self, asked: Asked, person: Person) -> str:
        kit = self._kit
        client = await self._requests.check(asked)
        try:
            agent = await kit.clientele.agent(client.id)
        except Refused:
            return self.denied(asked, "access_denied")
        secret, family = kit.mint.code(), kit.mint.identifier()
        fields: dict[str, Scalar] = {
            "client": client.id,
            "agent": agent,
            "subject": kit.pseudonym(person.subject.id),
            "family": family,
            "resource": asked.resource,
            "scope": " ".join(asked.scopes),
            "redirect": asked.redirect_host,
        }
        await kit.told(Event("sign_in_granted", "doorward", fields))
        await kit.store.keep(_code(asked, person, digest(secret), family, kit.now() + CODE_SECONDS))
        return self._requests.code_url(asked, secret)

    async def _token(self, request: TokenRequest) -> dict[str, object]:
        grant = _GRANTS.get(required(request.fields, "grant_type"))
        if grant is None or (grant is Grant.ASSERTION and not self._parties.trusted):
            raise OAuthError("unsupported_grant_type", f"one of {', '.join(sorted(_GRANTS))} was expected")
        client = await self._parties.authn.authenticated(request)
        if grant not in client.grants:
            raise OAuthError("unauthorized_client", "the client may not use this grant")
        if grant in (Grant.CREDENTIALS, Grant.ASSERTION, Grant.EXCHANGE) and not client.is_confidential:
            raise OAuthError("invalid_client", "this grant is for clients that authenticate", 401)
        return await self._given(grant, Asking(client, request.fields, self._held(request), request.network))

    async def _given(self, grant: Grant, asking: Asking) -> dict[str, object]:
        match grant:
            case Grant.CODE:
                return await code.tokens(self._kit, asking)
            case Grant.REFRESH:
                return await refresh.tokens(self._kit, asking)
            case Grant.CREDENTIALS:
                return await credentials.tokens(self._kit, asking)
            case Grant.ASSERTION:
                return await assertion.tokens(self._kit, asking, self._parties.trusted)
            case Grant.EXCHANGE:
                return await exchange.tokens(self._kit, asking, self._keys)
            case _:
                assert_never(grant)

    def _held(self, request: TokenRequest) -> Held:
        """What the sender has proven to hold; raises `OAuthError` `invalid_dpop_proof`."""
        jkt = ""
        if request.dpop is not None:
            try:
                jkt = self._parties.proven(request, self.issuer + metadata.TOKEN)
            except Refused as refused:
                raise OAuthError("invalid_dpop_proof", refused.detail) from refused
        held = Held(jkt, request.certificate)
        if self._kit.terms.must_bind and held.confirmation is None:
            raise OAuthError("invalid_request", "tokens are tied to a key here: a DPoP proof or a client certificate was expected")
        return held

    async def _revoke(self, request: TokenRequest) -> None:
        client = await self._parties.authn.authenticated(request)
        await self._revocation.revoke(client, required(request.fields, "token"))

    async def _register(self, body: Mapping[str, object]) -> dict[str, object]:
        if not self._parties.abilities.dynamic:
            raise OAuthError("access_denied", "clients cannot register themselves here", 403)
        kit = self._kit
        client = registration.read(body, kit.mint.identifier(), kit.now())
        kit.clientele.admit(client.id)
        if not await kit.store.add(client, registration.MOST):
            raise OAuthError("temporarily_unavailable", "too many clients have registered; try again tomorrow", 503)
        fields: dict[str, Scalar] = {"client": client.id, "name": client.name, "origin": Origin.REGISTERED.value}
        await kit.told(Event("client_registered", "doorward", fields))
        return registration.answer(client)


async def _answered(work: Awaitable[T]) -> T:
    """What comes of a request; raises `OAuthError` alone."""
    try:
        return await work
    except OAuthError:
        raise
    except Refused as refused:
        raise not_admitted() from refused
    except DoorwardError as error:
        raise _unable() from error


def _unable() -> OAuthError:
    return OAuthError("temporarily_unavailable", "the server cannot answer now; try again shortly", 503)


def _code(asked: Asked, person: Person, sha256: str, family: str, expires_at: float) -> Code:
    return Code(
        sha256=sha256,
        family=family,
        client=asked.client_id,
        redirect_uri=asked.redirect_uri,
        challenge=asked.code_challenge,
        jkt=asked.dpop_jkt,
        resource=asked.resource,
        scopes=asked.scopes,
        subject=person.subject.id,
        groups=tuple(sorted(person.subject.groups)),
        expires_at=expires_at,
    )
