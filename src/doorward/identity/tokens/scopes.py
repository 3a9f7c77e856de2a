"""What a token is limited to (RFC 6749 §3.3), in our words: everything, what reads, one upstream, what reads on one upstream. Pure.

`mcp` ⊃ `mcp:read`, `mcp:<upstream>` ⊃ `mcp:<upstream>:read`. `mcp:read` is always the right to read everywhere: an upstream that is itself
called `read` has no scope of its own but `mcp:read:read`. Any other text gives no right here and is kept as it is.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from doorward.domain.calls import Call
from doorward.domain.catalog import Target
from doorward.domain.ids import UpstreamId

ALL: Final = "mcp"
READ: Final = "mcp:read"
_EVERY_UPSTREAM: Final = "*"
"""The upstream that a list over all of them is aimed at."""
_OURS: Final = re.compile(r"mcp(?::(?P<upstream>[a-z](?:-?[a-z0-9]){0,30}))?(?P<read>:read)?")


def covers(scopes: frozenset[str], call: Call) -> bool:
    """Whether any of the scopes allows the call, as far as scopes go: policy has its own say."""
    return ALL in scopes or not scopes.isdisjoint(_sufficient(call.target))


def needed(call: Call) -> str:
    """The least scope that covers the call: what a client should ask for."""
    return _sufficient(call.target)[-1]


def reaches(scopes: frozenset[str], upstream: UpstreamId) -> bool:
    """Whether any of the scopes allows what reads on an upstream, such as its lists."""
    own = f"{ALL}:{upstream}"
    return ALL in scopes or READ in scopes or (own != READ and own in scopes) or f"{own}:read" in scopes


def narrowed(wanted: frozenset[str], held: frozenset[str]) -> frozenset[str]:
    """What of the wanted scopes is within the held ones, itself or in part: allows a call only where both do."""
    ours = {scope: right for scope in held if (right := _right(scope)) is not None}
    kept = {scope for scope in wanted if scope in held}
    for scope in wanted - kept:
        right = _right(scope)
        if right is not None:
            kept.update(_text(common) for other in ours.values() if (common := right.within(other)) is not None)
    return frozenset(kept)


def _sufficient(target: Target) -> tuple[str, ...]:
    """Every scope that covers a target, the widest first."""
    return tuple(_texts(target))


def _texts(target: Target) -> Iterator[str]:
    upstream = target.upstream
    # A tool that is said to read and to write does write.
    reads = "read" in target.parents and "write" not in target.parents
    yield ALL
    if reads:
        yield READ
    if upstream == _EVERY_UPSTREAM:
        return
    if f"{ALL}:{upstream}" != READ:
        yield f"{ALL}:{upstream}"
    if reads:
        yield f"{ALL}:{upstream}:read"


class _Right(msgspec.Struct, frozen=True):
    """What a scope of ours stands for."""

    upstream: str | None
    """None for every one."""
    reads_only: bool

    def within(self, other: "_Right") -> "_Right | None":
        """What both allow; None for nothing."""
        if None not in (self.upstream, other.upstream) and self.upstream != other.upstream:
            return None
        return _Right(self.upstream or other.upstream, self.reads_only or other.reads_only)


def _right(scope: str) -> _Right | None:
    """What a text stands for; None where it is none of ours."""
    if scope == READ:
        return _Right(None, reads_only=True)
    match = _OURS.fullmatch(scope)
    return None if match is None else _Right(match["upstream"], match["read"] is not None)


def _text(right: _Right) -> str:
    scope = ALL if right.upstream is None else f"{ALL}:{right.upstream}"
    return f"{scope}:read" if right.reads_only else scope
