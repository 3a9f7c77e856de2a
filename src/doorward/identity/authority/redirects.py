"""Where a code may be sent: a redirect URI that a client has, compared as text; on loopback the port is free (RFC 8252 §7.3)."""

from collections.abc import Iterable
from typing import Final

from doorward.config.redirects import fault, portless

MOST: Final = 32
"""Redirect URIs of one client."""


def is_registered(asked: str, registered: Iterable[str]) -> bool:
    """Whether a redirect URI is one of the client's: the same text, but for the port on loopback."""
    if fault(asked):
        return False
    local = portless(asked)
    return any(asked == one or (local is not None and local == portless(one)) for one in registered)
