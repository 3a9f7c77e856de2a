"""What is left of limits, as callers are told: in `_meta` of results, and in `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-11)."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
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
_SEVERAL: Final = (list, tuple)
"""What entries come as: to ask for a protocol, or a union, takes as long as all the rest of an entry."""
_KNOWN: Final = 4_096
"""States of limits whose text is remembered."""


def fields(entries: object) -> list[tuple[bytes, bytes]]:
    """The two header fields for the entries of a result or refusal; none where there is nothing to tell."""
    if not entries or not isinstance(entries, _SEVERAL):
        return []
    policies: list[str] = []
    limits: list[str] = []
    for entry in entries:
        get = entry.get
        unit = get("unit")
        if unit is None or unit in _UNITS:
            policy, left = _items(entry["name"], entry["quota"], unit, get("windowSeconds"), entry["left"], get("resetSeconds"))
            policies.append(policy)
            limits.append(left)
    return [(b"ratelimit-policy", ",".join(policies).encode("ascii")), (b"ratelimit", ",".join(limits).encode("ascii"))] if policies else []


def of_result(result: Mapping[str, object]) -> list[tuple[bytes, bytes]]:
    """The header fields for what a result tells in its `_meta`."""
    meta = result.get("_meta")
    told = meta.get(LIMITS_KEY) if isinstance(meta, dict) else None
    return fields(told) if told else []


def in_meta(entries: Iterable[Entry]) -> dict[str, object]:
    """What a result's `_meta` says of limits; nothing where none concerns its call."""
    told = [*entries]
    return {LIMITS_KEY: told} if told else {}


@lru_cache(maxsize=_KNOWN)
def _items(name: str, quota: int, unit: str | None, window: int | None, left: int, reset: int | None) -> tuple[str, str]:
    """What either field says of one limit. A limit has not many states, and is told with every call."""
    counted = "" if unit is None else f';qu="{unit}"'
    span = "" if window is None else f";w={window}"
    then = "" if reset is None else f";t={reset}"
    return f'"{name}";q={quota}{counted}{span}', f'"{name}";r={left}{then}'
