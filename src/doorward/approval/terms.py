"""How long questions and grants live, and how many of them there may be."""

import msgspec

from doorward.config.approvals import Approvals


class Terms(msgspec.Struct, frozen=True):
    """The desk's limits."""

    answer_seconds: float = 86_400
    """A day to answer; then it counts as no."""
    use_seconds: float = 3_600
    """An hour to make the call once it is approved: long for a retry, short for yesterday's facts."""
    most_pending: int = 20
    """Open questions of one principal: nobody reads more with care."""
    most_kept: int = 10_000
    """Questions of everybody that are not over."""
    most_bytes: int = 64 * 2**20
    """Of all that these carry: they are held in memory, and a call may be a megabyte."""
    most_kept_of_agent: int = 2_500
    most_bytes_of_agent: int = 16 * 2**20
    """A quarter: one agent, for however many people it acts, leaves the others theirs."""
    most_bytes_of_principal: int = 4 * 2**20
    """So does one person with an agent that many have."""
    most_waiting: int = 1_000
    """Callers that are kept waiting for an answer at the same time: each holds a connection."""

    @classmethod
    def of(cls, approvals: Approvals) -> "Terms":
        """The terms of a configuration."""
        return cls(approvals.answer_minutes * 60, approvals.use_minutes * 60, approvals.pending_per_principal)
