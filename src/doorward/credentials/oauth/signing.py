"""JWTs that Doorward signs as somebody's client (RFC 7523): for one audience, for a moment, each once."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.plans import Key
from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret
from doorward.net.oauth.jose import private_key, signed, usual_algorithm

LIFE_SECONDS: Final = 60
"""From its making to its end: long enough for the way to a server, with clocks that differ a little."""

_ID_BYTES: Final = 16
_MOST_BYTES: Final = 65_536


def momentary(subject: str, audience: str, means: Means) -> dict[str, object]:
    """The claims of every such JWT, but for `iss`."""
    now = int(means.now())
    return {"sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + LIFE_SECONDS, "jti": means.draw(_ID_BYTES).hex()}


def signed_with(key: Key, header: Mapping[str, object], claims: Mapping[str, object], means: Means) -> tuple[Secret, Secret]:
    """A JWT signed with a key that a reference leads to, and that key's text; raises a `DoorwardError`."""
    text = means.resolve(key.key)
    private = private_key(text)
    algorithm, kid = key.algorithm or usual_algorithm(private), key.id or private.get("kid")
    assert algorithm is not None
    named = {**header, "kid": kid} if isinstance(kid, str) else dict(header)
    return signed(named, claims, private, algorithm), text


def thumbprint(certificate: Path) -> str:
    """How servers call a certificate (`x5t#S256`, RFC 7515 §4.1.8); raises `CredentialError`."""
    try:
        with certificate.open("rb") as file:
            found = load_pem_x509_certificate(file.read(_MOST_BYTES))
    except (OSError, ValueError) as error:
        raise CredentialError(f"a certificate (PEM) was expected in {certificate}") from error
    return urlsafe_b64encode(found.fingerprint(SHA256())).rstrip(b"=").decode()
