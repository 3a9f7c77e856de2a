"""The guards of others that a document names: each shown what it may see, within its time, and believed as far as what it says can be.

Closed: a guard that breaks, is late, hangs, or says what cannot be is itself a finding that no rule loosens. `observe`: that is only recorded.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import msgspec

from doorward.domain.calls import Call
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Direction, Finding, Part, Severity
from doorward.inspection.plugins.aside import Aside, Broke, BusyError, LateError, SideLoop, Threads, Work
from doorward.inspection.port import AsyncGuard, Found, Message, SyncGuard, Text
from doorward.inspection.view import Carrier
from doorward.inspection.walk import leaves, pointer

MOST_FOUND = 256
"""Of one guard in one message."""
RESERVED = "guard_"
"""What rules that are about a guard itself begin with."""

MOST_RULE = 64
"""Characters of the name of a rule."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_RULE = frozenset(_LETTERS + "0123456789_")

Ask = Callable[[Message], Work]
"""The work of showing a guard one message."""


class UntrueError(DoorwardError):
    """A guard says something that cannot be of the message that it was shown."""


class Terms(msgspec.Struct, frozen=True):
    """On what terms a guard is asked."""

    is_closed: bool
    seconds: float
    most_bytes: int
    directions: frozenset[Direction]


class Seat:
    """One guard of others, by the name that the operator gives it."""

    __slots__ = ("_aside", "_ask", "_heard", "about", "name", "rules", "terms", "why")

    def __init__(self, name: str, guard: SyncGuard | AsyncGuard, terms: Terms, heard: "Heard") -> None:
        self.name = name
        self.terms = terms
        self.rules: Mapping[str, Severity] = _told_rules(guard)
        self.about = _told_text(guard)
        self._ask, self._aside = _way(name, guard)
        self._heard = heard
        self.why = ""
        """Why it could not be asked the last time; empty where it could."""

    def is_asked(self, direction: Direction) -> bool:
        """Whether it is shown messages that travel this way."""
        return direction in self.terms.directions

    async def look(self, message: Message, size_bytes: int) -> tuple[Finding, ...]:
        """What it finds, or that it has not looked."""
        if size_bytes > self.terms.most_bytes:
            return self._failed("guard_oversize", f"a message of {size_bytes} bytes, {self.terms.most_bytes} are shown")
        try:
            said = await self._aside.do(self._ask(message), self.terms.seconds)
        except LateError:
            return self._failed("guard_late", f"no answer in {self.terms.seconds:g} s")
        except BusyError as error:
            return self._failed("guard_busy", str(error))
        if isinstance(said, Broke):
            return self._failed("guard_failed", said.kind)
        if not said:
            self.why = ""
            return ()
        try:
            found = believed(self.name, said, message.texts)
        except UntrueError as error:
            return self._failed("guard_untrue", str(error))
        self.why = ""
        return found

    def _failed(self, rule: str, why: str) -> tuple[Finding, ...]:
        if why != self.why:
            # Once until it is otherwise: it may be asked thousands of times a second.
            self.why = why
            self._heard(self.name, rule, why)
        return (Finding(self.name, rule, Severity.HIGH if self.terms.is_closed else Severity.LOW, ""),)


Heard = Callable[[str, str, str], None]
"""Told where a guard could not be asked: its name, the rule that says so, and why."""


class Panel(msgspec.Struct, frozen=True):
    """Every guard of others, in the order of the document."""

    seats: tuple[Seat, ...] = ()

    def is_asked(self, direction: Direction) -> bool:
        """Whether any of them is shown messages that travel this way."""
        return any(seat.is_asked(direction) for seat in self.seats)

    @property
    def observed(self) -> frozenset[str]:
        """Names of the guards whose findings are only recorded."""
        return frozenset(seat.name for seat in self.seats if not seat.terms.is_closed)

    async def look(self, message: Message, size_bytes: int) -> tuple[Finding, ...]:
        """What they find, all of them asked at the same time."""
        asked = [seat for seat in self.seats if seat.is_asked(message.direction)]
        if len(asked) == 1:
            return await asked[0].look(message, size_bytes)
        every = await asyncio.gather(*(seat.look(message, size_bytes) for seat in asked))
        return tuple(finding for found in every for finding in found)


