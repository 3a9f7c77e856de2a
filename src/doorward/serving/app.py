"""The data-plane app: raw ASGI, one way for every request: edge, identity, body, era, spine, answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TypeVar

import msgspec

from doorward.admission.gate import IN_FLIGHT, PACE
from doorward.admission.intake import REQUESTS, Intake, overloaded
from doorward.call.inbound import Spine
from doorward.domain.actors import Principal
from doorward.domain.calls import Era, Fault
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.identity.challenge import Challenges, silent
from doorward.serving.arrival import VERSION, Arrival, Passed
from doorward.serving.browsers import cross_origin, preflight
from doorward.serving.edge import EdgeError, HangupError, body, check_length, check_stream, endpoint, fields, nothing_here, takes
from doorward.serving.exchange import Exchange
from doorward.serving.head import Head
from doorward.serving.pages import Pages
from doorward.serving.patience import Patience
from doorward.serving.port import BODY, CERTIFICATE, CONNECTION, HEAD, Answering, Connection, Headers, Receive, Scope, Sees, Send, Tally
from doorward.serving.pulse import Pulse
from doorward.serving.reading import Reading
from doorward.serving.respond import Asgi, Cause, Reply
from doorward.serving.resume import Journals
from doorward.serving.session import Sessions
from doorward.serving.streams import Streams
from doorward.serving.threshold import Settings, Shown, Threshold, nobody_elses, told
from doorward.wire.eras import era_of
from doorward.wire.jsonrpc import Notification, Request, Response
from doorward.wire.replies import error_body

__all__ = ["Door", "Settings", "Surroundings"]

_LOG = logging.getLogger("doorward.serving")
_HUNG_UP = 499
"""What is counted for a request whose client went before it was answered."""
_CANCEL_BYTES = 1024
"""Of a message that may be a cancellation: they are read however much is going on."""
_JSON = (b"content-type", b"application/json")
_EXCHANGE = Era.EXCHANGE
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


def never_full() -> bool:
    """The answer of a door behind which nobody counts."""
    return False


Turn = Callable[[AgentId, int], Awaitable[None] | None]
"""What a request waits for until it is its turn on the processor, from its agent and its length; None where it is now.

Raises `Refused` where that takes too long.
"""


def at_once(agent: AgentId, size_bytes: int) -> None:
    """The turn where nobody queues."""


class Surroundings(msgspec.Struct, frozen=True):
    """What the door asks of the rest of the house."""

    spine: Spine
    sees: Sees
    tally: Tally
    monotonic: Callable[[], float]
    new_id: Callable[[], str]
    pages: Pages | None = None
    """What is served beside the endpoint; None for nothing."""
    challenges: Callable[[], Challenges] = silent
    """What goes with a refusal that another credential would cure, as of now."""
    shown: Shown = nobody_elses
    """Whose certificate counts: the connection's own, or the one that a trusted proxy tells of."""
    is_full: Callable[[], bool] = never_full
    """Whether as many calls run as may: what comes then is turned away before it is read."""
    intake: Intake = msgspec.field(default_factory=Intake)
    """Counts what is in the door."""
    turn: Turn = at_once
    """Whose turn it is on the processor."""


P = TypeVar("P")
Q = TypeVar("Q")


