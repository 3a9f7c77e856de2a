"""Credentials by OAuth without a person having to click: each grant's request, and whose the token is that comes of it.

LAW: uses share a token where agent, chain, person and, if one was exchanged, the presented token are the same, and where it was asked
for with the same scopes; a presented token is never what an upstream is shown.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, assert_never

from doorward.credentials.oauth.answer import ID_JAG, JWT, Granted, assertion, granted
from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.plans import Actor, ClientCredentials, IdJag, JwtBearer, OAuth, OnBehalfOf, Presented, TokenExchange, Wanted
from doorward.credentials.oauth.proof import Field
from doorward.credentials.oauth.server import AuthorizationServer
from doorward.credentials.oauth.subjects import of_agent, person, told
from doorward.credentials.port import EVERYBODY, CredentialError, Mint, Minted, Use
from doorward.domain.actors import AuthnMethod
from doorward.domain.leases import Lease
from doorward.domain.secret import Secret
from doorward.wire.jsonrpc import dump

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Fields = Mapping[str, Field]
Secrets = tuple[Secret, ...]


class OAuthMint(Mint):
    """Asks for the access tokens of one upstream."""

    __slots__ = ("_means", "_plan", "_provider", "_server")

    def __init__(self, plan: OAuth, means: Means) -> None:
        self._plan, self._means = plan, means
        self._server = AuthorizationServer(plan.server, means)
        self._provider = AuthorizationServer(plan.provider, means) if isinstance(plan, IdJag) else None

    def holder(self, use: Use) -> str:
        """Whose token a use needs; raises `Refused` NO_CREDENTIAL where there is no person, or nothing to tell of them."""
        scope = self._plan.wanted.scope(use.call.target.parents)
        if isinstance(self._plan, ClientCredentials):
            return scope if self._plan.wanted.by_group else EVERYBODY
        person(self._plan.subject, use)
        principal = use.call.principal
        presented = principal.credential if isinstance(self._plan.subject, Presented) else ""
        return dump([principal.id, presented, scope]).decode()

    async def mint(self, use: Use) -> Minted:
        """A token for the holder of a use; raises a `DoorwardError` or `Refused`."""
        began = self._means.monotonic()
        scope = self._plan.wanted.scope(use.call.target.parents)
        grant, made_of = await self._grant(use, scope)
        said = await self._server.ask({**grant, **_asked(self._plan.wanted, scope)})
        found = granted(said.answer)
        if found.token == use.presented:
            raise CredentialError("the server gave back the token that was presented, which is for nobody but Doorward")
        seconds = found.seconds - (self._means.monotonic() - began)
        if seconds <= 0:
            raise CredentialError("the token had ended before it came")
        return await self._minted(use, found, (*made_of, *said.secrets), scope, seconds)

    async def _minted(self, use: Use, found: Granted, made_of: Secrets, scope: str, seconds: float) -> Minted:
        token = found.token
        return Minted(
            headers=(("Authorization", Secret(f"Bearer {token.reveal()}")),),
            secrets=(token, *made_of),
            account=self._account(use),
            scope=scope if found.scope is None else found.scope,
            seconds=seconds,
            release=partial(self._server.revoke, token) if self._is_given_back() and await self._server.can_revoke() else None,
        )

    async def _grant(self, use: Use, scope: str) -> tuple[Fields, Secrets]:
        """The grant that is shown to the upstream's server, and what it was made of."""
        match self._plan:
            case ClientCredentials():
                return {"grant_type": "client_credentials"}, ()
            case TokenExchange():
                return self._exchange(self._plan, self._server, use)
            case OnBehalfOf(subject=subject):
                token, made_of = told(subject, use, self._server.audience, self._means)
                return {"grant_type": JWT_BEARER, "assertion": token, "requested_token_use": "on_behalf_of"}, made_of
            case JwtBearer(subject=vouched):
                token, made_of = told(vouched, use, self._server.audience, self._means)
                return {"grant_type": JWT_BEARER, "assertion": token}, made_of
            case IdJag():
                return await self._id_jag(self._plan, use, scope)
            case _:
                assert_never(self._plan)

    def _exchange(self, plan: TokenExchange | IdJag, server: AuthorizationServer, use: Use) -> tuple[Fields, Secrets]:
        """RFC 8693 §2.1."""
        token, made_of = told(plan.subject, use, server.audience, self._means)
        fields: dict[str, Field] = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": plan.subject.type}
        if isinstance(plan, TokenExchange) and plan.actor is Actor.TOKEN:
            fields["actor_token"] = of_agent(plan.subject, use, server.audience, self._means)
            fields["actor_token_type"] = JWT
        return fields, made_of

    async def _id_jag(self, plan: IdJag, use: Use, scope: str) -> tuple[Fields, Secrets]:
        """The identity provider's assertion for the upstream's server, asked for anew each time: it counts once."""
        assert self._provider is not None
        grant, made_of = self._exchange(plan, self._provider, use)
        wanted = {**_asked(plan.wanted, scope), "audience": plan.server.url}
        said = await self._provider.ask({**grant, **wanted, "requested_token_type": ID_JAG})
        return {"grant_type": JWT_BEARER, "assertion": assertion(said.answer)}, (*made_of, *said.secrets)

    def _account(self, use: Use) -> str:
        subject = use.call.principal.subject
        if isinstance(self._plan, ClientCredentials) or subject is None:
            return f"{self._plan.server.client} at {self._plan.server.name}"
        return f"{subject.id} at {self._plan.server.name}"

    def _is_given_back(self) -> bool:
        """Whether a token's end ends nothing else: one that came of somebody's own grant may take that with it (RFC 7009 §2.1)."""
        return isinstance(self._plan, ClientCredentials | JwtBearer | IdJag)


class Parted(Mint):
    """One way for people's calls, another for the gateway's own."""

    __slots__ = ("_own", "_people")

    def __init__(self, people: Mint, own: Mint) -> None:
        self._people, self._own = people, own

    def holder(self, use: Use) -> str | None:
        """As the way that the use is of says."""
        return self._of(use).holder(use)

    async def mint(self, use: Use) -> Minted:
        """As the way that the use is of does."""
        return await self._of(use).mint(use)

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        """Tells the way that the use is of."""
        self._of(use).turned_down(use, lease, challenge)

    def _of(self, use: Use) -> Mint:
        return self._own if use.call.principal.method is AuthnMethod.OWN else self._people


def _asked(wanted: Wanted, scope: str) -> dict[str, Field]:
    said = {"scope": scope, "resource": wanted.resource, "audience": wanted.audience}
    return {name: value for name, value in said.items() if value}
