"""How long one agent's messages may keep the processor: a message is read in one piece, and everybody waits for it meanwhile.

What counts is the time that reading has taken, not the size: a mebibyte of text takes two milliseconds, one of small values a hundred times
that. Who has used up what it may take is told to wait before the next of its large messages is read.
"""

import math
from collections.abc import Callable
from typing import Final

from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.wire.jsonrpc import Limits, Notification, Request, Response, parse

LIMIT: Final = "reading"
"""The public name of this limit; nothing in the document sets it."""
LARGE_BYTES: Final = 16 * 1024
"""Smaller messages are read in a few milliseconds at worst, and their agents' pace bounds them."""
SHARE: Final = 0.05
"""Of the time, for one agent's large messages."""
AT_ONCE_SECONDS: Final = 0.5
"""Of reading, after a rest."""
_MANY: Final = 1024
"""Agents that are remembered before those are forgotten that owe nothing."""


class Reading:
    """Reads messages, and remembers who owes how much."""

    __slots__ = ("_free_at", "_limits", "_monotonic")

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits, self._monotonic = limits, monotonic
        self._free_at: dict[AgentId, float] = {}
        """When an agent will owe nothing any more."""

    def read(self, agent: AgentId, raw: bytes) -> Request | Notification | Response:
        """One message, as `parse` reads it; raises `Refused` OVER_RATE where its agent has to wait, and as `parse` does."""
        if len(raw) < LARGE_BYTES:
            return parse(raw, self._limits)
        begun = self._monotonic()
        free_at = max(self._free_at.get(agent, begun), begun)
        wait = free_at - begun - AT_ONCE_SECONDS / SHARE
        if wait > 0:
            raise _too_much(agent, math.ceil(wait))
        try:
            return parse(raw, self._limits)
        finally:
            self._owe(agent, begun, free_at + (self._monotonic() - begun) / SHARE)

    def __len__(self) -> int:
        return len(self._free_at)

    def _owe(self, agent: AgentId, now: float, free_at: float) -> None:
        if len(self._free_at) >= _MANY:
            self._free_at = {one: at for one, at in self._free_at.items() if at > now}
        self._free_at[agent] = free_at


def _too_much(agent: AgentId, seconds: int) -> Refused:
    return Refused(
        Reason.OVER_RATE,
        f"reading the messages of agent {agent} takes more than {SHARE:.0%} of the time",
        sentence=f"Your messages hold so many values that reading them takes too long. Wait {seconds} s, and send fewer values at once.",
        extra={"limit": LIMIT, "retryAfterSeconds": seconds},
    )
