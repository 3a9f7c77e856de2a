"""A person and an agent that knows nothing but a URL: the agent's own OAuth client does the rest, in the person's browser.

And the company around them: its provider, a gateway with an authority of its own, and the clients that are declared there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from tests.browser import Browser, Page
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.oidc import RELYING_PARTY, Provider, provider, sign_in
from tests.peers import ROOT, node, python_of

CALLBACK = "http://127.0.0.1:9/callback"
"""Where the agents of these tests listen, or would."""
ELSEWHERE = "https://desk.example/back"
"""Where a client listens that is no program on its person's own machine."""

AGENTS = {
    "python": (sys.executable, str(ROOT / "tests/clients/oauth_with_sdk2.py"), "{url}", "auto", "{document}", "{kept}"),
    "python in session": (sys.executable, str(ROOT / "tests/clients/oauth_with_sdk2.py"), "{url}", "legacy", "{document}", "{kept}"),
    "typescript": (node(), str(ROOT / "peers/sdk/oauth.mjs"), "{url}", "{document}", "{kept}"),
}
"""The official SDKs with their own OAuth clients."""
EARLIER = {
    "python of 2025-11-25": (python_of("sdk1"), str(ROOT / "tests/clients/oauth_with_sdk1.py"), "{url}", "{document}"),
    "python of 2025-06-18": (python_of("sdk1_2025_06"), str(ROOT / "tests/clients/oauth_with_sdk1.py"), "{url}"),
    "fastmcp": (python_of("fastmcp"), str(ROOT / "tests/clients/oauth_with_fastmcp.py"), "{url}"),
}
"""Others with theirs: the SDK as it was, and what many build on."""
MACHINE = (sys.executable, str(ROOT / "tests/clients/machine_with_sdk2.py"))
"""The Python SDK's OAuth clients that need no person."""

CLIENT_KEY = ECKey.generate_key("P-256", {"kid": "client"})
"""What the declared clients sign with."""
SECRET = "canary-client-secret-0123456789abcdef"
"""Of the declared client that cannot sign."""

ENVIRONMENT = {"IDP_SECRET": str(RELYING_PARTY["client_secret"])}
"""What a gateway of these tests is started with."""

POLICIES = """
@id("people")
@reason("Everybody in sales.")
permit (principal in Group::"corp:sales", action, resource);
@id("staff")
@reason("People whom the provider of assertions vouches for.")
permit (principal in Group::"staff:sales", action == Action::"up/echo", resource);
@id("night")
@reason("The night report, and whoever it hands on to.")
permit (principal == Agent::"night", action, resource);
@id("dawn")
@reason("Until it is given up.")
permit (principal == Agent::"dawn", action, resource);
@id("helpers")
@reason("Sub-agents.")
permit (principal == Agent::"helper", action, resource);
@id("robot")
@reason("The company's robot.")
permit (principal == Agent::"robot", action, resource);
@id("others")
@reason("A robot of another issuer.")
permit (principal == Agent::"robot-of-others", action == Action::"up/wait", resource);
@id("night-reads")
@reason("Reports change nothing elsewhere.")
forbid (principal == Agent::"night", action == Action::"up/other", resource);
"""
"""What `night` may not, `helper` may."""

Json = dict[str, Any]


@dataclass(slots=True)
class Visit:
    """One person with a browser."""

    name: str
    browser: Browser = field(default_factory=lambda: Browser(stops_at=(CALLBACK, ELSEWHERE)))
    pages: list[Page] = field(default_factory=list)
    """What the person was shown by Doorward, in order, and where it ended."""
    answer: str = "allow"
    """What the person says to every question."""

    def consents(self, url: str) -> str:
        """Goes where an agent sends the browser, signs in if asked, answers if asked; where the browser ends."""
        page = sign_in(self.browser, self.browser.get(url), self.name)
        for _ in range(3):
            if not page.forms or page.url.startswith((CALLBACK, ELSEWHERE)):
                break
            form = page.forms[0]
            said = [button for button in form.buttons if button[1] == self.answer]
            if not said:
                break
            self.pages.append(page)
            page = self.browser.submit(page, form, dict(said))
        self.pages.append(page)
        return page.url

    @property
    def questions(self) -> list[str]:
        """The questions that the person was asked."""
        return [page.text for page in self.pages if page.text and any(form.action.endswith("/oauth/consent") for form in page.forms)]


