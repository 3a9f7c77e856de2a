"""What lets a call pass that policy denies, until an end: an exception, or a glass that was broken. Live facts, in no snapshot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from doorward.domain.actors import Principal
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId


class WaiverKind(StrEnum):
    """How far it goes."""

    EXCEPTION = "exception"
    """Permits, and lifts the named forbids that may be lifted; every other forbid still denies."""
    BREAK_GLASS = "break_glass"
    """Whatever policy denies passes, and is recorded as such; stops, pins and inspection hold as ever."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One agent, one action or more, and an end. INVARIANT: given out by whoever keeps waivers only while its time runs."""

    id: WaiverId
    kind: WaiverKind
    agent: AgentId
    action: str
    """As policies name it: `github/create_issue`, or the group of an upstream, `github`; empty (break-glass alone) for everything."""
    lifts: Mapping[PolicyId, Digest]
    """The forbids that an exception lifts, each with the SHA-256 of its text: another text is another rule, and is not lifted."""
    reason: str
    by: str
    """Who gave it."""
    begins: float
    ends: float
    """Unix seconds, both."""
    names: tuple[str, ...] = ()
    """Everything else that who gave it is known by, such as the name it is shown by."""


Waivers = Callable[[AgentId], Sequence[Waiver]]
"""What of an agent is waived now."""


Waived = Callable[[Principal], Waivers]
"""The same for one call, without what its principal's own people have given: nobody lifts a rule for themselves."""


def nothing_waived(agent: AgentId) -> Sequence[Waiver]:
    """Nothing of nobody."""
    return ()


def nothing_waived_for(principal: Principal) -> Waivers:
    """Nothing, whoever calls."""
    return nothing_waived
