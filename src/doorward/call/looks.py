"""How the spine reads a message, and what it makes of findings: guards report, policy disposes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from doorward.call import endings
from doorward.domain.calls import Call
from doorward.domain.findings import Direction, Disposition, Finding
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.policy.dispose import Dispositions

LARGE_BYTES = 16 * 1024
"""Messages above are inspected beside the loop: at worst this many bytes take as long as a hundred calls."""
READERS = 2
"""Large messages that are inspected at the same time."""

BLOCKING = frozenset({Disposition.BLOCK, Disposition.ASK})
"""What stops a message: of a request what asks only where nobody answers for findings, of a response always, for it has run."""

_REASONS = {Direction.REQUEST: Reason.UNSAFE_REQUEST, Direction.RESPONSE: Reason.UNSAFE_RESPONSE}

T = TypeVar("T")


class Looks:
    """Looks at messages: at small ones here, at large ones beside the loop."""

    __slots__ = ("_readers",)

    def __init__(self) -> None:
        self._readers = asyncio.Semaphore(READERS)

    async def read(self, size_bytes: int, work: Callable[[], T]) -> T:
        """The work of reading a message; of a large one in a thread, for it may take long and other calls must not wait for it."""
        if size_bytes <= LARGE_BYTES:
            return work()
        async with self._readers:
            return await asyncio.to_thread(work)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is made of the findings of one message of a call."""

    dispositions: Dispositions
    call: Call
    direction: Direction

    def redacted(self, findings: tuple[Finding, ...], ran: Ran, blocking: frozenset[Disposition] = BLOCKING) -> tuple[Finding, ...]:
        """The findings to redact; raises `Refused` when one of them blocks."""
        verdicts = [(finding, self.dispositions.of(finding, self.direction, self.call)) for finding in findings]
        blocked = [finding for finding, verdict in verdicts if verdict in blocking]
        if blocked:
            # Where they are, the leaf says with names veiled that may be values; a detail is in clear.
            detail = ", ".join(dict.fromkeys(f"{finding.guard}/{finding.rule}" for finding in blocked[:8]))
            reason = _REASONS[self.direction]
            raise Refused(reason, detail, sentence=endings.sentence(reason, blocked[0]), ran=ran)
        return tuple(finding for finding, verdict in verdicts if verdict is Disposition.REDACT)

    def questionable(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The findings that people are asked about."""
        return tuple(finding for finding in findings if self.dispositions.of(finding, self.direction, self.call) is Disposition.ASK)
