"""What the model refuses, in an operator's words: what was expected, what was there, and what may have been meant."""

import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from doorward.config.credentials import PARTS as CREDENTIALS
from doorward.config.model import Document, Stdio, Upstream
from doorward.config.part import Part
from doorward.config.problems import Step, listed, meant, quoted
from doorward.config.secrets import SECRETS as SOURCES

SAID = re.compile(r"[A-Za-z0-9 _./:+-]{0,32}")
"""Texts that a message may repeat: short and plain. Anything else could be a secret in the wrong place."""

SECRET_PARTS = (*CREDENTIALS, *SOURCES, Stdio)
"""Parts whose texts are never repeated, whatever they look like."""

EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "model_type": "a mapping of fields",
    "model_attributes_type": "a mapping of fields",
    "dict_type": "a mapping of names",
    "tuple_type": "a sequence",
    "list_type": "a sequence",
}

WORDS = frozenset({"int_type", "int_from_float", "float_type", "bool_type", "enum", "literal_error"})
"""Where a word or number belongs, a wrong text is repeated; elsewhere it may be a secret that slipped."""

BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}

ELSEWHERE = {
    Upstream: {
        "command": "the program and its arguments stand in stdio.command",
        "args": "the program and its arguments stand in stdio.command",
        "env": "the environment stands in stdio.env",
        "cwd": "the directory stands in stdio.cwd",
        "headers": "a header with a secret is a credential: {header: …, value: …}",
        "type": "url or stdio says which transport is meant",
        "transport": "url or stdio says which transport is meant",
    },
    Stdio: {"args": "the arguments stand in command, after the program"},
    Document: {
        "mcpServers": "run `doorward import` on a client's file",
        "servers": "MCP servers stand under upstreams; run `doorward import` on a client's file",
    },
}
"""Fields that other programs have, and where Doorward has them."""


def explain(error: ValidationError) -> list[tuple[tuple[Step, ...], str]]:
    """Every error of the model as path and sentence."""
    return [_one(details) for details in error.errors(include_url=False)]


def _one(details: ErrorDetails) -> tuple[tuple[Step, ...], str]:
    tagged, kind = details["loc"], details["type"]
    path = _untagged(tagged)
    if path and path[-1] == "[key]":
        return path[:-1], _of_name(path[:-1], kind)
    match kind:
        case "missing":
            return path[:-1], f"the field {quoted(str(path[-1]))} is missing"
        case "union_tag_not_found":
            return path, f"the field {details['ctx']['discriminator'].replace(chr(39), chr(34))} is missing"
        case "union_tag_invalid":
            return (*path, details["ctx"]["discriminator"].strip("'")), _of_tag(path, details["ctx"])
        case "extra_forbidden":
            return path, _of_unknown(tagged)
        case "enum" | "literal_error":
            return path, _of_choice(tagged, details)
        case _:
            return path, _of_value(tagged, details)


def _untagged(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """A path as it leads through the document: the model puts the kind of a fact or credential before its fields."""
    match path:
        case ("upstreams", _, "credential", _, "discovery", _, *_):
            return path[:3] + path[4:5] + path[6:]
        case ("upstreams", _, "credential", _, *_) | ("secrets", "openbao", "auth", _, *_):
            return path[:3] + path[4:]
        case ("upstreams", _, "tools", _, "facts", _, kind, *_) if kind != "[key]":
            return path[:6] + path[7:]
    return path


def _of_tag(path: Sequence[Step], context: Mapping[str, Any]) -> str:
    choices = re.findall(r"'([^']+)'", context["expected_tags"])
    return f"expected {listed(choices)}, got {_got(path, context['tag'])}{meant(context['tag'], choices)}"


def _of_name(path: Sequence[Step], kind: str) -> str:
    if path[0] == "upstreams" and len(path) == 2:
        return "expected a name of at most 31 lower-case letters, digits and single hyphens, beginning with a letter"
    if path[0] in {"limits", "budgets"} and len(path) == 2:
        return "expected a name of at most 63 lower-case letters, digits, single hyphens and underscores, beginning with a letter"
    if "facts" in path[4:5]:
        return "expected a name of at most 63 lower-case letters, digits and single underscores, beginning with a letter"
    return "expected a name, this one is empty" if kind == "string_too_short" else "expected a name of at most 128 characters"


def _of_unknown(path: tuple[Step, ...]) -> str:
    part, name = _part(path[:-1]), str(path[-1])
    if part is None:
        return "no field of this name exists"
    if (elsewhere := ELSEWHERE.get(part, {}).get(name)) is not None:
        return f"no field of this name exists; {elsewhere}"
    return f"no field of this name exists{meant(name, part.model_fields) or '; known are ' + listed(part.model_fields, 'and')}"


def _of_choice(path: Sequence[Step], details: ErrorDetails) -> str:
    expected = str(details.get("ctx", {}).get("expected", ""))
    choices = re.findall(r"'([^']+)'", expected)
    given = details["input"]
    guess = meant(given, choices) if isinstance(given, str) else ""
    return f"expected {listed(choices) or expected}, got {_got(path, given)}{guess}"


def _of_value(path: Sequence[Step], details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}, got {_got(path if kind in WORDS else (), details['input'])}"
    if kind in BOUNDS:
        word, key = BOUNDS[kind]
        return f"expected {word} {context[key]:g}, got {_got(path, details['input'])}"
    match kind:
        case "too_short":
            return "expected at least one item"
        case "string_too_short":
            return "expected a text, this one is empty"
        case "string_too_long":
            return f"expected at most {context['max_length']} characters"
        case "string_pattern_mismatch" if path[-1] == "of":
            return "expected a JSON pointer into the arguments, such as /path or /recipients/*"
        case "string_pattern_mismatch":
            return "expected only characters that such a name may have"
        case _:
            return f"this value cannot be used ({kind})"


def _got(path: Sequence[Step], value: object) -> str:
    """What was there, by its sort. Without a path, a text is never repeated."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value}"
        case str():
            return f"the text {quoted(value)}" if _may_be_said(path, value) else "a text"
        case Mapping():
            return "a mapping"
        case _:
            return "a sequence"


def _may_be_said(path: Sequence[Step], text: str) -> bool:
    inside = [_part(path[:end]) for end in range(len(path) + 1)]
    return bool(path) and SAID.fullmatch(text) is not None and not any(part in SECRET_PARTS for part in inside)


def _part(path: Sequence[Step]) -> type[Part] | None:
    """The part of the model that a path leads to."""
    found: Any = Document
    for step in path:
        if get_origin(found) in {Union, UnionType}:
            found = next((part for part in get_args(found) if step in get_args(part.model_fields["kind"].annotation)), None)
        elif isinstance(found, type) and issubclass(found, Part):
            found = found.model_fields[str(step)].annotation if step in found.model_fields else None
        else:
            found = next(iter(get_args(found)[-1:]), None)
        found = _bare(found)
    return found if isinstance(found, type) and issubclass(found, Part) else None


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        parts = get_args(annotation)
        return annotation if len(parts) > 1 and "kind" in getattr(parts[1], "model_fields", ()) else _bare(parts[0])
    return annotation
