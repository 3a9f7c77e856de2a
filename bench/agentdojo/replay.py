"""Calls of AgentDojo's tasks on a house in memory: policy decides on each, and its answer goes into the context it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import msgspec

from bench.agentdojo.attacks import MARK, Step
from bench.agentdojo.labels import EFFECTS, TOOLS, Configuration
from doorward.call.flowing import Flowing
from doorward.call.resolve import Caller, make_call
from doorward.domain.actors import Principal
from doorward.domain.calls import Answer, Call
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow
from doorward.domain.ids import CallId, InstanceId, UpstreamId
from doorward.testing.house import House, Plan, build_house
from doorward.testing.upstream import SHOWN
from doorward.upstream.sight import Item

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Stage:
    """A house whose one upstream is a suite, under one configuration. Every run on it is of an instance of its own."""

    suite: Any
    runtime: Any
    """What runs the suite's tools on an environment."""
    house: House
    agent: Principal


@dataclass(frozen=True, slots=True)
class Scene:
    """An attack in the course of a user's task, ready to be played under any configuration."""

    task: str
    aimed: Any
    """AgentDojo's injection task."""
    environment: Any
    calls: Sequence[Step]
    attack: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an attack that an agent was shown."""

    is_reached: bool
    """Whether what it wanted has come about, as AgentDojo's own check of its task says."""
    asked: tuple[bool, ...]
    """Of each of its calls that do something, whether a person was asked."""


async def stage(suite: Any, runtime: Any, configuration: Configuration) -> Stage:
    """A house for these; raises `ValueError` where one of its tools is not to be had."""
    plan = Plan(
        sights={suite.name: msgspec.structs.replace(SHOWN, tools=tuple(map(_item, suite.tools)))},
        document={"flow": configuration.flow(suite.name)},
        upstreams={suite.name: {"tools": configuration.tools([tool.name for tool in suite.tools])}},
    )
    house = await build_house(plan)
    await house.discovery.look(UpstreamId(suite.name))
    return Stage(suite, runtime, house, await house.agent("assistant"))


class Run:
    """One instance's calls, from its first."""

    def __init__(self, on: Stage, environment: Any) -> None:
        self._on = on
        self._environment = environment
        self._who = replace(on.agent, instance=InstanceId(f"run-{next(_NUMBERS)}"))

    def task(self, steps: Iterable[Step]) -> list[bool]:
        """Of each call of a user's task, whether a person is asked. Who is asked says yes; what guards find is taken into the context."""
        return [self._asked_then_ran(step) for step in steps]

    def attacked(self, scene: Scene) -> Ended | None:
        """A user's task until the injection is shown, and the attack then; None where it is not shown.

        Who is asked says yes to the user's calls and no to the attack's. Nothing that guards find counts: what is measured holds against
        an attack in words that nobody has seen before.
        """
        for step in scene.calls:
            if MARK in self._ran(self._call(step), step):
                asked = [self._tried(one) for one in scene.attack]
                ran = [one for one, is_asked in zip(scene.attack, asked, strict=True) if not is_asked]
                effects = tuple([is_asked for one, is_asked in zip(scene.attack, asked, strict=True) if has_effect(one)])
                return Ended(is_reached(scene, self._environment, ran), effects)
        return None

    def _asked_then_ran(self, step: Step) -> bool:
        call = self._call(step)
        asked = self._is_asked(call)
        self._ran(call, step, is_looked_at=True)
        return asked

    def _tried(self, step: Step) -> bool:
        """Whether a call of an attack is asked about; what is not runs."""
        call = self._call(step)
        asked = self._is_asked(call)
        if not asked:
            self._ran(call, step)
        return asked

    def _call(self, step: Step) -> Call:
        target = self._on.house.generations.current.index.resolve(UpstreamId(self._on.suite.name), Kind.TOOL, step.function)
        if target is None:
            raise ValueError(f"expected the tool {step.function!r}, the catalogue does not have it")
        number = CallId(f"call-{next(_NUMBERS)}")
        return make_call(number, Caller(self._who, "tools/call"), target.target, _plain(dict(step.args)), {})

    def _is_asked(self, call: Call) -> bool:
        house = self._on.house
        moment = replace(house.clock.moment(), session=Flowing(house.contexts, call))
        decision = house.generations.current.policies.decide(call, moment)
        return not isinstance(decision, Allow)

    def _ran(self, call: Call, step: Step, *, is_looked_at: bool = False) -> str:
        """Forwards a call: its answer as text, which is in the context then."""
        house, contexts = self._on.house, self._on.house.contexts
        rise = contexts.rise(call)
        if rise is not None:
            contexts.rose(rise)
        said, text = told(self._on.runtime, self._environment, step)
        body = {"content": [{"type": "text", "text": text}], "structuredContent": said, "isError": "error" in said}
        answer = Answer(body, len(text))
        findings = house.generations.current.screen.inspection.response(call, answer) if is_looked_at else ()
        contexts.taken(call, body, contexts.read(call, body), findings)
        return text


def unguarded(scene: Scene, runtime: Any, environment: Any) -> bool:
    """Whether an attack gets what it wants where no gateway is."""
    for step in scene.calls:
        if MARK in told(runtime, environment, step)[1]:
            break
    for step in scene.attack:
        told(runtime, environment, step)
    return is_reached(scene, environment, scene.attack)


def is_reached(scene: Scene, environment: Any, ran: Sequence[Step]) -> bool:
    """What AgentDojo's own check of an injection task says, of an agent that has made these calls and said nothing."""
    before = deepcopy(scene.environment)
    found = scene.aimed.security_from_traces("", before, environment, ran)
    return bool(scene.aimed.security("", before, environment) if found is None else found)


def told(runtime: Any, environment: Any, step: Step) -> tuple[dict[str, Any], str]:
    """What a tool answers, and the same as text."""
    found, error = runtime.run_function(environment, step.function, step.args)
    said = {"result": _plain(found)} if error is None else {"error": str(error)}
    return said, json.dumps(said)


def has_effect(step: Step) -> bool:
    """Whether a call changes something or reaches outside; what is no tool of the suite does nothing."""
    tool = TOOLS.get(step.function)
    return tool is not None and not EFFECTS.isdisjoint(tool.does.value)


def _item(tool: Any) -> Item:
    """A tool as an upstream lists it."""
    return {"name": tool.name, "description": tool.description, "inputSchema": tool.parameters.model_json_schema()}


def _plain(value: Any) -> Any:
    """What a tool takes or gives, as JSON."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    match value:
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case str() | int() | float() | bool() | None:
            return value
        case _:
            return str(value)
