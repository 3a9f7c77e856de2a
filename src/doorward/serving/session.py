"""The session era (2025-03-26 … 2025-11-25): initialize, then calls of one session; a client that hangs up has not cancelled."""

from collections.abc import Mapping
from functools import partial

import msgspec

from doorward.call.inbound import Inbound, Session, Spine
from doorward.domain.actors import Principal
from doorward.domain.calls import Era, Notice
from doorward.domain.ids import SessionId
from doorward.domain.reasons import Reason, Refused
from doorward.serving.arrival import Arrival
from doorward.serving.edge import EdgeError
from doorward.serving.pulse import Pulse
from doorward.serving.respond import Cause, Reply
from doorward.serving.resume import Journal, Journals
from doorward.serving.streams import Streams
from doorward.wire.eras import VERSION_KEY, progress_token, rest_of
from doorward.wire.headers import check_unasked
from doorward.wire.jsonrpc import Notification, Request, Response, dump

SESSION_HEADER = b"mcp-session-id"
_PRIMED_SINCE = "2025-11-25"
"""Older clients would take a first event without data for a broken message."""


class _Live(msgspec.Struct):
    """What a session has going on in this process."""

    running: dict[str | int, Reply] = msgspec.field(default_factory=dict)
    stream: Reply | None = None


