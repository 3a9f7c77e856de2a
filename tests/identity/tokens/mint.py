"""Issuers that can be made to sign anything, a registry that knows what it is told, and a web that answers what it is given."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from doorward.config import identity as config
from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.ids import AgentId, TeamId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.chain import NotYetError, Presented
from doorward.identity.identities import Identity
from doorward.identity.tokens.dpop import Proofs, access_token_hash
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust, Trusted
from doorward.net.errors import NetError, Trouble
from doorward.net.fetch import Fetched
from tests.made import Clock

URL = "https://idp.example.com"
AUDIENCE = "https://mcp.example.com/mcp"
NOW = 1_800_000_000.0

ALL = (*jws.JWSRegistry.algorithms,)
EC = ECKey.import_key(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        "kid": "one",
    }
)
"""The key of RFC 7517, appendix A.2, for tests alone."""
OTHER = ECKey.generate_key("P-256", {"kid": "one"})
"""Of the same name, and nobody's."""
RSA = RSAKey.generate_key(2048, {"kid": "two"})
ED = OKPKey.generate_key("Ed25519", {"kid": "three"})


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a good token; None takes one out."""
    usual = {
        "iss": URL,
        "aud": AUDIENCE,
        "sub": "alice",
        "client_id": "abc",
        "exp": NOW + 300,
        "iat": NOW - 5,
        "scope": "mcp openid",
        "groups": ["sales"],
        "jti": "j",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in ({"alg": "ES256", "kid": "one", "typ": "at+jwt"} | changed).items() if value is not None}


def signed(said: Mapping[str, Any] | str, head: Mapping[str, Any] | str | None = None, key: Key = EC) -> str:
    """A token whose signature is right, whatever else it says; texts stand for themselves."""
    head = header() if head is None else head
    alg = (json.loads(head) if isinstance(head, str) else head).get("alg", "ES256")
    parts = [b64((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (head, said)]
    signature = jws.JWSRegistry.algorithms[alg].sign(".".join(parts).encode(), key)
    return ".".join([*parts, b64(signature)])


def token(**changed: Any) -> str:
    """A good token with some claims changed."""
    return signed(claims(**changed))


def proof(access_token: str | None, key: Key = EC, head: Mapping[str, Any] | None = None, **changed: Any) -> str:
    """A DPoP proof for a POST to the endpoint."""
    usual = {
        "jti": "p",
        "htm": "POST",
        "htu": AUDIENCE,
        "iat": NOW,
        "ath": None if access_token is None else access_token_hash(access_token),
    }
    said = {name: value for name, value in (usual | changed).items() if value is not None}
    jwk = {name: value for name, value in key.as_dict(private=False).items() if name != "kid"}
    return signed(said, {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk} | dict(head or {}), key)


def thumbprint(key: Key) -> str:
    return key.thumbprint()


CERTIFICATE = Certificate("thumb", 1, "CN=ca", "CN=one", (), (), NOW + 1000, "root")


class Held:
    """Keys that are simply there."""

    def __init__(self, *keys: Key) -> None:
        self.keys = {str(key.get("kid")): key for key in keys}
        self.refreshed = 0

    def find(self, kid: str | None, alg: str) -> Key | None:
        return self.keys.get(kid or "")

    async def refresh(self) -> None:
        self.refreshed += 1


class Known:
    """A registry: agents by identity text or id, and who is out."""

    def __init__(self) -> None:
        self.version = 0
        self.agents: dict[str, Agent] = {}
        self.out: dict[str, Reason] = {}
        self.enrols: Callable[[Identity, Mapping[str, object]], Agent | None] = lambda _identity, _claims: None
        self.asked: list[tuple[str, str]] = []
        self.add("client:corp:abc", "claude")

    def add(self, identity: str, agent: str) -> Agent:
        self.version += 1
        made = self.agents[identity] = self.agents[agent] = Agent(AgentId(agent), "ada", TeamId("support"), "client")
        return made

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        self.asked.append((str(identity), method))
        if str(identity) not in self.agents:
            made = self.enrols(identity, claims)
            if made is None:
                raise Refused(Reason.UNAUTHENTICATED, "not registered")

            async def enrol() -> None:
                self.add(str(identity), made.id)

            raise NotYetError(enrol)
        return self.standing(self.agents[str(identity)].id, method)

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        if agent not in self.agents:
            raise Refused(Reason.UNAUTHENTICATED, "not registered")
        if agent in self.out:
            raise Refused(self.out[agent], "out")
        return self.agents[agent]


class Web:
    """Answers by URL; what is not there fails."""

    def __init__(self, **pages: Any) -> None:
        self.pages: dict[str, Any] = pages
        self.headers: dict[str, str] = {}
        self.status = 200
        self.asked: list[str] = []
        self.sent: list[tuple[str, bytes, Sequence[tuple[str, str]]]] = []

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self.asked.append(url)
        return self._answer(url)

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self.asked.append(url)
        self.sent.append((url, body, headers))
        return self._answer(url)

    def _answer(self, url: str) -> Fetched:
        if url not in self.pages:
            raise NetError(Trouble.UNREACHABLE, "no connection", Ran.NO)
        page = self.pages[url]
        if page is None:
            return Fetched(404, {}, b"")
        return Fetched(self.status, self.headers, page if isinstance(page, bytes) else json.dumps(page).encode())


def jwks(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


class House:
    """The source, with one issuer called `corp` and one registered client of it."""

    def __init__(self, demand: Demand = Demand.ANY, **declared: Any) -> None:
        self.clock = Clock(NOW)
        self.known = Known()
        self.web = Web()
        self.web.pages[f"{URL}/.well-known/openid-configuration"] = {
            "issuer": URL,
            "jwks_uri": f"{URL}/keys",
            "token_endpoint": f"{URL}/token",
        }
        self.web.pages[f"{URL}/keys"] = jwks(EC, RSA)
        self.trust = Trust(Means(lambda _declared: self.web, lambda _name: None, self.clock))
        self.declared = config.Issuer.model_validate({"url": URL} | declared)
        self.trust.adopt({"corp": self.declared}, self.ours())
        self.proofs = Proofs(self.clock)
        self.source = AccessTokens(
            self.trust, Registered(self.known, lambda: self.known.version), self.audience, self.proofs, demand, self.clock
        )
        self.request = 0

    def ours(self) -> Trusted | None:
        return None

    def audience(self, endpoint: UpstreamId | None) -> str:
        return AUDIENCE if endpoint is None else f"{AUDIENCE}/{endpoint}"

    async def ready(self) -> House:
        """With the keys of the issuer at hand."""
        await self.trust.renew()
        return self

    def shown(self, text: str, scheme: str = "Bearer", **more: Any) -> Presented:
        self.request += 1
        usual: dict[str, Any] = {"network": "10.0.0.1", "loopback": False, "request": self.request}
        return Presented(f"{scheme} {text}", **(usual | more))

    def identified(self, text: str, scheme: str = "Bearer", **more: Any) -> Principal:
        found = self.source.identify(self.shown(text, scheme, **more))
        assert found is not None
        return found

    def refusal(self, text: str, scheme: str = "Bearer", **more: Any) -> Refused:
        try:
            found = self.source.identify(self.shown(text, scheme, **more))
        except Refused as refused:
            return refused
        raise AssertionError(f"expected a refusal, got {found}")
