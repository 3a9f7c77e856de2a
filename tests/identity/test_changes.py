"""Whatever is done to agents in whatever order, nobody gets what they should not have."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.identity import changes
from doorward.identity.identities import Identity, client
from doorward.identity.names import RegistryError
from doorward.identity.records import AGENT_METHODS, NEVER, AgentRecord, Edit, State, Terms, Why, edited, narrowed
from doorward.identity.roster import Roster

NOW = 1_000.0
NAMES = [client("corp", letter) for letter in "abc"]
AGENTS = [AgentId(name) for name in ("one", "two", "three")]
OWNERS = ["ada", "ben"]
METHODS = some.sets(some.sampled_from(AuthnMethod), max_size=5).map(frozenset)
EDITS = some.builds(
    Edit,
    owner=some.none() | some.sampled_from(OWNERS),
    purpose=some.none() | some.just("Reads."),
    methods=some.none() | METHODS,
    expires_at=some.none() | some.floats(NOW - 10, NOW + 10) | some.just(NEVER),
)
STEP = some.tuples(
    some.sampled_from(["add", "bind", "unbind", "edit", "suspend", "resume", "revoke", "left"]),
    some.sampled_from(AGENTS),
    some.sampled_from(NAMES),
    some.sampled_from(OWNERS),
    EDITS,
)


def done(roster: Roster, step: tuple[str, AgentId, Identity, str, Edit]) -> None:
    """One change, as the registry makes it."""
    verb, agent, identity, owner, edit = step
    terms = Terms(methods=AGENT_METHODS if edit.methods is None else edit.methods, identities=(identity,))
    become: dict[str, Callable[[], tuple[AgentRecord, ...]]] = {
        "add": lambda: (changes.added(roster, Agent(agent, owner, TeamId("t"), "client"), NEVER, terms, NOW),),
        "bind": lambda: (changes.bound(roster, agent, identity),),
        "unbind": lambda: (changes.unbound(roster, identity),),
        "edit": lambda: (changes.rewritten(roster, agent, edit, NOW),),
        "suspend": lambda: (changes.suspended(roster, agent),),
        "resume": lambda: (changes.resumed(roster, agent),),
        "revoke": lambda: (changes.revoked(roster, agent),),
        "left": lambda: changes.orphaned(roster, owner),
    }
    try:
        after = become[verb]()
    except RegistryError:
        return
    for record in after:
        roster.set(record)


@given(some.lists(STEP, max_size=30))
def test_what_must_hold_of_agents_holds_after_every_change(steps: list[tuple[str, AgentId, Identity, str, Edit]]) -> None:
    roster = Roster()
    for step in steps:
        before = dict(roster.agents)
        done(roster, step)
        held = [name for record in roster.agents.values() for name in record.identities]
        assert len(held) == len(set(held))
        for agent, record in roster.agents.items():
            assert record.methods
            assert AuthnMethod.OWN not in record.methods
            old = before.get(agent)
            if old is not None and old.state is State.REVOKED:
                assert replace(record, identities=old.identities) == old, "revoked is for good"
            if old is not None and old.why is Why.OWNER_LEFT and record.state is State.ACTIVE:
                raise AssertionError("nobody answers for it")


RECORDS = some.builds(
    lambda methods, end: AgentRecord(Agent(AgentId("one"), "ada", TeamId("t"), "client"), State.ACTIVE, 1.0, end, methods=methods),
    METHODS,
    some.floats(0, 100),
)


@given(RECORDS, EDITS)
def test_what_a_change_takes_away_is_never_more_than_there_was_nor_than_there_will_be(before: AgentRecord, edit: Edit) -> None:
    after = edited(before, edit)
    less = narrowed(before, after)
    assert less.methods <= before.methods
    assert less.methods <= after.methods
    assert less.expires_at <= min(before.expires_at, after.expires_at)
    assert replace(less, methods=before.methods, expires_at=before.expires_at) == before
    assert narrowed(less, after) == less
