"""A real OpenID Provider that gives programs tokens (`peers/oidc/exchanging.mjs`), as a process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from joserfc import jwt
from joserfc.jwk import ECKey

from doorward.domain.secret import Secret
from doorward.net.oauth.asking import basic
from tests.certificates import authority, server
from tests.peers import ROOT, node

SECRET = "a client secret of tests, canary-7Qz"
KEY = ECKey.generate_key("P-256", {"kid": "client-key", "alg": "ES256", "use": "sig"})
"""What the client `signer` signs with."""
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PERSON = "urn:test:person"

GRANTS = ["client_credentials", EXCHANGE, BEARER]
CLIENTS: Sequence[Mapping[str, Any]] = (
    {"client_id": "doorward", "client_secret": SECRET, "grant_types": GRANTS},
    {"client_id": "poster", "client_secret": SECRET, "token_endpoint_auth_method": "client_secret_post"},
    {"client_id": "signer", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY.as_dict(private=False)]}},
    {"client_id": "desk", "token_endpoint_auth_method": "none", "grant_types": [PERSON, BEARER]},
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that runs."""

    issuer: str
    key: ECKey
    process: subprocess.Popen[str]
    ca_file: Path | None = None

    def token_of(self, person: str, resource: str) -> str:
        """A person's own access token for a resource, given to the client `desk`."""
        fields = {"grant_type": PERSON, "client_id": "desk", "person": person, "resource": resource}
        with urlopen(Request(f"{self.issuer}/token", urlencode(fields).encode()), timeout=20) as answer:
            return str(json.load(answer)["access_token"])

    def assertion_of(self, person: str, audience: str, resource: str) -> str:
        """The identity assertion (ID-JAG) of a person for the server `audience`, as the client `doorward` gets it in exchange."""
        fields = {
            "grant_type": EXCHANGE,
            "subject_token": self.token_of(person, resource),
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "requested_token_type": "urn:ietf:params:oauth:token-type:id-jag",
            "audience": audience,
            "resource": resource,
            "scope": "mcp",
        }
        headers = {"Authorization": basic("doorward", Secret(SECRET))}
        with urlopen(Request(f"{self.issuer}/token", urlencode(fields).encode(), headers), timeout=20) as answer:
            return str(json.load(answer)["access_token"])

    def seen(self) -> list[dict[str, str]]:
        """What its token endpoint was asked in exchange or for an assertion."""
        with urlopen(f"{self.issuer}/seen", timeout=20) as answer:
            return list(json.load(answer))

    def verified(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of an access token of this provider for an audience, as a resource server reads it."""
        read = jwt.decode(token, self.key, algorithms=["ES256"])
        jwt.JWTClaimsRegistry(iss={"essential": True, "value": self.issuer}, aud={"essential": True, "value": audience}).validate(
            read.claims
        )
        assert read.header["typ"] == "at+jwt"
        return dict(read.claims)


@contextmanager
def exchanging(directory: Path | None = None, clients: Sequence[Mapping[str, Any]] = CLIENTS, **wanted: Any) -> Iterator[Provider]:
    """A provider with these clients; over https, and asking for certificates, where there is a directory to put its own into."""
    key = ECKey.generate_key("P-256", {"kid": "provider-key", "alg": "ES256", "use": "sig"})
    settings = {"clients": clients, "key": key.as_dict(private=True), **wanted}
    ca_file = None
    if directory is not None:
        root = authority()
        chain, secret = server(root).written(directory, "provider")
        ca_file = directory / "provider-ca.pem"
        ca_file.write_text(root.pem)
        settings["tls"] = {"cert": str(chain), "key": str(secret)}
    command = [node(), str(ROOT / "peers/oidc/exchanging.mjs"), json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield Provider(json.loads(process.stdout.readline())["issuer"], key, process, ca_file)
        finally:
            process.kill()
