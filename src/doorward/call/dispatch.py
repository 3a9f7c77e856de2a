"""The spine as a door sees it: each request goes the way its row in the method table says."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from doorward.call import local
from doorward.call.approving import Pending, Way, error, going_on, input_required, progress, way
from doorward.call.asked import Plain
from doorward.call.changes import Listener
from doorward.call.errand import Errand
from doorward.call.holding import Ended, Holding
from doorward.call.inbound import Inbound, Notices
from doorward.call.limits import reaches
from doorward.call.listing import KINDS
from doorward.call.outbound import rendered
from doorward.call.parts import Parts
from doorward.call.resolve import Means, listed
from doorward.call.sessions import LiveSession, SessionRow
from doorward.domain.actors import Principal
from doorward.domain.calls import Answer, Call, Fault, Notice
from doorward.domain.ids import CallId, SessionId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import Presented, has_to_wait
from doorward.wire.eras import LOG_LEVELS
from doorward.wire.jsonrpc import dump
from doorward.wire.limits import in_meta
from doorward.wire.methods import Route, row

Body = Mapping[str, object] | Fault

Meanwhile = Callable[[Inbound, Pending, Notices], Awaitable[Body]]
"""What a caller gets while people must answer."""

_CALL: Final = Route.CALL
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""

_SAID_BYTES = 16_384
"""Of what a client says of itself when it opens a session."""


class Dispatch:
    """Implements `call.inbound.Spine` over the rooms."""

    __slots__ = ("_check_known", "_identified", "_means", "_parts", "_rendered", "_waited", "gate", "holding")

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.gate: Final = parts.pipeline.gate
        """The gate that calls go through."""
        self._means = Means(parts.rounds, parts.moment, parts.pipeline.waivers)
        self._identified = parts.clock.timed("identify", parts.chain.identify)
        self._waited = parts.clock.awaited("identify", parts.chain.identified)
        # A source that remembers is asked no less than one that does not whether what it verified by is withdrawn.
        self._check_known = self.gate.known
        self._rendered = parts.clock.timed("render", Errand.rendered)
        self.holding = Holding(parts.pipeline.desk.answered)
        """Who is kept waiting for people's answers."""

    def identify(self, presented: Presented) -> Principal:
        """Stage 1: the principal behind a credential; raises `Refused` UNAUTHENTICATED, and the log is told who knocked."""
        try:
            principal = self._identified(presented)
            self._check_known(principal)
            return principal
        except Refused as refused:
            self._parts.turn_away(presented.network, refused.reason, refused.detail)
            raise

    def at_once(self, presented: Presented) -> Principal | None:
        """As `identify`; None where something has to be fetched or written first, which `identified` waits for."""
        try:
            principal = self._identified(presented)
            self._check_known(principal)
            return principal
        except Refused as refused:
            if has_to_wait(refused):
                return None
            self._parts.turn_away(presented.network, refused.reason, refused.detail)
            raise

    async def identified(self, presented: Presented) -> Principal:
        """As `identify`, waiting for what has to be fetched or written before it can be told."""
        try:
            principal = await self._waited(presented)
            self._check_known(principal)
            return principal
        except Refused as refused:
            self._parts.turn_away(presented.network, refused.reason, refused.detail)
            raise

    def handle(self, inbound: Inbound, notices: Notices) -> Coroutine[None, None, Body]:
        """The result body of one request, in the shape of the caller's era; raises `Refused`."""
        # An endpoint is there if its upstream is configured and the caller may see anything of it; both alike unknown else.
        if inbound.endpoint is not None and inbound.endpoint not in self._parts.generations.current.document.upstreams:
            raise Refused(Reason.UNKNOWN_TARGET, f"no upstream {inbound.endpoint!r}")
        route = row(inbound.request.method, inbound.era).route
        if route is _CALL:
            return self._call(inbound, notices, self._meanwhile)
        match route:
            case Route.LIST:
                return self._list(inbound)
            case Route.LOCAL:
                return self._local(inbound)
            case Route.REVERSE | Route.REFUSED:
                raise Refused(Reason.UNKNOWN_METHOD, inbound.request.method[:200])

    async def initialize(
        self, principal: Principal, endpoint: UpstreamId | None, params: Mapping[str, object]
    ) -> tuple[str, dict[str, object]]:
        """Opens a session: its sealed id and the `InitializeResult`; raises `Refused`."""
        self.gate.opened(principal)
        version = local.session_version(params.get("protocolVersion"))
        now = self._parts.now()
        row = SessionRow(
            id=SessionId(self._parts.new_id()),
            principal=principal.id,
            endpoint=endpoint or "",
            version=version,
            capabilities=_said(params, "capabilities"),
            client_info=_said(params, "clientInfo"),
            created=now,
            seen=now,
        )
        text = await self._parts.sessions.open(row)
        return text, local.initialize_result(self._offered(principal, endpoint), version)

    def session(self, text: str, principal: Principal, endpoint: UpstreamId | None) -> LiveSession:
        """The session of a sealed id; raises `Refused` UNKNOWN_SESSION."""
        live = self._parts.sessions.find(text, principal, endpoint)
        self.gate.known_session(live.id)
        return live

    async def end(self, text: str, principal: Principal, endpoint: UpstreamId | None) -> None:
        """Ends a session; raises `Refused` UNKNOWN_SESSION."""
        await self._parts.sessions.end(self._parts.sessions.find(text, principal, endpoint))

    def sees(self, principal: Principal, upstream: UpstreamId) -> bool:
        """Whether an upstream exists and policy could allow this principal anything of it."""
        return upstream in self._parts.listing.upstreams(principal, self._parts.generations.current)

    def turned_down(self, principal: Principal, refused: Refused) -> None:
        """Tells the log of a message that a door refused after it knew who sent it: the first of its kind in a minute, then a count."""
        self._parts.turn_away(f"agent {principal.agent.id}", refused.reason, refused.detail)

    def changes(self, principal: Principal, endpoint: UpstreamId | None, session: SessionId | None = None) -> AsyncIterator[Notice]:
        """List changes in this principal's view of an endpoint, until drain or until principal or session may hear no more."""
        parts = self._parts
        view = partial(parts.listing.fingerprint, principal, endpoint)
        return parts.changes.listen(Listener(principal, session), lambda: view(parts.generations.current))

    async def _call(self, inbound: Inbound, notices: Notices, meanwhile: Meanwhile) -> Body:
        """A call on its way through the spine; where people must answer first, what its caller gets `meanwhile`."""
        errand = Errand(inbound, self._parts, self._means, notices)
        try:
            reply = await self._parts.pipeline.handle(errand)
        except Refused as refused:
            waiting = errand.pending(refused)
            if waiting is None:
                return errand.unconnected(refused)
        else:
            return self._rendered(errand, reply)
        # No more of it is kept than that: it is its whole way, and the wait may be long.
        del errand
        return await meanwhile(inbound, waiting, notices)

    async def _meanwhile(self, inbound: Inbound, waiting: Pending, notices: Notices) -> Body:
        """What a caller gets while people must answer: what its client can show, or the end of its wait."""
        page = self._parts.link(waiting.approval)
        asked: Body | None = None
        match way(inbound, waiting.heard, page):
            case Way.PAGE:
                asked = self._asked(inbound, waiting, page)
            case Way.FORM:
                asked = self._asked(inbound, waiting, None)
            case Way.ERROR:
                assert page is not None
                asked = error(waiting, page)
            case Way.HELD:
                pass
        return await self._held(inbound, waiting, notices) if asked is None else asked

    def _asked(self, inbound: Inbound, waiting: Pending, page: str | None) -> Body | None:
        """The result that asks for approval, for as long as it may take; None where the client would have too much to keep."""
        approvals = self._parts.generations.current.document.approvals
        seconds = (approvals.answer_minutes + approvals.use_minutes) * 60
        state = self._parts.rounds.waiting(inbound, waiting.call, waiting.approval, seconds)
        return None if state is None else input_required(waiting, state, page)

    async def _held(self, inbound: Inbound, waiting: Pending, notices: Notices) -> Body:
        """The end of a wait: the call on its whole way again, its caller verified anew; raises `Refused` PENDING where nobody has answered."""
        most = self._parts.generations.current.document.approvals.wait_seconds
        waited = 0.0

        async def tell(passed: float) -> None:
            nonlocal waited
            waited = passed
            await notices(progress(inbound, waiting, passed, most))

        teller = tell if inbound.progress_token is not None else None
        if not self._is_cut(waiting):
            # Nothing comes between that look and the beginning of the wait.
            ended = await self.holding.until_answered(waiting.call, waiting.approval, most, teller)
            if ended is Ended.UNANSWERED:
                raise waiting.refused()
        again = replace(inbound, principal=inbound.again())
        return await self._call(again, going_on(notices, waited) if waited else notices, _still_unanswered)

    def _is_cut(self, waiting: Pending) -> bool:
        """Whether what a call is of was stopped or revoked while it was being turned back, before it could be told as one that waits."""
        try:
            self.gate.still(waiting.call, waiting.epoch)
        except Refused:
            return True
        return False

    async def _list(self, inbound: Inbound) -> Mapping[str, object]:
        parts = self._parts
        snapshot = parts.generations.current
        call_id = CallId(parts.new_id())
        asked = Plain(
            id=call_id,
            principal=inbound.principal,
            method=inbound.request.method,
            named=inbound.endpoint or "",
            snapshot=snapshot,
            resolve=lambda: listed(inbound, call_id, KINDS[inbound.request.method]),
            carry=_never,
            trace=inbound.trace,
            limited=inbound.limited,
        )
        result, left = await parts.pipeline.show(asked, lambda: parts.listing.page(inbound, snapshot))
        return rendered(inbound, None, result, in_meta(left))

    def _offered(self, principal: Principal, endpoint: UpstreamId | None) -> local.Offered:
        """What stands behind an endpoint, as far as this caller may know of it."""
        snapshot = self._parts.generations.current
        upstreams = frozenset(name for name in self._parts.listing.upstreams(principal, snapshot) if reaches(principal, name))
        return local.Offered(snapshot, upstreams if endpoint is None else upstreams & {endpoint}, endpoint)

    async def _local(self, inbound: Inbound) -> Mapping[str, object]:
        match inbound.request.method:
            case "ping":
                return {}
            case "logging/setLevel":
                level = _level_checked(inbound.request.params)
                if inbound.session is not None:
                    self._parts.sessions.set_level(inbound.session, level)
                return {}
            case "server/discover":
                self.gate.opened(inbound.principal)
                return rendered(inbound, None, local.discover_result(self._offered(inbound.principal, inbound.endpoint)))
            case other:
                raise Refused(Reason.UNKNOWN_METHOD, other)


def _said(params: Mapping[str, object], field: str) -> Mapping[str, object]:
    """What a client says of itself, which is kept as long as its session; raises `Refused` where that is too much."""
    value = params.get(field)
    if not isinstance(value, Mapping):
        return {}
    if len(dump(value)) > _SAID_BYTES:
        sentence = f"The parameter `{field}` must have at most {_SAID_BYTES} bytes."
        raise Refused(Reason.INVALID_PARAMS, f"more than {_SAID_BYTES} bytes in {field}", sentence=sentence)
    return value


def _level_checked(params: Mapping[str, object]) -> str:
    level = params.get("level")
    if not isinstance(level, str) or level not in LOG_LEVELS:
        raise Refused(Reason.INVALID_PARAMS, "not a log level", sentence=f"The parameter `level` must be one of {', '.join(LOG_LEVELS)}.")
    return level


async def _still_unanswered(inbound: Inbound, waiting: Pending, notices: Notices) -> Body:
    """What a caller gets who has waited once: no second wait."""
    raise waiting.refused()


async def _never(call: Call, lease: Lease, notices: Notices) -> Answer:
    raise AssertionError("a list is never carried upstream")
