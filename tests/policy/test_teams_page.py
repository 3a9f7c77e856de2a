"""The examples of `docs/policies/teams.md` load in the layers they are for, and do what the page says."""

import re
from pathlib import Path

import pytest

from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask, Deny, Need
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from tests.policy.world import CREATE, DELETE, ENTRIES, NOON, PAY, UPSTREAMS, at, call, principal

PAGE = Path(__file__).parents[2] / "docs" / "policies" / "teams.md"
EXAMPLES = re.findall(r"```cedar\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
NIGHT = at(NOON.unix_seconds + 10 * 3600)
BUYER = principal(team="support")
OPEN = '@id("open")\n@reason("r")\npermit (principal, action, resource);'


def layers(*more: str) -> Policies:
    """The examples, those whose ids begin with a team's name in that team's layer, and more for everybody."""
    sources = [Source(f"{number}.cedar", text, "finance" if '@id("finance/' in text else "") for number, text in enumerate(EXAMPLES)]
    found = engine.compile([*sources, *(Source("more.cedar", text) for text in more)], ENTRIES, UPSTREAMS)
    assert isinstance(found, Policies), [str(problem) for problem in found.items]
    assert found.warnings == ()
    return found


def paying(amount: int, to: str) -> Call:
    return call(PAY, {"amount": amount, "to": to}, BUYER)


@pytest.mark.parametrize(
    ("question", "more", "moment", "outcome"),
    [
        (paying(10, "acme"), (), NOON, Allow),
        (paying(10, "acme"), (), NIGHT, Deny),
        (paying(10, "evil"), (), NOON, Deny),
        (paying(10, "evil"), (OPEN,), NOON, Ask),
        (paying(20_000, "acme"), (), NOON, Ask),
        (call(DELETE, {"repo": "x"}), (OPEN,), NOON, Deny),
        (call(CREATE, {"owner": "x"}), (OPEN,), NOON, Ask),
        (call(CREATE, {"owner": "x"}), (), NOON, Deny),
    ],
)
def test_the_examples_do_what_the_page_says(question: Call, more: tuple[str, ...], moment: Moment, outcome: type) -> None:
    assert isinstance(layers(*more).decide(question, moment), outcome)


def test_what_is_needed_of_one_team_is_the_most_that_any_policy_asks_for() -> None:
    asked = layers(OPEN).decide(paying(20_000, "evil"), NOON)
    assert isinstance(asked, Ask)
    assert asked.needs == (Need("finance", 2, False),)
    alone = layers(OPEN).decide(paying(10, "evil"), NOON)
    assert isinstance(alone, Ask)
    assert alone.needs == (Need("finance", 1, True),)


def test_every_annotation_is_in_the_table() -> None:
    table = PAGE.with_name("README.md").read_text("utf-8").partition("## All annotations")[2].partition("##")[0]
    assert re.findall(r"^\| `@(\w+)\(", table, re.MULTILINE) == ["id", "reason", "public", "mode", "approval", "owner", "exception"]
