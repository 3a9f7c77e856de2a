"""Guards on a bench: shown one message at a time, and held to what every guard owes; and guards that tests use in place of real ones.

What a guard owes: the same message gives the same findings, the message stays as it was, and each finding points at something that
is there, so that it can be taken out.
"""

import asyncio
import copy
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from doorward.call.resolve import Caller, make_call
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Finding, Part, Severity
from doorward.domain.ids import CallId, Digest, TeamId, UpstreamId
from doorward.identity.own import own
from doorward.inspection.edit import EditError, redact
from doorward.inspection.plugins.panel import UntrueError, believed, message_of, taken
from doorward.inspection.port import AsyncGuard, Message, SyncGuard
from doorward.inspection.view import Carrier, Guard, View, request_body
from doorward.inspection.walk import Path, pointer

TARGET = Target(UpstreamId("bench"), Kind.TOOL, "tool", Digest("0" * 64), TeamId("bench"), frozenset({"write"}), Reversibility.IRREVERSIBLE)
"""What calls on a bench are aimed at."""


class GuardError(DoorwardError):
    """A guard that does not keep to what every guard owes."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One guard, and the messages it is shown. Each method gives its findings, and raises `GuardError` where it breaks its word."""

    guard: Guard
    target: Target = TARGET

    def request(self, arguments: Mapping[str, object], extras: Mapping[str, object] | None = None) -> tuple[Finding, ...]:
        """What is found in a call."""
        call = self._call(arguments, extras or {})
        return self._looked(Carrier.REQUEST, call, request_body(call))

    def response(self, body: Mapping[str, object]) -> tuple[Finding, ...]:
        """What is found in a result."""
        return self._looked(Carrier.RESPONSE, self._call({}, {}), body)

    def notice(self, params: Mapping[str, object]) -> tuple[Finding, ...]:
        """What is found in a notification on the way."""
        return self._looked(Carrier.NOTICE, self._call({}, {}), params)

    def _call(self, arguments: Mapping[str, object], extras: Mapping[str, object]) -> Call:
        return make_call(CallId("bench-1"), Caller(own(), "tools/call"), self.target, arguments, extras)

    def _looked(self, carrier: Carrier, call: Call, body: Mapping[str, object]) -> tuple[Finding, ...]:
        before = copy.deepcopy(body)
        found = self.guard.look(View(carrier, call, body))
        if body != before:
            raise GuardError("expected the message to stay as it was, the guard changed it")
        if self.guard.look(View(carrier, call, body)) != found:
            raise GuardError("expected the same findings for the same message, a second look gave others")
        for one in found:
            _check_place(one, body)
        return found


@dataclass(frozen=True, slots=True)
class OfOthers:
    """A guard of the public port (`doorward.inspection.port`) as one that a bench takes. What cannot be believed raises `GuardError`."""

    guard: SyncGuard | AsyncGuard
    name: str = "bench"

    def look(self, view: View) -> tuple[Finding, ...]:
        """What it finds, believed as far as a gateway would believe it."""
        message = message_of(view.carrier, view.call, view.body)
        try:
            return believed(self.name, taken(self._said(message)), message.texts)
        except UntrueError as error:
            raise GuardError(f"a gateway would believe nothing of this: {error}") from error

    def _said(self, message: Message) -> object:
        said: object = self.guard.look(message)
        if not isinstance(said, Coroutine):
            return said
        # In a thread of its own: the test may have a loop.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, said).result()


def _check_place(finding: Finding, body: Mapping[str, object]) -> None:
    if finding.pointer == "":
        return
    try:
        redact(body, [finding])
    except EditError as error:
        raise GuardError(f"expected a finding about a part of the message, {finding.guard}/{finding.rule}: {error}") from error


@dataclass(frozen=True, slots=True)
class Spotter:
    """A guard that finds one word, in values and keys."""

    word: str
    severity: Severity = Severity.HIGH
    name: str = "spotter"
    carriers: frozenset[Carrier] = frozenset(Carrier)

    def look(self, view: View) -> tuple[Finding, ...]:
        """Every first place of the word in a text."""
        if view.carrier not in self.carriers:
            return ()
        return tuple(self._found(*leaf) for leaf in view.leaves if self.word in leaf[1])

    def _found(self, path: Path, text: str, part: Part) -> Finding:
        start = text.index(self.word)
        return Finding(self.name, "word", self.severity, pointer(path), start, start + len(self.word), part)


@dataclass(frozen=True, slots=True)
class Faulty:
    """A guard that fails, on calls of tools alone: the gateway's own looks at upstreams pass."""

    error: Exception
    carriers: frozenset[Carrier] = frozenset(Carrier)

    def look(self, view: View) -> tuple[Finding, ...]:
        """Raises its error."""
        if view.carrier in self.carriers and view.call.method == "tools/call":
            raise self.error
        return ()
