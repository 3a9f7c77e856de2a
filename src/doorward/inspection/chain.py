"""Inspection: shows each message to the guards in their order, takes out what policy says shall not pass, and marks what passes marked.

One road for every carrier: requests, results, JSON-RPC errors and notifications are the same walk. An error in a guard is not caught
here: the spine refuses the call.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from doorward.domain.calls import Answer, Call, Fault, Notice
from doorward.domain.findings import Disposition, Finding, Severity
from doorward.inspection.edit import EditError, redact, redacted
from doorward.inspection.fitted import Fitted, fitted
from doorward.inspection.gate import SHORT_BYTES, Abreast, Gate, Together
from doorward.inspection.guards.size import OVERSIZE
from doorward.inspection.labels import explained, labels, noted
from doorward.inspection.normal.gates import WRITINGS
from doorward.inspection.spotlight import STRUCTURED, spotlit
from doorward.inspection.view import Carrier, Gated, Guard, View, request_body, response_body

MOST_FINDINGS = 1024
"""Of one message: a long list with a few colours in each line has as many. What is beyond is one more finding, high, about the whole."""

Remake = Callable[[Call, Mapping[str, object], Mapping[str, object]], Call]
"""Another call of the same target with other arguments and extras: canonical bytes and digest made anew."""


def _nothing(call: Call) -> None:
    """Of no tool."""


class Marking(msgspec.Struct, frozen=True):
    """With what messages are marked that pass marked."""

    mark: Callable[[], str]
    """A text that nobody can have known, new each time it is asked for."""
    form: Guard
    """Reports where a result is not of the form that its tool promises: its structured part is marked only as far as that allows it."""
    promised: Callable[[Call], object] = _nothing
    """The output schema of a call's tool; None where none is known."""


