"""What an agent may be called."""

import pytest

from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.names import RegistryError, check


def named(name: str, owner: str = "ada", team: str = "support", kind: str = "client") -> Agent:
    return Agent(AgentId(name), owner, TeamId(team), kind)


@pytest.mark.parametrize("name", ["a", "claude-desktop", "ci.runner_2", "x" * 64])
def test_plain_names_are_taken(name: str) -> None:
    check(named(name))


@pytest.mark.parametrize(
    "name", ["", "doorward", "a/b", "A", "-a", "a-", "a--b", "a b", "ä", "a\n", "x" * 65, "a" * 200, "0\x00"], ids=repr
)
def test_names_that_could_stand_for_something_else_are_not(name: str) -> None:
    with pytest.raises(RegistryError):
        check(named(name))


@pytest.mark.parametrize("field", ["owner", "team", "kind"])
@pytest.mark.parametrize("text", ["", "  ", "a\nb", "x" * 300], ids=repr)
def test_what_goes_into_logs_is_printable_and_bounded(field: str, text: str) -> None:
    with pytest.raises(RegistryError):
        check(named("a", **{field: text}))
