"""A real OpenID Provider (`peers/oidc`) as a process, and people who sign in with it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.browser import Browser, Page
from tests.peers import ROOT, node

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "alice": {"groups": ["sales", "gateway-admins"]},
    "bob": {"groups": ["support"]},
    "mallory": {"groups": []},
}
RELYING_PARTY = {
    "client_id": "doorward",
    "client_secret": "a secret of tests, long enough for it",
    "redirect_uris": ["http://127.0.0.1/oauth/callback", "http://127.0.0.1/signin/callback"],
    "application_type": "native",
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
    "scope": "openid profile email groups",
    "token_endpoint_auth_method": "client_secret_basic",
}
"""Doorward as the provider knows it; loopback redirects may have any port (RFC 8252)."""
ROBOT = {
    "client_id": "robot",
    "client_secret": "another secret of tests, long enough",
    "redirect_uris": [],
    "grant_types": ["client_credentials"],
    "response_types": [],
}
"""A program of the company that gets its tokens at the provider itself."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that runs."""

    issuer: str

    def token_for_robot(self, resource: str, scope: str = "mcp") -> str:
        """An access token for a resource by the client-credentials grant, as the robot."""
        fields = {"grant_type": "client_credentials", "resource": resource, "scope": scope}
        basic = base64.b64encode(
            f"{ROBOT['client_id']}:{str(ROBOT['client_secret']).replace(' ', '+').replace(',', '%2C')}".encode()
        ).decode()
        request = Request(f"{self.issuer}/token", urlencode(fields).encode(), {"Authorization": f"Basic {basic}"})
        with urlopen(request, timeout=20) as answer:
            return str(json.load(answer)["access_token"])


@contextmanager
def provider(clients: Sequence[Mapping[str, Any]] = (RELYING_PARTY, ROBOT), **wanted: Any) -> Iterator[Provider]:
    """A provider with these clients; `keys` (private JWKs), `people`, `token_seconds`, `registration` and `rotates` may be given."""
    settings = {"port": 0, "clients": clients, "people": PEOPLE, **wanted}
    command = [node(), str(ROOT / "peers/oidc/provider.mjs"), json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield Provider(json.loads(process.stdout.readline())["issuer"])
        finally:
            process.kill()


def sign_in(browser: Browser, page: Page, name: str) -> Page:
    """Goes through the provider's own pages, from its sign-in form to where it sends the person back."""
    for _ in range(4):
        form = next((form for form in page.forms if "/interaction/" in form.action), None)
        if form is None:
            return page
        given = {"login": name, "password": "any"} if "login" in form.fields else {}
        page = browser.submit(page, form, given)
    return page
