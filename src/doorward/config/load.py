"""Reading the document: text to `Loaded`, or every problem at once with its line."""

import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from doorward.config.check import check
from doorward.config.explain import explain
from doorward.config.ground import Found, Ground, Weight
from doorward.config.lists import filled
from doorward.config.model import Document
from doorward.config.own_files import filled as with_own
from doorward.config.problems import ConfigError, Place, Problem, Step, dotted
from doorward.config.tree import Node, locate, parse, plain
from doorward.domain.ids import Digest

BYTES = 2**20
"""A document of a thousand upstreams has a quarter of it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document that may be used, with what is worth a look in it."""

    document: Document
    path: Path
    text: str = field(repr=False)
    digest: Digest
    notes: tuple[Problem, ...]
    tree: Node = field(repr=False, compare=False)

    @property
    def root(self) -> Path:
        """The directory that paths in the document are relative to."""
        return self.path.parent

    def place(self, *path: Step) -> Place:
        """Where a field stands, for rooms that find something later."""
        return locate(self.tree, path)


def load(path: Path) -> Loaded:
    """The document at a path; raises ConfigError with every problem."""
    return _load(path, _everything)


def load_policies(path: Path) -> Loaded:
    """The same where policies are tried and no gateway runs: of its surroundings, refused only for what policies rest on.

    Where they are tried, such as in CI, a gateway's keys, secrets and directories need not be.
    """
    return _load(path, _of_policies)


Matters = Callable[[tuple[Step, ...]], bool]


def _everything(path: tuple[Step, ...]) -> bool:
    return True


def _of_policies(path: tuple[Step, ...]) -> bool:
    return path[:1] == ("policies",) or (path[:1] == ("upstreams",) and path[2:3] == ("tools",))


def _load(path: Path, matters: Matters) -> Loaded:
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES + 1)
    except OSError as error:
        raise _whole(f"cannot be read: {error.strerror}", path) from None
    return _read(raw, path, Ground(path.absolute().parent, os.environ), matters)


def read(raw: bytes, path: Path, ground: Ground) -> Loaded:
    """The document in these bytes, checked against its surroundings; raises ConfigError with every problem."""
    return _read(raw, path, ground, _everything)


def _read(raw: bytes, path: Path, ground: Ground, matters: Matters) -> Loaded:
    if len(raw) > BYTES:
        raise _whole(f"expected at most {BYTES} bytes", path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _whole(f"expected UTF-8, byte {error.start + 1} is not", path) from None
    try:
        tree, problems = parse(text)
    except ConfigError as error:
        raise ConfigError(error.problems, str(path)) from None
    document, every = _understand(plain(tree), ground)
    found = every if document is None else [one for one in every if matters(one.path)]
    errors = (*problems, *_placed(tree, found, Weight.ERROR))
    if errors or document is None:
        raise ConfigError(errors, str(path))
    digest = Digest(hashlib.sha256(raw).hexdigest())
    return Loaded(
        with_own(filled(document, ground.root), ground.root), path.absolute(), text, digest, _placed(tree, found, Weight.NOTE), tree
    )


def _understand(value: object, ground: Ground) -> tuple[Document | None, list[Found]]:
    """The document, or what its shape is refused for together with what a check of its sound parts finds."""
    try:
        document = _shape(value)
    except ValidationError as error:
        found = [Found(path, message, Weight.ERROR) for path, message in explain(error)]
        return None, [*found, *_check_rest(value, found, ground)]
    return document, list(check(document, ground))


def _shape(value: object) -> Document:
    # By way of JSON: there, strict means that texts are not numbers, while sequences and enums may still come as JSON writes them.
    return Document.model_validate_json(json.dumps(value), strict=True)


def _check_rest(value: object, found: Iterable[Found], ground: Ground) -> list[Found]:
    """Checks of all that has the right shape, so that an operator hears everything at once."""
    if not isinstance(value, dict):
        return []
    rest = copy.deepcopy(value)
    for broken in found:
        _remove(rest, _unit(broken.path))
    try:
        return list(check(_shape(rest), ground))
    except ValidationError:
        return []


def _unit(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """What has to go for the rest to be understood: a field, or a whole upstream where its other fields hang on this one."""
    match path:
        case ("upstreams", str(), "url" | "stdio" | "private" | "plain_http", *_):
            return path[:2]
        case ("upstreams", *_):
            return path[:3]
        case _:
            return path[:2]


def _remove(value: object, path: tuple[Step, ...]) -> None:
    for step in path[:-1]:
        value = value.get(str(step)) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value.pop(path[-1] if path else "", None)


def _placed(tree: Node, found: Iterable[Found], weight: Weight) -> tuple[Problem, ...]:
    problems = set()
    for finding in found:
        if finding.weight is weight:
            place = locate(tree, finding.path)
            problems.add(Problem(dotted(finding.path), place.line, place.column, finding.message))
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path, problem.message)))


def _whole(message: str, path: Path) -> ConfigError:
    return ConfigError([Problem("", 1, 1, message)], str(path))
