"""One call between its request and its result: what stage 2 found is what stage 9 carries and the reply is rendered by."""

from collections.abc import Coroutine, Mapping

from doorward.admission.runaway.watch import Standing
from doorward.call.approving import Pending, pending
from doorward.call.connecting import shown, unconnected
from doorward.call.inbound import Inbound, Notices, presented
from doorward.call.outbound import client_capabilities, order_of, rendered, shown_notice, told_of, undeclared
from doorward.call.parts import Parts
from doorward.call.resolve import Found, Means
from doorward.call.resolve import found as resolved
from doorward.call.rounds import STATE
from doorward.domain.actors import AuthnMethod
from doorward.domain.calls import Answer, Call, Era, Fault, Notice, Reply
from doorward.domain.ids import CallId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.wire.methods import row
from doorward.wire.replies import fault_to_exchange, fault_to_session

_FREE, _TOKEN = Standing.FREE, AuthnMethod.ACCESS_TOKEN
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


class Errand:
    """One call between its request and its result: what stage 2 found is what stage 9 carries and the reply is rendered by."""

    __slots__ = (
        "_epoch",
        "_found",
        "_inbound",
        "_means",
        "_notices",
        "_parts",
        "id",
        "limited",
        "method",
        "presented",
        "principal",
        "snapshot",
        "standing",
        "trace",
    )

    def __init__(self, inbound: Inbound, parts: Parts, means: Means, notices: Notices) -> None:
        self._inbound, self._parts, self._means, self._notices = inbound, parts, means, notices
        self._epoch = parts.pipeline.gate.epoch
        self._found: Found | None = None
        self.id = CallId(parts.new_id())
        self.snapshot = parts.generations.current
        principal, request = inbound.principal, inbound.request
        self.principal, self.method, self.trace, self.limited = principal, request.method, inbound.trace, inbound.limited
        # Only what we have sealed ourselves gets through stage 2 as such.
        self.standing = _FREE if request.params.get(STATE) is None else Standing.PROMISED
        self.presented = presented(inbound) if principal.method is _TOKEN else None

    @property
    def named(self) -> str:
        """What its request names, in its caller's words; empty where its method names nothing in one field."""
        name_field = row(self.method, self._inbound.era).name_field
        return str(self._inbound.request.params.get(name_field, "")) if name_field else ""

    async def notices(self, notice: Notice) -> None:
        """Passes a notification of the call on to the caller, under the caller's own progress token."""
        shown = shown_notice(self._inbound, notice)
        if shown is not None:
            await self._notices(shown)

    def pending(self, refused: Refused) -> Pending | None:
        """What is left of the call where people must answer before it can be made; None where it was refused for anything else."""
        return None if self._found is None else pending(self._found.call, self._found.heard, self._epoch, refused)

    def unconnected(self, refused: Refused) -> Mapping[str, object] | Fault:
        """What the client can show where a person must connect an account first; raises every other refusal, and readable words."""
        waiting = unconnected(self._found, refused, self._parts.connect)
        if waiting is None:
            raise refused
        return shown(self._inbound, waiting, self._parts.rounds)

    def rendered(self, reply: Reply) -> Mapping[str, object] | Fault:
        """The reply in the caller's era and names, with the receipt's id; an unfinished one with its state sealed."""
        body = reply.body
        if isinstance(body, Fault):
            return fault_to_session(self.method, body) if self._inbound.era is Era.SESSION else fault_to_exchange(body)
        assert self._found is not None
        call = self._found.call
        if body.get("resultType") == "input_required":
            state = self._parts.rounds.sealed(self._inbound, call.target, call.arguments, body.get("requestState"))
            body = {**body, "requestState": state}
        return rendered(self._inbound, self._found, body, told_of(reply))

    def resolve(self) -> Call:
        """Stage 2: the call that the request makes, and what stands behind it; raises `Refused`."""
        found = self._found = resolved(self._inbound, self.snapshot, self.id, self._means)
        return found.call

    def carry(self, call: Call, lease: Lease, notices: Notices) -> Coroutine[None, None, Answer]:
        """Stage 9: takes the call to its upstream; raises `Refused`."""
        assert self._found is not None
        name = call.target.upstream
        upstream = self._parts.fleet.upstream(name, self.snapshot.document.upstreams[name])
        return upstream.forward(order_of(self._inbound, call, self._found.entry, lease), notices)

    def check(self, call: Call, body: Mapping[str, object]) -> None:
        """Raises `Refused` where the client cannot be asked for input, or the upstream asks for what it was not told that it may."""
        assert self._found is not None
        if self._inbound.era is Era.SESSION:
            raise Refused(
                Reason.MISSING_CAPABILITY,
                "the upstream asked for input, which a session-era client cannot be asked for yet",
                sentence="This needs input from a person, which this client cannot be asked for; the call did not finish.",
                ran=Ran.MAYBE,
            )
        asked = undeclared(call.method, client_capabilities(self._inbound, self._found.entry), body)
        if asked is not None:
            raise Refused(
                Reason.UPSTREAM_BROKEN,
                f"the upstream asked for {asked}, which it was not offered",
                sentence="The upstream asked for what it may not ask for; the call did not finish.",
                ran=Ran.MAYBE,
            )
