"""Labels: what was found in a message that passes, told to whoever reads it (`_meta`), without the text that it was found in."""

from collections.abc import Iterable, Mapping, Sequence

from doorward.domain.findings import Disposition, Finding, Part
from doorward.inspection.walk import steps

FINDINGS_KEY = "dev.doorward/findings"
"""The `_meta` key (or field of an error's `data`) that they stand under."""

MOST = 32
"""Findings that one message is labelled with; the log has as many."""
_POINTER = 256
"""Characters of where one is."""

_LABELLED = frozenset({Disposition.LABEL, Disposition.SPOTLIGHT})

Label = Mapping[str, str]
"""Guard, rule, severity, pointer and what was done."""


def labels(findings: Sequence[Finding]) -> tuple[Label, ...]:
    """What is told of these findings, each with what is done about it."""
    told = [finding for finding in findings if finding.done in _LABELLED][:MOST]
    if not told:
        return ()
    # A key that was taken out is not named by the way to what stood below it.
    gone = {steps(finding.pointer) for finding in findings if finding.part is Part.KEY and finding.done is Disposition.REDACT}
    return tuple(_label(finding, gone) for finding in told)


def noted(params: Mapping[str, object], told: Sequence[Label]) -> dict[str, object]:
    """A notification's params with labels in `_meta`."""
    meta = params.get("_meta")
    return {**params, "_meta": {**(meta if isinstance(meta, Mapping) else {}), FINDINGS_KEY: list(told)}}


def explained(params: object, told: Sequence[Label]) -> object:
    """An error's `data` with labels; what is neither an object nor absent has no room for them."""
    if params is None:
        return {FINDINGS_KEY: list(told)}
    return {**params, FINDINGS_KEY: list(told)} if isinstance(params, Mapping) else params


def _label(finding: Finding, gone: Iterable[tuple[str, ...]]) -> Label:
    at = steps(finding.pointer)
    cut = next((len(place) - 1 for place in gone if at[: len(place)] == place), None)
    where = finding.pointer if cut is None else "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in at[:cut])
    assert finding.done is not None
    return {
        "guard": finding.guard,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "pointer": where[:_POINTER],
        "done": finding.done.value,
    }
