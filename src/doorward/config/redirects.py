"""Redirect URIs of OAuth clients as they are declared: https, or http on loopback (OAuth 2.1 §2.3, RFC 8252 §7.3), in one spelling.

Nothing is normalised, resolved or decoded: a text that would have to be is not accepted in the first place.
"""

import re
from typing import Final

LONGEST: Final = 512
"""Characters of a redirect URI."""

_REST: Final = r"(?P<rest>/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)?(?P<query>\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?"
_NAME: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HTTPS: Final = re.compile(rf"https://(?P<host>{_NAME}(?:\.{_NAME})*|\[[0-9a-f:]+\])(?::[1-9][0-9]{{0,4}})?{_REST}")
_LOOPBACK: Final = re.compile(rf"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>[1-9][0-9]{{0,4}}))?{_REST}")


def fault(uri: str) -> str:
    """Why a text cannot be a redirect URI of any client; empty where it can."""
    if len(uri) > LONGEST:
        return f"a redirect URI of at most {LONGEST} characters was expected"
    if _HTTPS.fullmatch(uri) is None and _LOOPBACK.fullmatch(uri) is None:
        return "a redirect URI was expected to be https, or http on loopback, without user name, fragment or upper-case host"
    return ""


def is_loopback(uri: str) -> bool:
    """Whether the code goes to a program on the person's own machine."""
    return _LOOPBACK.fullmatch(uri) is not None


def portless(uri: str) -> tuple[str, str, str] | None:
    """A redirect URI on loopback but for its port, which is another one each time; None for any other."""
    match = _LOOPBACK.fullmatch(uri)
    return None if match is None else (match["host"], match["rest"] or "", match["query"] or "")
