"""What is left of limits, as callers are told: in `_meta` of results, and in `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-11)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

Entry = Mapping[str, int | str]
"""What is left of one limit: `name`, `quota` and `left`; `unit` where it is not `requests`; `windowSeconds` in which the quota is
there anew, and `resetSeconds` until there is more, where there is such a time."""

LIMITS_KEY: Final = "dev.doorward/limits"
"""The `_meta` key under which a result tells what is left of each limit that concerns its call."""

REQUESTS: Final = "requests"
CONCURRENT: Final = "concurrent-requests"
_UNITS: Final = frozenset({REQUESTS, CONCURRENT, "content-bytes"})
"""What quotas of the header fields may be counted in (its registry of quota units); others are told in `_meta` alone."""


def fields(entries: object) -> list[tuple[bytes, bytes]]:
    """The two header fields for the entries of a result or refusal; none where there is nothing to tell."""
    if not entries or not isinstance(entries, Sequence):
        return []
    policies: list[str] = []
    limits: list[str] = []
    for entry in entries:
        get = entry.get
        reset, unit, window = get("resetSeconds"), get("unit"), get("windowSeconds")
        if unit is not None and unit not in _UNITS:
            continue
        start = f'"{entry["name"]}";'
        counted = "" if unit is None else f';qu="{unit}"'
        policies.append(f"{start}q={entry['quota']}{counted}" if window is None else f"{start}q={entry['quota']}{counted};w={window}")
        limits.append(f"{start}r={entry['left']}" if reset is None else f"{start}r={entry['left']};t={reset}")
    return [(b"ratelimit-policy", ",".join(policies).encode("ascii")), (b"ratelimit", ",".join(limits).encode("ascii"))] if policies else []


def of_result(result: Mapping[str, object]) -> list[tuple[bytes, bytes]]:
    """The header fields for what a result tells in its `_meta`."""
    meta = result.get("_meta")
    return fields(meta.get(LIMITS_KEY)) if isinstance(meta, Mapping) else []


def in_meta(entries: Iterable[Entry]) -> dict[str, object]:
    """What a result's `_meta` says of limits; nothing where none concerns its call."""
    told = list(entries)
    return {LIMITS_KEY: told} if told else {}
