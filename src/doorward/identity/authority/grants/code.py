"""Authorization codes for tokens (OAuth 2.1 §4.1.3, PKCE of RFC 7636): each code once, by whom and for what it was asked.

Whatever does not fit is told apart from a used code: only a request that fits in every respect uses one up, so that somebody who has
seen a code, and not its verifier, can neither use nor spoil it.
"""

import hmac
import re
from typing import Final

from doorward.identity.authority.families import Code, Family, Use
from doorward.identity.authority.grants.kit import Asking, Kit, agent, end_reused, opened, required, resource
from doorward.identity.authority.mint import digest
from doorward.identity.authority.port import Grant, OAuthError
from doorward.wire.pkce import challenge as made_of

CODE_SECONDS: Final = 60.0

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


async def tokens(kit: Kit, asking: Asking) -> dict[str, object]:
    """The answer to `grant_type=authorization_code`; raises `OAuthError`."""
    fields = asking.fields
    secret, redirect, verifier = (required(fields, name) for name in ("code", "redirect_uri", "code_verifier"))
    code = await kit.store.code(digest(secret))
    if code is None:
        raise _invalid()
    if code.client != asking.client.id or code.redirect_uri != redirect or not is_verified(verifier, code.challenge):
        raise _invalid()
    if code.jkt and code.jkt != asking.held.jkt:
        raise OAuthError("invalid_dpop_proof", "a proof of the key that the code was asked for with was expected")
    resource(kit, fields, code.resource)
    await agent(kit, asking.client)
    family, refresh = _family(kit, asking, code)
    match await kit.store.redeem(code.sha256, family):
        case Use.FIRST:
            answer = await opened(kit, asking, Grant.CODE, family)
            return {**answer, "refresh_token": refresh} if refresh else answer
        case Use.AGAIN:
            await end_reused(kit, asking, code.family, "code")
    raise _invalid()


def is_challenge(text: str) -> bool:
    """Whether a text can be an S256 challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verified(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the one behind an S256 challenge (RFC 7636 §4.6)."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    return hmac.compare_digest(made_of(verifier), challenge)


def _family(kit: Kit, asking: Asking, code: Code) -> tuple[Family, str]:
    """The family that a code opens, and its first refresh token; empty where the client gets none."""
    now = kit.now()
    refresh = kit.mint.refresh(code.family) if Grant.REFRESH in asking.client.grants else ""
    lasts = kit.terms.refresh_seconds if refresh else kit.terms.token_seconds
    family = Family(
        id=code.family,
        client=code.client,
        subject=code.subject,
        groups=code.groups,
        scopes=code.scopes,
        resource=code.resource,
        created_at=now,
        expires_at=now + lasts,
        holder=asking.held.holder,
        refresh=digest(refresh) if refresh else "",
    )
    return family, refresh


def _invalid() -> OAuthError:
    return OAuthError("invalid_grant", "the code is unknown, expired, used, or was asked for by another client, redirect or verifier")
