"""`context.session`: what policy may know of what has flowed into the context that a call comes from, and what of it is in the call."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import msgspec

from doorward.domain.flow import Confidentiality, Flow, Integrity, Taint
from doorward.policy.reads import Tree
from doorward.policy.shapes import Field, Fields, Many, Text, Truth, Whole

OF_TAINT = ("tainted", "tainted_destinations", "tainted_below", "tainted_arguments", "sources")
"""What rests on a look for the call's own texts in what was untrusted: it is taken only where one of these is read."""

SUPPOSED = "supposed"
"""Where a text would be from of which only that it is tainted is supposed."""

SESSION = Fields(
    {
        "integrity": Field(Text(), required=True),
        "confidentiality": Field(Text(), required=True),
        "categories": Field(Many(Text()), required=True),
        "tainted": Field(Many(Text()), required=True),
        "tainted_destinations": Field(Many(Text()), required=True),
        "tainted_below": Field(Many(Text()), required=True),
        "tainted_arguments": Field(Many(Text()), required=True),
        "sources": Field(Many(Text()), required=True),
        "calls": Field(Whole(), required=True),
        "writes": Field(Whole(), required=True),
        "externals": Field(Whole(), required=True),
        "findings": Field(Many(Text()), required=True),
        "too_confidential": Field(Truth(), required=True),
        "too_untrusted": Field(Truth(), required=True),
    },
    {},
)


_INTEGRITY, _CONFIDENTIALITY = frozenset(Integrity), frozenset(Confidentiality)


class Session(Protocol):
    """The context of one call before it goes on. Both give the same however often they are asked."""

    def flow(self) -> Flow:
        """Label, counters and findings; what it says of taint does not count."""
        ...

    def tainted(self) -> tuple[Taint, ...]:
        """The texts of the call that stood in something untrusted before."""
        ...


class Said(msgspec.Struct, frozen=True):
    """A context as it was recorded, or is supposed to be (`Session`)."""

    what: Flow

    def flow(self) -> Flow:
        """As it is said."""
        return self.what

    def tainted(self) -> tuple[Taint, ...]:
        """As it is said."""
        return self.what.tainted


def with_fact_of(said: Said, name: str, value: object) -> Said | None:
    """The same with one fact otherwise; None where no context is so."""
    flow = said.what
    match name, value:
        case "integrity", str() if value in _INTEGRITY:
            return Said(replace(flow, label=replace(flow.label, integrity=Integrity(value))))
        case "confidentiality", str() if value in _CONFIDENTIALITY:
            return Said(replace(flow, label=replace(flow.label, confidentiality=Confidentiality(value))))
        case "categories", [*names]:
            return Said(replace(flow, label=replace(flow.label, categories=frozenset(map(str, names)))))
        case "findings", [*names]:
            return Said(replace(flow, findings=frozenset(map(str, names))))
        case "calls" | "writes" | "externals", int() if value >= 0:
            return Said(_counted(flow, name, value))
        case "too_confidential" | "too_untrusted", bool():
            is_first = name == "too_confidential"
            return Said(replace(flow, is_too_confidential=value) if is_first else replace(flow, is_too_untrusted=value))
        case _, [*names] if name in OF_TAINT:
            tainted = _tainted(flow.tainted, name, frozenset(map(str, names)))
            return None if tainted is None else Said(replace(flow, tainted=tainted))
    return None


def _counted(flow: Flow, name: str, count: int) -> Flow:
    match name:
        case "calls":
            return replace(flow, calls=count)
        case "writes":
            return replace(flow, writes=count)
    return replace(flow, externals=count)