class Sessions:
    """Answers requests of the session era."""

    __slots__ = ("_journals", "_live", "_pulse", "_spine", "_streams")

    def __init__(self, spine: Spine, streams: Streams, pulse: Pulse, journals: Journals) -> None:
        self._spine, self._streams, self._pulse, self._journals = spine, streams, pulse, journals
        self._live: dict[SessionId, _Live] = {}

    async def post(self, arrival: Arrival, message: Request | Notification | Response, reply: Reply) -> None:
        """Answers one message; raises `Refused` or `EdgeError`."""
        match message:
            case Request():
                reply.request = message
                await self._request(arrival, message, reply)
            case Notification():
                self._notified(self._session(arrival), message)
                await reply.plain(202, b"", [])
            case Response():
                self._session(arrival)
                await reply.plain(202, b"", [])

    async def get(self, arrival: Arrival, reply: Reply) -> None:
        """The session's own stream of changes, or the rest of an answer whose connection was lost."""
        session = self._session(arrival)
        event_id = arrival.text(b"last-event-id")
        if event_id:
            await self._resume(arrival, session, event_id, reply)
            return
        self._streams.check(arrival.principal.id)
        live = self._live.setdefault(session.id, _Live())
        if live.stream is not None:
            raise EdgeError(409, "This session has a stream already.")
        live.stream = reply
        reply.still = partial(self._again, arrival)
        reply.connection.on_hangup(reply.hung_up)
        try:
            changes = self._spine.changes(arrival.principal, arrival.passed.endpoint, session.id)
            await self._streams.follow(reply, arrival.principal.id, changes, _as_message)
        finally:
            live.stream = None
            self._leave(session.id, live)
        await reply.end()

    async def delete(self, arrival: Arrival, reply: Reply) -> None:
        """Ends a session, and what is going on in it."""
        session = self._session(arrival)
        await self._spine.end(arrival.text(SESSION_HEADER) or "", arrival.principal, arrival.passed.endpoint)
        live = self._live.get(session.id, _Live())
        for running in tuple(live.running.values()):
            running.cancel(Cause.CLIENT)
        if live.stream is not None:
            live.stream.cancel(Cause.ENDED)
        self._journals.forget(session.id)
        await reply.plain(200, b"", [])

    def _session(self, arrival: Arrival) -> Session:
        text = arrival.text(SESSION_HEADER)
        if not text:
            raise EdgeError(400, "The header Mcp-Session-Id is missing.")
        return self._spine.session(text, arrival.principal, arrival.passed.endpoint)

    def _again(self, arrival: Arrival) -> Principal:
        """Who asks, verified anew, and still in the session."""
        principal = self._spine.identify(arrival.presented)
        self._spine.session(arrival.text(SESSION_HEADER) or "", principal, arrival.passed.endpoint)
        return principal

    async def _request(self, arrival: Arrival, message: Request, reply: Reply) -> None:
        meta = _meta(message)
        if VERSION_KEY in meta:
            reply.era = Era.EXCHANGE
            raise Refused(Reason.HEADER_MISMATCH, "the body declares a protocol version that the headers do not")
        if b"mcp-method" in arrival.passed.fields or b"mcp-name" in arrival.passed.fields:
            check_unasked(arrival.headers, message.method, message.params)
        if message.method == "initialize":
            text, result = await self._spine.initialize(arrival.principal, arrival.passed.endpoint, message.params)
            reply.headers.append((SESSION_HEADER, text.encode("ascii")))
            await reply.deliver(result)
            return
        session = self._session(arrival)
        if message.method == "ping":
            await reply.deliver({})
            return
        inbound = self._inbound(arrival, session, message, meta, reply)
        await self._call(arrival, session, inbound, reply)

    def _inbound(self, arrival: Arrival, session: Session, message: Request, meta: Mapping[str, object], reply: Reply) -> Inbound:
        return Inbound(
            principal=arrival.principal,
            endpoint=arrival.passed.endpoint,
            era=Era.SESSION,
            version=session.version,
            request=message,
            capabilities=session.capabilities,
            client_info=session.client_info,
            log_level=session.log_level,
            progress_token=progress_token(meta),
            trace=arrival.trace(meta.get("traceparent")),
            meta=rest_of(meta),
            headers=arrival.headers,
            session=session.id,
            again=partial(self._again, arrival),
            limited=reply.limited,
        )

    async def _call(self, arrival: Arrival, session: Session, inbound: Inbound, reply: Reply) -> None:
        live = self._live.setdefault(session.id, _Live())
        request_id = inbound.request.id
        if request_id in live.running:
            raise Refused(Reason.INVALID_REQUEST, "a request of this id is running", sentence="A request with this id is still running.")
        live.running[request_id] = reply
        reply.keep = lambda: self._keep(session)
        reply.started()
        reply.connection.on_hangup(reply.detach)
        self._pulse.enter(reply)
        try:
            outcome = await self._spine.handle(inbound, reply.notice)
        finally:
            self._pulse.leave(reply)
            del live.running[request_id]
            self._leave(session.id, live)
        await reply.deliver(outcome)

    def _keep(self, session: Session) -> tuple[Journal, bytes]:
        journal = self._journals.open(session.id)
        return journal, journal.prime() if session.version >= _PRIMED_SINCE else b""

    def _notified(self, session: Session, message: Notification) -> None:
        """Acts on a cancellation; other notifications of a client change nothing here."""
        request_id = message.params.get("requestId")
        live = self._live.get(session.id)
        if message.method != "notifications/cancelled" or live is None or not isinstance(request_id, str | int):
            return
        running = live.running.get(request_id)
        if running is not None:
            running.cancel(Cause.CLIENT)

    async def _resume(self, arrival: Arrival, session: Session, event_id: str, reply: Reply) -> None:
        found = self._journals.find(session.id, event_id)
        if found is None:
            raise EdgeError(400, "The events after this id are no longer kept.")
        journal, number = found
        reply.started()
        reply.connection.on_hangup(reply.hung_up)
        self._pulse.enter(reply)
        try:
            await reply.begin()
            async for event in journal.after(number, reply):
                await reply.framed(event)
        finally:
            self._pulse.leave(reply)
        await reply.end()

    def _leave(self, session_id: SessionId, live: _Live) -> None:
        if not live.running and live.stream is None:
            self._live.pop(session_id, None)


def _meta(message: Request) -> Mapping[str, object]:
    meta = message.params.get("_meta")
    if meta is None:
        return {}
    if not isinstance(meta, dict):
        raise Refused(Reason.INVALID_PARAMS, "expected an object in _meta")
    return meta


def _as_message(notice: Notice) -> bytes:
    message: dict[str, object] = {"jsonrpc": "2.0", "method": notice.method}
    return dump(message | {"params": dict(notice.params)} if notice.params else message)
