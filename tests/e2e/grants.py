"""Requests to a gateway's authorization server, field by field, as a client makes them that knows what it does, or should not."""

from __future__ import annotations

import http.client
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, Key

from tests.e2e.client import Client, Said
from tests.e2e.oauth import CALLBACK, CLIENT_KEY, Visit
from tests.gateway import Running

VERIFIER = "canary-verifier-" + "v" * 40
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"

Json = dict[str, Any]


def challenge(verifier: str = VERIFIER) -> str:
    """The S256 challenge of a verifier."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize(running: Running, client: str = "desk", **changed: str | None) -> str:
    """The URL that a client sends its person's browser to; None leaves a parameter out."""
    usual: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "resource": running.url(),
        "scope": "mcp",
        "state": "the state",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    asked = {name: value for name, value in (usual | changed).items() if value is not None}
    return f"http://127.0.0.1:{running.port}/oauth/authorize?{urlencode(asked)}"


def told(url: str) -> dict[str, str]:
    """What a redirect tells a client, each parameter of it once."""
    fields = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in fields.values()), fields
    return {name: values[0] for name, values in fields.items()}


def asked_for(running: Running, visit: Visit, client: str = "desk", **changed: str | None) -> dict[str, str]:
    """What a client is told once its person was asked."""
    return told(visit.consents(authorize(running, client, **changed)))


def posted(running: Running, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> tuple[int, Json]:
    """Status and body of a form that is sent to the authority."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        connection.request("POST", path, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw.startswith(b"{") else {}
    finally:
        connection.close()


def token(running: Running, **fields: str) -> tuple[int, Json]:
    """What the token endpoint answers."""
    return posted(running, "/oauth/token", fields)


def granted(said: tuple[int, Json]) -> Json:
    """The tokens of an answer that has some."""
    assert said[0] == 200, said
    return said[1]


def redeemed(running: Running, code: str, **changed: str) -> tuple[int, Json]:
    """What `desk` gets for a code."""
    usual = {"client_id": "desk", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token(running, grant_type="authorization_code", **(usual | changed))


def connected(running: Running, name: str = "alice", **asked: str) -> Json:
    """The tokens that `desk` has of a person who has signed in and consented."""
    back = asked_for(running, Visit(name), **asked)
    return granted(redeemed(running, back["code"], redirect_uri=asked.get("redirect_uri", CALLBACK)))


def refreshed(running: Running, refresh: str, **changed: str) -> tuple[int, Json]:
    """What `desk` gets for a refresh token."""
    return token(running, **({"grant_type": "refresh_token", "client_id": "desk", "refresh_token": refresh} | changed))


def signed(claims: Mapping[str, Any], typ: str, key: Key = CLIENT_KEY, **header: Any) -> str:
    """A JWT, signed with a key."""
    head = {"alg": "RS256" if key.key_type == "RSA" else "ES256", "typ": typ, **header}
    return jws.serialize_compact(head, json.dumps(claims), key, algorithms=[str(head["alg"])])


def proven(running: Running, client: str, key: Key = CLIENT_KEY, **changed: Any) -> dict[str, str]:
    """The fields by which a client with a key authenticates (private_key_jwt)."""
    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": f"http://127.0.0.1:{running.port}", "iat": now, "exp": now + 60, "jti": token_urlsafe()}
    return {"client_assertion_type": ASSERTION, "client_assertion": signed(claims | changed, "JWT", key, kid="client")}


def own_token(running: Running, client: str = "night", **changed: str) -> tuple[int, Json]:
    """What a client gets that acts for itself."""
    return token(running, **({"grant_type": "client_credentials", "resource": running.url()} | changed), **proven(running, client))


def exchanged(running: Running, parent: str, client: str = "helper", **changed: str) -> tuple[int, Json]:
    """What a sub-agent gets for a token that was handed to it."""
    usual = {"grant_type": EXCHANGE, "subject_token": parent, "subject_token_type": ACCESS_TOKEN}
    return token(running, **(usual | changed), **proven(running, client))


def proof(key: ECKey, url: str, bearing: str = "", **changed: Any) -> str:
    """A DPoP proof for one POST, with an access token unless there is none."""
    claims = {"jti": token_urlsafe(), "htm": "POST", "htu": url, "iat": int(time.time())}
    ath = {"ath": urlsafe_b64encode(sha256(bearing.encode()).digest()).rstrip(b"=").decode()} if bearing else {}
    return signed(claims | ath | changed, "dpop+jwt", key, jwk=key.as_dict(private=False))


def call(url: str, bearing: str, tool: str = "up__echo", mark: str = "", **headers: str) -> Said:
    """One call of a tool with an access token, on a connection of its own."""
    with Client(url, "" if "Authorization" in headers else bearing, extra=headers) as client:
        return client.call(tool, {"mark": mark} if mark else {})


def bound_call(url: str, bearing: str, shown: str | None, mark: str = "") -> Said:
    """One call with a token that is bound to a DPoP key, and this proof."""
    return call(url, bearing, mark=mark, Authorization=f"DPoP {bearing}", **({} if shown is None else {"DPoP": shown}))


def claims_of(bearing: str) -> Json:
    """What a JWT says, whoever signed it."""
    payload = jws.extract_compact(bearing.encode()).payload
    return dict(json.loads(payload))
