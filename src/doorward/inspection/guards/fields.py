"""The guard of fields: what stands in a place that an operator named is found, whatever it is; nothing is detected."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from doorward.domain.calls import Call
from doorward.domain.findings import Direction, Finding, Severity
from doorward.inspection.fields import Patterns, matches, spans
from doorward.inspection.normal.other import BASE64
from doorward.inspection.places import gathered
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import Path, pointer

_HOLDING = ("content", "contents", "messages")
"""Fields of results whose texts may be JSON."""
_SAYING = ("message", "data")
"""Fields of errors and notifications that may be such a text."""


class Field(msgspec.Struct, frozen=True):
    """A sort of field, and in which messages it stands."""

    rule: str
    severity: Severity
    patterns: Patterns
    directions: frozenset[Direction]
    upstreams: frozenset[str] = frozenset()
    """Empty: of all."""
    tools: frozenset[str] = frozenset()
    """Empty: of all."""

    def is_in(self, call: Call, direction: Direction) -> bool:
        """Whether it is looked for in messages of a call that travel this way."""
        target = call.target
        is_target = (not self.upstreams or target.upstream in self.upstreams) and (not self.tools or target.name in self.tools)
        return is_target and direction in self.directions


class Fields:
    """Reports the values of fields: whole, also in texts that are JSON."""

    __slots__ = ("_fields", "rules")

    name = "fields"
    about = "Values in places that the configuration names"

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self.rules: Mapping[str, Severity] = {field.rule: field.severity for field in fields}

    def look(self, view: View) -> tuple[Finding, ...]:
        """A finding for each value."""
        direction = Direction.REQUEST if view.carrier is Carrier.REQUEST else Direction.RESPONSE
        asked = [field for field in self._fields if field.is_in(view.call, direction)]
        return gathered([finding for field in asked for finding in _found(field, view)]) if asked else ()


def _found(field: Field, view: View) -> Iterator[Finding]:
    for path, value in _roots(view):
        yield from (_finding(field, place, (0, 0)) for place, _ in matches(value, field.patterns, path))
    if view.carrier is not Carrier.REQUEST:
        for path, text in _texts(view):
            yield from (_finding(field, path, span) for span in spans(text, field.patterns))
        # A blob is withheld as a whole: nobody could tell what a mask in it stands for.
        coded = ((leaf[0], other) for leaf, other in view.others if other.writing == BASE64)
        yield from (_finding(field, path, (other.start, other.end)) for path, other in coded if spans(other.text, field.patterns))


def _roots(view: View) -> Iterator[tuple[Path, object]]:
    """The values that pointers are into: the arguments, a structured result, what an error or a log message brings along."""
    names = ("arguments",) if view.carrier is Carrier.REQUEST else ("structuredContent", "data")
    yield from (((None, name), view.body[name]) for name in names if name in view.body)


def _texts(view: View) -> Iterator[tuple[Path, str]]:
    for name in _SAYING:
        said = view.body.get(name)
        if isinstance(said, str):
            yield (None, name), said
    for name in _HOLDING:
        held = view.body.get(name)
        for index, block in enumerate(held if isinstance(held, list | tuple) else ()):
            yield from _in_block(block, ((None, name), index))


def _in_block(block: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The text of a block of content, of the resource in it, of the content of a message."""
    if not isinstance(block, Mapping):
        return
    text = block.get("text")
    if isinstance(text, str):
        yield (path, "text"), text
    for name in ("resource", "content"):
        yield from _in_block(block.get(name), (path, name))


def _finding(field: Field, path: Path, span: tuple[int, int]) -> Finding:
    return Finding(Fields.name, field.rule, field.severity, pointer(path), *span)
