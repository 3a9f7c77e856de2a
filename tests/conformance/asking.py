"""Tools of the exchange era that lack an answer: a call ends `input_required` and is made again with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mcp_types as types

from tests.conformance.blocks import Json, fields, form, sampling

ROOTS: Json = {"method": "roots/list", "params": {}}
WHO = form("What is your name?", fields(name="string"))
SURE = form("Please confirm", fields(ok="boolean"))


@dataclass(frozen=True, slots=True)
class Round:
    """What one try of a call brings along."""

    answers: Mapping[str, Any]
    state: str | None
    capabilities: types.ClientCapabilities | None

    def said(self, key: str, field: str) -> object:
        """One field of a form's answer; None when it is not there."""
        answer = self.answers.get(key)
        return (answer.content or {}).get(field) if isinstance(answer, types.ElicitResult) else None


Step = str | tuple[Json, str | None]
"""The final text, or the requests to be answered first and the state to come back with."""


def ask_once(requests: Json, state: str | None = None) -> Callable[[Round], Step]:
    """A tool that wants all of these requests answered, and its own state back."""

    def step(given: Round) -> Step:
        is_complete = requests.keys() <= given.answers.keys() and given.state == state
        return f"state-ok: {json.dumps(sorted(given.answers))}" if is_complete else (requests, state)

    return step


def ask_name(given: Round) -> Step:
    """Greets whoever answered."""
    name = given.said("user_name", "name")
    return ({"user_name": WHO}, None) if name is None else f"Hello, {name}!"


def ask_twice(given: Round) -> Step:
    """Three rounds: a name, then a colour; the name travels in the state."""
    at = json.loads(given.state) if given.state else {}
    name = at.get("name", given.said("step1", "name"))
    if not at or name is None:
        return {"step1": form("Step 1: What is your name?", fields(name="string"))}, json.dumps({"round": 1})
    colour = given.said("step2", "color")
    if "name" not in at or colour is None:
        return {"step2": form("Step 2: What is your favourite colour?", fields(color="string"))}, json.dumps({"round": 2, "name": name})
    return f"{name} likes {colour}."


def ask_what_is_declared(given: Round) -> Step:
    """Asks only in the ways that the client declared."""
    able = given.capabilities or types.ClientCapabilities()
    ways = {"model": (able.sampling, sampling("Say hello", 50)), "person": (able.elicitation, WHO)}
    return {key: request for key, (declared, request) in ways.items() if declared is not None}, "declared"


ASKING_TOOLS: dict[str, Callable[[Round], Step]] = {
    "test_input_required_result_elicitation": ask_name,
    "test_input_required_result_sampling": ask_once({"capital_question": sampling("What is the capital of France?", 100)}),
    "test_input_required_result_list_roots": ask_once({"client_roots": ROOTS}),
    "test_input_required_result_request_state": ask_once({"confirm": SURE}, "confirmed"),
    "test_input_required_result_multiple_inputs": ask_once(
        {"user_name": WHO, "greeting": sampling("Generate a greeting", 50), "client_roots": ROOTS}, "all of them"
    ),
    "test_input_required_result_multi_round": ask_twice,
    "test_input_required_result_tampered_state": ask_once({"confirm": SURE}, "untouched"),
    "test_input_required_result_capabilities": ask_what_is_declared,
    "test_streaming_elicitation": ask_name,
}


def unanswered(taken: tuple[Json, str | None]) -> types.InputRequiredResult:
    """The result that asks for more."""
    requests, state = taken
    return types.InputRequiredResult.model_validate({"inputRequests": requests, "requestState": state})
