"""A company, its gateway, and a service where each person has an account: all of them real, and people with browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.parse import urljoin

from joserfc.jwk import RSAKey

from tests.browser import Browser, Page
from tests.credentials.connections.test_real import protected
from tests.e2e import oauth
from tests.e2e.client import Client, Said
from tests.e2e.commands import ordered
from tests.e2e.grants import connected
from tests.gateway import Running, doorward, http_upstream
from tests.oidc import RELYING_PARTY, Provider, provider, sign_in

POLICY = '@id("all")\n@reason("Everybody, everything.")\npermit (principal, action, resource);\n'
KEY = RSAKey.generate_key(2048, {"kid": "another", "alg": "RS256", "use": "sig"}).as_dict(private=True)
"""What a provider signs with that has forgotten everything."""
LINK = re.compile(r"http://127\.0\.0\.1:\d+/connect/[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Town:
    """All of it."""

    company: Provider
    service: Provider
    url: str
    """Of the upstream."""
    running: Running

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.running.port}"

    def token(self, person: str) -> str:
        """What an agent has that acts for a person."""
        return str(connected(self.running, person)["access_token"])

    def whoami(self, token: str) -> Said:
        """The call that says whose account it was made with."""
        with Client(self.running.url(), token) as client:
            return client.call("crm__whoami", {})

    def ask(self, token: str) -> str:
        """The link in the words of a call that cannot be made."""
        said = self.whoami(token)
        assert said.reason == "consent_needed", said.text
        found = LINK.search(said.text)
        assert found is not None, said.text
        return found[0]

    def link(self, token: str) -> str | None:
        """The link of a call, where it cannot be made for want of an account; None where it can, or cannot for something else."""
        said = self.whoami(token)
        return self.ask(token) if said.reason == "consent_needed" else None


def document(company: Provider, url: str) -> dict[str, Any]:
    """One upstream where each person has an account."""
    client = {"client_id": RELYING_PARTY["client_id"], "client_secret": "${env:IDP_SECRET}", "scopes": ["profile", "email", "groups"]}
    own = [{"issuer": "self", "client": name, "agent": name, "team": "tools", "owner": "platform"} for name in ("desk",)]
    return {
        "upstreams": {"crm": http_upstream(url, credential={"kind": "user", "private": True, "plain_http": True})},
        "identity": {
            "issuers": {"corp": oauth.issuer(company.issuer, algorithms=["RS256"], sign_in=client)},
            "authority": {"sign_in": "corp", "known": {"desk": oauth.known()["desk"]}},
            "enrol": own,
        },
    }


@contextmanager
def town(directory: Path, ends: ExitStack | None = None, port: int = 0, has_authority: bool = True) -> Iterator[Town]:
    """The gateway has no account of its own yet, so it does not know what the service offers. `ends`: closed, the service's provider ends."""
    with ExitStack() as stack:
        company = stack.enter_context(provider())
        service = (ends or stack).enter_context(provider(clients=[], registration=True, rotates=True, port=port))
        url = stack.enter_context(protected(service, "mcp"))
        oauth.write_keys(directory)
        whole = document(company, url)
        if not has_authority:
            del whole["identity"]["authority"], whole["identity"]["enrol"]
            whole["connections"] = {"sign_in": "corp"}
        yield Town(company, service, url, stack.enter_context(doorward(directory, whole, POLICY, oauth.ENVIRONMENT)))


def free_port() -> int:
    """One that a server can have that is started twice."""
    with closing(create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def connect(browser: Browser, link: str, person: str, account: str, agents: str = "every") -> Page:
    """Goes the way of a person: signs in at the company if that is asked, reads, connects, signs in at the service."""
    page = sign_in(browser, browser.get(link), person)
    return consented(browser, page, account, agents)


def consented(browser: Browser, page: Page, account: str, agents: str = "every") -> Page:
    """From the page that says what is about to be connected to the one that says that it is."""
    form = next((form for form in page.forms if "/connect/" in form.action), None)
    assert form is not None, page.text
    fields = {"agents": agents} if "agents" in form.fields else {}
    return sign_in(browser, browser.submit(page, form, fields), account)


def own_account(town: Town, account: str = "mallory") -> Page:
    """An operator connects the gateway's own account, in a browser that nobody has signed in with."""
    link = ordered(town.running, "connection", "connect", "crm").strip()
    browser = Browser()
    return consented(browser, browser.get(link), account)


def links(page: Page) -> list[str]:
    """Where a page leads."""
    return [urljoin(page.url, found) for found in re.findall(r'<a href="([^"]+)"', page.text)]
