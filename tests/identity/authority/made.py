"""A whole authorization server with everything around it held in the hand: clock, network, registry, log."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from urllib.parse import parse_qsl, urlsplit

import anyio
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, Key
from msgspec.structs import replace

from doorward.domain.actors import Subject
from doorward.domain.errors import DoorwardError, StoreError
from doorward.domain.ids import SubjectId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event
from doorward.identity.authority.client_authn import ClientAuthn
from doorward.identity.authority.clients import Clients
from doorward.identity.authority.documents import Documents
from doorward.identity.authority.documents import Terms as DocumentTerms
from doorward.identity.authority.families import AuthorityStore
from doorward.identity.authority.grants.assertion import Trusted
from doorward.identity.authority.grants.kit import Kit, Terms
from doorward.identity.authority.keys import SigningKeys, StoredKey
from doorward.identity.authority.metadata import Abilities
from doorward.identity.authority.mint import Mint, Sources
from doorward.identity.authority.port import Client, Grant, Origin, TokenRequest
from doorward.identity.authority.server import AuthorizationServer, Parties
from doorward.identity.certificate import Certificate
from doorward.identity.people import Habits
from doorward.net.fetch import Fetched
from doorward.net.oauth.asking import CLIENT_ASSERTION
from doorward.stores.memory_authority import MemoryAuthority
from doorward.wire.sealed import Seal

ISSUER = "https://gate.example"
RESOURCE = f"{ISSUER}/mcp"
GIT = f"{ISSUER}/mcp/git"
REDIRECT = "https://desk.example/cb"
LOCAL = "http://127.0.0.1/cb"
NOW = 1_800_000_000.0
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
IDP = "https://idp.example"

AGENT_KEY = ECKey.generate_key("P-256", {"kid": "agent-key"})
SUB_KEY = ECKey.generate_key("P-256", {"kid": "sub-key"})
IDP_KEY = ECKey.generate_key("P-256", {"kid": "idp-key"})
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "agent-key"})

PUBLIC = Client("desk", "Desk", Origin.DECLARED, (REDIRECT, LOCAL), frozenset({Grant.CODE, Grant.REFRESH}), frozenset({"mcp"}))
AGENT = Client(
    "agent",
    "Agent",
    Origin.DECLARED,
    (REDIRECT,),
    frozenset(Grant),
    frozenset({"mcp:git", "mcp:read"}),
    jwks={"keys": [AGENT_KEY.as_dict(private=False)]},
)
SUB = Client(
    "sub",
    "Sub-agent",
    Origin.DECLARED,
    (),
    frozenset({Grant.EXCHANGE, Grant.CREDENTIALS}),
    frozenset({"mcp"}),
    jwks={"keys": [SUB_KEY.as_dict(private=False)]},
)


class Draws:
    """Random bytes that are all different, and the same in each run."""

    def __init__(self) -> None:
        self._count = count(1)

    def __call__(self, length: int) -> bytes:
        return sha256(str(next(self._count)).encode()).digest().ljust(length, b"r")[:length]


class Vault:
    """Keys in memory."""

    def __init__(self) -> None:
        self.keys: tuple[StoredKey, ...] = ()

    def read(self) -> tuple[StoredKey, ...]:
        return self.keys

    def write(self, keys: tuple[StoredKey, ...]) -> None:
        self.keys = keys


class Registry:
    """Agents of clients: `agent-<client id>`, but for those that are out."""

    def __init__(self) -> None:
        self.out: set[str] = set()
        self.made: list[str] = []

    def admit(self, client_id: str) -> None:
        if client_id in self.out:
            raise Refused(Reason.REVOKED, "out")

    async def agent(self, client_id: str) -> str:
        self.admit(client_id)
        self.made.append(client_id)
        return f"agent-{client_id}"

    def check_standing(self, agent: str) -> None:
        self.admit(agent.removeprefix("agent-"))


JSON = {"content-type": "application/json"}


def page(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Fetched:
    """What is at a URL."""
    return Fetched(status, JSON if headers is None else headers, body)


class Net:
    """What can be fetched, and what was."""

    def __init__(self) -> None:
        self.pages: dict[str, Fetched] = {}
        self.asked: list[str] = []
        self.gate: anyio.Event | None = None
        """Answers wait for it."""

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self.asked.append(url)
        if self.gate is not None:
            await self.gate.wait()
        if url not in self.pages:
            raise DoorwardError("10.0.0.7 refused the connection")
        return self.pages[url]

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        raise DoorwardError("nothing is posted")

    def put(self, url: str, value: object, **headers: str) -> None:
        self.pages[url] = page(msgspec.json.encode(value), headers={**JSON, **headers})


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in."""

    subject: Subject
    name: str = "Ann"


