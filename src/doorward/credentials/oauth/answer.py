"""What a token endpoint answers (RFC 6749 §5, RFC 8693 §2.2), read so that nothing but a bearer token for a while comes of it. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret

UNSAID_SECONDS: Final = 300.0
"""How long a token is used whose end nobody says: every server gives at least that, and a revoked one is gone soon."""
LONGEST_SECONDS: Final = 86_400.0
"""How long a token is used at most, whatever its server says."""
ID_JAG: Final = "urn:ietf:params:oauth:token-type:id-jag"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")
"""What a header can carry: neither white space nor control characters (RFC 6749 appendix A.12, a little stricter)."""
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
_MOST_SCOPE: Final = 2048
_SECONDS: Final = re.compile(r"[0-9]{1,18}")


class Granted(msgspec.Struct, frozen=True):
    """A token as it was given just now."""

    token: Secret
    seconds: float
    """How long it may be used, from when it was asked for."""
    scope: str | None
    """What it was limited to, where that is said; else what was asked for."""


def granted(said: Mapping[str, object]) -> Granted:
    """The bearer token of an answer; raises `CredentialError`, which repeats nothing of it."""
    if str(said.get("token_type")).lower() != "bearer":
        raise CredentialError("the token endpoint gave no token of type Bearer")
    if said.get("issued_token_type", ACCESS_TOKEN) not in (ACCESS_TOKEN, JWT):
        raise CredentialError("the token endpoint gave something else than an access token")
    return Granted(_token(said), _seconds(said), _scope(said))


def assertion(said: Mapping[str, object]) -> Secret:
    """The identity assertion of an answer (ID-JAG: `token_type` is `N_A`, for it opens nothing by itself); raises `CredentialError`."""
    if said.get("issued_token_type") != ID_JAG:
        raise CredentialError("the token endpoint gave no identity assertion (id-jag)")
    return _token(said)


def _token(said: Mapping[str, object]) -> Secret:
    token = said.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise CredentialError("the token endpoint gave no access_token that a header can carry")
    return Secret(token)


def _seconds(said: Mapping[str, object]) -> float:
    """`expires_in`: a number, or as some write it a text of digits."""
    value = said.get("expires_in")
    match value:
        case None:
            return UNSAID_SECONDS
        case bool():
            seconds = -1.0
        case int() | Decimal():
            # A number of any length: what is far too long is as good as the longest.
            seconds = float(min(value, int(LONGEST_SECONDS)))
        case str() if _SECONDS.fullmatch(value):
            seconds = min(float(value), LONGEST_SECONDS)
        case _:
            seconds = -1.0
    if seconds < 1:
        raise CredentialError("the token endpoint gave a token whose expires_in is no time to come")
    return seconds


def _scope(said: Mapping[str, object]) -> str | None:
    scope = said.get("scope")
    if scope is None or scope == "":
        return None
    if not isinstance(scope, str) or len(scope) > _MOST_SCOPE or not _SCOPE.fullmatch(scope):
        raise CredentialError("the token endpoint named a scope that is none")
    return scope
