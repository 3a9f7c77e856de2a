"""A YAML 1.2 text as a tree of values with places; what YAML can do beyond plain values is refused or bounded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from doorward.config.problems import ConfigError, Place, Problem, Step, dotted

DEPTH = 32
NODES = 50_000
"""Values after every alias is written out: a document of thousands of upstreams has fewer, a "billion laughs" has more."""

Scalar = str | int | float | bool | None

TEXT = "tag:yaml.org,2002:str"
# The core schema of YAML 1.2 (§10.3.2); longer numbers mean nothing to any field and stay text.
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
OCTAL = re.compile(r"0o[0-7]{1,20}")
HEX = re.compile(r"0x[0-9a-fA-F]{1,15}")
REAL = re.compile(r"[-+]?(?:\.[0-9]{1,18}|[0-9]{1,18}(?:\.[0-9]{0,18})?)(?:[eE][-+]?[0-9]{1,2})?")
# Numbers of any field are short; those of a call's arguments may be as long as JSON's.
LONG_WHOLE = re.compile(r"[-+]?[0-9]{1,1000}")
LONG_REAL = re.compile(r"[-+]?(?:\.[0-9]{1,1000}|[0-9]{1,1000}(?:\.[0-9]{0,1000})?)(?:[eE][-+]?[0-9]{1,6})?")
SURROGATE = re.compile(r"[\ud800-\udfff]")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text, number, truth value or nothing."""

    place: Place
    value: Scalar
    written: str | None = None
    """An unquoted text as it stands there, for numbers that must keep their digits."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence."""

    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping: each key once, with its own place."""

    place: Place
    fields: dict[str, tuple[Place, "Node"]]


Node = Leaf | Row | Table


def parse(text: str) -> tuple[Node, tuple[Problem, ...]]:
    """The tree of a document, with duplicate keys and unknown tags as problems; ConfigError when there is no tree to give."""
    composer = _Composer(YAML(typ="safe", pure=True).parse(text))
    try:
        return composer.document(), tuple(composer.problems)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise _fatal(place, f"this is not YAML: {_unquoted(error.problem or error.context or 'unreadable')}") from None
    except ReaderError as error:
        raise _fatal(_place_at(text, error.position), "a control character may not stand in YAML") from None
    except YAMLError:
        raise _fatal(Place(1, 1), "this is not YAML") from None


def plain(node: Node) -> object:
    """The values alone, as JSON would hold them."""
    match node:
        case Leaf(value=value):
            return value
        case Row(items=items):
            return [plain(item) for item in items]
        case Table(fields=fields):
            return {key: plain(inner) for key, (_, inner) in fields.items()}


def exact(node: Node) -> object:
    """The same, with every digit of every number: whole ones of any length, and others as `Decimal`."""
    match node:
        case Leaf(value=value, written=written):
            return value if written is None else _exact(value, written)
        case Row(items=items):
            return [exact(item) for item in items]
        case Table(fields=fields):
            return {key: exact(inner) for key, (_, inner) in fields.items()}


def _exact(value: Scalar, written: str) -> object:
    if isinstance(value, bool | int):
        return value
    if LONG_WHOLE.fullmatch(written):
        return int(written)
    return Decimal(written) if LONG_REAL.fullmatch(written) else value


def locate(node: Node, path: Sequence[Step]) -> Place:
    """The place of the key that a path ends in, or of the nearest thing around it that is there."""
    place = node.place
    for step in path:
        match node:
            case Table(fields=fields) if isinstance(step, str) and step in fields:
                place, node = fields[step]
            case Row(items=items) if isinstance(step, int) and step < len(items):
                node = items[step]
                place = node.place
            case _:
                return place
    return place


def _fatal(place: Place, message: str) -> ConfigError:
    return ConfigError([Problem("", place.line, place.column, message)])


def _unquoted(sentence: str) -> str:
    """The library's sentence without what it quotes of the document, for that may be part of a secret."""
    return re.sub(r"'(?!<)[^']{3,}'|\"[^\"]{3,}\"", "…", sentence)


def _place_at(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))


