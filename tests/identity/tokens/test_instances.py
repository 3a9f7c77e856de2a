"""What counters hang on: as narrow as a token keeps, and never as many as a client likes."""

from doorward.domain.actors import ALL_SCOPES, Agent, Proof, Subject
from doorward.domain.ids import AgentId, SubjectId, TeamId
from doorward.identity.tokens.claims import Confirmation
from doorward.identity.tokens.instances import DAY_SECONDS, MOST, Instances
from tests.made import Clock

ADA = Subject(SubjectId("corp:ada"), frozenset())
PLAIN = Proof(ALL_SCOPES, "corp", "client")


def agent(name: str = "claude") -> Agent:
    return Agent(AgentId(name), "somebody", TeamId("support"), "assistant")


def by_key(instances: Instances, key: int, name: str = "claude") -> str:
    return instances.of(agent(name), None, PLAIN, Confirmation(key=f"k{key}"))


def test_an_instance_is_the_narrowest_thing_that_a_refreshed_token_keeps() -> None:
    instances = Instances(Clock(0.0))
    family = Proof(ALL_SCOPES, "corp", "client", family="f1")
    bound = Confirmation(key="k", certificate="c")
    assert instances.of(agent(), ADA, family, bound) == "family:corp:f1"
    assert instances.of(agent(), ADA, PLAIN, bound) == "dpop:k"
    assert instances.of(agent(), ADA, PLAIN, Confirmation(certificate="c")) == "certificate:c"
    assert instances.of(agent(), ADA, PLAIN, Confirmation()) == "token:claude/corp:ada"
    assert instances.of(agent(), None, PLAIN, Confirmation()) == "token:claude"


def test_keys_that_an_agent_makes_beyond_what_it_may_are_one_instance_and_those_of_others_are_their_own() -> None:
    instances = Instances(Clock(0.0))
    assert len({by_key(instances, number) for number in range(5 * MOST)}) == MOST + 1
    assert by_key(instances, 0) == "dpop:k0"
    assert by_key(instances, 4 * MOST) == "token:claude"
    assert by_key(instances, 4 * MOST, "robin") == f"dpop:k{4 * MOST}"


def test_an_instance_is_known_again_for_a_day_however_many_others_come_and_then_makes_room() -> None:
    clock = Clock(0.0)
    instances = Instances(clock)
    for number in range(MOST):
        by_key(instances, number)
    clock.at += DAY_SECONDS
    for number in range(MOST, 2 * MOST):
        assert by_key(instances, number) == f"dpop:k{number}"
    assert by_key(instances, 7) == "dpop:k7"
    clock.at += 2 * DAY_SECONDS
    by_key(instances, 7)
    clock.at += DAY_SECONDS
    assert {by_key(instances, number) for number in range(3 * MOST, 4 * MOST)} == {
        f"dpop:k{number}" for number in range(3 * MOST, 4 * MOST)
    }


def test_a_clock_that_is_set_back_keeps_what_was_known() -> None:
    clock = Clock(10.0 * DAY_SECONDS)
    instances = Instances(clock)
    by_key(instances, 1)
    clock.at = 0.0
    for number in range(2, MOST + 2):
        by_key(instances, number)
    assert by_key(instances, 1) == "dpop:k1"
