"""The exchange era (2026-07-28): one request, one answer, nothing remembered; a client that hangs up has cancelled."""

from functools import partial

from doorward.call.inbound import Inbound, Spine
from doorward.domain.calls import Era, Notice
from doorward.domain.reasons import Reason, Refused
from doorward.serving.arrival import Arrival
from doorward.serving.edge import check_stream
from doorward.serving.pulse import Pulse
from doorward.serving.respond import Reply
from doorward.serving.streams import Streams
from doorward.wire.eras import open_envelope
from doorward.wire.headers import check_routing
from doorward.wire.jsonrpc import Notification, Request, Response, dump

_EXCHANGE = Era.EXCHANGE
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""
_SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
_HONOURED = {
    "toolsListChanged": "notifications/tools/list_changed",
    "promptsListChanged": "notifications/prompts/list_changed",
    "resourcesListChanged": "notifications/resources/list_changed",
}
"""What a subscription may ask for, and the notice it is then sent; everything else is left out of the acknowledgement."""


class Exchange:
    """Answers POSTs of the exchange era."""

    __slots__ = ("_pulse", "_spine", "_streams")

    def __init__(self, spine: Spine, streams: Streams, pulse: Pulse) -> None:
        self._spine, self._streams, self._pulse = spine, streams, pulse

    async def post(self, arrival: Arrival, message: Request | Notification | Response, reply: Reply) -> None:
        """Answers one message; raises `Refused`. Notifications mean nothing on this wire: they are accepted and dropped."""
        if not isinstance(message, Request):
            if isinstance(message, Response):
                raise Refused(Reason.INVALID_REQUEST, "clients of this era send no responses")
            await reply.plain(202, b"", [])
            return
        envelope = open_envelope(message.params)
        passed = arrival.passed
        check_routing(passed.routing, message.method, message.params, envelope.version)
        if message.method == "subscriptions/listen":
            await self._listen(arrival, message, reply)
            return
        inbound = Inbound(
            principal=arrival.principal,
            endpoint=passed.endpoint,
            era=_EXCHANGE,
            version=envelope.version,
            request=message,
            capabilities=envelope.capabilities,
            client_info=envelope.client_info,
            log_level=envelope.log_level,
            progress_token=envelope.progress_token,
            trace=arrival.trace(envelope.traceparent) if envelope.traceparent or b"traceparent" in passed.fields else "",
            meta=envelope.rest,
            headers=arrival.headers,
            session=None,
            again=partial(self._spine.identify, arrival.presented),
            limited=reply.limited,
        )
        reply.started()
        reply.connection.on_hangup(reply.hung_up)
        self._pulse.enter(reply)
        try:
            outcome = await self._spine.handle(inbound, reply.notice)
        finally:
            self._pulse.leave(reply)
        await reply.deliver(outcome)

    async def _listen(self, arrival: Arrival, message: Request, reply: Reply) -> None:
        wanted = message.params.get("notifications")
        if not isinstance(wanted, dict):
            raise Refused(Reason.INVALID_PARAMS, "expected an object in notifications")
        honoured = {kind: True for kind in _HONOURED if wanted.get(kind) is True}
        carried = {_HONOURED[kind] for kind in honoured}
        stamp = {_SUBSCRIPTION: message.id}
        check_stream(reply.takes)
        self._streams.check(arrival.principal.id)
        # From here on the bound of streams holds it, and a stream may last for days.
        reply.leave()
        reply.still = lambda: self._spine.identify(arrival.presented)
        reply.connection.on_hangup(reply.hung_up)
        acknowledged = {"notifications": honoured, "_meta": stamp}
        # Listened from here on: what changes while the acknowledgement is on its way is told after it.
        changes = self._spine.changes(arrival.principal, arrival.passed.endpoint)
        await reply.event(dump({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": acknowledged}))

        def stamped(notice: Notice) -> bytes | None:
            if notice.method not in carried:
                return None
            return dump({"jsonrpc": "2.0", "method": notice.method, "params": {**notice.params, "_meta": stamp}})

        await self._streams.follow(reply, arrival.principal.id, changes, stamped)
        await reply.deliver({"resultType": "complete", "_meta": stamp})
