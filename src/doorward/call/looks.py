"""How the spine reads a message, and what it makes of findings: guards report, policy disposes.

A message goes past the guards that ship; what they have cut out of it is not shown to the guards of others, and what they refuse is not
shown to them at all. What passes marked is marked last.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from doorward.call import endings
from doorward.call.asked import Track
from doorward.call.readers import Readers
from doorward.domain.calls import Answer, Call, Fault, Notice, Reply
from doorward.domain.catalog import Kind
from doorward.domain.findings import Direction, Disposition, Finding
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.record import record
from doorward.inspection.edit import EditError
from doorward.inspection.fitted import Withheld
from doorward.inspection.labels import labels
from doorward.inspection.plugins.panel import message_of
from doorward.inspection.view import Carrier, request_body, response_body
from doorward.policy.dispositions import Dispositions
from doorward.runtime.screen import Screen
from doorward.wire.jsonrpc import dump

LARGE_BYTES = 16 * 1024
"""Messages above are inspected beside the loop: at worst this many bytes take as long as a hundred calls."""
READERS = 2
"""Large messages that are inspected at the same time."""

BLOCKING = frozenset({Disposition.BLOCK, Disposition.ASK})
"""What stops a message: of a request what asks only where nobody answers for findings, of a response always, for it has run."""

_UNASKED = BLOCKING - {Disposition.ASK}

_REASONS = {Direction.REQUEST: Reason.UNSAFE_REQUEST, Direction.RESPONSE: Reason.UNSAFE_RESPONSE}
_WHOLE = {Direction.REQUEST: frozenset({"", "/arguments", "/extras"}), Direction.RESPONSE: frozenset({""})}
"""Pointers of what cannot be cut out: nothing would be left."""
_MARKS = frozenset({Disposition.LABEL, Disposition.SPOTLIGHT})

T = TypeVar("T")
Body = Mapping[str, object] | Fault


@record(frozen=True, slots=True)
class Judge:
    """Says what is done about the findings of one message."""

    dispositions: Dispositions
    call: Call
    direction: Direction
    ran: Ran
    blocking: frozenset[Disposition] = BLOCKING

    def of(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The same findings, each with what is done about it."""
        return tuple(replace(finding, done=self._of(finding)) for finding in findings)

    def check(self, findings: tuple[Finding, ...]) -> None:
        """Raises `Refused` where one of these blocks."""
        blocked = [finding for finding in findings if finding.done in self.blocking]
        if blocked:
            # Where they are, the leaf says with names veiled that may be values; a detail is in clear.
            detail = ", ".join(dict.fromkeys(f"{finding.guard}/{finding.rule}" for finding in blocked[:8]))
            reason = _REASONS[self.direction]
            raise Refused(reason, detail, sentence=endings.sentence(reason, blocked[0]), ran=self.ran)

    def _of(self, finding: Finding) -> Disposition:
        done = self.dispositions.of(finding, self.direction, self.call)
        return Disposition.BLOCK if done is Disposition.REDACT and finding.pointer in _WHOLE[self.direction] else done


