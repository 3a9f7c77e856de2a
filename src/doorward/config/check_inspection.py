"""Checks of what is done about findings, and of the guards of others: names that lead nowhere, and rules that do less than they look like."""

from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

from doorward.config.check_credentials import secret_of, text_of
from doorward.config.dispositions import GUARDS, DispositionRule
from doorward.config.ground import Found, Ground, error, note
from doorward.config.guards import GuardRule
from doorward.config.inline import by_name
from doorward.config.model import Document
from doorward.config.problems import Step, listed, meant, quoted
from doorward.config.references import MalformedError, Remote, references_in

GROUP = "doorward.guards"
"""Entry points by which other packages bring guards."""
HELD = ("own_secrets", "size", "chain", "schema_uncheckable")
"""Guards and rules whose findings no rule about findings loosens (`policy/dispositions.py` says why)."""

_MILD = frozenset({"pass", "label", "spotlight", "mask", "ask"})
_AT: tuple[Step, ...] = ("inspection",)
_CONDITIONS = ("rules", "severities", "directions", "agents", "teams", "upstreams", "tools", "pointers")


def inspection(document: Document, ground: Ground) -> Iterator[Found]:
    """Everything there is to say of rules about findings and of guards of others."""
    every = document.inspection.dispositions
    for place, rule in enumerate(every):
        at = (*_AT, "dispositions", place)
        yield from _names(rule, document, at)
        yield from _effect(rule, document, at)
        before = next((index for index, one in enumerate(every[:place]) if _covers(one, rule)), None)
        if before is not None:
            yield note(f"dispositions[{before}] fits all of this before, so it decides nothing", *at)
    for name, guard in document.inspection.guards.items():
        yield from _guard(name, guard, ground, (*_AT, "guards", name))


def _names(rule: DispositionRule, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    guards = (*GUARDS, *document.inspection.guards)
    yield from _unknown(rule.guards, guards, "guard", (*at, "guards"))
    yield from _unknown(rule.upstreams, document.upstreams, "upstream", (*at, "upstreams"))
    for index, tool in enumerate(rule.tools):
        named = [name for name in document.upstreams if tool.startswith((f"{name}/", f"{name}__"))]
        if named:
            own = tool[len(named[0]) :].lstrip("/_")
            yield note(f"tools are named by their own names here; did you mean {quoted(own)}?", *at, "tools", index)
    for index, pointer in enumerate(rule.pointers):
        if not pointer.startswith("/"):
            yield error(f"expected a JSON pointer such as /content/*/text, got {quoted(pointer)}", *at, "pointers", index)


def _unknown(names: Iterable[str], known: Iterable[str], what: str, at: tuple[Step, ...]) -> Iterator[Found]:
    there = tuple(known)
    for index, name in enumerate(names):
        if name not in there:
            yield note(f"there is no {what} {quoted(name)}{meant(name, there)}", *at, index)


def _effect(rule: DispositionRule, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    """Where less comes of a rule than it says."""
    held = [name for name in (*rule.guards, *rule.rules) if name in HELD]
    if held and rule.then in _MILD:
        yield note(f"no rule lets go of {listed(held, 'and')}: this one tightens there at most", *at, "then")
    silent = [name for name in rule.guards if name in document.inspection.guards and document.inspection.guards[name].mode == "observe"]
    if silent:
        yield note(f"what {listed(silent, 'and')} finds is only recorded (mode: observe), whatever stands here", *at, "guards")
    if rule.then == "ask" and document.approvals.findings is None:
        yield note("nobody answers for findings (approvals.findings), so this blocks", *at, "then")
    if rule.then == "spotlight" and rule.directions == ("request",):
        yield note("a request is passed on and recorded; only what comes from outside is marked", *at, "then")


def _covers(one: DispositionRule, other: DispositionRule) -> bool:
    """Whether whatever fits the other one fits this one."""
    return all(
        not getattr(one, field) or (getattr(other, field) and set(getattr(other, field)) <= set(getattr(one, field)))
        for field in ("guards", *_CONDITIONS)
    )


def _guard(name: str, guard: GuardRule, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    if name in GUARDS:
        yield error("this guard is Doorward's own; give it another name", *at)
    installed = sorted(entry.name for entry in entry_points(group=GROUP))
    if guard.use not in installed:
        known = f"; installed are {listed(installed, 'and')}" if installed else "; none is installed"
        yield error(f"no installed package brings the guard {quoted(guard.use)}{meant(guard.use, installed) or known}", *at, "use")
    if guard.mode == "observe":
        yield note("what it finds is only recorded, and what it does not look at passes", *at, "mode")
    yield from _settings(guard.settings, ground, (*at, "settings"))


def _settings(value: object, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _settings(inner, ground, (*at, str(name)))
        case list() | tuple():
            for index, inner in enumerate(value):
                yield from _settings(inner, ground, (*at, index))
        case str():
            yield from _text(value, ground, at)
        case _:
            return


def _text(text: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """A guard is made with what stands in variables and files."""
    last = at[-1]
    yield from (secret_of if isinstance(last, str) and by_name(last, text) else text_of)(text, ground, at)
    try:
        pointers = references_in(text)
    except MalformedError:
        return  # said already
    if any(isinstance(pointer, Remote) for pointer in pointers):
        yield error("a guard is made with what stands in variables and files", *at)
