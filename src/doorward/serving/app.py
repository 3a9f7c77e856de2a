"""The data-plane app: raw ASGI, one way for every request: edge, identity, body, era, spine, answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from doorward.admission.gate import IN_FLIGHT, PACE
from doorward.admission.intake import REQUESTS, Intake, Place, overloaded
from doorward.call.inbound import Spine
from doorward.domain.calls import Era, Fault
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.chain import Presented, again
from doorward.identity.challenge import Challenges, silent
from doorward.serving.arrival import Arrival, Passed, text_of
from doorward.serving.browsers import cross_origin, preflight
from doorward.serving.edge import (
    Allowed,
    EdgeError,
    HangupError,
    body,
    check_length,
    check_post,
    check_stream,
    endpoint,
    fields,
    is_local_name,
    nothing_here,
    takes,
)
from doorward.serving.exchange import Exchange
from doorward.serving.head import Head
from doorward.serving.pages import Pages
from doorward.serving.patience import Patience
from doorward.serving.port import BODY, CERTIFICATE, CONNECTION, HEAD, Receive, Scope, Sees, Send, Tally
from doorward.serving.pulse import Pulse
from doorward.serving.reading import Reading
from doorward.serving.respond import Cause, Reply
from doorward.serving.resume import Journals, Kept
from doorward.serving.session import Sessions
from doorward.serving.streams import Streams
from doorward.wire.eras import era_of
from doorward.wire.headers import routing
from doorward.wire.jsonrpc import Limits, Notification, Request, Response
from doorward.wire.replies import error_body

_LOG = logging.getLogger("doorward.serving")
_HUNG_UP = 499
"""What is counted for a request whose client went before it was answered."""
_CANCEL_BYTES = 1024
"""Of a message that may be a cancellation: they are read however much is going on."""
_VERSION = b"mcp-protocol-version"
_JSON = (b"content-type", b"application/json")
_UNTOLD = (None, None)
"""What is told of certificates where nobody speaks of any."""
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})
"""Headers that say that somebody stands between the caller and us."""


Shown = Callable[[Certificate | None, str, bytes | None, bytes | None], Certificate | None]
"""The client's certificate, from that of the connection, the peer's address, `Client-Cert` and `Client-Cert-Chain`; raises `Refused`."""


def nobody_elses(own: Certificate | None, network: str, leaf: bytes | None, above: bytes | None) -> Certificate | None:
    """The connection's own certificate, where no proxy is trusted to tell of another."""
    if leaf is None and above is None:
        return own
    raise Refused(Reason.INVALID_REQUEST, "Client-Cert comes from nobody who is trusted to send it")


def never_full() -> bool:
    """The answer of a door behind which nobody counts."""
    return False


Turn = Callable[[AgentId, int], Awaitable[None] | None]
"""What a request waits for until it is its turn on the processor, from its agent and its length; None where it is now.

Raises `Refused` where that takes too long.
"""


def at_once(agent: AgentId, size_bytes: int) -> None:
    """The turn where nobody queues."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the door is told of its place."""

    allowed: Allowed
    is_loopback: bool
    """Whether the listener is bound to a loopback address."""
    limits: Limits = field(default_factory=Limits)
    kept: Kept = field(default_factory=Kept)
    beat_seconds: float = 15


@dataclass(frozen=True, slots=True)
class Surroundings:
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
    intake: Intake = field(default_factory=Intake)
    """Counts what is in the door."""
    turn: Turn = at_once
    """Whose turn it is on the processor."""


