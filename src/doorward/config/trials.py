"""A file of policy tests: calls, and what is to become of each; read as strictly as the document, every problem with its place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from doorward.config.context_said import ContextSaid
from doorward.config.explain import explain
from doorward.config.part import Name, Part
from doorward.config.problems import ConfigError, Problem, Step, dotted
from doorward.config.tree import Node, Row, Table, exact, locate, parse, plain
from doorward.domain.actors import AuthnMethod, Bound

BYTES = 2**20
"""A file of a thousand tests has a quarter of it."""


class _Strict(Part):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TrialAgent(_Strict):
    """An agent as policy sees it."""

    id: Name | None = Field(None, description="Its id; of a shorthand by default its name")
    team: str = Field("", description="Its team")
    owner: str = Field("", description="Who answers for it")
    kind: str = Field("", description="What sort of software it is")


class TrialPrompt(_Strict):
    """A prompt that a file brings: its arguments, and which of them are required."""

    arguments: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


class TrialCase(_Strict):
    """One call, and what is to become of it."""

    name: str = Field(min_length=1, max_length=200)
    agent: str | TrialAgent = Field(description="A shorthand of `agents`, or the agent itself")
    user: str | None = Field(None, description="Whom it acts for, such as `corp:alice`")
    groups: tuple[str, ...] = Field((), description="The groups of that person, such as `corp:finance`")
    actors: tuple[str | TrialAgent, ...] = Field((), description="By whose rights it acts, the nearest first")
    call: str | None = Field(None, description="A tool: `upstream/name`")
    prompt: str | None = Field(None, description="A prompt: `upstream/name`")
    resource: str | None = Field(None, description="The URI of a resource; needs `upstream`")
    completion: str | None = Field(None, description="The upstream that completes an argument")
    upstream: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    at: str | None = Field(None, description="RFC 3339; by default a Wednesday at noon in the zone of the policies")
    network: str | None = Field(None, description="The address it comes from; by default this machine's socket, which is none")
    authn: AuthnMethod | None = None
    issuer: str = ""
    client: str = ""
    scopes: tuple[str, ...] = ("mcp",)
    bound: Bound = Bound.NOTHING
    certificate: bool = False
    session: ContextSaid = Field(ContextSaid(), description="What has flowed into the context of the call; by default nothing has")
    expect: Literal["allow", "ask", "deny"] | None = None
    by: tuple[str, ...] | None = Field(None, description="Exactly the policies that decide, in any order")
    approvers: tuple[str, ...] | None = Field(None, description="Exactly the teams that are asked, in any order")
    needs: dict[str, int] | None = Field(None, description="How many people of which team are asked, exactly")
    reason: str | None = Field(None, description="What the reason for the operator says, in part")
    visible: bool | None = Field(None, description="Whether lists show the agent what it calls")


class TrialFile(_Strict):
    """What stands in such a file."""

    agents: dict[Name, TrialAgent] = Field(default_factory=dict, description="Shorthands")
    tools: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Tools by `upstream/name` with the JSON Schema of their arguments, where no state directory has them",
    )
    prompts: dict[str, TrialPrompt] = Field(default_factory=dict, description="Prompts by `upstream/name`, likewise")
    tests: tuple[TrialCase, ...]


@dataclass(frozen=True, slots=True)
class Trials:
    """A file of tests that may be run, and where each thing of it stands."""

    path: Path
    file: TrialFile
    tree: Node

    def line(self, *path: Step) -> int:
        """The line of something in it."""
        return locate(self.tree, path).line

    def arguments(self, position: int) -> Mapping[str, object]:
        """The arguments of a test, with every digit of their numbers."""
        found = _at(self.tree, ("tests", position, "arguments"))
        value = exact(found) if found is not None else {}
        assert isinstance(value, dict)
        return value

    def error(self, message: str, *path: Step) -> ConfigError:
        """Something that is wrong with it, at its place."""
        place = locate(self.tree, path)
        return ConfigError([Problem(dotted(path), place.line, place.column, message)], str(self.path))


def read_trials(path: Path) -> Trials:
    """The tests in a file; raises ConfigError with every problem."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise _whole(f"cannot be read: {error.strerror}", path) from None
    except UnicodeDecodeError as error:
        raise _whole(f"expected UTF-8, byte {error.start + 1} is not", path) from None
    if len(raw) > BYTES:
        raise _whole(f"expected at most {BYTES} bytes", path)
    return parse_trials(text, path)


