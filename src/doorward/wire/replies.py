"""Replies as they go out: results, errors, and refusals in the one shape that all of them have (RULINGS 15 and 16)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from doorward.domain.calls import Era, Fault
from doorward.domain.reasons import TABLE, Ran, Reason, Refused, Shape
from doorward.wire.jsonrpc import Id, dump
from doorward.wire.limits import LIMITS_KEY

REASON_KEY = "dev.doorward/reason"
"""The `_meta` key under which a refused tool result names its reason."""

_PRIVATE = frozenset({"hidden"})
"""What `extra` holds for the spine alone."""
_SHOWN_AS = {Reason.DRIFTED: Reason.UNKNOWN_TARGET, Reason.REVOKED: Reason.UNAUTHENTICATED}
"""Reasons whose own name would tell what the sentence hides."""

_ENDS = {Ran.YES: " The call ran.", Ran.MAYBE: " The call may have run."}
_TELLS_END = re.compile(r"\b(?:ran|have run)\b")

_INTERNAL = -32603
_NOT_FOUND = -32602
_SESSION_RESOURCE_NOT_FOUND = -32002
_OURS_TO_MEND = frozenset({-32020, -32022})
"""What an upstream says of our own headers and version: news for operators, of no meaning to a client."""
_URL_ELICITATION_REQUIRED = -32042
_SESSION_ONLY = frozenset({_URL_ELICITATION_REQUIRED})
"""Codes that an exchange-era message may not carry, besides the one that has a successor (2026-07-28, basic, Error Codes)."""

_SESSION_STATUS = {
    Reason.MALFORMED: 400,
    Reason.UNKNOWN_SESSION: 404,
    Reason.UNAUTHENTICATED: 401,
    Reason.REVOKED: 401,
    Reason.INSUFFICIENT_SCOPE: 403,
    Reason.OVERLOADED: 503,
    Reason.DRAINING: 503,
}
"""Where a session-era client gets another status than 200: it reads 400 and 404 as news about transport and session (PROTOCOL.md §2.3)."""


class Rendered(msgspec.Struct, frozen=True):
    """A refusal as it goes out: the HTTP status, and the `result` or `error` member of the response."""

    status: int
    body: Mapping[str, Any] | Fault


def result_body(request_id: Id, result: Mapping[str, Any]) -> bytes:
    """The response that carries a result."""
    return dump({"jsonrpc": "2.0", "id": request_id, "result": result})


def error_body(request_id: Id | None, fault: Fault) -> bytes:
    """The response that carries an error; `data` only where there is any, a null id where the request could not be read (JSON-RPC 2.0 §5)."""
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
    if row.shape is Shape.TOOL_RESULT and method == "tools/call":
        return Rendered(HTTPStatus.OK, _tool_result(refused, era))
    data: dict[str, Any] = {key: value for key, value in refused.extra.items() if key not in _PRIVATE}
    data["reason"] = _reason(refused)
    if refused.reference:
        data["reference"] = refused.reference
    status = row.status.value if era is Era.EXCHANGE else _SESSION_STATUS.get(refused.reason, 200)
    return Rendered(status, Fault(row.code, _said(refused), data))


def url_elicitation_required(elicitations: Sequence[Mapping[str, Any]], refused: Refused) -> Fault:
    """The error by which a client of 2025-11-25 hears which pages a person has to open before it calls again (client/elicitation)."""
    data = {"elicitations": list(elicitations), "reason": _reason(refused), "reference": refused.reference}
    return Fault(_URL_ELICITATION_REQUIRED, _said(refused), data)


def fault_to_session(method: str, fault: Fault) -> Fault:
    """An upstream's error for a session-era client: a resource that is not there has its older code there."""
    if method == "resources/read" and fault.code == _NOT_FOUND:
        return Fault(_SESSION_RESOURCE_NOT_FOUND, fault.message, fault.data)
    return Fault(_INTERNAL, fault.message, fault.data) if fault.code in _OURS_TO_MEND else fault


def fault_to_exchange(fault: Fault) -> Fault:
    """An upstream's error for an exchange-era client: the older code for a resource that is not there is no more (schema, 2026-07-28)."""
    if fault.code == _SESSION_RESOURCE_NOT_FOUND:
        return Fault(_NOT_FOUND, fault.message, fault.data)
    return Fault(_INTERNAL, fault.message, fault.data) if fault.code in _OURS_TO_MEND or fault.code in _SESSION_ONLY else fault


def fault_status(fault: Fault) -> int:
    """The HTTP status of an upstream's error towards an exchange-era client (streamable-http, Protocol Version Header)."""
    match fault.code:
        case -32601:
            return 404
        case -32700 | -32600 | -32602 | -32020 | -32021 | -32022:
            return 400
        case _:
            return 200


def _tool_result(refused: Refused, era: Era) -> dict[str, Any]:
    meta: dict[str, Any] = {REASON_KEY: _reason(refused)}
    wait = refused.extra.get("retryAfterSeconds")
    if wait is not None:
        meta["dev.doorward/retryAfterSeconds"] = wait
    for name in ("approval", "connect", "limit"):
        told = refused.extra.get(name)
        if told is not None:
            meta[f"dev.doorward/{name}"] = told
    if LIMITS_KEY in refused.extra:
        meta[LIMITS_KEY] = refused.extra[LIMITS_KEY]
    if refused.reference:
        meta["dev.doorward/receipt"] = refused.reference
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": _said(refused)}],
        "isError": True,
        "_meta": meta,
    }
    if era is Era.EXCHANGE:
        result["resultType"] = "complete"
    return result


def _reason(refused: Refused) -> str:
    return _SHOWN_AS.get(refused.reason, refused.reason).value


def _said(refused: Refused) -> str:
    """The public sentence, that the call ran or may have run if it does not say so itself (RULINGS 16), and the reference."""
    sentence = refused.public
    if refused.ran is not Ran.NO and _TELLS_END.search(sentence) is None:
        sentence += _ENDS[refused.ran]
    return f"{sentence} (reference {refused.reference})" if refused.reference else sentence
