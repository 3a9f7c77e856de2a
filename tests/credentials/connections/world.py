"""An upstream and its authorization server in process, which speak truly and lie where a test says so; and a house that connects to them."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doorward.config.credentials_user import UserCredential
from doorward.credentials.connections.connection import EVERY_AGENT, OWN, Connection, Holder, Place, Status, person
from doorward.credentials.connections.connections import Connections
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.connections.mint import UserMint
from doorward.credentials.connections.port import Begun, Means, Ourselves
from doorward.credentials.connections.store import ConnectionStore
from doorward.credentials.oauth.plans import Way
from doorward.credentials.port import Use
from doorward.domain.actors import AuthnMethod, Principal, Subject
from doorward.domain.ids import AgentId, CallId, LeaseId, SubjectId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.net.errors import NetError, Trouble
from doorward.net.fetch import Fetched, Web
from doorward.stores.memory_connections import MemoryConnections
from doorward.wire.pkce import challenge
from tests.made import Clock, call, principal, target

NOW = 1_795_003_200.0
UPSTREAM, URL, AS = UpstreamId("crm"), "https://crm.example.com/mcp", "https://as.example.com"
BACK = "https://doorward.example.com/connect/callback"
DOCUMENT = "https://doorward.example.com/oauth/client.json"
ALICE, BOB = person(SubjectId("corp:alice")), person(SubjectId("corp:bob"))
SUBJECTS = {ALICE: SubjectId("corp:alice"), BOB: SubjectId("corp:bob")}


def answered(value: object, status: int = 200, **headers: str) -> Fetched:
    return Fetched(status, {"content-type": "application/json", **headers}, json.dumps(value).encode())


@dataclass(slots=True)
class Family:
    """What one sign-in has led to."""

    who: str
    scope: str
    resource: str
    client: str
    refresh: str
    is_ended: bool = False


@dataclass(slots=True)
class Service:
    """One upstream and its authorization server. Refresh tokens rotate; one that comes again ends its family."""

    clock: Clock
    url: str = URL
    issuer: str = AS
    challenge: str | None = f'Bearer resource_metadata="{URL.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")}"'
    resource: dict[str, Any] = field(default_factory=dict)
    """Changes of the resource's metadata; None takes a field away."""
    metadata: dict[str, Any] = field(default_factory=dict)
    client: tuple[str, str] | None = None
    """A client with a secret that is known beforehand."""
    lifetime: int | None = 3600
    rotates: bool = True
    gives_refresh: bool = True
    grants: str | None = None
    """The scopes it grants whatever is asked for."""
    is_down: bool = False
    status: int = 200
    """Of token requests, where it is not well."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What it says besides, when it gives tokens."""
    held: asyncio.Event | None = None
    """What refreshes wait for."""
    lies: Callable[[str, Fetched], Fetched] = lambda url, answer: answer
    """What is made of an answer; may raise `NetError`."""
    loses: bool = False
    """Its next answer is lost on the way."""
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    families: list[Family] = field(default_factory=list)
    access: dict[str, Family] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    registered: dict[str, str] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))

    def described(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "registration_endpoint": f"{self.issuer}/register",
            "userinfo_endpoint": f"{self.issuer}/me",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return {name: value for name, value in said.items() if value is not None}

    def protected(self) -> dict[str, Any]:
        said = {"resource": self.url, "authorization_servers": [self.issuer], "scopes_supported": ["read"], **self.resource}
        return {name: value for name, value in said.items() if value is not None}

    def authorize(self, url: str, who: str) -> dict[str, str]:
        """What the browser is sent back with once this person has said yes."""
        asked = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        assert url.startswith(f"{self.issuer}/authorize?")
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{next(self.numbers)}"
        self.codes[code] = (asked, who)
        back = {"code": code, "state": asked["state"]}
        return {**back, "iss": self.issuer} if self.described().get("authorization_response_iss_parameter_supported") else back

    def who(self, header: str) -> str:
        """Whose a bearer token is."""
        return self.access[header.removeprefix("Bearer ")].who

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self._ask(url)
        return self.lies(url, self._got(url, dict(headers)))

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self._ask(url)
        return self.lies(url, await self._posted(url, body, dict(headers)))

    def _got(self, url: str, headers: Mapping[str, str]) -> Fetched:
        root = self.url.removesuffix("/mcp")
        if url == f"{root}/.well-known/oauth-protected-resource/mcp":
            return answered(self.protected())
        if url == f"{self.issuer}/.well-known/oauth-authorization-server":
            return answered(self.described())
        if url == f"{self.issuer}/me":
            return answered({"sub": self.who(headers["Authorization"]), "login": f"{self.who(headers['Authorization'])}@crm"})
        return answered({}, 404)

    async def _posted(self, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched:
        if url == self.url:
            return answered({}, 401, **{"www-authenticate": self.challenge}) if self.challenge is not None else answered({}, 405)
        if url == f"{self.issuer}/register":
            return self._register(json.loads(body))
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        self.forms.append(fields)
        who = self._client(fields, headers)
        if url == f"{self.issuer}/revoke":
            self.revoked.append(fields["token"])
            return answered({})
        assert url == f"{self.issuer}/token", url
        if self.held is not None and fields["grant_type"] == "refresh_token":
            await self.held.wait()
        if self.status != 200:
            return answered({"error": "server_error"}, self.status)
        answer = answered({"error": "invalid_client"}, 401) if who is None else self._tokens(fields, who)
        if self.loses:
            self.loses = False
            raise NetError(Trouble.CLOSED, "it broke off", Ran.MAYBE)
        return answer

    def _tokens(self, fields: Mapping[str, str], client: str) -> Fetched:
        if fields["grant_type"] == "authorization_code":
            asked, who = self.codes.pop(fields["code"], ({}, ""))
            if not asked or (asked["code_challenge"], asked["redirect_uri"], asked["client_id"]) != (
                challenge(fields["code_verifier"]),
                fields["redirect_uri"],
                client,
            ):
                return answered({"error": "invalid_grant"}, 400)
            self.families.append(Family(who, asked.get("scope", ""), fields.get("resource", ""), client, ""))
            return self._given(self.families[-1])
        found = next((one for one in self.families if one.client == client and fields["refresh_token"].startswith(f"rt-{one.who}-")), None)
        family = next((one for one in self.families if one.refresh == fields["refresh_token"]), None) or found
        if family is None or family.is_ended or family.client != client:
            return answered({"error": "invalid_grant"}, 400)
        if family.refresh != fields["refresh_token"]:
            family.is_ended = True
            return answered({"error": "invalid_grant"}, 400)
        return self._given(family)

    def _given(self, family: Family) -> Fetched:
        access = f"at-{family.who}-{next(self.numbers)}"
        self.access[access] = family
        said: dict[str, Any] = {"access_token": access, "token_type": "bearer", **self.said}
        if self.lifetime is not None:
            said["expires_in"] = self.lifetime
        if self.grants is not None:
            said["scope"] = self.grants
        if self.gives_refresh and (self.rotates or not family.refresh):
            said["refresh_token"] = family.refresh = f"rt-{family.who}-{next(self.numbers)}"
        return answered(said)

    def _register(self, wanted: Mapping[str, Any]) -> Fetched:
        client = f"dyn-{next(self.numbers)}"
        self.registered[client] = f"secret of {client}"
        assert wanted["redirect_uris"] == [BACK]
        return answered({**wanted, "client_id": client, "client_secret": self.registered[client]}, 201)

    def _client(self, fields: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
        if "Authorization" in headers:
            given = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().replace("+", " ")
            client, _, secret = given.partition(":")
            known = {**self.registered, **dict([self.client] if self.client else [])}
            return client if known.get(client) == secret else None
        return fields["client_id"] if fields["client_id"] == DOCUMENT else None

    def _ask(self, url: str) -> None:
        self.asked.append(url)
        if self.is_down:
            raise NetError(Trouble.UNREACHABLE, "nobody answers", Ran.NO)

    def count(self, end: str) -> int:
        """How often a place was asked."""
        return sum(url.endswith(end) for url in self.asked)


@dataclass(slots=True)
class House:
    """Connections to one service, and people who use them."""

    service: Service
    store: ConnectionStore = field(default_factory=MemoryConnections)
    wall: Clock = field(default_factory=lambda: Clock(NOW))
    ticks: Clock = field(default_factory=lambda: Clock(500.0))
    document: str | None = None
    barred: set[Holder] = field(default_factory=set)
    told: list[Event] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))
    connections: Connections = field(init=False)
    plan: PerUser = field(init=False)

    async def open(self, **credential: Any) -> "House":
        """As after a start, with what the store holds."""
        self.connections = Connections(self.means())
        await self.connections.load()
        self.declare(**credential)
        return self

    def declare(self, **credential: Any) -> None:
        self.plan = PerUser(self.service.url, UPSTREAM, self.service.url, Way(), UserCredential(kind="user", **credential))
        self.connections.adopt(self.connections.parties({UPSTREAM: self.plan}))

    def means(self) -> Means:
        return Means(
            store=self.store,
            resolve=lambda text: Secret(text.removeprefix("${env:").removesuffix("}")),
            web=self.web,
            now=self.wall,
            monotonic=self.ticks,
            draw=lambda size: next(self.numbers).to_bytes(size, "big"),
            new_id=lambda: f"c{next(self.numbers)}",
            mark=lambda text: f"mark-{hash(text) & 0xFFFFFFFF:x}",
            told=self.tell,
            is_barred=lambda holder, agent: holder in self.barred,
            ourselves=lambda: Ourselves("Doorward", (BACK,), self.document),
        )

    def web(self, way: Way) -> Web:
        return self.service

    async def tell(self, event: Event) -> None:
        self.told.append(event)

    @property
    def mint(self) -> UserMint:
        return self.connections.mint(self.plan)

    def events(self) -> list[str]:
        return [event.type for event in self.told]

    def later(self, seconds: float) -> None:
        """Both clocks go on."""
        self.wall.at += seconds
        self.ticks.at += seconds

    async def connect(self, holder: Holder, who: str, agent: AgentId = EVERY_AGENT) -> Connection:
        """A person connects the account of this name."""
        url, begun = await self.begin(holder, agent)
        return await self.connections.finish(begun, self.service.authorize(url, who), holder)

    async def begin(self, holder: Holder, agent: AgentId = EVERY_AGENT) -> tuple[str, Begun]:
        return await self.connections.begin(Place(holder, UPSTREAM, agent), BACK)

    async def who(self, holder: Holder | None, agent: str = "claude") -> str:
        """Whose account a call of somebody's agent opens."""
        return self.service.who(await self.shown(holder, agent))

    async def shown(self, holder: Holder | None, agent: str = "claude") -> str:
        """The header that a call is made with."""
        use = a_use(holder, agent)
        assert self.mint.holder(use)
        minted = await self.mint.mint(use)
        ((name, value),) = minted.headers
        assert name == "Authorization"
        return value.reveal()

    async def lease(self, holder: Holder, agent: str = "claude") -> Lease:
        """As a broker makes one."""
        minted = await self.mint.mint(a_use(holder, agent))
        return Lease(LeaseId("l1"), "user", URL, minted.scope, minted.headers, account=minted.account)


def acting(holder: Holder | None, agent: str = "claude") -> Principal:
    """An agent that acts for somebody."""
    if holder == OWN:
        return principal("doorward", method=AuthnMethod.OWN)
    subject = None if holder is None else Subject(SubjectId(holder.removeprefix("user:")), frozenset())
    return replace(principal(agent), subject=subject)


def a_use(holder: Holder | None, agent: str = "claude", number: int = 0) -> Use:
    """A call to the upstream."""
    return Use(replace(call(by=acting(holder, agent), to=target("crm", "find")), id=CallId(f"call-{number}")))


def broken(house: House) -> str:
    """Why Alice's connection is broken, as she and the log are told."""
    (shown,) = house.connections.of(ALICE)
    assert shown.status is Status.BROKEN
    assert house.told[-1].type == "connection_broken"
    assert house.told[-1].fields["why"] == shown.why
    with pytest.raises(Refused) as raised:
        house.mint.holder(a_use(ALICE))
    assert raised.value.reason is Reason.CONSENT_NEEDED
    return shown.why
