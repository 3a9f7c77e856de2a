"""Which policy groups a tool stands in, and what it takes to undo it: what an operator says, else caution (RULINGS 7)."""

from collections.abc import Iterator, Mapping
from typing import Literal

from doorward.config.model import ToolRule, Upstream
from doorward.domain.catalog import Kind, Reversibility

READS = frozenset({"read"})
"""Resources, templates, prompts and instructions: the protocol makes reading of them."""

UNKNOWN = frozenset({"write", "destructive", "external"})
"""A tool of which nobody has said anything: it may do anything, anywhere."""

Hints = Literal["caution", "believe"]


def parents(kind: Kind, name: str, body: Mapping[str, object], upstream: Upstream) -> frozenset[str]:
    """The groups of a definition: its rule's; else, where the operator believes the server, those of its annotations; else unknown."""
    if kind is not Kind.TOOL:
        return READS
    rule = upstream.tools.get(name)
    if rule is not None and rule.groups:
        groups = frozenset[str](rule.groups)
        return groups | {"write"} if "destructive" in groups else groups
    return _claimed(_annotations(body)) if upstream.hints == "believe" else UNKNOWN


def reversibility(rule: ToolRule | None, groups: frozenset[str]) -> Reversibility:
    """What it takes to undo a call: what its rule says, else nothing for what only reads, else unknown, which is irreversible."""
    if rule is not None and rule.reversibility is not None:
        return rule.reversibility
    return Reversibility.READ if "read" in groups else Reversibility.IRREVERSIBLE


def doubts(body: Mapping[str, object], rule: ToolRule) -> Iterator[str]:
    """Where a server claims to be more dangerous than its operator's rule says: worth a look."""
    annotations = _annotations(body)
    if "read" in rule.groups and (annotations.get("readOnlyHint") is False or annotations.get("destructiveHint") is True):
        yield "the rule says read, the server's own annotations say that it changes something"
    if rule.groups and "external" not in rule.groups and annotations.get("openWorldHint") is True:
        yield "the rule leaves external out, the server's own annotations say that it reaches outside"


def _annotations(body: Mapping[str, object]) -> Mapping[str, object]:
    annotations = body.get("annotations")
    return annotations if isinstance(annotations, Mapping) else {}


def _claimed(annotations: Mapping[str, object]) -> frozenset[str]:
    """The groups that annotations claim, with the specification's defaults; where two contradict each other the worse one counts."""
    outside = frozenset() if annotations.get("openWorldHint") is False else frozenset({"external"})
    destructive = annotations.get("destructiveHint")
    if annotations.get("readOnlyHint") is True and destructive is not True:
        return READS | outside
    return frozenset({"write"}) | outside | (frozenset() if destructive is False else frozenset({"destructive"}))
