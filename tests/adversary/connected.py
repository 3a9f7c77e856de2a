"""A gateway with an authority of its own and a real identity provider, and clients that talk to it byte by byte."""

from __future__ import annotations

import http.client
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.browser import Browser
from tests.e2e.oauth import CALLBACK, Visit
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream
from tests.oidc import RELYING_PARTY, Provider

SECRET = "canary-client-secret-0123456789abcdef"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
VERIFIER = "canary-verifier-" + "v" * 40

Json = dict[str, Any]


def known(*grants: str, **more: Any) -> Json:
    """A declared client that has `SECRET`."""
    return {"name": "A client", "grants": list(grants), "secret_sha256": sha256(SECRET.encode()).hexdigest(), **more}


def identity(issuer: str, **more: Any) -> Json:
    """An authority whose people sign in at an issuer; `lead` and `helper` act for themselves, `desk` for people."""
    sign_in = {"client_id": RELYING_PARTY["client_id"], "client_secret": "${env:IDP_SECRET}", "scopes": ["profile", "email", "groups"]}
    clients = {
        "lead-client": known("client_credentials"),
        "helper-client": known("client_credentials", "token-exchange"),
        "desk-client": {
            "name": "Desk",
            "grants": ["authorization_code", "refresh_token"],
            "redirect_uris": [CALLBACK],
        },
    }
    return {
        "issuers": {"corp": {"url": issuer, "plain_http": True, "private": True, "algorithms": ["RS256"], "sign_in": sign_in}},
        "authority": {"sign_in": "corp", "known": clients, **more},
        "enrol": [
            {"issuer": "self", "client": f"{name}-client", "agent": name, "team": "people", "owner": "platform"}
            for name in ("lead", "helper", "desk")
        ],
    }


@contextmanager
def gateway(directory: Path, issuer: str, upstream: str, **more: Any) -> Iterator[Running]:
    """A gateway process in front of one upstream, `up`."""
    document = {"upstreams": {"up": http_upstream(upstream)}, "identity": identity(issuer), **more}
    with doorward(directory, document, PERMIT_ALL, {"IDP_SECRET": str(RELYING_PARTY["client_secret"])}) as running:
        yield running


def posted(running: Running, path: str, fields: Mapping[str, str], **headers: str) -> tuple[int, Json]:
    """Status and body of a form that is sent to the authority."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request("POST", path, urlencode(fields), sent)
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw.startswith(b"{") else {}
    finally:
        connection.close()


def token(running: Running, **fields: str) -> tuple[int, Json]:
    """What the token endpoint answers."""
    return posted(running, "/oauth/token", fields)


def own_token(running: Running, client: str) -> str:
    """An access token of a client that acts for itself."""
    status, said = token(running, grant_type="client_credentials", client_id=client, client_secret=SECRET, resource=running.url())
    assert status == 200, said
    return str(said["access_token"])


def exchanged(running: Running, parent: str) -> tuple[int, Json]:
    """What `helper` gets for a token that was handed to it."""
    fields = {"subject_token": parent, "subject_token_type": ACCESS_TOKEN, "client_id": "helper-client", "client_secret": SECRET}
    return token(running, grant_type=EXCHANGE, **fields)


def connected(running: Running, company: Provider, name: str, browser: Browser | None = None) -> Json:
    """The tokens that `desk` has for a person, who has signed in and consented."""
    asked = {
        "response_type": "code",
        "client_id": "desk-client",
        "redirect_uri": CALLBACK,
        "resource": running.url(),
        "scope": "mcp",
        "state": "s",
        "code_challenge": urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    visit = Visit(name)
    visit.browser = browser or visit.browser
    back = visit.consents(f"http://127.0.0.1:{running.port}/oauth/authorize?{urlencode(asked)}")
    code = parse_qs(urlsplit(back).query)["code"][0]
    status, said = token(
        running, grant_type="authorization_code", client_id="desk-client", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER
    )
    assert status == 200, said
    return {**said, "code": code, "cookies": list(visit.browser.jar.values())}


def refreshed(running: Running, refresh: str) -> tuple[int, Json]:
    """What `desk` gets for a refresh token."""
    return token(running, grant_type="refresh_token", client_id="desk-client", refresh_token=refresh)
