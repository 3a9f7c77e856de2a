"""Certificates that we gave out, in memory (`IssuedStore`): for tests and trials."""

from doorward.domain.ids import AgentId
from doorward.identity.certificates.ca import IssuedRecord


class MemoryIssued:
    """Every certificate issued since the process began."""

    def __init__(self) -> None:
        self._records: dict[str, IssuedRecord] = {}

    async def add(self, record: IssuedRecord) -> None:
        """Keeps one more."""
        self._records[record.id] = record

    async def all(self, agent: AgentId | None = None) -> tuple[IssuedRecord, ...]:
        """Those of one agent, or all."""
        found = (one for one in self._records.values() if agent is None or one.agent == agent)
        return tuple(sorted(found, key=lambda one: (-one.issued_at, one.id)))

    async def forget(self, before: float) -> int:
        """Drops those that had ended by then."""
        ended = [one.id for one in self._records.values() if one.not_after <= before]
        for name in ended:
            del self._records[name]
        return len(ended)
