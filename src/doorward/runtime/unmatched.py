"""Rules about findings that name what nobody has: rules of guards, and tools."""

from collections.abc import Iterator, Mapping

from doorward.catalog.index import Index
from doorward.catalog.review import unmatched_rules
from doorward.config.dispositions import DispositionRule
from doorward.config.model import Document
from doorward.config.problems import Step, dotted, meant, quoted
from doorward.domain.catalog import Kind
from doorward.domain.findings import Severity
from doorward.inspection.described import Described
from doorward.runtime.screen import Screen
from doorward.runtime.snapshot import Snapshot

Unmatched = tuple[tuple[Step, ...], str]
"""Path in the document, and a sentence."""


def remarks(snapshot: Snapshot) -> tuple[str, ...]:
    """What of a document and its policies names what its upstreams and guards do not have, a line each."""
    document, index = snapshot.document, snapshot.index
    found = (*unmatched_rules(index, document), *unmatched(document, index, snapshot.screen))
    return (*(f"{dotted(path)}: {sentence}" for path, sentence in found), *map(str, snapshot.policies.warnings))


def unmatched(document: Document, index: Index, screen: Screen) -> Iterator[Unmatched]:
    """Names in the rules about findings that lead nowhere, as far as it is known what there is."""
    if not document.inspection.dispositions:
        return
    known = known_rules(screen)
    silent = ("",) if any(not isinstance(guard, Described) for guard in screen.inspection.guards) else ()
    everybody = (*known, *document.inspection.guards, *silent)
    tools = {(target.upstream, target.name) for target, _ in index.pinned if target.kind is Kind.TOOL}
    tools |= {(entry.target.upstream, entry.target.name) for entry in index.everything() if entry.target.kind is Kind.TOOL}
    for place, rule in enumerate(document.inspection.dispositions):
        at: tuple[Step, ...] = ("inspection", "dispositions", place)
        yield from _rules(rule, rule.guards or everybody, known, at)
        there = {name for upstream, name in tools if not rule.upstreams or upstream in rule.upstreams}
        gone = [(number, tool) for number, tool in enumerate(rule.tools) if tool not in there]
        yield from (((*at, "tools", number), f"no such tool is accepted{meant(tool, there)}") for number, tool in gone)


def known_rules(screen: Screen) -> Mapping[str, Mapping[str, Severity]]:
    """The rules of each guard that says which it has."""
    own = {guard.name: guard.rules for guard in screen.inspection.guards if isinstance(guard, Described)}
    return {**own, **{seat.name: seat.rules for seat in screen.panel.seats if seat.rules}}


def _rules(
    rule: DispositionRule, guards: tuple[str, ...], known: Mapping[str, Mapping[str, Severity]], at: tuple[Step, ...]
) -> Iterator[Unmatched]:
    if not all(guard in known for guard in guards):
        return  # one of them may report anything
    there = {name for guard in guards for name in known[guard]}
    for number, name in enumerate(rule.rules):
        if name not in there:
            yield (*at, "rules", number), f"no guard of these has a rule {quoted(name)}{meant(name, there)}"