def _tainted(now: tuple[Taint, ...], name: str, wanted: frozenset[str]) -> tuple[Taint, ...] | None:
    """Taint of which a fact is as it is wanted: what is there less, and more besides; None where nobody can say of what."""

    def of(taint: Taint) -> frozenset[str]:
        match name:
            case "sources":
                return frozenset({taint.source})
            case "tainted_destinations":
                return frozenset(_destinations((taint,)))
            case "tainted_below":
                return frozenset(_above(taint.pointer))
            case "tainted_arguments":
                return frozenset({argument(taint.pointer)})
        return frozenset({taint.pointer})

    left = tuple(taint for taint in now if of(taint) <= wanted)
    more = wanted.difference(*map(of, now))
    if more and name == "sources":
        return None
    pointers = [f"/{one.replace('~', '~0').replace('/', '~1')}" if name == "tainted_arguments" else one for one in sorted(more)]
    return (*left, *(Taint(pointer, SUPPOSED) for pointer in pointers))


def session_facts(session: Session, read: Tree) -> dict[str, object]:
    """The attributes of `context.session` as plain values; of taint only if it is read."""
    flow = session.flow()
    found: dict[str, object] = {
        "integrity": flow.label.integrity.value,
        "confidentiality": flow.label.confidentiality.value,
        "categories": sorted(flow.label.categories),
        "calls": flow.calls,
        "writes": flow.writes,
        "externals": flow.externals,
        "findings": sorted(flow.findings),
        "too_confidential": flow.is_too_confidential,
        "too_untrusted": flow.is_too_untrusted,
    }
    if reads_taint(read):
        tainted = session.tainted()
        found["tainted"] = list(dict.fromkeys([taint.pointer for taint in tainted]))
        found["tainted_destinations"] = list(_destinations(tainted))
        found["tainted_below"] = list(dict.fromkeys([above for taint in tainted for above in _above(taint.pointer)]))
        found["tainted_arguments"] = list(dict.fromkeys([argument(taint.pointer) for taint in tainted]))
        found["sources"] = list(dict.fromkeys([taint.source for taint in tainted if taint.source]))
    return found


def reads_taint(read: Tree) -> bool:
    """Whether anything is read, of a session, that a look for taint must be taken for."""
    return read.is_whole or any(name in read.parts for name in OF_TAINT)


def _destinations(tainted: tuple[Taint, ...]) -> dict[str, None]:
    """The pointers of what is no text to be read, each once."""
    return dict.fromkeys([taint.pointer for taint in tainted if not taint.is_prose])


def argument(pointer: str) -> str:
    """The name of the argument that a JSON pointer (RFC 6901) is in; empty for the arguments as a whole."""
    return pointer.removeprefix("/").partition("/")[0].replace("~1", "/").replace("~0", "~")


def _above(pointer: str) -> Iterator[str]:
    """A pointer, and every one above it but that of the whole."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]


def told(session: Session, read: Tree) -> Iterator[tuple[str, str]]:
    """What of a context those are told who are asked about a call: name and sentence, as far as it is read."""
    flow, names = session.flow(), frozenset(SESSION.fields) if read.is_whole else frozenset(read.parts)
    if names & {"integrity", "confidentiality", "categories"}:
        yield "context", _labelled(flow)
    if names & set(OF_TAINT):
        yield from (("tainted", _appeared(taint)) for taint in session.tainted())
    if names & {"calls", "writes", "externals"}:
        yield "before", f"{flow.calls} calls, of which {flow.writes} may have changed something and {flow.externals} reached outside"
    if "findings" in names:
        yield "found", ", ".join(sorted(flow.findings)) or "nothing"
    if "too_confidential" in names and flow.is_too_confidential:
        yield "sink", "the target does not take anything so confidential"
    if "too_untrusted" in names and flow.is_too_untrusted:
        yield "sink", "the target takes nothing from whoever has read something untrusted"


def _appeared(taint: Taint) -> str:
    if taint.source:
        return f"{taint.pointer} first appeared in untrusted output of {taint.source}"
    return f"{taint.pointer} may have appeared in untrusted output: what was read is not known in full any more"


def _labelled(flow: Flow) -> str:
    label = flow.label
    trust = "something untrusted has been read" if label.integrity is Integrity.UNTRUSTED else "nothing untrusted has been read"
    if label.confidentiality is Confidentiality.PUBLIC:
        return f"{trust}, and nothing that is not public"
    sort = f" ({', '.join(sorted(label.categories))})" if label.categories else ""
    return f"{trust}, and what is {label.confidentiality.value}{sort}"
