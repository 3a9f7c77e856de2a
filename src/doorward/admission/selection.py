"""A selection as it is asked on each call: whether it is about the call, and under which key the call counts. Pure.

Keys are made of what was authenticated and of the target as it was resolved, never of what a client says of itself (RULINGS 8).
Their parts come from bounded sets, so that nobody makes counters by making up names: what is not a tool counts under its kind.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from doorward.config.selection import Counted, Selection
from doorward.domain.calls import Call

Key = tuple[str, ...]
"""What a counter belongs to: one part for each thing that is counted apart, in the order in which the document names them."""

LISTS: Final = "lists"
"""What all lists count as."""

_Fits = Callable[[Call], bool]


class Chosen:
    """One selection, compiled: `of` asks only what the document restricts."""

    __slots__ = ("_fits", "_parts", "per")

    def __init__(self, selection: Selection, per: Sequence[Counted]) -> None:
        self.per: tuple[Counted, ...] = tuple(per)
        self._fits = tuple(_fits(selection))
        self._parts = tuple([_PARTS[name] for name in self.per])

    def of(self, call: Call) -> Key | None:
        """The key that a call counts under, empty where nothing is counted apart; None where the selection is not about it."""
        for fits in self._fits:
            if not fits(call):
                return None
        return tuple([part(call) for part in self._parts])


def reads_of(call: Call) -> tuple[object, ...]:
    """Everything of a call that any selection and key read: two calls that are alike in it are chosen alike."""
    principal, target, method = call.principal, call.target, call.method
    agent, subject = principal.agent, principal.subject
    return (
        agent.id,
        agent.team,
        principal.instance,
        None if subject is None else subject.id,
        target.upstream,
        target.name if method == "tools/call" else target.kind,
        target.parents,
        method,
    )


def method_of(call: Call) -> str:
    """The method that a call counts as: its own, or `lists`."""
    method = call.method
    return LISTS if method.endswith("/list") else method


def tool_of(call: Call) -> str:
    """The tool that a call counts as: `upstream/tool`, or `upstream:kind` for what is no tool (no upstream's name holds a colon)."""
    target = call.target
    return f"{target.upstream}/{target.name}" if call.method == "tools/call" else f"{target.upstream}:{target.kind}"


def user_of(call: Call) -> str:
    """The person that a call counts for, as `issuer:name`; an agent that acts for nobody counts as itself, `agent/name`."""
    subject = call.principal.subject
    return subject.id if subject is not None else f"agent/{call.principal.agent.id}"


_PARTS: dict[Counted, Callable[[Call], str]] = {
    "agent": lambda call: call.principal.agent.id,
    "instance": lambda call: call.principal.instance,
    "user": user_of,
    "team": lambda call: call.principal.agent.team,
    "upstream": lambda call: call.target.upstream,
    "tool": tool_of,
    "method": method_of,
}


def _fits(selection: Selection) -> Iterator[_Fits]:
    """The questions that a selection asks, those that most often say no first."""
    if selection.tools:
        tools = frozenset(selection.tools)
        yield lambda call: tool_of(call) in tools
    if selection.upstreams:
        upstreams = frozenset(selection.upstreams)
        yield lambda call: call.target.upstream in upstreams
    if selection.methods:
        methods = frozenset(selection.methods)
        yield lambda call: method_of(call) in methods
    if selection.groups:
        groups = frozenset(selection.groups)
        yield lambda call: not groups.isdisjoint(call.target.parents)
    yield from _fits_principal(selection)


def _fits_principal(selection: Selection) -> Iterator[_Fits]:
    if selection.agents:
        agents = frozenset(selection.agents)
        yield lambda call: call.principal.agent.id in agents
    if selection.teams:
        teams = frozenset(selection.teams)
        yield lambda call: call.principal.agent.team in teams
    if selection.users:
        users = frozenset(selection.users)
        yield lambda call: call.principal.subject is not None and call.principal.subject.id in users