def message_of(carrier: Carrier, call: Call, body: Mapping[str, object]) -> Message:
    """A message as it is shown; raises `WalkError`."""
    target, principal = call.target, call.principal
    return Message(
        carrier=carrier,
        direction=Direction.REQUEST if carrier is Carrier.REQUEST else Direction.RESPONSE,
        method=call.method,
        upstream=target.upstream,
        kind=target.kind.value,
        tool=target.name,
        agent=principal.agent.id,
        team=principal.agent.team,
        subject=principal.subject.id if principal.subject else "",
        texts=tuple(Text(pointer(path), text, part) for path, text, part in leaves(body)),
    )


def believed(name: str, said: object, texts: Sequence[Text]) -> tuple[Finding, ...]:
    """What a guard says, as findings of its name; raises `UntrueError` for what cannot be of these texts."""
    if not isinstance(said, tuple):
        raise UntrueError(f"expected findings, got a {type(said).__name__}")
    if len(said) > MOST_FOUND:
        raise UntrueError(f"expected at most {MOST_FOUND} findings")
    lengths = {(text.pointer, text.part): len(text.text) for text in texts}
    return tuple(_finding(name, one, lengths) for one in said)


def _finding(name: str, one: object, lengths: Mapping[tuple[str, Part], int]) -> Finding:
    if type(one) is not Found:
        raise UntrueError(f"expected Found, got a {type(one).__name__}")
    # What is in its fields, nothing has checked.
    rule: object = one.rule
    severity: object = one.severity
    if not isinstance(rule, str) or not _is_rule(rule):
        raise UntrueError("expected a rule in snake_case that does not begin with guard_")
    if not isinstance(severity, str) or severity not in tuple(Severity):
        raise UntrueError("expected the severity low, medium or high")
    start, end = _place(one, lengths)
    return Finding(name, rule, Severity(severity), one.pointer, start, end, one.part)


def _place(one: Found, lengths: Mapping[tuple[str, Part], int]) -> tuple[int, int]:
    where: object = one.pointer
    part: object = one.part
    if not isinstance(where, str) or not isinstance(part, Part):
        raise UntrueError("expected the pointer of a text, and its part")
    length = 0 if where == "" else lengths.get((where, part))
    if length is None:
        raise UntrueError("expected the pointer of a text of the message, or none")
    if type(one.start) is not int or type(one.end) is not int or not 0 <= one.start <= one.end <= length:
        raise UntrueError("expected a place within the text")
    return one.start, one.end


def _is_rule(text: str) -> bool:
    return 0 < len(text) <= MOST_RULE and text[0] in _LETTERS and _RULE.issuperset(text) and not text.startswith(RESERVED)


def _way(name: str, guard: SyncGuard | AsyncGuard) -> tuple[Ask, Aside]:
    look = guard.look
    if inspect.iscoroutinefunction(look):

        async def attended(message: Message) -> object:
            return taken(await look(message))

        return lambda message: lambda: attended(message), Aside(SideLoop(name))
    return lambda message: lambda: taken(look(message)), Aside(Threads(name))


def taken(said: object) -> object:
    """What a guard said, taken from it where it is at work: a generator finds as it is read."""
    if isinstance(said, str | bytes | Mapping) or not hasattr(said, "__iter__"):
        return said if said is not None else "nothing"
    return tuple(islice(said, MOST_FOUND + 1))


def _told_rules(guard: object) -> Mapping[str, Severity]:
    told = getattr(guard, "rules", None)
    if not isinstance(told, Mapping):
        return {}
    return {str(rule)[:MOST_RULE]: Severity(weight) for rule, weight in islice(told.items(), MOST_FOUND) if weight in tuple(Severity)}


def _told_text(guard: object) -> str:
    told = getattr(guard, "about", "")
    return told[:512] if isinstance(told, str) else ""
