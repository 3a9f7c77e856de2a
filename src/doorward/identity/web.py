"""Asking an identity provider for its documents: what `net.fetch` gives, as a protocol, and its JSON read strictly."""

from collections.abc import Sequence
from typing import Protocol

from doorward.domain.reasons import Refused
from doorward.wire.jsonrpc import Limits, parse_value

LIMITS = Limits(body_bytes=262_144, depth=16, nodes=20_000, string_bytes=65_536)
"""Far above any provider's metadata, keys or claims."""

Headers = Sequence[tuple[str, str]]


class Answer(Protocol):
    """One whole answer."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """Everything after the headers."""
        ...


class Web(Protocol):
    """Asks one provider; egress rules, time-out and size are its own. Raises `NetError` or `UrlError`."""

    async def get(self, url: str, headers: Headers = ()) -> Answer:
        """One GET; redirects are not followed."""
        ...

    async def post(self, url: str, body: bytes, headers: Headers = ()) -> Answer:
        """One POST; redirects are not followed."""
        ...


def json_object(raw: bytes) -> dict[str, object]:
    """The one JSON object of a text; raises `ValueError` where it is none, or one that could be read in two ways."""
    try:
        value = parse_value(raw, LIMITS)
    except Refused as refused:
        raise ValueError(refused.detail) from refused
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value
