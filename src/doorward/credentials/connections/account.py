"""Whose account a new connection opens, in the service's own words: only to be shown to its holder, nothing is decided on it."""

from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Final

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from doorward.net.fetch import Web, json_object
from doorward.wire.jsonrpc import Limits, parse_object

_NAMES: Final = ("email", "preferred_username", "login", "username", "name", "sub", "id")
"""The first of these that is there, whichever service it is."""
_LONGEST: Final = 120
_CLAIMS: Final = Limits(body_bytes=65_536, depth=16, nodes=4_096, string_bytes=16_384)


class AccountError(DoorwardError):
    """An ID token that is not of this sign-in; for operators."""


def claims_of(id_token: Secret, issuer: str | None, client_id: str, nonce: str) -> Mapping[str, object]:
    """What an ID token says, which the token endpoint itself has just given us over TLS; raises `AccountError`.

    That it came that way stands in for its signature (OpenID Connect Core 3.1.3.7, 6); issuer, audience and nonce are checked as ever.
    """
    parts = id_token.reveal().split(".")
    if len(parts) != 3 or len(parts[1]) > _CLAIMS.body_bytes:
        raise AccountError("an ID token (JWT) was expected")
    try:
        claims = parse_object(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), _CLAIMS)
    except (Error, ValueError, Refused) as error:
        raise AccountError("an ID token with claims was expected") from error
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if (issuer is not None and claims.get("iss") != issuer) or client_id not in audiences or claims.get("nonce") != nonce:
        raise AccountError("the ID token is of another issuer, client or sign-in")
    return claims


async def asked(url: str, access: Secret, web: Web) -> Mapping[str, object]:
    """What the service says of the account of a token; nothing where it does not: a name is no reason to fail."""
    try:
        answer = await web.get(url, (("Authorization", f"Bearer {access.reveal()}"), ("Accept", "application/json")))
        return json_object(answer) if answer.status == 200 else {}
    except DoorwardError:
        return {}


def label(said: Mapping[str, object]) -> str:
    """How the account is called; empty where nothing says it."""
    found = next(
        (str(said[name]) for name in _NAMES if isinstance(said.get(name), str | int) and said.get(name) not in ("", True, False)), ""
    )
    return "".join(letter for letter in found if letter.isprintable())[:_LONGEST].strip()