class Looks:
    """Looks at messages: at small ones here, at large ones beside the loop."""

    __slots__ = ("_readers",)

    def __init__(self) -> None:
        self._readers = Readers(READERS)

    def request_now(self, track: Track, call: Call) -> tuple[Call, tuple[Finding, ...]] | None:
        """As `request`, where nothing has to be waited for; None for a large one, and for one that is shown to others."""
        screen = track.asked.snapshot.screen
        if len(call.canonical) > LARGE_BYTES or (screen.panel.seats and _asks_others(screen, call, Direction.REQUEST)):
            return None
        found = screen.inspection.request(call)
        return _settled_request(screen, track, call, found, blocking(track)) if found else (call, found)

    async def request(self, track: Track, call: Call, blocking: frozenset[Disposition]) -> tuple[Call, tuple[Finding, ...]]:
        """The call without what is cut out of it, which is another one then, and all findings; raises `Refused` where one blocks."""
        screen, size = track.asked.snapshot.screen, len(call.canonical)
        call, found = await self._read(size, _own_request, screen, track, call, blocking)
        if _asks_others(screen, call, Direction.REQUEST):
            more = await self._asked(Carrier.REQUEST, call, size, request_body(call), screen)
            if more:
                more = _judged(track, Judge(screen.dispositions, call, Direction.REQUEST, Ran.NO, blocking), more)
                found, call = found + more, await self._read(len(call.canonical), _cut, call, more, screen)
        return call, found

    def response_now(self, track: Track, call: Call, answer: Answer) -> tuple[Reply, tuple[Finding, ...]] | None:
        """As `response` by `BLOCKING`, where nothing has to be waited for; None for a large one, and for one that is shown to others."""
        screen = track.asked.snapshot.screen
        if answer.size_bytes > LARGE_BYTES or (screen.panel.seats and _asks_others(screen, call, Direction.RESPONSE)):
            return None
        found = screen.inspection.response(call, answer)
        if not found:
            return Reply(answer.body), found
        body, withheld, found = _settled_response(screen, track, call, answer, found, BLOCKING)
        return _reply(screen, call, body, withheld, found), found

    async def response(
        self, track: Track, call: Call, answer: Answer, blocking: frozenset[Disposition] = BLOCKING
    ) -> tuple[Reply, tuple[Finding, ...]]:
        """What the caller may see of an answer, and all findings in it; raises `Refused` where one of them blocks."""
        screen, size = track.asked.snapshot.screen, answer.size_bytes
        body, withheld, found = await self._read(size, _own_response, screen, track, call, answer, blocking)
        if _asks_others(screen, call, Direction.RESPONSE):
            more = await self._asked(Carrier.RESPONSE, call, size, response_body(body), screen)
            if more:
                more = _judged(track, Judge(screen.dispositions, call, Direction.RESPONSE, Ran.YES, blocking), more)
                found += more
                body, told = await self._read(size, _edited, call, body, more, screen)
                withheld += told
        return await self._read(size, _reply, screen, call, body, withheld, found) if found else Reply(body), found

    async def notice(self, track: Track, call: Call, notice: Notice) -> Notice:
        """What the caller may see of a notification on the way; raises `Refused` where one of its findings blocks."""
        screen = track.asked.snapshot.screen
        inspection, judge = screen.inspection, Judge(screen.dispositions, call, Direction.RESPONSE, Ran.MAYBE)
        # Nobody has counted its bytes; upstreams send as many of these as they like.
        size = len(dump(notice.params))
        found = await self._read(size, inspection.notice, call, notice)
        if found:
            found = _judged(track, judge, found)
            notice = await self._cut_notice(size, notice, found, screen)
        if _asks_others(screen, call, Direction.RESPONSE):
            more = await self._asked(Carrier.NOTICE, call, size, notice.params, screen)
            if more:
                more = _judged(track, judge, more)
                found, notice = found + more, await self._cut_notice(size, notice, more, screen)
        if any(finding.done in _MARKS for finding in found):
            return await self._read(size, inspection.marked_notice, notice, found)
        return notice

    async def _cut_notice(self, size: int, notice: Notice, found: tuple[Finding, ...], screen: Screen) -> Notice:
        redacted = _redacted(found)
        return await self._read(size, screen.inspection.edit_notice, notice, redacted) if redacted else notice

    async def _asked(self, carrier: Carrier, call: Call, size: int, body: Mapping[str, object], screen: Screen) -> tuple[Finding, ...]:
        """What the guards of others find; `size` in bytes, 0 where nobody has counted them."""
        message = await self._read(size, message_of, carrier, call, body)
        return await screen.panel.look(message, size or sum(len(text.text) for text in message.texts))

    async def _read(self, size_bytes: int, work: Callable[..., T], *of: object) -> T:
        """The work of reading a message."""
        return work(*of) if size_bytes <= LARGE_BYTES else await self._aside(work, *of)

    async def _aside(self, work: Callable[..., T], *of: object) -> T:
        """The same of a large one, in a thread, for it may take long and other calls must not wait for it."""
        result: T = await self._readers.read(work, *of)
        return result


