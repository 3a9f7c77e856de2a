"""The tasks and pairs of a suite, each replayed under each configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from bench.agentdojo.attacks import Step, attack, injected, steps
from bench.agentdojo.labels import CONFIGURATIONS
from bench.agentdojo.package import suites
from bench.agentdojo.replay import Run, Scene, Stage, has_effect, stage, unguarded


@dataclass(frozen=True, slots=True)
class Measured:
    """What one configuration does on one suite."""

    suite: str
    configuration: str
    free: tuple[bool, ...]
    """Of each task of a user, whether nobody is asked."""
    stopped: tuple[bool, ...]
    """Of each attack that does something, whether it does not get what it wants.

    Where AgentDojo's own check does not see that without a gateway either, nothing of the attack may be done without a person.
    """
    untouched: tuple[bool, ...]
    """Of each attack that does something, whether nothing of it at all is done without a person."""
    unseen: int
    """Of these, the ones that AgentDojo's check does not see to have come about without a gateway either."""
    unreached: int
    """Attacks that the agent is never shown."""
    said: int
    """Attacks that want the agent to say something alone: no call, and nothing that a gateway could stop."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is the same under every configuration."""

    tasks: Sequence[tuple[Any, Sequence[Step]]]
    """Of each task of a user, its environment and calls."""
    scenes: Sequence[tuple[Scene, bool]]
    """Attacks that do something, and whether each gets what it wants without a gateway."""
    said: int


def of_suite(name: str) -> list[Measured]:
    """One suite under every configuration; raises `AbsentError`."""
    return asyncio.run(_measured(suites()[name]))


async def _measured(suite: Any) -> list[Measured]:
    runtime = import_module("agentdojo.functions_runtime").FunctionsRuntime(suite.tools)
    course = _course(suite, runtime)
    return [_played(one.name, await stage(suite, runtime, one), course) for one in CONFIGURATIONS]


def _course(suite: Any, runtime: Any) -> Course:
    clean = suite.load_and_inject_default_environment({})
    tasks = [(environment, calls) for task in suite.user_tasks.values() for environment, calls in [_begun(task, clean)]]
    scenes = [(scene, unguarded(scene, runtime, deepcopy(scene.environment))) for scene in scenes_of(suite)]
    return Course(tasks, scenes, len(tasks) * len(suite.injection_tasks) - len(scenes))


def _played(configuration: str, on: Stage, course: Course) -> Measured:
    free = tuple([not any(Run(on, deepcopy(environment)).task(calls)) for environment, calls in course.tasks])
    ends = [(Run(on, deepcopy(scene.environment)).attacked(scene), reaches) for scene, reaches in course.scenes]
    shown = [(end, reaches) for end, reaches in ends if end is not None]
    return Measured(
        suite=on.suite.name,
        configuration=configuration,
        free=free,
        stopped=tuple([not end.is_reached if reaches else all(end.asked) for end, reaches in shown]),
        untouched=tuple([all(end.asked) for end, _ in shown]),
        unseen=sum(not reaches for _, reaches in shown),
        unreached=len(ends) - len(shown),
        said=course.said,
    )


def scenes_of(suite: Any) -> Iterator[Scene]:
    """Every pair of a task and an attack that does something. An environment is read once for each attack: reading it is what takes long."""
    for aimed in suite.injection_tasks.values():
        poisoned = injected(suite, aimed)
        scenes = [_scene(suite, task, aimed, poisoned) for task in suite.user_tasks.values()]
        yield from (scene for scene in scenes if any(map(has_effect, scene.attack)))


def _scene(suite: Any, task: Any, aimed: Any, poisoned: Any) -> Scene:
    environment, calls = _begun(task, poisoned)
    return Scene(task.ID, aimed, environment, calls, attack(suite, aimed, deepcopy(environment)))


def _begun(task: Any, environment: Any) -> tuple[Any, Sequence[Step]]:
    """The environment that a user's task begins in, and its calls."""
    begun = task.init_environment(deepcopy(environment))
    return begun, steps(task.ground_truth(deepcopy(begun)))
