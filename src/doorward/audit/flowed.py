"""What a leaf says of the context that a call came from, as far as policy read it: labels and counters in clear, names of arguments veiled."""

from collections.abc import Iterable
from typing import Final

from doorward.audit.veil import DEPTH, Veil
from doorward.domain.flow import Flow, Taint
from doorward.domain.receipts import Flowed

LISTED: Final = 32
"""Categories, findings or tainted texts of one leaf that are told."""
_NAME: Final = 128


def told(flowed: Flowed, veil: Veil) -> dict[str, object]:
    """The `session` of a leaf. `cut` where it does not hold all; `tainted` only where taint was looked for."""
    flow, label = flowed.flow, flowed.flow.label
    found: dict[str, object] = {"integrity": label.integrity, "confidentiality": label.confidentiality}
    for name, values in (("categories", label.categories), ("findings", flow.findings), ("declassified", flow.declassified)):
        if values:
            found[name] = _listed(values)
    found |= {"calls": flow.calls, "writes": flow.writes, "externals": flow.externals}
    found |= {name: True for name, is_so in _sink(flow) if is_so}
    if flowed.is_traced:
        found["tainted"] = [_tainted(one, veil) for one in flow.tainted[:LISTED]]
    return {**found, "cut": True} if _is_cut(flow) else found


def _tainted(one: Taint, veil: Veil) -> dict[str, object]:
    found: dict[str, object] = {"pointer": veil.pointer(one.pointer), "source": _short(one.source)}
    return {**found, "prose": True} if one.is_prose else found


def _sink(flow: Flow) -> tuple[tuple[str, bool], ...]:
    return ("too_confidential", flow.is_too_confidential), ("too_untrusted", flow.is_too_untrusted)


def _is_cut(flow: Flow) -> bool:
    """Whether a leaf says less than all: too many, or longer than is told."""
    several: tuple[Iterable[str], ...] = (flow.label.categories, flow.findings, [one.source for one in flow.tainted])
    is_deep = any(one.pointer.count("/") > DEPTH for one in flow.tainted)
    return is_deep or any(len(names) > LISTED or any(_short(name) != name for name in names) for names in map(tuple, several))


def _listed(names: Iterable[str]) -> list[str]:
    return [_short(name) for name in sorted(names)[:LISTED]]


def _short(name: str) -> str:
    text = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
