"""An OpenID Provider in process: speaks the protocol truly, and lies where a test says so."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key

from doorward.domain.reasons import Ran
from doorward.net.errors import NetError, Trouble
from doorward.net.fetch import Fetched
from tests.made import Clock

URL = "https://idp.example.com/tenant"
CLIENT, SECRET = "door ward", "s3cret: with + and ü"


def answered(value: object, status: int = 200) -> Fetched:
    return Fetched(status, {"content-type": "application/json"}, json.dumps(value).encode())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(slots=True)
class FakeProvider:
    """One provider with one client; `claims` and `header` of the next ID tokens are changed by `forge`."""

    clock: Clock
    url: str = URL
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"}))
    published: list[Mapping[str, Any]] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    """Changes of the metadata; None takes a field away."""
    secret: str | None = SECRET
    in_token: frozenset[str] = frozenset({"groups", "name"})
    """Claims that stand in the ID token; the others are told at the UserInfo endpoint."""
    forge: Callable[[dict[str, Any], dict[str, Any]], None] = lambda header, claims: None
    userinfo: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)
    _tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return {name: value for name, value in said.items() if value is not None}

    def authorize(self, url: str, **claims: Any) -> dict[str, str]:
        """What the browser is sent back with once this person has signed in."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["client_id"] == CLIENT
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes) + 1}"
        self._codes[code] = (asked, claims)
        back = {"code": code, "state": asked["state"]}
        return {**back, "iss": self.url} if self.described().get("authorization_response_iss_parameter_supported") else back

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self._ask(url)
        if url == f"{self.url}/.well-known/openid-configuration":
            return answered(self.described())
        if url == f"{self.url}/keys":
            return answered({"keys": [self.key.as_dict(private=False)] if self.published is None else self.published})
        if url == f"{self.url}/userinfo":
            claims = self._tokens.get(dict(headers)["Authorization"].removeprefix("Bearer "))
            return answered({}, 401) if claims is None else answered(self.userinfo(dict(claims)))
        return answered({}, 404)

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self._ask(url)
        assert url == f"{self.url}/token"
        fields = dict(parse_qsl(body.decode(), strict_parsing=True))
        if not self._is_client(fields, dict(headers)):
            return answered({"error": "invalid_client"}, 401)
        asked, claims = self._codes.pop(fields["code"], ({}, {}))
        digest = b64(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
        if not asked or asked["code_challenge"] != digest or asked["redirect_uri"] != fields["redirect_uri"]:
            return answered({"error": "invalid_grant"}, 400)
        access_token = f"at-{len(self._tokens) + 1}"
        self._tokens[access_token] = claims
        return answered({"access_token": access_token, "token_type": "Bearer", "id_token": self.id_token(asked, claims, access_token)})

    def id_token(self, asked: Mapping[str, str], claims: Mapping[str, Any], access_token: str) -> str:
        now = int(self.clock())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        said: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "at_hash": b64(half),
            **{name: value for name, value in claims.items() if name in self.in_token or name in ("sub", "oid")},
        }
        header: dict[str, Any] = {"alg": "ES256", "kid": "k1", "typ": "JWT"}
        self.forge(header, said)
        return jwt.encode(header, said, self.key, algorithms=[header["alg"]])

    def _ask(self, url: str) -> None:
        self.asked.append(url.removeprefix(self.url))
        if self.is_down:
            raise NetError(Trouble.UNREACHABLE, "nobody answers", Ran.NO)

    def _is_client(self, fields: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        methods = self.described().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "Authorization" in headers:
            given = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
            client, _, secret = (unquote_plus(part) for part in given.partition(":"))
            return "client_secret_basic" in methods and (client, secret) == (CLIENT, self.secret)
        if "client_secret" in fields:
            return "client_secret_post" in methods and (fields["client_id"], fields["client_secret"]) == (CLIENT, self.secret)
        return self.secret is None and fields["client_id"] == CLIENT
