"""What `docs/policies/exceptions.md` shows is so: its policy can be lifted, its configuration is one, its commands can be typed."""

import re
import shlex

import click
import pytest
from ruamel.yaml import YAML

from doorward.approval.waivers import MOST, MOST_OF_AGENT
from doorward.cli.main import main
from doorward.config.model import Document
from doorward.control.exceptions import MOST_DAYS
from doorward.policy.rules import Source, parse
from tests.peers import ROOT

PAGE = (ROOT / "docs" / "policies" / "exceptions.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ doorward (.*)$", PAGE, re.MULTILINE)


def blocks(language: str) -> list[str]:
    """The examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_its_policy_can_be_lifted_by_the_team_that_it_says() -> None:
    (text,) = blocks("cedar")
    (rule,), problems = parse(Source("page.cedar", text))
    assert (rule.id, rule.liftable_by, problems) == ("no-payroll", "security", ())


def test_its_configuration_names_who_may_break_the_glass() -> None:
    (text,) = blocks("yaml")
    rules = Document.model_validate(YAML(typ="safe").load(text)).policies.break_glass
    assert rules is not None
    assert (rules.operators, rules.minutes) == (("ada", "corp:00u1x7"), 15)


@pytest.mark.parametrize("typed", COMMANDS)
def test_its_commands_can_be_typed(typed: str) -> None:
    command: click.Command | None = main
    words = shlex.split(typed)
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None
    command.make_context("page", words)


def test_its_bounds_are_those_of_the_code() -> None:
    assert f"{MOST_OF_AGENT} of one agent and {MOST:,} of all" in PAGE
    assert f"{MOST_DAYS} days is the most" in PAGE
    assert len(COMMANDS) == 4
