"""An authorization server in process: gives tokens that say for what they were asked, and lies where a test says so."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from doorward.config.references import Resolver
from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.plans import ClientCredentials, Secretly, Server, Shown, Wanted, Way
from doorward.credentials.port import Use
from doorward.domain.actors import AuthnMethod, Principal, Proof, Subject
from doorward.domain.ids import SubjectId, UpstreamId
from doorward.domain.reasons import Ran
from doorward.domain.secret import Secret
from doorward.net.errors import NetError, Trouble
from doorward.net.fetch import Fetched
from tests.made import Clock, call, principal, target

URL = "https://idp.example.com"
SECRET = "client-secret-canary"
ENVIRONMENT = {"SECRET": SECRET}
CRM = "https://crm.example.com"

SERVER = Server(URL, None, "doorward", Secretly("${env:SECRET}", Shown.AUTO), Way())
WANTED = Wanted(None, f"{CRM}/mcp", ("crm.read",))
PLAN = ClientCredentials(CRM, SERVER, WANTED)

Form = dict[str, str]
Answering = Callable[[Form], tuple[int, Any] | Awaitable[tuple[int, Any]]]


def given(form: Form) -> tuple[int, Any]:
    """A plain answer."""
    return 200, {
        "access_token": f"token-{form.get('subject_token', form.get('assertion', 'own'))}",
        "token_type": "Bearer",
        "expires_in": 300,
    }


@dataclass(slots=True)
class Authority:
    """One server; `answer` may be exchanged."""

    metadata: dict[str, Any] = field(default_factory=dict)
    answer: Answering = given
    url: str = URL
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self._ask(url)
        if url != f"{self.url}/.well-known/openid-configuration":
            return Fetched(404, {}, b"{}")
        said = {"issuer": self.url, "token_endpoint": f"{self.url}/token", **self.metadata}
        return Fetched(200, {}, json.dumps({name: value for name, value in said.items() if value is not None}).encode())

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self._ask(url)
        form = dict(parse_qsl(body.decode(), strict_parsing=True))
        self.forms.append(form)
        self.headers.append(dict(headers))
        if self.gate is not None:
            await self.gate.wait()
        found = self.answer(form)
        status, said = found if isinstance(found, tuple) else await found
        return Fetched(status, {"location": f"{self.url}/elsewhere"}, said if isinstance(said, bytes) else json.dumps(said).encode())

    def means(self, clock: Clock | None = None, root: Path = Path("/nowhere")) -> Means:
        """What mints work with at this server."""
        time = clock or Clock()

        def web(way: Way) -> Authority:
            self.ways.append(way)
            return self

        return Means(Resolver(root, ENVIRONMENT).resolve, root, web, sign, time, time, lambda count: b"\x07" * count)

    def _ask(self, url: str) -> None:
        self.asked.append(url.removeprefix(self.url))
        if self.is_down:
            raise NetError(Trouble.UNREACHABLE, "nobody answers", Ran.NO)


def sign(claims: Any, typ: str) -> Secret:
    """Doorward's signature, which tests can read."""
    return Secret(json.dumps({"typ": typ, "iss": "https://mcp.example.com", **claims}, separators=(",", ":")))


def person(name: str = "alice", agent: str = "claude", *, issuer: str = "corp", token: str = "") -> Principal:
    """An agent that acts for somebody, by an access token of an issuer."""
    return replace(
        principal(agent, method=AuthnMethod.ACCESS_TOKEN),
        subject=Subject(SubjectId(f"{issuer}:{name}"), frozenset()),
        credential=f"sha256:{token or name}",
        proof=Proof(frozenset({"mcp"}), issuer=issuer),
    )


def use(by: Principal | None = None, presented: str | None = None, groups: frozenset[str] = frozenset({"write"})) -> Use:
    """A call of the upstream `crm`."""
    aimed = replace(target(), upstream=UpstreamId("crm"), parents=groups)
    return Use(call(by=by or principal(), to=aimed), None if presented is None else Secret(presented))
