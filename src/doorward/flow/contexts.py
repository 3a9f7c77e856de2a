"""Contexts as the spine asks them: what policy may know before a call, what a call does to its context, what its answer leaves there.

A context is the authenticated instance's (RULINGS 8), never a session's or a client's by what it says of itself. Reads are from memory.
INVARIANTS: a label rises when a call is forwarded, in the transaction of its intent, and is lowered by nothing but a person's reset, time,
or the endorsement of the answer that it rose for; a context that had to make room leaves its label to the next ones of its agent.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from doorward.domain.actors import AuthnMethod
from doorward.domain.calls import Call
from doorward.domain.catalog import Target
from doorward.domain.findings import Finding
from doorward.domain.flow import UNMOVED, Flow, Integrity, Label, Rise, Taint
from doorward.flow.context import Context
from doorward.flow.endorsing import endorsing
from doorward.flow.index import Names, Read, leaves
from doorward.flow.lowering import lowered
from doorward.flow.pointers import reached
from doorward.flow.prose import is_prose
from doorward.flow.room import Room
from doorward.flow.rules import About, Rules, Taken, Trace, takes, trusted

_OWN = AuthnMethod.OWN
_UNTRUSTED = Integrity.UNTRUSTED
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""
_WRITES = frozenset({"write", "destructive"})
_UNSAID = frozenset({"_meta", "requestState"})
"""Fields of a call that no model writes."""


class Contexts:
    """Every context. Used from the tasks of one event loop; `read` from any thread."""

    __slots__ = ("_names", "_now", "_rules", "is_tracing", "room")

    def __init__(self, room: Room, names: Names, now: Callable[[], float], rules: Rules) -> None:
        """`now`: Unix seconds of a clock that never goes back."""
        self.room = room
        self._names = names
        self._now = now
        self.adopt(rules)

    def adopt(self, rules: Rules) -> None:
        """Goes on with other rules; labels that have risen stay."""
        self._rules = rules
        self.room.expiry_seconds = rules.expiry_seconds
        self.is_tracing = rules.trace is Trace.ON
        """Whether it is kept what was shown, so that reading a message takes its time."""

    def flow(self, call: Call) -> Flow:
        """What policy may know before this call, but for taint (`tainted`)."""
        context = self._of(call)
        if context is None:
            return UNMOVED
        label, about = context.label, self._rules.about(call.target)
        too_confidential = too_untrusted = False
        declassified: tuple[str, ...] = ()
        if about.declassify and not _besides(call):
            label, declassified = lowered(label, about.declassify, call.arguments)
        if about.sink is not None:
            too_confidential, too_untrusted = takes(about.sink, label)
        return Flow(
            label,
            (),
            context.calls,
            context.writes,
            context.externals,
            context.findings,
            too_confidential,
            too_untrusted,
            declassified,
        )

    def tainted(self, call: Call) -> tuple[Taint, ...]:
        """The texts among the call's arguments that its context saw first in something untrusted."""
        context = self._of(call)
        if context is None or not (context.is_untrusted or (context.index is not None and context.index.has_untrusted)):
            return ()
        found: list[Taint] = []
        for pointer, text in (*leaves(call.arguments), *leaves(_besides(call))):
            names = self._names.asked(text)
            if names and context.index is None:
                found.append(Taint(pointer, "", is_prose(pointer, text)))
            elif names and context.index is not None and (source := context.index.source(names)):
                found.append(Taint(pointer, source, is_prose(pointer, text)))
        return tuple(found)

    def rise(self, call: Call) -> Rise | None:
        """Raises the context of a call that is about to be forwarded, and counts it; what is written with its intent.

        Whoever calls this says whether it was written: `rose`, or `withdrawn`; and how the call ended: `taken`, or `ended`.
        """
        if call.principal.method is _OWN:
            return None
        now, rules = self._now(), self._rules
        context, about = self.room.opened(call, now), rules.about(call.target)
        if self.is_tracing:
            self._own_words(context, call)
        if about.arguments:
            self._argued(context, call, about)
        if about.endorse:
            self._bring(context, call, about)
        elif about.label is not context.joined or context.index is not None:
            context.raised(about.label)
            self._go_blind(context)
        parents = call.target.parents
        context.calls += 1
        if not _WRITES.isdisjoint(parents):
            context.writes += 1
        if "external" in parents:
            context.externals += 1
        context.at = now
        return self.room.rise(context)

    def rose(self, rise: Rise) -> None:
        """The intent is durable, and this with it."""
        self.room.written(rise)

    def withdrawn(self, call: Call, rise: Rise) -> Rise | None:
        """The call was not forwarded: it is not counted. What it has raised stays. What is written with its outcome, if it has one."""
        context = self.room.numbered(rise.counts.context)
        if context is None:
            return None
        context.kept(call.id)
        parents = call.target.parents
        context.calls -= 1
        context.writes -= not _WRITES.isdisjoint(parents)
        context.externals -= "external" in parents
        return self.room.rise(context)

    def read(self, call: Call, body: object) -> Read:
        """What a message shows that could lead somewhere; None where nobody will ask, for its context is blind already."""
        if not self.is_tracing:
            return None
        context = self.room.known(call)
        return None if context is not None and context.index is None else self._names.read(body)

    def heard(self, call: Call, read: Read, findings: Sequence[Finding] = ()) -> None:
        """A message on the way to the caller, such as progress, and what of what was found is still in it: held at once, as its target's.

        The call may never be answered; what it has raised is written with its outcome.
        """
        context = self.room.opened(call, self._now())
        label = self._found(self._rules.about(call.target).label, findings)
        context.raised(label)
        context.found(_names_of(findings))
        self._remember(context, call, label, read)

    def listed(self, call: Call, target: Target, read: Read) -> None:
        """A list of things of a target's sort that nobody has accepted: what it shows is remembered as a result's is, and raises no label.

        Clients ask for lists by themselves: with labels, every context would be untrusted before its agent has read a word.
        """
        self._remember(self.room.opened(call, self._now()), replace(call, target=target), self._rules.about(target).label, read)

    def taken(self, call: Call, body: object, read: Read, found: Sequence[Finding]) -> Taken:
        """An answer as the caller is shown it, what was read in it, and what of what was found is still in it."""
        context, about = self.room.opened(call, self._now()), self._rules.about(call.target)
        if about.label is context.joined and not (found or about.endorse or context.out) and context.index is None:
            # Most answers: the intent has said all of it.
            return about.taken if context.stored >= context.version else Taken(about.label, rise=self.room.rise(context))
        return self._taken(context, about, call, body, read, found)

    def _taken(self, context: Context, about: About, call: Call, body: object, read: Read, found: Sequence[Finding]) -> Taken:
        held, names = context.label, context.findings
        label = self._found(about.label, found) if found else about.label
        endorsed = self._endorsed(about, body, found) if about.endorse else ""
        if endorsed:
            label = trusted(label)
            context.returned(call.id)
        elif context.out:
            context.kept(call.id)
        context.raised(label)
        if found:
            context.found(_names_of(found))
        if context.index is not None:
            self._remember(context, call, label, read)
        is_raised = context.label is not held and held.joined(context.label) != held
        rise = self.room.rise(context) if context.owes else None
        return Taken(label, endorsed, rise, is_raised or context.findings != names)

    def ended(self, call: Call) -> Rise | None:
        """The call ended without an answer that was shown: nothing endorses what it may have brought. What is written with its outcome."""
        context = self.room.own(call, self._now())
        if context is None:
            return None
        context.kept(call.id)
        return self.room.rise(context) if context.owes else None

    async def sweep(self) -> None:
        """Forgets contexts that have expired; to be called every minute or so. Raises `StoreError`."""
        await self.room.sweep(self._now())

    def _of(self, call: Call) -> Context | None:
        return None if call.principal.method is _OWN else self.room.before(call, self._now)

    def _argued(self, context: Context, call: Call, about: About) -> None:
        """Raises a context by what some argument of a call says of it."""
        for path, label in about.arguments:
            if any(one is not None for one in reached(call.arguments, path)):
                context.raised(label)

    def _bring(self, context: Context, call: Call, about: About) -> None:
        """Raises a context by what a call brings whose answer may be endorsed: then that may take back that it is untrusted."""
        label = about.label
        if label.integrity is _UNTRUSTED and context.settled.integrity is Integrity.TRUSTED:
            context.raised(trusted(label))
            context.lent(call.id, label)
        else:
            context.raised(label)
            self._go_blind(context)

    def _endorsed(self, about: About, body: object, found: Sequence[Finding]) -> str:
        """The rule by which an answer counts as trusted; empty where none does."""
        endorsed = endorsing(about.endorse, body)
        return "" if endorsed is None or _is_hostile(self._rules, found) else endorsed

    def _found(self, label: Label, findings: Iterable[Finding]) -> Label:
        """A label with what was found."""
        for one in findings:
            label = label.joined(self._rules.found(one.guard, one.rule))
        return label

    def _own_words(self, context: Context, call: Call) -> None:
        """What an agent says before it has read anything untrusted is not from there. Asked where it is kept what was shown."""
        if context.index is not None and not context.is_untrusted:
            read = self._names.read(call.arguments)
            if read is not None:
                self.room.remember(context, read, "")

    def _remember(self, context: Context, call: Call, label: Label, read: Read) -> None:
        if context.index is None:
            return
        self._go_blind(context)
        if read is None:
            if label.integrity is Integrity.UNTRUSTED:
                self.room.blind(context)
            return
        self.room.remember(context, read, call.target.upstream if label.integrity is Integrity.UNTRUSTED else "")

    def _go_blind(self, context: Context) -> None:
        """Where nobody keeps what was untrusted, it is not known any more once something was."""
        if context.index is not None and not self.is_tracing and context.settled.integrity is _UNTRUSTED:
            self.room.blind(context)


def _besides(call: Call) -> Mapping[str, object]:
    """What is said besides arguments, such as answers to what an upstream asked for; not by the client's own software, nor sealed by us."""
    return {name: value for name, value in call.extras.items() if name not in _UNSAID}


def _names_of(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset([f"{one.guard}/{one.rule}" for one in findings])


def _is_hostile(rules: Rules, findings: Iterable[Finding]) -> bool:
    """Whether something was found of which the rules say that nobody trustworthy writes it."""
    return any(rules.found(one.guard, one.rule).integrity is Integrity.UNTRUSTED for one in findings)
