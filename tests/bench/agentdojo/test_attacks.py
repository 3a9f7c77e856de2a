"""Attacks that AgentDojo gives no calls for."""

from copy import deepcopy
from importlib import import_module
from types import SimpleNamespace

import pytest

from bench.agentdojo.attacks import Step, attack, injected
from bench.agentdojo.package import AbsentError, suites
from bench.agentdojo.replay import Scene, has_effect, unguarded


@pytest.mark.parametrize(
    ("function", "does"), [("search_emails", False), ("get_webpage", True), ("delete_file", True), ("send_money", True), ("none", False)]
)
def test_what_changes_something_or_reaches_outside_has_an_effect(function: str, does: bool) -> None:
    assert has_effect(Step(function, {})) is does


def test_a_task_of_another_suite_keeps_its_own_calls() -> None:
    task = SimpleNamespace(
        ID="injection_task_6", ground_truth=lambda environment: [SimpleNamespace(function="send_money", args={"amount": 1})]
    )
    assert attack(SimpleNamespace(name="banking"), task, None) == [Step("send_money", {"amount": 1})]


@pytest.mark.parametrize("number", range(6, 14))
def test_calls_of_ours_do_what_the_check_of_their_task_looks_for(number: int) -> None:
    try:
        suite = suites()["workspace"]
    except AbsentError as absent:
        pytest.skip(str(absent))
    aimed = suite.injection_tasks[f"injection_task_{number}"]
    environment = injected(suite, aimed)
    runtime = import_module("agentdojo.functions_runtime").FunctionsRuntime(suite.tools)
    scene = Scene("none", aimed, environment, [], attack(suite, aimed, deepcopy(environment)))
    assert unguarded(scene, runtime, deepcopy(environment))