class Door:
    """The ASGI app. `pulse.run` has to be run beside it; `drain` ends the streams that wait for changes."""

    __slots__ = ("_around", "_exchange", "_patience", "_reading", "_requests", "_sessions", "_settings", "_streams", "pulse")

    def __init__(self, around: Surroundings, settings: Settings) -> None:
        self._around, self._settings = around, settings
        self._requests = 0
        self._patience = Patience()
        self._reading = Reading(settings.limits, around.monotonic)
        self.pulse = Pulse(settings.beat_seconds, around.monotonic)
        self._streams = Streams(self.pulse)
        self._exchange = Exchange(around.spine, self._streams, self.pulse)
        self._sessions = Sessions(around.spine, self._streams, self.pulse, Journals(settings.kept, around.monotonic, around.new_id))

    def drain(self) -> None:
        """Ends every stream that waits for changes; running calls go on."""
        self._streams.drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from its head to the last byte of its answer."""
        reply = Reply(send, self._around.challenges)
        try:
            try:
                await self._serve(scope, receive, reply)
            except asyncio.CancelledError:
                await _cancelled(reply)
            except Exception as error:  # noqa: BLE001 -- the root of a request: whatever failed, its client gets an answer
                await self._fail(reply, error)
            finally:
                self._around.tally.answered(reply.status or _HUNG_UP, reply.era)
            if reply.place is not None and scope[CONNECTION].is_behind:
                await scope[CONNECTION].written()
        finally:
            reply.leave()
            reply.forget()

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
                    await reply.refuse(error)
                case HangupError():
                    reply.detach()
                case _:
                    _LOG.error("a request failed inside the gateway", exc_info=error)
                    await reply.refuse(Refused(Reason.INTERNAL, ran=Ran.MAYBE))
        except asyncio.CancelledError:
            await _cancelled(reply)

    async def _page(self, scope: Scope, receive: Receive, reply: Reply) -> bool:
        """Answers a request to a page; False where there is none at its path."""
        pages = self._around.pages
        place = None if pages is None else pages.at(scope["raw_path"])
        if pages is None or place is None:
            return False
        scope[CERTIFICATE] = self._certificate(_certificates(dict(scope["headers"])), scope)
        await pages.answer(place, scope, receive, reply, self._settings.allowed)
        return True

    async def _serve(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        if not scope["raw_path"].startswith(b"/mcp") and await self._page(scope, receive, reply):
            return
        method: str = scope["method"]
        if method == "OPTIONS":
            await self._preflight(scope, reply)
            return
        passed, length = self._passed(scope, reply)
        late = self._enter(passed, length, reply) if method == "POST" else None
        reply.presented = presented = self._presented(passed, scope)
        principal = reply.principal = await self._around.spine.identified(presented)
        if passed.endpoint is not None and not self._around.sees(principal, passed.endpoint):
            raise nothing_here()
        arrival = Arrival(scope["headers"], passed, scope[CONNECTION], presented, principal)
        if method != "POST":
            await self._other(method, arrival, reply)
            return
        claimed = _claimed(arrival, length, reply.place)
        reply.era = passed.era or Era.EXCHANGE
        message = await self._message(arrival, scope, receive, reply, length)
        await self._heard(arrival, message, reply, late or claimed)

    def _heard(
        self, arrival: Arrival, message: Request | Notification | Response, reply: Reply, late: Refused | None
    ) -> Coroutine[None, None, None]:
        """What answers a message; whatever is wrong with it from here on, the error names the request."""
        reply.request = message if isinstance(message, Request) else None
        if late is not None and reply.request is not None and reply.request.method != "ping":
            raise late
        # Said only now that the request is known that is to be answered.
        era = arrival.passed.era or era_of(arrival.text(_VERSION))
        return (self._exchange if era is Era.EXCHANGE else self._sessions).post(arrival, message, reply)

    async def _preflight(self, scope: Scope, reply: Reply) -> None:
        by_name = fields(scope["headers"], self._settings.allowed)
        endpoint(scope["raw_path"], scope["query_string"])
        if b"origin" in by_name:
            reply.headers += cross_origin(by_name)
        await reply.plain(200, b"", preflight(by_name))

    def _passed(self, scope: Scope, reply: Reply) -> tuple[Passed, int | None]:
        """What follows from the head, and how long the body is if that is said beforehand; raises `EdgeError`.

        A head that came before on its connection is judged no second time, but for its length.
        """
        head: Head | None = scope.get(HEAD)
        passed = None if head is None else head.passed
        if passed is not None:
            reply.headers, reply.takes = [*passed.headers], passed.takes
            length = len(scope[BODY])
            check_length(length, self._settings.limits.body_bytes)
            return passed, length
        by_name = fields(scope["headers"], self._settings.allowed)
        upstream = endpoint(scope["raw_path"], scope["query_string"])
        if b"origin" in by_name:
            reply.headers += cross_origin(by_name)
        said = None
        if scope["method"] == "POST":
            reply.takes = check_post(by_name, self._settings.limits.body_bytes)
            said = by_name.pop(b"content-length", None)
        passed = self._concluded(by_name, upstream, scope, reply)
        if head is not None:
            head.passed = passed
        return passed, None if said is None else int(said)

    def _concluded(self, by_name: dict[bytes, bytes], upstream: UpstreamId | None, scope: Scope, reply: Reply) -> Passed:
        authorization, dpop = by_name.get(b"authorization"), by_name.get(b"dpop")
        return Passed(
            fields=by_name,
            endpoint=upstream,
            headers=[*reply.headers],
            # Behind a proxy on this machine every peer is loopback; who came from elsewhere is not anonymous. Not every proxy says so.
            is_near=self._settings.is_loopback and _FORWARDED.isdisjoint(by_name) and is_local_name(by_name[b"host"]),
            authorization=None if authorization is None else authorization.decode("latin-1"),
            dpop=None if dpop is None else dpop.decode("latin-1"),
            certificates=_certificates(by_name),
            routing=routing(scope["headers"]),
            era=_spoken(text_of(by_name, _VERSION)),
            takes=reply.takes,
        )

    def _enter(self, passed: Passed, length: int | None, reply: Reply) -> Refused | None:
        """Takes a place in the door; raises `Refused` where it is full, or gives that for what is read to see whether it ends a call."""
        intake = self._around.intake
        full = REQUESTS if intake.is_full else IN_FLIGHT if self._around.is_full() else None
        reply.place = intake.enter()
        if full is None:
            return None
        refused = overloaded(full)
        if not _may_cancel(passed, length):
            raise refused
        return refused

    async def _message(
        self, arrival: Arrival, scope: Scope, receive: Receive, reply: Reply, length: int | None
    ) -> Request | Notification | Response:
        """The message, once it is whole, it is its turn, and its sender is still who it was."""
        raw: bytes | None = scope.get(BODY) if length is not None else None
        has_waited = raw is None
        if raw is None:
            most = self._settings.limits.body_bytes
            raw = await (body(receive, most) if length is not None or reply.place is None else body(receive, most, reply.place.hold))
        turn = self._around.turn(arrival.principal.agent.id, len(raw))
        if turn is not None:
            await turn
            has_waited = True
        if has_waited:
            # A body may take its time, and its sender may have lost its rights meanwhile. From here to its seat a call waits for nothing.
            arrival.principal = reply.principal = self._around.spine.identify(arrival.presented)
        return self._reading.read(arrival.principal.agent.id, raw)

    async def _other(self, method: str, arrival: Arrival, reply: Reply) -> None:
        reply.era = era_of(arrival.text(_VERSION))
        if reply.era is Era.EXCHANGE:
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
            self._around.spine.turned_down(reply.principal, refused)

    async def _wait(self, reply: Reply, refused: Refused) -> None:
        """Holds back the refusal of an agent that asks faster, or for more at once, than it may."""
        is_greedy = refused.reason is Reason.OVER_CONCURRENCY or refused.extra.get("limit") == PACE
        if is_greedy and reply.principal is not None:
            await self._patience.hold(reply.principal.agent.id)

    def _presented(self, passed: Passed, scope: Scope) -> Presented:
        self._requests += 1
        certificate = self._certificate(passed.certificates, scope)
        if passed.presented is not None:
            return again(passed.presented, certificate, self._requests)
        found = passed.presented = Presented(
            authorization=passed.authorization,
            network=scope["client"][0] if scope["client"] else "",
            loopback=passed.is_near,
            endpoint=passed.endpoint,
            method=scope["method"],
            dpop=passed.dpop,
            certificate=certificate,
            request=self._requests,
        )
        return found

    def _certificate(self, told: tuple[bytes | None, bytes | None], scope: Scope) -> Certificate | None:
        own: Certificate | None = scope[CONNECTION].certificate
        if own is None and told == _UNTOLD:
            return None
        return self._around.shown(own, scope["client"][0] if scope["client"] else "", *told)


def _certificates(by_name: dict[bytes, bytes]) -> tuple[bytes | None, bytes | None]:
    """What a proxy tells of its client's certificate."""
    return by_name.get(b"client-cert"), by_name.get(b"client-cert-chain")


def _may_cancel(passed: Passed, length: int | None) -> bool:
    """Whether a message may be the one that ends a call: short, and in a session (in the other era a call is ended by hanging up)."""
    return b"mcp-session-id" in passed.fields and length is not None and length <= _CANCEL_BYTES


def _claimed(arrival: Arrival, length: int | None, place: Place | None) -> Refused | None:
    """Says whose a place is, and how long its body; raises `Refused` where that is too much, or gives it as `Door._enter` does."""
    assert place is not None
    try:
        place.claim(arrival.principal.agent.id, length or 0)
    except Refused as refused:
        if not _may_cancel(arrival.passed, length):
            raise
        return refused
    return None


def _spoken(version: str | None) -> Era | None:
    """The era of a declared revision; None for one that is not spoken here."""
    try:
        return era_of(version)
    except Refused:
        return None


async def _cancelled(reply: Reply) -> None:
    """Answers a request whose task was cancelled: by its client, or because the grace of a drain is over."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    if reply.cause is not Cause.HANGUP:
        await reply.refuse(Refused(Reason.CANCELLED, ran=Ran.MAYBE))
