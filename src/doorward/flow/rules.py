"""Rules of labels, compiled: what a target's results are labelled, what it takes, and which named rules are about a call. Pure."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final, NamedTuple, TypeVar

import msgspec

from doorward.config.flow import Declassification, Endorsement, Labels, Marks, Sink
from doorward.config.model import Document
from doorward.domain.catalog import Kind, Target
from doorward.domain.flow import CLEAN, Confidentiality, Integrity, Label, Rise
from doorward.flow.pointers import Steps, steps
from doorward.flow.resources import fitting

UNLABELLED: Final = Label(Integrity.UNTRUSTED, Confidentiality.INTERNAL)
"""Of what nobody has labelled: written by anybody, and meant for nobody outside."""
T = TypeVar("T", Endorsement, Declassification)
HOUR_SECONDS: Final = 3_600
_KNOWN: Final = 4_096
"""Targets that are remembered; beyond, all are worked out anew."""


class Trace(Enum):
    """Whether it is kept which texts stood in something untrusted. Where it is not, all count as if they had, should anybody ask."""

    OFF = 0
    ON = 1


class Taken(NamedTuple):
    """What an answer has left in its context."""

    label: Label
    """Of the answer, with what was found in it."""
    endorsed: str = ""
    """The rule by which it counts as trusted; empty where none does."""
    rise: Rise | None = None
    """To be written with the outcome; None where nothing has changed but by the intent."""
    is_raised: bool = False
    """Whether the context holds more than its intent said: then `rise` is durable before the answer is shown."""


class About(msgspec.Struct, frozen=True):
    """What the rules say of one target."""

    label: Label
    """Of what it answers."""
    sink: Sink | None
    arguments: tuple[tuple[Steps, Label], ...]
    """What a context holds that has such an argument."""
    endorse: tuple[tuple[str, Endorsement], ...]
    declassify: tuple[tuple[str, Declassification], ...]
    taken: Taken
    """What an answer leaves of which all that there is to say was said with the intent."""


class Rules:
    """The rules of one document."""

    __slots__ = ("_document", "_found", "_known", "expiry_seconds", "trace")

    def __init__(self, document: Document, trace: Trace) -> None:
        self._document = document
        self._known: dict[tuple[str, Kind, str], About] = {}
        self._found = {name: marked(CLEAN, marks) for name, marks in document.flow.findings.items()}
        self.trace = trace
        self.expiry_seconds = document.flow.hours * HOUR_SECONDS

    def about(self, target: Target) -> About:
        """What is said of a target, worked out once."""
        key = (target.upstream, target.kind, target.name)
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[key] = self._about(target)
            return known

    def found(self, guard: str, rule: str) -> Label:
        """What a context holds once this was found in what it was given."""
        exact = self._found.get(f"{guard}/{rule}")
        return exact if exact is not None else self._found.get(guard, CLEAN)

    def _about(self, target: Target) -> About:
        upstream = self._document.upstreams.get(target.upstream)
        if upstream is None:
            return About(UNLABELLED, None, (), (), (), Taken(UNLABELLED))
        whole, tool = upstream.labels, upstream.tools.get(target.name) if target.kind is Kind.TOOL else None
        said = whole if tool is None or tool.labels is None else _over(whole, tool.labels)
        flow, label = self._document.flow, _labelled(said, target)
        return About(
            label=label,
            sink=said.sink,
            arguments=tuple([(steps(pointer), marked(CLEAN, marks)) for pointer, marks in said.arguments.items()]),
            endorse=tuple(_concerned(flow.endorse, target)),
            declassify=tuple(_concerned(flow.declassify, target)),
            taken=Taken(label),
        )


def takes(sink: Sink, label: Label) -> tuple[bool, bool]:
    """Whether a label is more confidential than what a sink takes, and whether it is less trusted."""
    return (
        sink.most is not None and label.confidentiality.is_beyond(sink.most),
        sink.least is Integrity.TRUSTED and label.integrity is Integrity.UNTRUSTED,
    )


def trusted(label: Label) -> Label:
    """A label without its distrust."""
    return label if label.integrity is Integrity.TRUSTED else Label(Integrity.TRUSTED, label.confidentiality, label.categories)


def marked(label: Label, marks: Marks) -> Label:
    """A label with what marks say in its place."""
    return Label(
        label.integrity if marks.integrity is None else marks.integrity,
        label.confidentiality if marks.confidentiality is None else marks.confidentiality,
        label.categories | set(marks.categories),
    )


def _over(whole: Labels, tool: Labels) -> Labels:
    """What is said of a tool, and where nothing is, of its upstream."""
    return whole.model_copy(update={name: value for name in tool.model_fields_set if (value := getattr(tool, name)) is not None})


def _labelled(said: Labels, target: Target) -> Label:
    label = Label(
        said.integrity or UNLABELLED.integrity, said.confidentiality or UNLABELLED.confidentiality, frozenset(said.categories or ())
    )
    if target.kind is not Kind.RESOURCE or not said.resources:
        return label
    marks = fitting(said.resources, target.name)
    if not marks:
        return label
    first, *others = [marked(label, one) for one in marks]
    for other in others:
        first = first.joined(other)
    return first


def _concerned(rules: Mapping[str, T], target: Target) -> Iterator[tuple[str, T]]:
    """The named rules about a target."""
    tool = f"{target.upstream}/{target.name}" if target.kind is Kind.TOOL else None
    return ((name, rule) for name, rule in rules.items() if target.upstream in rule.upstreams or tool in rule.tools)