def blocking(track: Track) -> frozenset[Disposition]:
    """What stops a request: what asks only where nobody answers for findings."""
    return BLOCKING if track.asked.snapshot.document.approvals.findings is None else _UNASKED


def questionable(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings that people are asked about."""
    return tuple(finding for finding in findings if finding.done is Disposition.ASK)


def _own_request(screen: Screen, track: Track, call: Call, blocking: frozenset[Disposition]) -> tuple[Call, tuple[Finding, ...]]:
    """What the guards that ship make of a request."""
    found = screen.inspection.request(call)
    return _settled_request(screen, track, call, found, blocking) if found else (call, found)


def _settled_request(
    screen: Screen, track: Track, call: Call, found: tuple[Finding, ...], blocking: frozenset[Disposition]
) -> tuple[Call, tuple[Finding, ...]]:
    """What is made of a request in which they have found something."""
    found = _judged(track, Judge(screen.dispositions, call, Direction.REQUEST, Ran.NO, blocking), found)
    return _cut(call, found, screen), found


def _cut(call: Call, found: tuple[Finding, ...], screen: Screen) -> Call:
    redacted = _redacted(found)
    return screen.inspection.edit_request(call, redacted) if redacted else call


def _own_response(
    screen: Screen, track: Track, call: Call, answer: Answer, blocking: frozenset[Disposition]
) -> tuple[Body, tuple[Withheld, ...], tuple[Finding, ...]]:
    """What the guards that ship make of an answer: its body, what stands there that is no mask, and what they have found."""
    found = screen.inspection.response(call, answer)
    return _settled_response(screen, track, call, answer, found, blocking) if found else (answer.body, (), found)


def _settled_response(
    screen: Screen, track: Track, call: Call, answer: Answer, found: tuple[Finding, ...], blocking: frozenset[Disposition]
) -> tuple[Body, tuple[Withheld, ...], tuple[Finding, ...]]:
    """The same of an answer in which they have found something."""
    found = _judged(track, Judge(screen.dispositions, call, Direction.RESPONSE, Ran.YES, blocking), found)
    return *_edited(call, answer.body, found, screen), found


def _edited(call: Call, body: Body, found: tuple[Finding, ...], screen: Screen) -> tuple[Body, tuple[Withheld, ...]]:
    """A body without what is withheld, and what stands there that is no mask; raises `Refused` where nothing of it could be shown."""
    redacted = _redacted(found)
    if not redacted:
        return body, ()
    try:
        fitted = screen.inspection.edit_response(call, body, redacted)
    except EditError as error:
        raise Refused(
            Reason.UNSAFE_RESPONSE, str(error), sentence=endings.sentence(Reason.UNSAFE_RESPONSE, redacted[0]), ran=Ran.YES
        ) from error
    return fitted.body, fitted.withheld


def _reply(screen: Screen, call: Call, body: Body, withheld: tuple[Withheld, ...], found: tuple[Finding, ...]) -> Reply:
    """What is shown of an answer in which something was found: marked, where that is what is done about it."""
    if any(finding.done in _MARKS for finding in found):
        return Reply(screen.inspection.marked_response(call, body, found), labels=labels(found), withheld=withheld)
    return Reply(body, withheld=withheld)


def _asks_others(screen: Screen, call: Call, direction: Direction) -> bool:
    """Whether guards of others are shown a message: not the gateway's own look at an upstream, which holds nobody's words."""
    return bool(screen.panel.seats) and screen.panel.is_asked(direction) and call.target.kind is not Kind.UPSTREAM


def _judged(track: Track, judge: Judge, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings with what is done about them, on record before anything is refused for them; raises `Refused`."""
    judged = judge.of(found)
    track.findings += judged
    judge.check(judged)
    return judged


def _redacted(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in found if finding.done is Disposition.REDACT)
