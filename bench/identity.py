"""What identifying costs, through the whole chain of sources: by an access token remembered, verified anew and with a proof, by a certificate.

`python -m bench.identity` prints it; `bench/stages.py` has it as stages of the report.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from timeit import repeat

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from doorward.config.identity import Certificates as Names
from doorward.config.identity import Issuer
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId, UpstreamId
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.crl import Revocations, Revoked
from doorward.identity.certificates.source import Certificates
from doorward.identity.certificates.spoiled import Spoiled
from doorward.identity.certificates.trust import Trust as Roots
from doorward.identity.chain import Chain, Presented
from doorward.identity.enrolment import Enrolment
from doorward.identity.identities import Identity, IdentityKind, client
from doorward.identity.records import NEVER, Terms
from doorward.identity.registry import Registry
from doorward.identity.tokens.dpop import Proofs, access_token_hash
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust
from doorward.net.fetch import Fetched
from doorward.stores.memory import MemoryAgents

Work = tuple[str, Callable[[], object]]

_URL = "https://idp.example.com"
_ENDPOINT = "https://mcp.example.com/mcp"
_PADDING = "x" * 600
"""Tokens of companies are about so much longer than what we read of them."""
_SPIFFE = "spiffe://example.org/agents/bench"
_ROOT = "r" * 43
_REVOKED = 10_000
"""Serials on the list that a certificate is looked for in."""
_RUNS = 200
_PROOFS = 512
"""Made before the clock runs; each counts once, so the last of them are shown again after a new start."""


class _Here:
    """An issuer's documents, without a network."""

    def __init__(self, key: ECKey) -> None:
        self._pages: Mapping[str, object] = {
            f"{_URL}/.well-known/openid-configuration": {"issuer": _URL, "jwks_uri": f"{_URL}/keys"},
            f"{_URL}/keys": {"keys": [key.as_dict(private=False)]},
        }

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        """The document of a URL."""
        return Fetched(200, {}, json.dumps(self._pages[url]).encode())

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        """Nothing is posted here."""
        return Fetched(404, {}, b"")


class _Bench:
    """A registry with one agent, known by an issuer's client."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.registry = Registry(MemoryAgents(), lambda size: b"x" * size, time.time)
        self.enrolment = Enrolment(self.registry, _told, time.time)
        self.trust = Trust(Means(lambda _issuer: _Here(self.key), _no_secret, time.time))
        self.trust.adopt({"corp": Issuer(url=_URL)}, None)

    async def ready(self) -> None:
        """With the keys fetched and the agent entered."""
        await self.trust.renew()
        agent = Agent(AgentId("bench"), "bench", TeamId("bench"), "client")
        await self.registry.enter(agent, NEVER, Terms(identities=(client("corp", "abc"), Identity(IdentityKind.SPIFFE, "", _SPIFFE))))

    def chain(self) -> Chain:
        """One that remembers nothing yet."""
        return Chain((AgentKeys(self.registry, time.time), self._tokens()))

    def certified(self) -> Chain:
        """One that knows certificates, and a list of revoked ones, besides."""
        listed = Revocations({"CN=root": Revoked(frozenset(range(1, _REVOKED)), float("inf"))})
        spoiled = Spoiled(Roots(frozenset({_ROOT}), listed), time.time)
        certificates = Certificates(Names(), None, self.enrolment, self.registry, time.time)
        return Chain((spoiled, AgentKeys(self.registry, time.time), self._tokens(), certificates))

    def _tokens(self) -> AccessTokens:
        registered = Registered(self.enrolment, lambda: self.registry.version, self.enrolment.until)
        return AccessTokens(self.trust, registered, _endpoint, Proofs(time.time), Demand.ANY, time.time)

    def token(self, **more: object) -> str:
        """An access token of about 1.3 KB."""
        now = int(time.time())
        said = {"iss": _URL, "aud": _ENDPOINT, "sub": "alice", "client_id": "abc", "scope": "mcp", "exp": now + 3600, "iat": now}
        return self.signed({"typ": "at+jwt", "kid": "one"}, {**said, "groups": ["sales", "support"], "padding": _PADDING, **more})

    def proof(self, token: str, number: int) -> str:
        """A DPoP proof."""
        said = {"jti": str(number), "htm": "POST", "htu": _ENDPOINT, "iat": int(time.time()), "ath": access_token_hash(token)}
        return self.signed({"typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}, said)

    def signed(self, header: Mapping[str, object], said: Mapping[str, object]) -> str:
        """A compact JWS (ES256)."""
        text = ".".join(_base64(json.dumps(part).encode()) for part in ({**header, "alg": "ES256"}, said))
        return f"{text}.{_base64(JWSRegistry.algorithms['ES256'].sign(text.encode(), self.key))}"


async def works() -> Sequence[Work]:
    """What is measured; each can be run any number of times."""
    bench = _Bench()
    await bench.ready()
    chain, token = bench.chain(), bench.token()
    header = f"Bearer {token}"
    presented = Presented(header, "127.0.0.1", loopback=True)
    bound = bench.token(cnf={"jkt": bench.key.thumbprint()})
    proven = [
        Presented(f"DPoP {bound}", "127.0.0.1", loopback=True, dpop=bench.proof(bound, number), request=number + 1)
        for number in range(_PROOFS)
    ]
    turns = itertools.count()
    known = [bench.chain()]

    certified = bench.certified()
    shown = Presented(None, "127.0.0.1", loopback=True, certificate=_certificate())
    both = replace(presented, certificate=_certificate())

    def show_a_proof() -> object:
        turn = next(turns) % _PROOFS
        if not turn:
            known[0] = bench.chain()
        return known[0].identify(proven[turn])

    return (
        ("identify, access token known (1)", lambda: chain.identify(Presented(header, "127.0.0.1", loopback=True))),
        ("identify, access token verified anew, ES256 (1)", lambda: bench.chain().identify(presented)),
        ("identify, access token known and a new DPoP proof, ES256 (1)", show_a_proof),
        ("identify, the same proof by the same request (1)", lambda: chain.identify(replace(proven[0]))),
        ("identify, certificate on a kept connection (1)", lambda: certified.identify(shown)),
        ("identify, access token known on a connection with a certificate (1)", lambda: certified.identify(both)),
    )


def _certificate() -> Certificate:
    """What is known of a connection's certificate since its handshake, below one intermediate."""
    return Certificate(
        thumbprint="t" * 43,
        serial=_REVOKED + 1,
        issuer="CN=between",
        subject="CN=bench",
        uris=(_SPIFFE,),
        dns=(),
        not_after=time.time() + 3600,
        authority=_ROOT,
        path=(("CN=between", _REVOKED + 1), ("CN=root", _REVOKED + 2)),
    )


async def _told(event: Event) -> None:
    """No leaf is written here."""


def _no_secret(_name: str) -> Secret | None:
    return None


def _endpoint(_upstream: UpstreamId | None) -> str:
    return _ENDPOINT


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def main() -> None:
    """Prints the figures."""
    for name, work in asyncio.run(works()):
        seconds = min(repeat(work, timer=time.thread_time, repeat=7, number=_RUNS)) / _RUNS
        print(f"{name:64} {1e6 * seconds:7.1f} µs")


if __name__ == "__main__":
    main()
