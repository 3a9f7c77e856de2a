"""What is in memory is found by each of its names, whatever was changed before."""

from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, Digest, KeyId, TeamId
from doorward.identity.identities import client
from doorward.identity.keys import KeyRecord
from doorward.identity.records import NEVER, AgentRecord, State
from doorward.identity.roster import Roster

NAMES = [client("corp", letter) for letter in "abcdef"]
CHANGES = some.lists(
    some.tuples(some.sampled_from("xyz"), some.sets(some.sampled_from(NAMES)), some.sampled_from(["operator ada", "rule one"])), max_size=20
)


def record(agent: str) -> AgentRecord:
    return AgentRecord(Agent(AgentId(agent), "ada", TeamId("t"), "client"), State.ACTIVE, 1.0, NEVER)


@given(CHANGES)
def test_each_identity_leads_to_the_agent_that_has_it_and_rules_are_counted(changes: list[tuple[str, set[object], str]]) -> None:
    roster, held = Roster(), dict[object, str]()
    for agent, names, by in changes:
        free = tuple(name for name in NAMES if name in names and held.get(name, agent) == agent)
        held = {name: holder for name, holder in held.items() if holder != agent} | dict.fromkeys(free, agent)
        roster.set(replace(record(agent), identities=free, enrolled_by=by))
        found = {name: holder.agent.id for name in NAMES if (holder := roster.holder(name))}
        assert found == held
    records = roster.agents.values()
    for by in ("operator ada", "rule one"):
        assert roster.enrolled(by) == sum(1 for known in records if known.enrolled_by == by)
    again = Roster(records)
    assert {name: again.holder(name) for name in NAMES} == {name: roster.holder(name) for name in NAMES}


def test_keys_are_found_by_their_agent() -> None:
    keys = [KeyRecord(KeyId(name), AgentId(name[0]), Digest("0" * 64), 1.0, 2.0) for name in ("x1", "x2", "y1")]
    roster = Roster([record("x")], keys)
    roster.set_key(replace(keys[0], revoked_at=5.0))
    assert list(roster.keys_of(AgentId("x"))) == [replace(keys[0], revoked_at=5.0), keys[1]]
    assert list(roster.keys_of(AgentId("nobody"))) == []
