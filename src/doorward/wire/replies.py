"""Replies as they go out: results, errors, and refusals in the one shape that all of them have (RULINGS 15 and 16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doorward.domain.calls import Era, Fault
from doorward.domain.reasons import TABLE, Reason, Refused, Shape
from doorward.wire.jsonrpc import Id, dump

REASON_KEY = "dev.doorward/reason"
"""The `_meta` key under which a refused tool result names its reason."""

_PRIVATE = frozenset({"hidden"})
_NOT_FOUND = -32602
_SESSION_RESOURCE_NOT_FOUND = -32002

_SESSION_STATUS = {
    Reason.MALFORMED: 400,
    Reason.UNKNOWN_SESSION: 404,
    Reason.UNAUTHENTICATED: 401,
    Reason.REVOKED: 401,
    Reason.OVERLOADED: 503,
    Reason.DRAINING: 503,
}
"""Where a session-era client gets another status than 200: it reads 400 and 404 as news about transport and session (PROTOCOL.md §2.3)."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A refusal as it goes out: the HTTP status, and the `result` or `error` member of the response."""

    status: int
    body: Mapping[str, Any] | Fault


def result_body(request_id: Id, result: Mapping[str, Any]) -> bytes:
    """The response that carries a result."""
    return dump({"jsonrpc": "2.0", "id": request_id, "result": result})


def error_body(request_id: Id | None, fault: Fault) -> bytes:
    """The response that carries an error; `data` only where there is any."""
    error: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.data is not None:
        error["data"] = fault.data
    return dump({"jsonrpc": "2.0", "id": request_id, "error": error})


def body(request_id: Id, answer: Mapping[str, Any] | Fault) -> bytes:
    """The response that carries either."""
    return error_body(request_id, answer) if isinstance(answer, Fault) else result_body(request_id, answer)


def refusal(refused: Refused, method: str, era: Era) -> Rendered:
    """What a caller is told of a refusal: the public sentence and the reference, and never the operator's detail."""
    row = TABLE[refused.reason]
    reference = f" (reference {refused.reference})" if refused.reference else ""
    if row.shape is Shape.TOOL_RESULT and method == "tools/call":
        return Rendered(200, _tool_result(refused, reference, era))
    data: dict[str, Any] = {key: value for key, value in refused.extra.items() if key not in _PRIVATE}
    data["reason"] = refused.reason.value
    if refused.reference:
        data["reference"] = refused.reference
    status = row.status.value if era is Era.EXCHANGE else _SESSION_STATUS.get(refused.reason, 200)
    return Rendered(status, Fault(row.code, refused.public + reference, data))


def fault_to_session(method: str, fault: Fault) -> Fault:
    """An upstream's error for a session-era client: a resource that is not there has its older code there."""
    if method == "resources/read" and fault.code == _NOT_FOUND:
        return Fault(_SESSION_RESOURCE_NOT_FOUND, fault.message, fault.data)
    return fault


def fault_to_exchange(fault: Fault) -> Fault:
    """An upstream's error for an exchange-era client: the older code for a resource that is not there is no more (schema, 2026-07-28)."""
    return Fault(_NOT_FOUND, fault.message, fault.data) if fault.code == _SESSION_RESOURCE_NOT_FOUND else fault


def fault_status(fault: Fault) -> int:
    """The HTTP status of an upstream's error towards an exchange-era client (streamable-http, Protocol Version Header)."""
    match fault.code:
        case -32601:
            return 404
        case -32700 | -32600 | -32602 | -32020 | -32021 | -32022:
            return 400
        case _:
            return 200


def _tool_result(refused: Refused, reference: str, era: Era) -> dict[str, Any]:
    meta: dict[str, Any] = {REASON_KEY: refused.reason.value}
    wait = refused.extra.get("retryAfterSeconds")
    if wait is not None:
        meta["dev.doorward/retryAfterSeconds"] = wait
    if refused.reference:
        meta["dev.doorward/receipt"] = refused.reference
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": refused.public + reference}],
        "isError": True,
        "_meta": meta,
    }
    if era is Era.EXCHANGE:
        result["resultType"] = "complete"
    return result
