"""Checks of labels and the rules on them: rules about something that is there, domains that are domains, marks that say something."""

from collections.abc import Iterator, Mapping

from doorward.config.addresses import is_host
from doorward.config.check_limits import selection
from doorward.config.flow import Declassification, Endorsement, Labels, Marks
from doorward.config.ground import Found, error, note
from doorward.config.model import Document
from doorward.config.problems import Step, quoted
from doorward.config.selection import Selection

_BELOW = "*."


def flow(document: Document) -> Iterator[Found]:
    """Everything there is to say of labels, endorsements and declassifications."""
    for name, endorsed in document.flow.endorse.items():
        yield from _about(endorsed, document, ("flow", "endorse", name))
        yield from _domains(endorsed, ("flow", "endorse", name, "domains"))
    for name, lowered in document.flow.declassify.items():
        yield from _about(lowered, document, ("flow", "declassify", name))
    for at, labels in _every(document):
        yield from _sink(labels, at)
        for field, marks in (("resources", labels.resources), ("arguments", labels.arguments)):
            yield from _marks(marks, (*at, field))


def _every(document: Document) -> Iterator[tuple[tuple[Step, ...], Labels]]:
    """Every set of labels, and where it stands."""
    for upstream, config in document.upstreams.items():
        at = ("upstreams", upstream)
        yield (*at, "labels"), config.labels
        yield from (((*at, "tools", tool, "labels"), rule.labels) for tool, rule in config.tools.items() if rule.labels is not None)


def _about(rule: Endorsement | Declassification, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    if not (rule.upstreams or rule.tools):
        yield error("expected upstreams or tools that it is about", *at)
    yield from selection(Selection(upstreams=rule.upstreams, tools=rule.tools), document, at)


def _domains(rule: Endorsement, at: tuple[Step, ...]) -> Iterator[Found]:
    for index, domain in enumerate(rule.domains):
        name = domain.removeprefix(_BELOW)
        if not (name.isascii() and is_host(name) and "." in name):
            yield error(f"expected a domain such as corp.example or *.corp.example, got {quoted(domain)}", *at, index)


def _sink(labels: Labels, at: tuple[Step, ...]) -> Iterator[Found]:
    if labels.sink is not None and labels.sink.most is None and labels.sink.least is None:
        yield error("expected most, least or both", *at, "sink")


def _marks(marks: Mapping[str, Marks], at: tuple[Step, ...]) -> Iterator[Found]:
    return (note("it says nothing", *at, name) for name, one in marks.items() if one == Marks())
