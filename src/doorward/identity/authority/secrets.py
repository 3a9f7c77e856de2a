"""Client secrets (RFC 6749 §2.3.1), for declared clients that cannot sign: kept as SHA-256, compared in constant time.

A secret is 256 random bits or it is none, so no slow hash is needed; the configuration holds its hash, and nobody holds the secret but its client.
"""

import hmac
from base64 import b64decode
from binascii import Error
from hashlib import sha256
from typing import Final
from urllib.parse import unquote_plus

from doorward.identity.authority.port import OAuthError, TokenRequest

_SCHEME: Final = "basic "
_LONGEST: Final = 4_096
_NOBODY: Final = "0" * 64


def shown(request: TokenRequest) -> tuple[str, str] | None:
    """The client id and secret of a request, from its header or its form; None where it shows none. Raises `OAuthError` `invalid_client`."""
    fields, header = request.fields, request.authorization
    if header is None:
        return (fields.get("client_id", ""), fields["client_secret"]) if "client_secret" in fields else None
    if "client_secret" in fields:
        raise _invalid("one client secret was expected, not two")
    client_id, secret = _basic(header)
    if fields.get("client_id", client_id) != client_id:
        raise _invalid("client_id is another one than that of the Authorization header")
    return client_id, secret


def matches(secret: str, digest: str) -> bool:
    """Whether a secret is the one of a digest; a digest that is not there takes as long, and matches nothing."""
    made = sha256(secret.encode("utf-8", "replace")).hexdigest()
    return hmac.compare_digest(made, digest or _NOBODY) and bool(digest)


def _basic(header: str) -> tuple[str, str]:
    if len(header) > _LONGEST or header[: len(_SCHEME)].lower() != _SCHEME:
        raise _invalid("Basic was expected as the scheme of the Authorization header")
    try:
        text = b64decode(header[len(_SCHEME) :].strip(" "), validate=True).decode("ascii")
    except (Error, ValueError) as error:
        raise _invalid("the Authorization header cannot be read") from error
    client_id, colon, secret = text.partition(":")
    if not colon or not client_id or not secret:
        raise _invalid("a client id and a secret were expected in the Authorization header")
    return unquote_plus(client_id), unquote_plus(secret)


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_client", description, 401)