def parse_trials(text: str, path: Path) -> Trials:
    """The tests in a text; raises ConfigError with every problem."""
    try:
        tree, problems = parse(text)
    except ConfigError as error:
        raise ConfigError(error.problems, str(path)) from None
    if problems:
        raise ConfigError(problems, str(path))
    try:
        # By way of JSON, as the document is: there, strict means that texts are not numbers.
        file = TrialFile.model_validate_json(json.dumps(plain(tree)), strict=True)
    except ValidationError as error:
        raise ConfigError(list(_problems(error, tree)), str(path)) from None
    found = Trials(path, file, tree)
    if not file.tests:
        raise found.error("expected at least one test", "tests")
    for position, case in enumerate(file.tests):
        _check(found, position, case)
    return found


def _problems(error: ValidationError, tree: Node) -> list[Problem]:
    """Each thing once, at its place: what may be one thing or another is refused for both."""
    found: dict[tuple[Step, ...], Problem] = {}
    for path, message in explain(error):
        at = tuple(step for step in path if step not in ("str", "TrialAgent"))
        place = locate(tree, at)
        found.setdefault(at, Problem(dotted(at), place.line, place.column, message))
    return sorted(found.values(), key=lambda problem: (problem.line, problem.column))


def _check(trials: Trials, position: int, case: TrialCase) -> None:
    """What one test says that does not go together; raises ConfigError."""
    at = ("tests", position)
    for is_wrong, field, message in _wrong(case):
        if is_wrong:
            raise trials.error(message, *at, *((field,) if field else ()))
    _known(trials, at, case)


def _wrong(case: TrialCase) -> Iterator[tuple[bool, str, str]]:
    """Whether something is wrong, the field it is about (empty: the test as a whole), and what to say."""
    named = [one for one in (case.call, case.prompt, case.resource, case.completion) if one is not None]
    yield len(named) != 1, "", "expected one of call, prompt, resource and completion"
    yield (case.resource is None) is not (case.upstream is None), "", "expected upstream beside resource, and nowhere else"
    yield case.expect is None and case.visible is None, "", "expected expect or visible: what is to become of it"
    yield bool(case.groups) and case.user is None, "groups", "expected user: groups are those of a person"
    yield case.resource is not None and bool(case.arguments), "arguments", "a resource has no arguments but its URI"
    yield case.authn is AuthnMethod.OWN, "authn", "no agent proves itself so"
    for field in ("by", "approvers", "needs", "reason"):
        yield case.expect is None and getattr(case, field) is not None, field, f"{field} says more of what expect says"


def _known(trials: Trials, at: tuple[Step, ...], case: TrialCase) -> None:
    known = trials.file.agents
    for agent, where in ((case.agent, ("agent",)), *((actor, ("actors", number)) for number, actor in enumerate(case.actors))):
        if isinstance(agent, str) and agent not in known:
            raise trials.error(f"there is no agent {agent[:60]!r} under agents", *at, *where)
        if isinstance(agent, TrialAgent) and agent.id is None:
            raise trials.error("the field `id` is missing", *at, *where)


def _at(node: Node, path: tuple[Step, ...]) -> Node | None:
    for step in path:
        match node:
            case Table(fields=fields) if isinstance(step, str) and step in fields:
                node = fields[step][1]
            case Row(items=items) if isinstance(step, int):
                node = items[step]
            case _:
                return None
    return node


def _whole(message: str, path: Path) -> ConfigError:
    return ConfigError([Problem("", 1, 1, message)], str(path))