def _start(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


class _Composer:
    """Events to nodes. Aliases share a node but are counted as if written out."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._count = 0
        self.problems: list[Problem] = []

    def document(self) -> Node:
        next(self._events)
        start = next(self._events)
        if not isinstance(start, DocumentStartEvent):
            return Table(Place(1, 1), {})
        if start.version is not None and start.version != (1, 2):
            raise _fatal(_start(start), "expected YAML 1.2, which needs no %YAML line")
        root = self._node(next(self._events), ())
        next(self._events)
        if isinstance(extra := next(self._events), DocumentStartEvent):
            raise _fatal(_start(extra), "expected one document, a second one begins here")
        return root

    def _node(self, event: Event, path: tuple[Step, ...]) -> Node:
        self._count += 1
        if len(path) > DEPTH or self._count > NODES:
            raise _fatal(_start(event), f"expected at most {DEPTH} levels and {NODES} values, aliases written out")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        assert isinstance(event, NodeEvent)
        before = self._count
        if event.anchor:
            self._anchors[event.anchor] = None
        node = self._scalar(event, path) if isinstance(event, ScalarEvent) else self._collection(event, path)
        if event.anchor:
            self._anchors[event.anchor] = node, self._count - before + 1
        return node

    def _alias(self, event: AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            raise _fatal(_start(event), "no anchor of this name stands before this alias; quote a text that begins with *")
        if (found := self._anchors[event.anchor]) is None:
            raise _fatal(_start(event), "this alias stands inside what it names")
        node, size = found
        self._count += size
        if self._count > NODES:
            raise _fatal(_start(event), f"expected at most {NODES} values, aliases written out")
        return node

    def _collection(self, event: NodeEvent, path: tuple[Step, ...]) -> Node:
        assert isinstance(event, CollectionStartEvent)
        self._tag(event, path, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
        if isinstance(event, MappingStartEvent):
            return Table(_start(event), self._fields(path))
        items: list[Node] = []
        while not isinstance(inner := next(self._events), SequenceEndEvent):
            items.append(self._node(inner, (*path, len(items))))
        return Row(_start(event), tuple(items))

    def _fields(self, path: tuple[Step, ...]) -> dict[str, tuple[Place, Node]]:
        fields: dict[str, tuple[Place, Node]] = {}
        while not isinstance(key := next(self._events), MappingEndEvent):
            if not isinstance(key, ScalarEvent):
                raise _fatal(_start(key), "expected a text as key")
            name, place = key.value, _start(key)
            node = self._node(next(self._events), (*path, name))
            if name == "<<" and key.style is None:
                self._problem((*path, name), place, "merge keys are not YAML 1.2; write the fields out, or alias a whole value")
            elif name in fields:
                self._problem((*path, name), place, f"this key stands here twice, first on line {fields[name][0].line}")
            else:
                fields[name] = place, node
        return fields

    def _scalar(self, event: ScalarEvent, path: tuple[Step, ...]) -> Leaf:
        self._tag(event, path, TEXT, "!")
        if SURROGATE.search(event.value):
            raise _fatal(_start(event), "half a character may not stand in a text; beyond \\uFFFF write \\U and eight digits")
        if event.style is not None or event.ctag is not None:
            return Leaf(_start(event), event.value)
        return Leaf(_start(event), resolve(event.value), event.value)

    def _tag(self, event: ScalarEvent | CollectionStartEvent, path: tuple[Step, ...], *known: str) -> None:
        if event.ctag is not None and str(event.ctag) not in known:
            self._problem(path, _start(event), "tags have no meaning here; write the plain value")

    def _problem(self, path: tuple[Step, ...], place: Place, message: str) -> None:
        self.problems.append(Problem(dotted(path), place.line, place.column, message))


def resolve(text: str) -> Scalar:
    """What an unquoted text is in YAML 1.2: `no`, `12:30` and `2027-01-01` are texts, `0777` is a number."""
    if text in WORDS:
        return WORDS[text]
    if WHOLE.fullmatch(text):
        return int(text)
    if REAL.fullmatch(text):
        return float(text)
    if OCTAL.fullmatch(text):
        return int(text, 0)
    return int(text, 0) if HEX.fullmatch(text) else text