ANN = Person(Subject(SubjectId("corp:ann"), frozenset({"corp:sales", "corp:all"})))


class House:
    """An authorization server, and what surrounds it."""

    def __init__(
        self,
        store: AuthorityStore | None = None,
        terms: Terms | None = None,
        abilities: Abilities | None = None,
        vault: Vault | None = None,
        draws: Draws | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.now = NOW
        self.store = store or MemoryAuthority()
        self.net, self.registry, self.vault, self.draws = Net(), registry or Registry(), vault or Vault(), draws or Draws()
        self.events: list[Event] = []
        self.ended: list[tuple[str, str]] = []
        self.log_fails = False
        self.jkt: str | None = None
        abilities = abilities or Abilities(documents=True, dynamic=True, assertions=True, certificates=True)
        self.keys = SigningKeys(self.vault, self.draws, self.time, 90)
        self.keys.load()
        terms = terms or Terms(ISSUER, {RESOURCE, GIT}.__contains__)
        mint = Mint(terms.issuer, terms.token_seconds, Sources(self.keys, Seal((b"k" * 32,)), self.draws, self.time))
        kit = Kit(terms, self.store, mint, self.registry, self._told, self._ended, lambda name: f"veiled({name})", self.time)
        self.declared = {client.id: client for client in (PUBLIC, AGENT, SUB)}
        self.clients = Clients(self.declared, Documents(self.net, DocumentTerms(()), self.time), self.store, self.registry)
        authn = ClientAuthn(terms.issuer, self.clients, self.store, self.net, self.time)
        trusted = {IDP: Trusted("corp", _Fixed(IDP_KEY), frozenset({"ES256"}), 60, Habits(("sub",), ("groups",), asks_userinfo=False))}
        self.server = AuthorizationServer(kit, self.keys, Parties(self.clients, authn, trusted, self._proven, abilities))

    def time(self) -> float:
        return self.now

    async def _told(self, event: Event) -> None:
        if self.log_fails:
            raise StoreError("the log is full")
        self.events.append(event)

    async def _ended(self, family: str, why: str) -> None:
        self.ended.append((family, why))

    def _proven(self, request: TokenRequest, url: str) -> str:
        assert url == f"{ISSUER}/oauth/token"
        if request.dpop != "proof of key" and not str(request.dpop).startswith("key-"):
            raise Refused(Reason.UNAUTHENTICATED, "the proof is wrong")
        return str(request.dpop)

    def question(self, **changes: str) -> dict[str, str]:
        """The parameters of a good authorization request, with changes; an empty text leaves one out."""
        params = {
            "response_type": "code",
            "client_id": "desk",
            "redirect_uri": REDIRECT,
            "state": "s1",
            "scope": "mcp",
            "resource": RESOURCE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**params, **changes}.items() if value}

    async def code(self, **changes: str) -> str:
        """A code that Ann has granted."""
        asked = await self.server.asked(self.question(**changes))
        return answer(await self.server.granted(asked, ANN))["code"]

    async def redeemed(self, **changes: str) -> dict[str, object]:
        """The tokens of a new code."""
        return await self.token(self.redemption(await self.code(**changes)))

    async def redeemed_by(self, client: str, redirect: str) -> dict[str, object]:
        """The tokens of a new code of another client."""
        code = await self.code(client_id=client, redirect_uri=redirect)
        return await self.token(self.redemption(code, client_id=client, redirect_uri=redirect))

    def hold(self, client: str, scopes: frozenset[str]) -> None:
        """Lets a client have other scopes."""
        self.declared[client] = replace(self.declared[client], scopes=scopes)

    def redemption(self, code: str, /, **changes: str) -> dict[str, str]:
        """The fields of a good token request for a code."""
        fields = {
            "grant_type": "authorization_code",
            "client_id": "desk",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            "resource": RESOURCE,
        }
        return {name: value for name, value in {**fields, **changes}.items() if value}

    async def token(
        self, fields: Mapping[str, str], *, dpop: str | None = None, certificate: Certificate | None = None
    ) -> dict[str, object]:
        """What the token endpoint answers."""
        return await self.server.token(TokenRequest(fields, dpop, certificate, "192.0.2.1"))

    async def refreshed(self, token: object, **fields: str) -> dict[str, object]:
        """What it answers to a refresh token."""
        return await self.token({"grant_type": "refresh_token", "client_id": "desk", "refresh_token": str(token), **fields})

    def signed(self, client: str = "agent", key: ECKey = AGENT_KEY, **claims: object) -> dict[str, str]:
        """The fields by which a client proves itself; a claim of None is left out."""
        said = {"iss": client, "sub": client, "aud": ISSUER, "jti": self.draws(8).hex(), "iat": int(self.now), "exp": int(self.now) + 60}
        return {"client_assertion_type": CLIENT_ASSERTION, "client_assertion": sign(key, {**said, **claims})}

    def id_jag(self, key: ECKey = IDP_KEY, typ: str = "oauth-id-jag+jwt", **claims: object) -> str:
        """A provider's assertion that the agent may act for Ann."""
        said = {
            "iss": IDP,
            "sub": "ann",
            "aud": ISSUER,
            "client_id": "agent",
            "resource": GIT,
            "scope": "mcp:git:read",
            "jti": self.draws(8).hex(),
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "groups": ["sales"],
        }
        return sign(key, {**said, **claims}, typ)

    def claims(self, answered: Mapping[str, object]) -> dict[str, object]:
        """What the access token of an answer says, its signature verified."""
        key = self.keys.find(kid(answered), "ES256")
        assert key is not None
        token = jwt.decode(str(answered["access_token"]), key, algorithms=["ES256"])
        assert token.header["typ"] == "at+jwt"
        return dict(token.claims)


class _Fixed:
    """One key that never changes."""

    def __init__(self, key: ECKey) -> None:
        self._key = key

    def find(self, kid: str | None, alg: str) -> ECKey | None:
        return self._key if (kid, alg) == (self._key.kid, "ES256") else None

    async def refresh(self) -> None:
        return None


def kid(answered: Mapping[str, object]) -> str:
    """The key id of an access token."""
    head = str(answered["access_token"]).split(".")[0]
    return str(msgspec.json.decode(urlsafe_decoded(head))["kid"])


def urlsafe_decoded(text: str) -> bytes:
    """Base64url without padding."""

    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(key: Key, claims: Mapping[str, object], typ: str = "JWT", alg: str = "ES256") -> str:
    """A JWT; claims of None are left out."""
    said = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "typ": typ, "kid": key.kid}, said, key, algorithms=[alg])


def answer(url: str) -> dict[str, str]:
    """The query of a redirect."""
    return dict(parse_qsl(urlsplit(url).query))


def certificate(thumbprint: str = "t1", spiffe: str = "spiffe://example.org/a") -> Certificate:
    """A client certificate."""
    return Certificate(thumbprint, 1, "CN=ca", "", (spiffe,), (), NOW + 3600, "root")
