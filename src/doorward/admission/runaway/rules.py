"""The rules as they are asked on each call: names, bounds and what becomes of what they catch."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from doorward.config.runaway import Cap, Circle, Mode, Runaway


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


class Bound(msgspec.Struct, frozen=True):
    """A rule that is on."""

    rule: Rule
    calls: int
    seconds: float
    pace: float
    """Calls a second that are never too many."""
    refuses: bool


class Rules(msgspec.Struct, frozen=True):
    """The rules that are on; None for one that is off."""

    repeated: Bound | None
    cycles: Bound | None
    polling: Bound | None
    no_progress: Bound | None
    fan_out: Bound | None
    lists: Bound | None
    caps: Mapping[str, Bound]
    """By policy group."""


_DEFAULTS: Final[Mapping[Rule, tuple[Mode, int, float]]] = {
    Rule.REPEATED: ("refuse", 150, 600.0),
    Rule.CYCLES: ("refuse", 60, 300.0),
    Rule.POLLING: ("observe", 360, 3600.0),
    Rule.NO_PROGRESS: ("observe", 100, 600.0),
    Rule.FAN_OUT: ("observe", 600, 10.0),
    Rule.LISTS: ("observe", 60, 300.0),
    Rule.WRITE: ("observe", 2000, 3600.0),
    Rule.DESTRUCTIVE: ("off", 2000, 3600.0),
    Rule.EXTERNAL: ("off", 2000, 3600.0),
}
"""Of each rule what the document leaves out; measured: they let honest work go on (tests/admission/runaway/test_honest.py)."""


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
    mode, calls, seconds = _DEFAULTS[rule]
    mode, calls, seconds = part.mode or mode, part.calls or calls, part.seconds or seconds
    return None if mode == "off" else Bound(rule, calls, seconds, calls / seconds, mode == "refuse")
