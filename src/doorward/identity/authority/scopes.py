"""Scopes as requests name them: what is asked for, against the most that may be given. Nothing here ever widens."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from doorward.identity.authority.port import OAuthError
from doorward.identity.tokens.scopes import narrowed

SUPPORTED: Final = ("mcp", "mcp:read")
"""What our metadata names; there is one more of each kind for every upstream."""

_IGNORED: Final = frozenset({"offline_access"})
"""Says that a refresh token is wanted: whether there is one is the client's grants' word."""
_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,128}")
_LONGEST: Final = 1_024
"""Characters of all scopes of a request: they are repeated in each token."""


def asked(fields: Mapping[str, str]) -> frozenset[str] | None:
    """The scopes of a request (RFC 6749 §3.3); None where it names none. Raises `OAuthError` `invalid_scope`."""
    text = fields.get("scope", "")
    names = text.split(" ") if text else []
    if len(text) > _LONGEST or not all(_TOKEN.fullmatch(name) for name in names):
        raise _invalid(f"scopes of at most {_LONGEST} characters in all were expected, separated by single spaces")
    return frozenset(names) - _IGNORED or None


def given(wanted: frozenset[str] | None, *most: Iterable[str]) -> tuple[str, ...]:
    """What is given, sorted: exactly what is wanted, if each of the bounds includes it; the whole of the bounds where nothing is named.

    Raises `OAuthError` `invalid_scope`.
    """
    bounds = [frozenset(bound) for bound in most]
    if wanted is None:
        wanted = bounds[0]
        for bound in bounds[1:]:
            wanted = narrowed(wanted, bound)
    if sum(len(scope) + 1 for scope in wanted) > _LONGEST:
        raise _invalid("name the scopes that are needed: all that could be given are too many for a token")
    beyond = sorted({scope for scope in wanted for bound in bounds if scope not in narrowed(frozenset({scope}), bound)})
    if beyond or not wanted:
        raise _invalid(f"more was asked for than can be given: {' '.join(beyond)}" if beyond else "there is no scope that can be given")
    return tuple(sorted(wanted))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_scope", description)
