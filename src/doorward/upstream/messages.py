"""JSON-RPC towards an upstream: printing what we ask, and reading what it says as an answer to exactly that."""

from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.clipping import clipped
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.net.connection import Timeouts
from doorward.upstream.faults import broken
from doorward.upstream.order import Order
from doorward.wire.eras import make_envelope
from doorward.wire.jsonrpc import Limits, Notification, Request, Response, dump, parse

_EXCHANGE: Final = Era.EXCHANGE
RESULT_TYPES: Final = frozenset({"complete", "input_required"})
"""`resultType` values we know (2026-07-28); a result with any other is invalid, one with none is complete."""

METHOD_NOT_FOUND: Final = -32601
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022
URL_ELICITATION: Final = -32042
"""An error of 2025-11-25 by which a server asks that the user opens a page first."""


class Tongue(msgspec.Struct, frozen=True):
    """Who is spoken to, who we say we are, and how much is taken in."""

    upstream: UpstreamId
    client_info: Mapping[str, object]
    limits: Limits
    timeouts: Timeouts


def limits_of(result_bytes: int) -> Limits:
    """Bounds of an upstream's message whose result may have so many bytes: one string may be nearly all of it."""
    return Limits(body_bytes=result_bytes, string_bytes=result_bytes)


def request(number: int, method: str, params: Mapping[str, object]) -> bytes:
    """A request as one line of JSON."""
    return dump({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def notification(method: str, params: Mapping[str, object] | None = None) -> bytes:
    """A notification as one line of JSON."""
    return dump({"jsonrpc": "2.0", "method": method} if params is None else {"jsonrpc": "2.0", "method": method, "params": params})


def reply(asked: Request) -> bytes:
    """Our answer to a request of a session-era upstream: a ping is answered, everything else is not offered."""
    if asked.method == "ping":
        return dump({"jsonrpc": "2.0", "id": asked.id, "result": {}})
    error = {"code": METHOD_NOT_FOUND, "message": "this gateway does not pass on requests of a server to its client"}
    return dump({"jsonrpc": "2.0", "id": asked.id, "error": error})


def meta_of(order: Order, token: int | None) -> dict[str, object]:
    """The `_meta` of a request in any era. INVARIANT: a progress token in it is ours, never the caller's."""
    meta = dict(order.meta)
    meta.pop("progressToken", None)
    if token is not None:
        meta["progressToken"] = token
    return meta


def session_params(order: Order, token: int | None) -> Mapping[str, object]:
    """The parameters of a session-era request."""
    meta = meta_of(order, token)
    return {**order.params, "_meta": meta} if meta else order.params


def exchange_params(order: Order, token: int | None, version: str, client_info: Mapping[str, object]) -> Mapping[str, object]:
    """The parameters of an exchange-era request: its envelope says version, capabilities and who asks. INVARIANT: our keys win."""
    meta = meta_of(order, token) if order.meta or token is not None else {}
    return {**order.params, "_meta": meta | make_envelope(version, order.capabilities, client_info, order.log_level)}


def read(tongue: Tongue, octets: bytes) -> Request | Notification | Response:
    """One message of an upstream, strictly; raises Refused UPSTREAM_BROKEN."""
    try:
        return parse(octets, tongue.limits)
    except Refused as refused:
        raise broken(tongue.upstream, f"what came is no message: {refused.detail}") from refused


def read_response(tongue: Tongue, octets: bytes) -> Response | None:
    """A response, or None for anything else: what comes with a status that is no success need not be JSON."""
    try:
        message = read(tongue, octets)
    except Refused:
        return None
    return message if isinstance(message, Response) else None


def answer(tongue: Tongue, response: Response, number: int, era: Era, size_bytes: int) -> Answer:
    """A response as the answer to request `number`; raises Refused if it is to another, of an unknown type or wants what we do not have."""
    if response.id != number or type(response.id) is not int:
        raise broken(tongue.upstream, f"an answer to request {number} was expected, not to {clipped(str(response.id), 40)!r}")
    body = response.body
    if isinstance(body, Fault):
        if body.code == URL_ELICITATION:
            raise _wants_page(tongue.upstream)
        return Answer(body, size_bytes)
    if era is _EXCHANGE and body.get("resultType", "complete") not in RESULT_TYPES:
        raise broken(tongue.upstream, f"a result of a known type was expected, not {clipped(str(body['resultType']), 40)!r}")
    return Answer(body, size_bytes)


def _wants_page(upstream: UpstreamId) -> Refused:
    return Refused(
        Reason.MISSING_CAPABILITY,
        "the upstream asks for a url elicitation",
        sentence=f"The upstream `{upstream}` asks that the user opens a page first, which cannot be passed on; the call was not completed.",
        ran=Ran.MAYBE,
        extra={"requiredCapabilities": {"elicitation": {"url": {}}}},
    )
