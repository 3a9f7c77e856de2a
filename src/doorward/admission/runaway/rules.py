"""The rules as they are asked on each call: names, bounds and what becomes of what they catch."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from doorward.config.runaway import Cap, Circle, Runaway


class Rule(StrEnum):
    """The rules; the words are the document's, and stand in metrics, alerts and refusals."""

    REPEATED = "repeated"
    CYCLES = "cycles"
    POLLING = "polling"
    NO_PROGRESS = "no_progress"
    FAN_OUT = "fan_out"
    LISTS = "lists"
    WRITE = "write"
    DESTRUCTIVE = "destructive"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule that is on."""

    rule: Rule
    calls: int
    seconds: float
    pace: float
    """Calls a second that are never too many."""
    refuses: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that are on; None for one that is off."""

    repeated: Bound | None
    cycles: Bound | None
    polling: Bound | None
    no_progress: Bound | None
    fan_out: Bound | None
    lists: Bound | None
    caps: Mapping[str, Bound]
    """By policy group."""


def compiled(section: Runaway) -> Rules:
    """The rules of a document."""
    caps = {
        group: bound
        for group, cap in (("write", section.write), ("destructive", section.destructive), ("external", section.external))
        if (bound := _bound(Rule(group), cap)) is not None
    }
    return Rules(
        repeated=_bound(Rule.REPEATED, section.repeated),
        cycles=_bound(Rule.CYCLES, section.cycles),
        polling=_bound(Rule.POLLING, section.polling),
        no_progress=_bound(Rule.NO_PROGRESS, section.no_progress),
        fan_out=_bound(Rule.FAN_OUT, section.fan_out),
        lists=_bound(Rule.LISTS, section.lists),
        caps=caps,
    )


def _bound(rule: Rule, part: Circle | Cap) -> Bound | None:
    if part.mode == "off":
        return None
    return Bound(rule, part.calls, part.seconds, part.calls / part.seconds, part.mode == "refuse")
