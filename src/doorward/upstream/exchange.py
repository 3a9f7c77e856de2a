"""An upstream of the exchange era over HTTP (2026-07-28, streamable-http): each request says all of itself and stands alone."""

from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache, partial
from itertools import count
from typing import Final

import msgspec

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran
from doorward.net.connection import Response as HttpResponse
from doorward.net.connection import Timeouts
from doorward.net.http import Pool, lines
from doorward.net.stream import Stream
from doorward.upstream.answers import Answers, Asked, Broken
from doorward.upstream.faults import UNACCEPTED, MistakenError, broken, having_said, of_status, turned_away
from doorward.upstream.introductions import of_discovery
from doorward.upstream.messages import HEADER_MISMATCH, UNSUPPORTED_VERSION, Tongue, answer, exchange_params, read_response
from doorward.upstream.order import Order, own_order
from doorward.upstream.port import Notices, unheard
from doorward.upstream.relay import Relay
from doorward.upstream.sight import Introduction
from doorward.upstream.watch import LISTENING
from doorward.wire.eras import make_envelope
from doorward.wire.headers import NAMED_BY, derive
from doorward.wire.jsonrpc import dump

OK: Final = 200
_LISTS: Final = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
_LONGEST_KEPT: Final = 128
"""Characters of a name whose header lines are kept: those of tools and prompts, and of most resources."""
_HEADS: Final = 1024
"""Names for which they are kept."""
_EXCHANGE: Final = Era.EXCHANGE
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""
_FOREIGN: Final = frozenset({400, 404, 405, 406, 415})
"""Statuses by which a server of another era turns away what it does not know, before anything ran."""


class ExchangeHttp:
    """Speaks one revision of the exchange era to one upstream."""

    era: Final = Era.EXCHANGE

    def __init__(self, tongue: Tongue, pool: Pool, version: str, on_change: Callable[[], None]) -> None:
        self._tongue = tongue
        self._pool = pool
        self.version = version
        self._numbers = count(1)
        self._on_change = on_change
        self._bare = msgspec.Raw(dump(make_envelope(version, {}, tongue.client_info, None)))
        """The `_meta` of a request that says nothing but what all of them say."""
        self._answers = Answers(tongue, on_change)
        self._head = lru_cache(maxsize=_HEADS)(partial(_head, pool, version))

    @property
    def spoken(self) -> str:
        """What it speaks, by which two speakers can be told apart."""
        return self.version

    async def ask(self, order: Order, notices: Notices) -> Answer:
        """Asks once; raises Refused, NetError, or MistakenError if the upstream speaks something else and nothing ran."""
        number = next(self._numbers)
        token = number if order.wants_progress else None
        response = await self._post(number, token, order, None)
        if response.status != OK:
            return self._turned_away(response, number)
        if isinstance(response.body, bytes):
            return self._answers.whole(response, response.body, number, _EXCHANGE)
        asked = Asked(number, Era.EXCHANGE, Relay.of(token, order.log_level), notices)
        found = await self._answers.streamed(response.body, asked)
        assert not isinstance(found, Broken)
        return found

    async def introduce(self, lease: Lease) -> Introduction:
        """What it says of itself now, by `server/discover`; raises as `ask` does."""
        answered = await self.ask(own_order("server/discover", {}, lease), unheard)
        if isinstance(answered.body, Fault):
            raise broken(self._tongue.upstream, f"server/discover was answered with error {answered.body.code}", Ran.NO)
        return of_discovery(answered.body)

    async def listen(self, lease: Lease) -> Stream | None:
        """A stream of list changes, or None if it offers none; raises NetError."""
        order = own_order("subscriptions/listen", {"notifications": _LISTS}, lease)
        response = await self._post(next(self._numbers), None, order, LISTENING)
        if response.status == OK and isinstance(response.body, Stream):
            return response.body
        response.forsake()
        return None

    async def close(self) -> None:
        """Nothing is held that would have to be ended."""

    def _post(self, number: int, token: int | None, order: Order, timeouts: Timeouts | None) -> Coroutine[None, None, HttpResponse]:
        method = order.method
        body = dump({"jsonrpc": "2.0", "id": number, "method": method, "params": self._params(order, token)})
        field = NAMED_BY.get(method)
        named = None if field is None else order.params.get(field)
        if order.param_headers or not isinstance(named, str) or len(named) > _LONGEST_KEPT:
            head = self._pool.head(lines(derive(method, order.params, self.version, order.param_headers)))
        else:
            head = self._head(method, named)
        if order.lease.headers:
            head += lines([(name, secret.reveal()) for name, secret in order.lease.headers]).encode("ascii")
        return self._pool.post_after(head, body, timeouts)

    def _params(self, order: Order, token: int | None) -> Mapping[str, object]:
        if token is None and order.log_level is None and not order.meta and not order.capabilities:
            return {**order.params, "_meta": self._bare}
        return exchange_params(order, token, self.version, self._tongue.client_info)

    def _turned_away(self, response: HttpResponse, number: int) -> Answer:
        """The JSON-RPC error in an answer of another status than 200, if it is an answer to this request."""
        response.forsake()
        refusal = of_status(self._tongue.upstream, response)
        if not isinstance(response.body, bytes) or response.status in UNACCEPTED:
            raise refusal
        message = read_response(self._tongue, response.body)
        if message is None or message.id != number:
            raise MistakenError(f"http status {response.status} without an answer") if response.status in _FOREIGN else refusal
        match message.body:
            case Fault(code=code) if code == UNSUPPORTED_VERSION:
                raise MistakenError("it does not support this version")
            case Fault(code=code, message=text) if code == HEADER_MISMATCH:
                self._on_change()
                raise having_said(turned_away(self._tongue.upstream, response.status, "headers and body differ, it says"), text)
        return answer(self._tongue, message, number, Era.EXCHANGE, len(response.body))


def _head(pool: Pool, version: str, method: str, named: str) -> bytes:
    """How a request begins, which is the same for every request of a method to one name."""
    return pool.head(lines(derive(method, {NAMED_BY[method]: named}, version, None)))
