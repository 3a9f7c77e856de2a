"""The other side of a connection: one upstream, its authorization server as it was read lately, and who we are there."""

from collections.abc import Mapping

import msgspec

from doorward.credentials.connections import client, provider, resource
from doorward.credentials.connections.client import Client, Proving
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.connections.port import ConnectError, Means, Trouble
from doorward.credentials.connections.provider import Provider
from doorward.credentials.connections.tokens import Endpoint
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.domain.secret import Secret
from doorward.net.fetch import Web
from doorward.net.oauth.jose import private_key
from doorward.net.oauth.metadata import MetadataError
from doorward.net.single import Single

_KNOWN_SECONDS = 3600.0
"""How long what was read counts."""
_RETRY_SECONDS = 5.0
_SECRET_LEFT_SECONDS = 60.0
"""A registration whose secret ends sooner is made anew."""


class Known(msgspec.Struct, frozen=True):
    """What was found out of an upstream's authorization."""

    provider: Provider
    resource: str
    """What tokens are asked for; empty: nothing is said of it."""
    scopes: tuple[str, ...]
    """What is usually asked for; empty: nothing is said of it."""


class Party:
    """Finds out, once for all who ask, and keeps it for a while."""

    __slots__ = ("_due_at", "_flight", "_known", "_means", "_provider_web", "_registering", "_trouble", "_upstream_web", "plan")

    def __init__(self, plan: PerUser, means: Means) -> None:
        """Raises `NetError` where a file of authorities cannot be read."""
        self.plan = plan
        self._means = means
        self._upstream_web: Web = means.web(plan.way)
        self._provider_web: Web = means.web(plan.provider_way)
        self._known: Known | None = None
        self._due_at = float("-inf")
        self._trouble = ""
        self._flight: Single[None] = Single()
        self._registering: Single[Client] = Single()

    async def known(self) -> Known:
        """What is known; an older reading goes on where it cannot be read again. Raises `ConnectError`."""
        if self._means.monotonic() >= self._due_at:
            await self._flight.run(self._read)
        if self._known is None:
            raise ConnectError(Trouble.BROKEN, self._trouble)
        return self._known

    async def client(self, found: Provider, redirect_uri: str) -> Client:
        """Who we are there, for a new connection whose person comes back to one of our own URLs; raises a `DoorwardError`."""
        declared = self._declared()
        if declared is not None:
            return declared
        ours = self._means.ourselves()
        if found.takes_documents and ours.document_url is not None:
            return Client(ours.document_url)
        return await self._registering.run(lambda: self._registered(found, redirect_uri))

    async def client_as(self, found: Provider, client_id: str) -> Client | None:
        """Who we were when a connection was made; None where we are not any more. Raises a `DoorwardError`."""
        declared = self._declared()
        if declared is not None and declared.id == client_id:
            return declared
        if client_id == self._means.ourselves().document_url:
            return Client(client_id)
        registered = await self._means.store.registered(found.issuer)
        return next((client.client_of(one) for one in registered if one.client_id == client_id), None)

    async def forgotten(self, found: Provider, client_id: str) -> bool:
        """The server does not know us by a registration any more: the next one who connects registers anew. False where it was none."""
        registered = await self._means.store.registered(found.issuer)
        if all(one.client_id != client_id for one in registered):
            return False
        await self._means.store.unregister(found.issuer, client_id)
        return True

    def endpoint(self, found: Provider, us: Client) -> Endpoint:
        """Its token endpoint, for us."""
        return Endpoint(found, us, self._provider_web, Proving(self._means.draw, self._means.now))

    @property
    def web(self) -> Web:
        """What reaches the authorization server."""
        return self._provider_web

    def _declared(self) -> Client | None:
        credential, resolve = self.plan.credential, self._means.resolve
        if credential.client_id is None:
            return None
        if credential.client_key is not None:
            return Client(credential.client_id, key=private_key(resolve(credential.client_key)))
        secret: Secret | None = None if credential.client_secret is None else resolve(credential.client_secret)
        return Client(credential.client_id, secret)

    async def _registered(self, found: Provider, redirect_uri: str) -> Client:
        store, now = self._means.store, self._means.now()
        for one in await store.registered(found.issuer):
            if redirect_uri in one.redirect_uris and (one.expires_at is None or one.expires_at > now + _SECRET_LEFT_SECONDS):
                return client.client_of(one)
        made = await client.registered(found, self._means.ourselves(), self._provider_web)
        await store.register(made)
        return client.client_of(made)

    async def _read(self) -> None:
        try:
            self._known = await self._found()
        except DoorwardError as error:
            # Everybody may begin a connection: a server that is down is not asked at each.
            self._trouble = str(error)
            self._due_at = self._means.monotonic() + _RETRY_SECONDS
        else:
            self._due_at = self._means.monotonic() + _KNOWN_SECONDS

    async def _found(self) -> Known:
        credential = self.plan.credential
        whole = provider.declared(credential)
        if whole is not None:
            said = resource.canonical(self.plan.url) if credential.resource is None else credential.resource
            return Known(whole, said, credential.scopes)
        if credential.issuer is not None and credential.resource is not None and credential.scopes:
            found = await provider.described(credential.issuer, credential, self._provider_web)
            return Known(found, credential.resource, credential.scopes)
        there = await resource.protected(self.plan.url, self._upstream_web)
        named = credential.issuer or there.issuers[0]
        return Known(
            await self._described(named),
            there.identifier if credential.resource is None else credential.resource,
            credential.scopes or there.scopes,
        )

    async def _described(self, issuer: str) -> Provider:
        """The server of an identifier. Servers in use put a slash behind the origin of another; it names the same place, and nobody else."""
        try:
            return await provider.described(issuer, self.plan.credential, self._provider_web)
        except MetadataError:
            origin = issuer.removesuffix("/")
            if origin == issuer or "/" in origin.partition("://")[2]:
                raise
            return await provider.described(origin, self.plan.credential, self._provider_web)


Parties = Mapping[UpstreamId, Party]