class Door:
    """The ASGI app. `pulse.run` has to be run beside it; `drain` ends the streams that wait for changes."""

    __slots__ = (
        "_around",
        "_body_bytes",
        "_exchange",
        "_intake",
        "_is_full",
        "_patience",
        "_reading",
        "_sessions",
        "_settings",
        "_spine",
        "_streams",
        "_tally",
        "_threshold",
        "_turn",
        "pulse",
    )

    def __init__(self, around: Surroundings, settings: Settings) -> None:
        self._around, self._settings, self._spine, self._tally = around, settings, around.spine, around.tally
        self._intake, self._is_full, self._turn = around.intake, around.is_full, around.turn
        self._body_bytes = settings.limits.body_bytes
        self._patience = Patience()
        self._reading = Reading(settings.limits, around.monotonic)
        self._threshold = Threshold(settings, around.shown)
        self.pulse = Pulse(settings.beat_seconds, around.monotonic)
        self._streams = Streams(self.pulse)
        self._exchange = Exchange(around.spine, self._streams, self.pulse)
        self._sessions = Sessions(around.spine, self._streams, self.pulse, Journals(settings.kept, around.monotonic, around.new_id))

    def drain(self) -> None:
        """Ends every stream that waits for changes; running calls go on."""
        self._streams.drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from its head to the last byte of its answer."""
        reply = Reply(Asgi(send), scope[CONNECTION])
        await self._answer(reply, self._serve, scope, receive)

    def again(self, passed: Passed, to: Answering, connection: Connection, headers: Headers, body: bytes) -> Coroutine[None, None, None]:
        """One more request with a head that has passed: the same way from there on, with nothing awaited that need not be. See `port.Again`."""
        reply = Reply(to, connection)
        reply.headers, reply.takes = [*passed.headers], passed.takes
        return self._answer(reply, self._known, Arrival(headers, passed), body)

    async def _answer(self, reply: Reply, way: Callable[[Reply, P, Q], Coroutine[None, None, None]], first: P, second: Q) -> None:
        """Goes one of the two ways with a request, and sees to its end."""
        try:
            try:
                await way(reply, first, second)
            except asyncio.CancelledError:
                await self._cancelled(reply)
            except Exception as error:  # noqa: BLE001 -- the root of a request: whatever failed, its client gets an answer
                await self._fail(reply, error)
            finally:
                self._tally.answered(reply.status or _HUNG_UP, reply.era)
            if reply.place is not None and reply.connection.is_behind:
                await reply.connection.written()
        finally:
            reply.ended()

    async def _fail(self, reply: Reply, error: Exception) -> None:
        try:
            match error:
                case EdgeError():
                    self._tell(reply, Refused(Reason.INVALID_REQUEST, f"http {error.status}: {error.sentence}"))
                    request_id = reply.request.id if reply.request else None
                    await reply.plain(error.status, error_body(request_id, Fault(error.code, error.sentence)), [_JSON, *error.headers])
                case Refused():
                    self._tell(reply, error)
                    await self._wait(reply, error)
                    await reply.refuse(error, self._around.challenges)
                case HangupError():
                    reply.detach()
                case _:
                    _LOG.error("a request failed inside the gateway", exc_info=error)
                    await reply.refuse(Refused(Reason.INTERNAL, ran=Ran.MAYBE), self._around.challenges)
        except asyncio.CancelledError:
            await self._cancelled(reply)

    async def _cancelled(self, reply: Reply) -> None:
        """Answers a request whose task was cancelled: by its client, or because the grace of a drain is over."""
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        if reply.cause is not Cause.HANGUP:
            await reply.refuse(Refused(Reason.CANCELLED, ran=Ran.MAYBE), self._around.challenges)

    async def _page(self, scope: Scope, receive: Receive, reply: Reply) -> bool:
        """Answers a request to a page; False where there is none at its path."""
        pages = self._around.pages
        place = None if pages is None else pages.at(scope["raw_path"])
        if pages is None or place is None:
            return False
        network = scope["client"][0] if scope["client"] else ""
        scope[CERTIFICATE] = self._threshold.certificate(told(dict(scope["headers"])), scope[CONNECTION], network)
        await pages.answer(place, scope, receive, reply, self._settings.allowed)
        return True

    async def _serve(self, reply: Reply, scope: Scope, receive: Receive) -> None:
        if not scope["raw_path"].startswith(b"/mcp") and await self._page(scope, receive, reply):
            return
        method: str = scope["method"]
        if method == "OPTIONS":
            await self._preflight(scope, reply)
            return
        passed, length = self._threshold.passed(scope, reply)
        arrival = Arrival(scope["headers"], passed)
        late = self._enter(passed, length, reply) if method == "POST" else None
        arrival.presented = reply.presented = self._threshold.presented(passed, scope)
        head: Head | None = scope.get(HEAD)
        if head is not None:
            head.again = partial(self.again, passed)
        principal = self._spine.at_once(arrival.presented)
        if principal is None:
            principal = await self._spine.identified(arrival.presented)
        if method != "POST":
            self._met(principal, arrival, length, reply)
            await self._other(method, arrival, reply)
            return
        whole: bytes | None = scope.get(BODY) if length is not None else None
        if whole is not None:
            await self._come(principal, arrival, whole, reply, late)
            return
        claimed = self._met(principal, arrival, length, reply)
        whole = await _received(receive, self._body_bytes, length, reply)
        await self._in_turn(self._turn(principal.agent.id, len(whole)), arrival, whole, reply, late or claimed)

    def _known(self, reply: Reply, arrival: Arrival, whole: bytes) -> Coroutine[None, None, None]:
        """What answers a request that came whole, with a head that has passed before: judged no second time, but for its length."""
        length, passed = len(whole), arrival.passed
        if length > self._body_bytes:
            check_length(length, self._body_bytes)
        late = self._enter(passed, length, reply)
        presented = passed.always
        if presented is None or reply.connection.certificate is not None:
            presented = self._threshold.presented_again(passed, reply.connection)
        arrival.presented = reply.presented = presented
        principal = self._spine.at_once(presented)
        return self._waited(arrival, whole, reply, late) if principal is None else self._come(principal, arrival, whole, reply, late)

    async def _waited(self, arrival: Arrival, whole: bytes, reply: Reply, late: Refused | None) -> None:
        await self._come(await self._spine.identified(arrival.presented), arrival, whole, reply, late)

    def _come(
        self, principal: Principal, arrival: Arrival, whole: bytes, reply: Reply, late: Refused | None
    ) -> Coroutine[None, None, None]:
        """What answers a message that was whole when its sender was identified. From there to its seat a call waits for nothing but its turn."""
        length, agent = len(whole), principal.agent.id
        claimed = self._met(principal, arrival, length, reply)
        turn = self._turn(agent, length)
        if turn is not None:
            return self._in_turn(turn, arrival, whole, reply, late or claimed)
        return self._heard(arrival, self._reading.read(agent, whole), reply, late or claimed)

    async def _in_turn(self, turn: Awaitable[None] | None, arrival: Arrival, whole: bytes, reply: Reply, late: Refused | None) -> None:
        """The same where it had to wait: for its body or its turn, and its sender may have lost its rights meanwhile."""
        if turn is not None:
            await turn
        arrival.principal = reply.principal = principal = self._spine.identify(arrival.presented)
        await self._heard(arrival, self._reading.read(principal.agent.id, whole), reply, late)

    def _met(self, principal: Principal, arrival: Arrival, length: int | None, reply: Reply) -> Refused | None:
        """Notes who asks, and whose place it is if there is one; raises `EdgeError` for an endpoint that is not there, or not for them.

        Raises `Refused` where so many bytes are too much for its agent, or gives it as `_enter` does.
        """
        arrival.principal = reply.principal = principal
        passed, place, claimed = arrival.passed, reply.place, None
        if passed.endpoint is not None and not self._around.sees(principal, passed.endpoint):
            raise nothing_here()
        if place is None:
            return None
        try:
            place.claim(principal.agent.id, length or 0)
        except Refused as refused:
            if not _may_cancel(passed, length):
                raise
            claimed = refused
        reply.era = passed.era or _EXCHANGE
        return claimed

    def _heard(
        self, arrival: Arrival, message: Request | Notification | Response, reply: Reply, late: Refused | None
    ) -> Coroutine[None, None, None]:
        """What answers a message; whatever is wrong with it from here on, the error names the request."""
        if isinstance(message, Request):
            reply.request = message
            if late is not None and message.method != "ping":
                raise late
        # Said only now that the request is known that is to be answered.
        era = arrival.passed.era or era_of(arrival.text(VERSION))
        return (self._exchange if era is _EXCHANGE else self._sessions).post(arrival, message, reply)

    async def _preflight(self, scope: Scope, reply: Reply) -> None:
        by_name = fields(scope["headers"], self._settings.allowed)
        endpoint(scope["raw_path"], scope["query_string"])
        if b"origin" in by_name:
            reply.headers += cross_origin(by_name)
        await reply.plain(200, b"", preflight(by_name))

    def _enter(self, passed: Passed, length: int | None, reply: Reply) -> Refused | None:
        """Takes a place in the door; raises `Refused` where it is full, or gives that for what is read to see whether it ends a call."""
        intake = self._intake
        full = REQUESTS if intake.is_full else IN_FLIGHT if self._is_full() else None
        reply.place = intake.enter()
        if full is None:
            return None
        refused = overloaded(full)
        if not _may_cancel(passed, length):
            raise refused
        return refused

    async def _other(self, method: str, arrival: Arrival, reply: Reply) -> None:
        reply.era = era_of(arrival.text(VERSION))
        if reply.era is _EXCHANGE:
            raise EdgeError(405, "This protocol version knows POST alone.", [(b"allow", b"POST")])
        match method:
            case "GET":
                reply.takes = takes(arrival.passed.fields.get(b"accept", b""))
                check_stream(reply.takes)
                await self._sessions.get(arrival, reply)
            case "DELETE":
                await self._sessions.delete(arrival, reply)
            case _:
                raise EdgeError(405, "The endpoint knows POST, GET and DELETE.", [(b"allow", b"GET, POST, DELETE, OPTIONS")])

    def _tell(self, reply: Reply, refused: Refused) -> None:
        """Lets the log hear of what a known caller was refused, unless the spine has told it already (then it has a reference)."""
        if reply.principal is None:
            # Whoever it was, it holds nothing in the door while it is told.
            reply.leave()
        elif not refused.reference:
            self._spine.turned_down(reply.principal, refused)

    async def _wait(self, reply: Reply, refused: Refused) -> None:
        """Holds back the refusal of an agent that asks faster, or for more at once, than it may."""
        is_greedy = refused.reason is Reason.OVER_CONCURRENCY or refused.extra.get("limit") == PACE
        if is_greedy and reply.principal is not None:
            await self._patience.hold(reply.principal.agent.id)


def _may_cancel(passed: Passed, length: int | None) -> bool:
    """Whether a message may be the one that ends a call: short, and in a session (in the other era a call is ended by hanging up)."""
    return b"mcp-session-id" in passed.fields and length is not None and length <= _CANCEL_BYTES


def _received(receive: Receive, most_bytes: int, length: int | None, reply: Reply) -> Coroutine[None, None, bytes]:
    """A body, once it has come; what of it nobody has announced is counted as it comes."""
    assert reply.place is not None
    return body(receive, most_bytes) if length is not None else body(receive, most_bytes, reply.place.hold)
