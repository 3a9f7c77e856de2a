"""How a client proves itself to an authorization server: by a secret (RFC 6749 §2.3), a signature (RFC 7523) or a certificate (RFC 8705)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.plans import Certified, Keyed, Secretly, Server, Shown, Unproven
from doorward.credentials.oauth.signing import momentary, signed_with, thumbprint
from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret
from doorward.net.oauth.asking import BASIC, CLIENT_ASSERTION, POST, basic, shown_by

Field = str | Secret


@dataclass(frozen=True, slots=True)
class Proof:
    """What goes along with a request."""

    fields: Mapping[str, Field]
    headers: tuple[tuple[str, str], ...] = ()
    secrets: tuple[Secret, ...] = ()
    """What it was made of, and must be seen nowhere else."""

    def __repr__(self) -> str:
        return "Proof(…)"


def proven(server: Server, methods: frozenset[str] | None, means: Means) -> Proof:
    """The proof for one request; `methods`: what the server says it takes. Raises a `DoorwardError`."""
    match server.proving:
        case Secretly(secret=text, shown=shown):
            secret = means.resolve(text)
            if _place(shown, methods) == BASIC:
                return Proof({}, (("Authorization", basic(server.client, secret)),), (secret,))
            return Proof({"client_id": server.client, "client_secret": secret}, (), (secret,))
        case Keyed() as keyed:
            return _signed(server, keyed, means)
        case Certified() | Unproven():
            return Proof({"client_id": server.client})
        case _:
            assert_never(server.proving)


def _place(shown: Shown, methods: frozenset[str] | None) -> str:
    """Where the secret stands; every server must know the header (RFC 6749 §2.3.1), unless it says otherwise."""
    match shown:
        case Shown.BASIC:
            return BASIC
        case Shown.POST:
            return POST
        case Shown.AUTO:
            way = BASIC if methods is None else shown_by(methods)
            if way is None:
                raise CredentialError("the server takes a client's secret neither by client_secret_basic nor by client_secret_post")
            return way
        case _:
            assert_never(shown)


def _signed(server: Server, keyed: Keyed, means: Means) -> Proof:
    header: dict[str, object] = {"typ": "JWT"}
    if keyed.certificate is not None:
        header["x5t#S256"] = thumbprint(means.root / keyed.certificate)
    claims = {"iss": server.client, **momentary(server.client, keyed.audience or server.issuer or server.token_url or "", means)}
    token, key = signed_with(keyed.key, header, claims, means)
    return Proof({"client_id": server.client, "client_assertion_type": CLIENT_ASSERTION, "client_assertion": token}, (), (key,))