def act(
    agent: str, url: str, visit: Visit, calls: Sequence[tuple[str, Json]], document: str = "", kept: Json | None = None, **environment: str
) -> Json:
    """What one of `AGENTS` or `EARLIER` saw: it discovers, has the person consent, lists and calls. `failed` says why it did not."""
    words = {"url": url, "document": document, "kept": json.dumps(kept) if kept else ""}
    with _started([words.get(word.strip("{}"), word) for word in {**AGENTS, **EARLIER}[agent]], calls, environment) as process:
        assert process.stdin is not None
        said = _line(process)
        while "authorize" in said:
            process.stdin.write(visit.consents(said["authorize"]) + "\n")
            process.stdin.flush()
            said = _line(process)
        return said


def work(url: str, by: Json, calls: Sequence[tuple[str, Json]]) -> Json:
    """What the SDK's client saw that acts by its key or an assertion."""
    with _started([*MACHINE, url, json.dumps(by)], calls, {}) as process:
        return _line(process)


@contextmanager
def _started(command: Sequence[str], calls: Sequence[tuple[str, Json]], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=environment or None) as process:  # type: ignore[call-overload]  # as it says
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(calls) + "\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> Json:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    said: Json = json.loads(line)
    return said


@dataclass(frozen=True, slots=True)
class House:
    """A company's provider, its gateway, and the upstream behind that."""

    company: Provider
    witness: Witness
    running: Running

    @property
    def origin(self) -> str:
        """The gateway as browsers and clients see it: the issuer identifier of its authority."""
        return f"http://127.0.0.1:{self.running.port}"


def issuer(url: str, **more: Any) -> Json:
    """An issuer on loopback, as the document has it."""
    return {"url": url, "plain_http": True, "private": True, **more}


def known() -> Json:
    """Declared clients: `desk` acts for people, `night` and `dawn` for themselves, `helper` by what was handed to it, `courier` by assertions."""
    signs = {"jwks_file": "clients.jwks"}
    courier = {"grants": ["jwt-bearer"], "secret_sha256": sha256(SECRET.encode()).hexdigest(), "scopes": ["mcp"]}
    return {
        "desk": {"name": "Desk", "redirect_uris": [CALLBACK, ELSEWHERE]},
        "night": {"name": "Night report", "grants": ["client_credentials"], **signs},
        "dawn": {"name": "A report that is given up", "grants": ["client_credentials"], **signs},
        "helper": {"name": "Helper", "grants": ["token-exchange", "client_credentials"], **signs},
        "courier": {"name": "Courier", **courier},
    }


def document(company: str, witness: str, identity: Json, **authority: Any) -> Json:
    """A gateway that lets people in with the company's provider, and the company's robot with its tokens; `identity` may add issuers and rules."""
    client = {"client_id": RELYING_PARTY["client_id"], "client_secret": "${env:IDP_SECRET}", "scopes": ["profile", "email", "groups"]}
    own = [{"issuer": "self", "client": name, "agent": name, "team": "tools", "owner": "platform"} for name in known()]
    robot = {"issuer": "corp", "client": "robot", "agent": "robot", "team": "machines", "owner": "platform"}
    return {
        "upstreams": {
            "up": http_upstream(witness, tools={"echo": {"groups": ["read"]}, "wait": {"groups": ["read"]}}),
            "side": http_upstream(witness),
        },
        "identity": {
            **identity,
            "issuers": {"corp": issuer(company, algorithms=["RS256"], sign_in=client), **identity.get("issuers", {})},
            "authority": {"sign_in": "corp", "known": known(), **authority},
            "enrol": [*own, robot, *identity.get("enrol", [])],
        },
    }


def write_keys(directory: Path) -> None:
    """Puts the public key of the declared clients where the document says that it is."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "clients.jwks").write_text(json.dumps({"keys": [CLIENT_KEY.as_dict(private=False)]}))


@contextmanager
def gateway(directory: Path, company: Provider, witness: Witness, identity: Json | None = None, **authority: Any) -> Iterator[House]:
    """A gateway of a company, as a process for as long as the block lasts."""
    write_keys(directory)
    whole = document(company.issuer, witness.url, identity or {}, **authority)
    with doorward(directory, whole, POLICIES, ENVIRONMENT) as running:
        yield House(company, witness, running)


@contextmanager
def house(directory: Path, identity: Json | None = None, **authority: Any) -> Iterator[House]:
    """All of it: the company's provider, an upstream, and a gateway between."""
    with provider() as company, witnessing() as witness, gateway(directory, company, witness, identity, **authority) as made:
        yield made
