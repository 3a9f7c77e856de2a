"""What leaves the spine: the order for the upstream, and the result, notices and names for the caller. Pure."""

from collections.abc import Mapping

from doorward.call.inbound import Inbound
from doorward.call.local import SERVER_INFO
from doorward.call.resolve import Found, params_of
from doorward.catalog.index import Entry
from doorward.domain.calls import Call, Era, Notice, Reply
from doorward.domain.leases import Lease
from doorward.inspection.fitted import WITHHELD_KEY
from doorward.inspection.labels import FINDINGS_KEY
from doorward.upstream.order import Order
from doorward.wire.eras import LOG_LEVELS, to_exchange, to_session
from doorward.wire.limits import in_meta
from doorward.wire.naming import wrap_result

OURS = "dev.doorward/"
"""The prefix of `_meta` keys that are ours to say: an upstream's words under it are left out."""
RECEIPT_KEY = f"{OURS}receipt"
"""The `_meta` key under which a result carries the id of its receipt (AUDIT.md 6)."""
EDITED: Mapping[str, object] = {f"{OURS}edited": True}
"""What is said in `_meta` of a result where whoever approved the call has put other arguments in the place of the caller's."""

_PARTS: Mapping[str, tuple[str, ...]] = {"elicitation": ("form", "url"), "sampling": ("context", "tools"), "roots": ()}
"""What the protocol knows of each capability that lets an upstream ask the client for something."""
_ASKED_BY: Mapping[str, str] = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}
UNFINISHED = frozenset({"tools/call", "prompts/get", "resources/read"})
"""Methods that may end with a request for input (2026-07-28, patterns/mrtr)."""

NOTHING: Mapping[str, object] = {}

_SESSION = Era.SESSION
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""

SERVER_KEY = "io.modelcontextprotocol/serverInfo"


def order_of(inbound: Inbound, call: Call, entry: Entry, lease: Lease) -> Order:
    """What goes to the upstream: the decided call in the upstream's own names, and no more of the client than policy lets through."""
    meta = call.extras.get("_meta") if call.extras else None
    return Order(
        call.method,
        params_of(call),
        meta if meta is not None and isinstance(meta, Mapping) else NOTHING,
        client_capabilities(inbound, entry) if inbound.capabilities else NOTHING,
        inbound.log_level,
        inbound.progress_token is not None,
        call.principal.id,
        lease,
        entry.param_headers,
    )


def client_capabilities(inbound: Inbound, entry: Entry) -> Mapping[str, object]:
    """What the upstream may ask of the client: only in one exchange era end to end, and only what the upstream's config lets pass."""
    if not inbound.capabilities or inbound.era is _SESSION:
        return NOTHING
    return {name: _parts(name, inbound.capabilities[name]) for name in entry.client_input if name in inbound.capabilities}


def _parts(name: str, declared: object) -> Mapping[str, object]:
    """A capability in the words that the protocol has for it: whatever else a client writes there has been neither decided on nor recorded."""
    return {part: {} for part in _PARTS[name] if isinstance(declared, Mapping) and part in declared}


def undeclared(method: str, capabilities: Mapping[str, object], body: Mapping[str, object]) -> str | None:
    """The first request for input in an unfinished answer that the upstream was not told it may make; None if it keeps to what it was told."""
    if method not in UNFINISHED:
        return f"input for {method}"
    requests = body.get("inputRequests", {})
    if not isinstance(requests, Mapping):
        return "no object of requests"
    if any(name.startswith(OURS) for name in requests):
        # The answer would be taken for one to us.
        return f"something under {OURS}"
    return next((asked for request in requests.values() if (asked := _undeclared(capabilities, request)) is not None), None)


def _undeclared(declared: Mapping[str, object], request: object) -> str | None:
    method = request.get("method") if isinstance(request, Mapping) else None
    name = _ASKED_BY.get(method) if isinstance(method, str) else None
    parts = declared.get(name) if name is not None else None
    if not isinstance(parts, Mapping) or not isinstance(request, Mapping):
        return str(method)[:80]
    params = request.get("params")
    mode = params.get("mode", "form") if isinstance(params, Mapping) else "form"
    # Without parts, forms alone are meant (2026-07-28, basic).
    is_offered = name != "elicitation" or mode in (parts or {"form": {}})
    return None if is_offered else f"{method} of mode {str(mode)[:40]}"


def told_of(reply: Reply) -> Mapping[str, object]:
    """What we say of a reply in its `_meta`."""
    if not (reply.is_edited or reply.left or reply.labels or reply.withheld):
        return NOTHING
    found = {key: list(told) for key, told in ((FINDINGS_KEY, reply.labels), (WITHHELD_KEY, reply.withheld)) if told}
    return {**(EDITED if reply.is_edited else NOTHING), **(in_meta(reply.left) if reply.left else NOTHING), **found}


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


def rendered(inbound: Inbound, found: Found | None, body: Mapping[str, object], told: Mapping[str, object] = NOTHING) -> dict[str, object]:
    """A result in the caller's era, revision and names; `told` is what else we say in its `_meta`."""
    method, shown, held = inbound.request.method, body, body.get("_meta")
    meta: Mapping[str, object] = held if type(held) is dict or isinstance(held, Mapping) else NOTHING
    if found is not None:
        if inbound.endpoint is None:
            shown = wrap_result(method, found.call.target.upstream, body)
        theirs = {key: value for key, value in meta.items() if not key.startswith(OURS)} if meta else NOTHING
        meta = {**theirs, **told, RECEIPT_KEY: found.call.id}
    elif told:
        meta = {**meta, **told}
    if inbound.era is _SESSION:
        return to_session(method, {**shown, "_meta": meta} if meta else shown, inbound.version)
    result = to_exchange(method, shown)
    result["_meta"] = {**meta, SERVER_KEY: SERVER_INFO}
    return result
