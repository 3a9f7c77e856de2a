"""Links by which an operator connects the account with which the gateway itself asks what an upstream offers.

Nobody signs in there: whoever has such a link may use it, once and for ten minutes. Only an admin is given one.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import msgspec

from doorward.domain.ids import UpstreamId

LINK_SECONDS = 600.0
_MOST = 256
"""The oldest go; they are made by hand."""


class _Made(msgspec.Struct, frozen=True):
    upstream: UpstreamId
    until: float


class OwnLinks:
    """Every link that was made and not used. Only hashes of them are kept."""

    __slots__ = ("_draw", "_made", "_now")

    def __init__(self, draw: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._draw, self._now = draw, now
        self._made: dict[str, _Made] = {}

    def make(self, upstream: UpstreamId) -> str:
        """The token of a new link."""
        token = urlsafe_b64encode(self._draw(24)).decode()
        self._made[_hashed(token)] = _Made(upstream, self._now() + LINK_SECONDS)
        for surplus in list(self._made)[:-_MOST]:
            del self._made[surplus]
        return token

    def find(self, token: str) -> UpstreamId | None:
        """What a link is for, which stays good: looking at a page uses nothing up."""
        made = self._made.get(_hashed(token))
        return None if made is None or self._now() >= made.until else made.upstream

    def take(self, token: str) -> UpstreamId | None:
        """What a link is for. It is used up."""
        found = self.find(token)
        self._made.pop(_hashed(token), None)
        return found


def _hashed(token: str) -> str:
    """What a token is found by: looking it up takes no time that tells of its bytes."""
    return sha256(token.encode()).hexdigest()