class Inspection:
    """The guards in their order."""

    __slots__ = ("_guards", "_marking", "_remake", "_rounds")

    def __init__(self, guards: Sequence[Guard], remake: Remake, marking: Marking) -> None:
        self._guards = tuple(guards)
        together = Together((WRITINGS, *dict.fromkeys(gate for carrier in Carrier for gate in _gates(self._guards, carrier))))
        self._rounds = {carrier: _round(self._guards, carrier, together) for carrier in Carrier}
        self._remake = remake
        self._marking = marking

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The guards in their order."""
        return self._guards

    def over(self, guards: Sequence[Guard]) -> "Inspection":
        """The same with other guards."""
        return Inspection(guards, self._remake, self._marking)

    def request(self, call: Call) -> tuple[Finding, ...]:
        """What guards find in a call; pointers begin with `/arguments` or `/extras`."""
        return self._looked(View(Carrier.REQUEST, call, request_body(call)))

    def response(self, call: Call, answer: Answer) -> tuple[Finding, ...]:
        """What guards find in an answer; pointers are into the result, or begin with `/message` or `/data` of an error."""
        return self._looked(View(Carrier.RESPONSE, call, response_body(answer.body)))

    def notice(self, call: Call, notice: Notice) -> tuple[Finding, ...]:
        """What guards find in a notification on the way; pointers are into its params."""
        return self._looked(View(Carrier.NOTICE, call, notice.params))

    def edit_request(self, call: Call, findings: Iterable[Finding]) -> Call:
        """Another call, without what the findings point at; raises `EditError` where none would be left."""
        edited = redact(request_body(call), findings)
        arguments, extras = edited["arguments"], edited["extras"]
        if not isinstance(arguments, Mapping) or not isinstance(extras, Mapping):
            raise EditError("expected findings within the arguments, got one about all of them")
        return self._remake(call, arguments, extras)

    def edit_response(self, call: Call, body: Mapping[str, object] | Fault, findings: Iterable[Finding]) -> Fitted:
        """An answer's body without what the findings point at, wherever in it that stands; raises `EditError`.

        A structured result keeps to its tool's schema: what stands there that is no mask, is told.
        """
        edit = redacted(response_body(body), findings)
        if not isinstance(body, Fault):
            return fitted(body, edit, lambda shown: self._broken(call, shown), self._marking.promised(call))
        code = edit.body.get("code")
        return Fitted(Fault(code if isinstance(code, int) else body.code, str(edit.body.get("message", "")), edit.body.get("data")))

    def edit_notice(self, notice: Notice, findings: Iterable[Finding]) -> Notice:
        """A notification without what the findings point at; raises `EditError`."""
        return Notice(notice.method, redacted(notice.params, findings).body)

    def marked_response(self, call: Call, body: Mapping[str, object] | Fault, findings: Sequence[Finding]) -> Mapping[str, object] | Fault:
        """An answer's body with the texts spotlighted in which such findings stand; an error with what it is labelled with, too.

        What a result is labelled with stands beside it (`Reply.labels`): its `_meta` is written last.
        """
        if isinstance(body, Fault):
            spotted = spotlit(response_body(body), _spotted(findings), self._marking.mark())
            return Fault(body.code, str(spotted["message"]), explained(spotted["data"], labels(findings)))
        mark, chosen = self._marking.mark(), _spotted(findings)
        marked = spotlit(body, chosen, mark)
        if marked.get(STRUCTURED) != body.get(STRUCTURED) and self._marking.form.look(View(Carrier.RESPONSE, call, marked)):
            return spotlit(body, chosen, mark, frozenset({STRUCTURED}))
        return marked

    def marked_notice(self, notice: Notice, findings: Sequence[Finding]) -> Notice:
        """A notification with its texts spotlighted and its labels."""
        params = spotlit(notice.params, _spotted(findings), self._marking.mark())
        told = labels(findings)
        return Notice(notice.method, noted(params, told) if told else params)

    def _broken(self, call: Call, body: Mapping[str, object]) -> str | None:
        """Where a result is not of the form that its tool promises; None where that is not known either."""
        found = self._marking.form.look(View(Carrier.RESPONSE, call, body))
        return next((finding.pointer for finding in found if finding.severity is not Severity.LOW), None)

    def _looked(self, view: View) -> tuple[Finding, ...]:
        found: tuple[Finding, ...] = ()
        for guard in self._rounds[view.carrier].worth(view):
            found += guard.look(view)
            if found and (len(found) > MOST_FINDINGS or found[0].rule == OVERSIZE):
                break  # it is withheld as a whole: nobody need look any further
        if len(found) > MOST_FINDINGS:
            return (*found[:MOST_FINDINGS], Finding("chain", "too_many_findings", Severity.HIGH, ""))
        return found


class _Round(msgspec.Struct, frozen=True):
    """The guards as messages of one sort go past them."""

    guards: tuple[Guard, ...]
    gates: tuple[frozenset[Gate] | None, ...]
    """Of each; None of one that is asked each time."""
    always: tuple[Guard, ...]
    """Those that are asked each time."""
    together: Together
    """All gates of messages of all sorts: they share what was met of texts, and an answer repeats its request."""
    abreast: Abreast
    """Those of this sort that long messages are asked for as one."""

    def worth(self, view: View) -> Iterable[Guard]:
        """Those that may find something: of short messages those of which a gate is open, if nothing is hidden or written otherwise."""
        if len(view.encoded) > SHORT_BYTES:
            view.abreast(self.abreast)
            return self.guards
        told = view.ask(self.together)
        if not told and view.is_plain:
            return self.always
        if WRITINGS in told or view.hidden:
            return self.guards
        return [guard for guard, gates in zip(self.guards, self.gates, strict=True) if gates is None or not gates.isdisjoint(told)]


def _gates(guards: Iterable[Guard], carrier: Carrier) -> Iterator[Gate]:
    return (gate for guard in guards if isinstance(guard, Gated) for gate in guard.gates(carrier))


def _round(guards: tuple[Guard, ...], carrier: Carrier, together: Together) -> _Round:
    gates = tuple(frozenset(guard.gates(carrier)) if isinstance(guard, Gated) else None for guard in guards)
    always = tuple(guard for guard, own in zip(guards, gates, strict=True) if own is None)
    return _Round(guards, gates, always, together, Abreast(_gates(guards, carrier)))


def _spotted(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.done is Disposition.SPOTLIGHT]
