"""JSON that others sent, read strictly: what could be read in two ways is refused."""

from doorward.domain.reasons import Refused
from doorward.wire.jsonrpc import Limits, parse_value

LIMITS = Limits(body_bytes=262_144, depth=16, nodes=20_000, string_bytes=65_536)
"""Far above any document of a client or provider."""


def json_object(raw: bytes) -> dict[str, object]:
    """The one JSON object of a text; raises `ValueError` where it is none, or one that could be read in two ways."""
    try:
        value = parse_value(raw, LIMITS)
    except Refused as refused:
        raise ValueError(refused.detail) from refused
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value
