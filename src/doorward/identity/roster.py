"""Agents and keys in memory, found by every name they have, each in one look."""

from collections import Counter
from collections.abc import Iterable

from doorward.domain.ids import AgentId, KeyId
from doorward.identity.identities import Identity
from doorward.identity.keys import KeyRecord
from doorward.identity.records import AgentRecord


class Roster:
    """What a registry knows at this moment. INVARIANT: each identity leads to the one record that names it."""

    __slots__ = ("_enrolled", "_identities", "_keys_of", "agents", "keys")

    def __init__(self, agents: Iterable[AgentRecord] = (), keys: Iterable[KeyRecord] = ()) -> None:
        self.agents: dict[AgentId, AgentRecord] = {}
        self.keys: dict[KeyId, KeyRecord] = {}
        self._keys_of: dict[AgentId, dict[KeyId, KeyRecord]] = {}
        self._identities: dict[Identity, AgentId] = {}
        self._enrolled: Counter[str] = Counter()
        for record in agents:
            self.set(record)
        for key in keys:
            self.set_key(key)

    def set(self, record: AgentRecord) -> None:
        """Adds or replaces an agent."""
        agent = record.agent.id
        before = self.agents.get(agent)
        if before is not None:
            self._enrolled[before.enrolled_by] -= 1
            for identity in (own for own in before.identities if self._identities.get(own) == agent):
                del self._identities[identity]
        self.agents[agent] = record
        self._enrolled[record.enrolled_by] += 1
        self._identities.update(dict.fromkeys(record.identities, agent))

    def set_key(self, record: KeyRecord) -> None:
        """Adds or replaces a key."""
        self.keys[record.id] = record
        self._keys_of.setdefault(record.agent, {})[record.id] = record

    def keys_of(self, agent: AgentId) -> Iterable[KeyRecord]:
        """The keys of an agent, in no order."""
        return self._keys_of.get(agent, {}).values()

    def holder(self, identity: Identity) -> AgentRecord | None:
        """The agent that an identity stands for."""
        agent = self._identities.get(identity)
        return None if agent is None else self.agents[agent]

    def enrolled(self, by: str) -> int:
        """How many agents were made known by a rule or operator, revoked ones among them."""
        return self._enrolled[by]
