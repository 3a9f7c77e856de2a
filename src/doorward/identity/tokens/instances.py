"""Instances: what of an agent counters and labels hang on (RULINGS 8), the narrowest thing that a refreshed token keeps.

A client makes DPoP keys as it likes, and with some issuers grants too. So an agent has at most `MOST` instances in a day: its tokens
beyond are the one instance that it is by its name, or no counter of an instance would bound it and none could be kept.
"""

from collections.abc import Callable
from typing import Final

from doorward.domain.actors import Agent, Proof, Subject
from doorward.domain.ids import AgentId, InstanceId
from doorward.identity.tokens.claims import Confirmation

MOST: Final = 1_000
"""Instances of one agent: ten times as many as one machine runs."""
DAY_SECONDS: Final = 86_400
"""For so long at least one is known again."""


class Instances:
    """Which instances there have been of late."""

    __slots__ = ("_before", "_now", "_of_late", "_since")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since = now()
        self._of_late: dict[AgentId, set[InstanceId]] = {}
        self._before: dict[AgentId, set[InstanceId]] = {}

    def of(self, agent: Agent, subject: Subject | None, proof: Proof, bound: Confirmation) -> InstanceId:
        """The instance that a verified token is of."""
        narrow = _narrow(proof, bound)
        if narrow is not None and self._is_known(agent.id, narrow):
            return narrow
        return InstanceId(f"token:{agent.id}/{subject.id}" if subject else f"token:{agent.id}")

    def _is_known(self, agent: AgentId, instance: InstanceId) -> bool:
        """Whether it was there before, or there is room for one more."""
        if not 0 <= self._now() - self._since < DAY_SECONDS:
            self._before, self._of_late, self._since = self._of_late, {}, self._now()
        known = self._of_late.setdefault(agent, set())
        if instance not in known:
            if len(known) >= MOST and instance not in self._before.get(agent, ()):
                return False
            known.add(instance)
        return True


def _narrow(proof: Proof, bound: Confirmation) -> InstanceId | None:
    """What is narrower than agent and subject, where there is something."""
    if proof.family:
        return InstanceId(f"family:{proof.issuer}:{proof.family}")
    if bound.key:
        return InstanceId(f"dpop:{bound.key}")
    return InstanceId(f"certificate:{bound.certificate}") if bound.certificate else None
