"""Token endpoints as we ask them (OAuth 2.1 §3.2, RFC 7009): for a code, for a refresh, and to give a token back."""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Final
from urllib.parse import urlencode

import msgspec

from doorward.credentials.connections.client import Client, Proving
from doorward.credentials.connections.provider import Provider
from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret
from doorward.net.errors import NetError
from doorward.net.fetch import Fetched, Web, json_object
from doorward.net.oauth.asking import FORM, error_code

_LONGEST: Final = 16_384
"""Characters of a token: HTTP servers refuse longer headers."""
_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 §2.1; nothing that could end a header."""
_REFRESH: Final = re.compile(r"[\x20-\x7e]+")
"""RFC 6749 appendix A.17."""
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_MOST_SCOPES: Final = 256
_LONGEST_LIFE_SECONDS: Final = 10 * 365 * 86_400.0


class Verdict(Enum):
    """What an answer without tokens means."""

    OUTAGE = "outage"
    """It may be given later: the server could not be reached, or is not well."""
    GRANT = "grant"
    """What was shown is no good, and never will be."""
    CLIENT = "client"
    """It does not know us."""
    REQUEST = "request"
    """It takes something else amiss."""


_VERDICTS: Final = {
    "invalid_grant": Verdict.GRANT,
    "invalid_client": Verdict.CLIENT,
    "unauthorized_client": Verdict.REQUEST,
    "temporarily_unavailable": Verdict.OUTAGE,
    "server_error": Verdict.OUTAGE,
    "slow_down": Verdict.OUTAGE,
}


class NoTokensError(CredentialError):
    """A token endpoint that gave none; the message is for operators."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict


class Given(msgspec.Struct, frozen=True):
    """What a token endpoint gave. Nothing of it is shown by its `repr`."""

    access: Secret
    refresh: Secret | None
    lifetime_seconds: float | None
    scopes: tuple[str, ...] | None
    """None: those that were asked for (RFC 6749 §5.1)."""
    id_token: Secret | None


class Endpoint(msgspec.Struct, frozen=True):
    """One authorization server, and us as its client."""

    provider: Provider
    client: Client
    web: Web
    proving: Proving

    async def redeemed(self, code: Secret, verifier: str, redirect_uri: str, resource: str) -> Given:
        """The tokens for a code; raises `NoTokensError`."""
        fields = {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return _given(await self._asked(_with_resource(fields, resource)))

    async def refreshed(self, refresh: Secret, resource: str) -> Given:
        """The tokens for a refresh token, which may be void from now on; raises `NoTokensError`."""
        return _given(await self._asked(_with_resource({"grant_type": "refresh_token", "refresh_token": refresh.reveal()}, resource)))

    async def given_back(self, token: Secret, kind: str) -> None:
        """Ends a token at the server, where it can do that; raises `NoTokensError`. Some end by themselves alone (RFC 7009 §2.2.1)."""
        if self.provider.revocation is None:
            return
        try:
            answer = await self._posted(self.provider.revocation, {"token": token.reveal(), "token_type_hint": kind})
            if answer.status in (200, 204) or error_code(json_object(answer)) == "unsupported_token_type":
                return
        except NetError as error:
            raise NoTokensError(Verdict.OUTAGE, f"the revocation endpoint: {error}") from error
        raise NoTokensError(Verdict.REQUEST, f"the revocation endpoint answered {answer.status}")

    async def _asked(self, fields: dict[str, str]) -> Mapping[str, object]:
        try:
            answer = await self._posted(self.provider.token, fields)
            if answer.status >= 500 or answer.status == 429:
                raise NoTokensError(Verdict.OUTAGE, f"the token endpoint answered {answer.status}")
            said = json_object(answer)
        except NetError as error:
            raise NoTokensError(Verdict.OUTAGE, f"the token endpoint: {error}") from error
        # Some answer with 200 and an error in it (GitHub does).
        if answer.status != 200 or "error" in said:
            code = error_code(said)
            raise NoTokensError(_VERDICTS.get(code, Verdict.REQUEST), f"the token endpoint answered {answer.status}, {code}")
        return said

    async def _posted(self, url: str, fields: dict[str, str]) -> Fetched:
        headers, proof = self.proving.proof(self.client, self.provider)
        return await self.web.post(url, urlencode({**fields, **proof}).encode(), (*FORM, *headers))


def _with_resource(fields: dict[str, str], resource: str) -> dict[str, str]:
    return {**fields, "resource": resource} if resource else fields


def _given(said: Mapping[str, object]) -> Given:
    kind = said.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise _odd("bearer tokens were expected")
    access = _text(said, "access_token", _BEARER)
    if access is None:
        raise _odd("an access token was expected")
    return Given(
        access=access,
        refresh=_text(said, "refresh_token", _REFRESH),
        lifetime_seconds=_lifetime(said.get("expires_in")),
        scopes=_scopes(said.get("scope")),
        id_token=_text(said, "id_token", _BEARER),
    )


def _text(said: Mapping[str, object], name: str, form: re.Pattern[str]) -> Secret | None:
    value = said.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or not form.fullmatch(value):
        raise _odd(f"its {name} has another form")
    return Secret(value)


def _lifetime(value: object) -> float | None:
    """Seconds; None where nothing usable is said. Some write them as a text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = float(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return min(float(value), _LONGEST_LIFE_SECONDS) if value > 0 else 0.0


def _scopes(value: object) -> tuple[str, ...] | None:
    """Separated by spaces, and by commas where there is no space (GitHub does so)."""
    if not isinstance(value, str) or not value.strip():
        return None
    names = value.split() if " " in value else value.split(",")
    return tuple(dict.fromkeys(name for name in names if _SCOPE.fullmatch(name)))[:_MOST_SCOPES]


def _odd(expected: str) -> NoTokensError:
    return NoTokensError(Verdict.REQUEST, f"the answer of the token endpoint cannot be used: {expected}")
