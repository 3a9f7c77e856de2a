"""What the page about runaways shows is what there is: its rules, defaults and example."""

import re
from typing import Any

from ruamel.yaml import YAML

from doorward.admission.runaway import course, rules, seen, watch
from doorward.config.runaway import Runaway
from tests.peers import ROOT

PAGE = (ROOT / "docs" / "limits" / "runaway.md").read_text("utf-8")
ALL = {rule.value: {"mode": "refuse"} for rule in rules.Rule}


def bounds(document: Any) -> dict[str, rules.Bound]:
    """The rules of a document that are on."""
    made = rules.compiled(Runaway.model_validate(document))
    circles = (made.repeated, made.cycles, made.polling, made.no_progress, made.fan_out, made.lists)
    return {bound.rule.value: bound for bound in (*circles, *made.caps.values()) if bound is not None}


def test_the_rules_and_defaults_of_the_page_are_those_of_the_code() -> None:
    shown = re.findall(r"^\| `(\w+)` \| .* \| `(\w+)` \| (\d+) in (\d+) s \|$", PAGE, re.MULTILINE)
    modes = {name: "refuse" if bound.refuses else "observe" for name, bound in bounds({}).items()}
    there = [(name, modes.get(name, "off"), str(bound.calls), f"{bound.seconds:.0f}") for name, bound in bounds(ALL).items()]
    assert shown == there


def test_the_model_tells_the_same_defaults() -> None:
    for name, bound in bounds(ALL).items():
        told = str(Runaway.model_fields[name].description)
        mode = bounds({}).get(name)
        said = "off" if mode is None else "refuse" if mode.refuses else "observe"
        assert told.endswith(f"Default: `{said}`, {bound.calls} in {bound.seconds:.0f} s")


def test_the_example_of_the_page_loads_and_changes_what_it_names() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    made = bounds(YAML(typ="safe").load(block)["runaway"])
    assert (made["repeated"].calls, made["repeated"].seconds, made["no_progress"].refuses) == (300, 600, True)
    assert ("lists" in made, made["write"].calls, made["write"].refuses) == (False, 20, True)


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    memory = f"{course.CALLS} calls and {course.TOOLS} tools of each instance, {watch.INSTANCES:,} instances"
    assert memory in PAGE
    assert f"for {seen.PAUSE_SECONDS:.0f} seconds at first" in PAGE
    assert f"at most {seen.LONGEST_SECONDS / 60:.0f} minutes" in PAGE
