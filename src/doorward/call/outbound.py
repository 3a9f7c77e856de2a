"""What leaves the spine: the order for the upstream, and the result, notices and names for the caller. Pure."""

from collections.abc import Mapping

from doorward.call.inbound import Inbound
from doorward.call.local import SERVER_INFO
from doorward.call.resolve import Found, params_of
from doorward.catalog.index import Entry
from doorward.domain.calls import Call, Era, Notice
from doorward.domain.leases import Lease
from doorward.upstream.order import Order
from doorward.wire.eras import LOG_LEVELS, to_exchange, to_session
from doorward.wire.naming import wrap_result

RECEIPT_KEY = "dev.doorward/receipt"
"""The `_meta` key under which a result carries the id of its receipt (AUDIT.md 6)."""

_SERVER_KEY = "io.modelcontextprotocol/serverInfo"


def order_of(inbound: Inbound, call: Call, entry: Entry, lease: Lease) -> Order:
    """What goes to the upstream: the decided call in the upstream's own names, and no more of the client than policy lets through."""
    meta = call.extras.get("_meta")
    return Order(
        method=call.method,
        params=params_of(call),
        meta=meta if isinstance(meta, Mapping) else {},
        capabilities=client_capabilities(inbound, entry),
        log_level=inbound.log_level,
        wants_progress=inbound.progress_token is not None,
        principal=call.principal.id,
        lease=lease,
        param_headers=entry.param_headers,
    )


def client_capabilities(inbound: Inbound, entry: Entry) -> Mapping[str, object]:
    """What the upstream may ask of the client: only in one exchange era end to end, and only what the upstream's config lets pass."""
    if inbound.era is Era.SESSION:
        return {}
    return {name: inbound.capabilities[name] for name in entry.client_input if name in inbound.capabilities}


def shown_notice(inbound: Inbound, notice: Notice) -> Notice | None:
    """A notification as the caller asked for it: under its own progress token, at its own log level; None if it did not ask."""
    match notice.method:
        case "notifications/progress":
            if inbound.progress_token is None:
                return None
            return Notice(notice.method, {**notice.params, "progressToken": inbound.progress_token})
        case "notifications/message":
            wanted, level = inbound.log_level, notice.params.get("level")
            if wanted not in LOG_LEVELS or level not in LOG_LEVELS or LOG_LEVELS.index(str(level)) < LOG_LEVELS.index(wanted):
                return None
            return notice
        case _:
            return None


def rendered(inbound: Inbound, found: Found | None, body: Mapping[str, object]) -> dict[str, object]:
    """A result in the caller's era, revision and names."""
    method = inbound.request.method
    result = dict(body)
    if found is not None:
        if inbound.endpoint is None:
            result = wrap_result(method, found.call.target.upstream, result)
        result["_meta"] = {**_meta(result), RECEIPT_KEY: found.call.id}
    if inbound.era is Era.SESSION:
        return to_session(method, result, inbound.version)
    result = to_exchange(method, result)
    result["_meta"] = {**_meta(result), _SERVER_KEY: SERVER_INFO}
    return result


def _meta(result: Mapping[str, object]) -> Mapping[str, object]:
    held = result.get("_meta")
    return held if isinstance(held, Mapping) else {}
