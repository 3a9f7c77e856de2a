"""What a server asks for when it refuses a request: `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).

Read strictly: what could be read in two ways is no challenge.
"""

import re
from typing import Final

import msgspec

_LONGEST: Final = 8192
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME: Final = re.compile(rf"[ \t,]*({_TOKEN})(?: +([A-Za-z0-9._~+/-]+=*)(?=[ \t]*(?:,|$)))?")
_PARAMETER: Final = re.compile(rf'[ \t,]*({_TOKEN})[ \t]*=[ \t]*(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")[ \t]*(?=,|$)')
_ESCAPED: Final = re.compile(r"\\(.)")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_MOST_SCOPES: Final = 64


class Challenge(msgspec.Struct, frozen=True):
    """What a bearer challenge says; empty texts for what it leaves out."""

    error: str
    scopes: tuple[str, ...]
    metadata: str
    """`resource_metadata`: whatever the server wrote there."""


def bearer_challenge(header: str) -> Challenge | None:
    """The one bearer challenge of a field (several lines joined by comma); None where there is none, or it cannot be read in one way."""
    found = [parameters for scheme, parameters in _challenges(header) if scheme == "bearer"]
    if len(found) != 1 or found[0] is None:
        return None
    said = found[0]
    scopes = tuple(dict.fromkeys(said.get("scope", "").split(" "))) if said.get("scope") else ()
    if len(scopes) > _MOST_SCOPES or not all(_SCOPE.fullmatch(scope) for scope in scopes):
        scopes = ()
    return Challenge(said.get("error", ""), scopes, said.get("resource_metadata", ""))


def _challenges(header: str) -> list[tuple[str, dict[str, str] | None]]:
    """Scheme (lower case) and parameters of each challenge; None for those of which one stands twice. Nothing at all for a broken field."""
    found: list[tuple[str, dict[str, str] | None]] = []
    at = 0
    text = header.rstrip(" \t,")
    while at < len(text) <= _LONGEST:
        parameter = _PARAMETER.match(text, at)
        match = parameter or _SCHEME.match(text, at)
        if match is None or (parameter is not None and not found):
            return []
        if parameter is None:
            found.append((match[1].lower(), {}))
        else:
            found[-1] = found[-1][0], _with(found[-1][1], parameter)
        at = match.end()
    return found


def _with(parameters: dict[str, str] | None, match: re.Match[str]) -> dict[str, str] | None:
    name = match[1].lower()
    if parameters is None or name in parameters:
        return None
    value = match[2] if match[2] is not None else _ESCAPED.sub(r"\1", match[3])
    return {**parameters, name: value}
