"""Redaction: takes out of a message what findings point at. It only narrows, and the same findings always give the same text.

What is not seen is left out; everything else becomes `[withheld: rule]`. A finding about a key takes the whole member away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Finding, Part
from doorward.inspection.characters import SEVERITIES, spans
from doorward.inspection.guards.unicode import NAME as UNICODE
from doorward.inspection.walk import steps


class EditError(DoorwardError):
    """A finding that does not fit the message it is said to be about, or would leave nothing of it."""


@dataclass(slots=True)
class _Place:
    """What is to be done at one place, and below it."""

    findings: list[Finding] = field(default_factory=list)
    below: dict[str, "_Place"] = field(default_factory=dict)
    is_dropped: bool = False


def redact(body: Mapping[str, object], findings: Iterable[Finding]) -> dict[str, object]:
    """The body without what the findings point at; the body given is not changed. Raises `EditError`."""
    root = _Place()
    for finding in findings:
        _sort_in(root, finding)
    if root.findings or root.is_dropped:
        raise EditError("expected a finding about a part of the message, got one about the whole")
    edited = _edited(body, root)
    assert isinstance(edited, dict)
    return edited


def mask(rule: str) -> str:
    """What stands where something was withheld."""
    return f"[withheld: {rule}]"


def _sort_in(root: _Place, finding: Finding) -> None:
    place = root
    for step in steps(finding.pointer):
        place = place.below.setdefault(step, _Place())
    if finding.part is Part.KEY:
        place.is_dropped = True
    else:
        place.findings.append(finding)


def _edited(value: object, place: _Place | None) -> object:
    if place is None:
        return value
    if place.findings:
        return _withheld(value, place.findings)
    if isinstance(value, Mapping):
        _check_fit(place.below, value)
        return {key: _edited(child, place.below.get(key)) for key, child in value.items() if not _is_dropped(place, key)}
    if isinstance(value, list | tuple):
        _check_fit(place.below, map(str, range(len(value))))
        return [_edited(child, place.below.get(str(index))) for index, child in enumerate(value)]
    raise EditError("expected an object or array where a pointer goes on")


def _is_dropped(place: _Place, key: str) -> bool:
    inner = place.below.get(key)
    return inner is not None and inner.is_dropped


def _check_fit(below: Mapping[str, _Place], there: Iterable[str]) -> None:
    if not below.keys() <= set(there):
        raise EditError("expected pointers to what is there")


def _withheld(value: object, findings: list[Finding]) -> object:
    """A text without its findings' places; anything else, and a text meant as a whole, is withheld altogether."""
    shown = [finding for finding in findings if not _is_unseen(finding)]
    whole = [finding.rule for finding in shown if finding.start == finding.end]
    if whole or not isinstance(value, str):
        return mask(min(whole or [finding.rule for finding in findings]))
    unseen = {finding.rule for finding in findings if _is_unseen(finding)}
    places = [(finding.start, finding.end, mask(finding.rule)) for finding in shown]
    if any(not 0 <= start < end <= len(value) for start, end, _ in places):
        raise EditError("expected places within the text")
    # Found again, since one finding may be about many places.
    places += [(start, end, "") for start, end, rule in spans(value) if rule in unseen]
    return _replaced(value, places)


def _is_unseen(finding: Finding) -> bool:
    return finding.guard == UNICODE and finding.rule in SEVERITIES


def _replaced(text: str, places: list[tuple[int, int, str]]) -> str:
    """Each place replaced by its own text; of those that overlap, all by the first text that says something."""
    apart: list[tuple[int, int, str]] = []
    for start, end, instead in sorted(places):
        if apart and start < apart[-1][1]:
            first, last, before = apart.pop()
            apart.append((first, max(last, end), before or instead))
        else:
            apart.append((start, end, instead))
    kept, at = [], 0
    for start, end, instead in apart:
        kept += [text[at:start], instead]
        at = end
    return "".join([*kept, text[at:]])
