"""The two protocol families: which revision a message speaks, its envelope, and results carried from one revision to another.

Session-era revisions go back to 2024-11-05; exchange-era ones begin with 2026-07-28 (the specification's "legacy" and "modern").
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from doorward.domain.calls import Era
from doorward.domain.reasons import Reason, Refused
from doorward.wire.jsonrpc import dump

SESSION_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
EXCHANGE_VERSIONS = ("2026-07-28",)

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
LEVEL_KEY = "io.modelcontextprotocol/logLevel"
_TRACE_KEYS = ("traceparent", "tracestate", "baggage")
_RESERVED = "io.modelcontextprotocol/"
_FEWEST = 2
"""Keys of a request that says no more than it has to; one more where it says who sends it."""
_NOBODY: dict[str, Any] = {}
"""A client that does not say who it is."""
_NOTHING: Mapping[str, Any] = {}
_USUAL = frozenset({VERSION_KEY, CAPABILITIES_KEY, CLIENT_KEY, LEVEL_KEY, "progressToken", *_TRACE_KEYS})
"""Keys that do not go on; those of a usual request."""

CACHEABLE = frozenset({"server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"})
"""Methods whose complete results say how long and for whom they hold (2026-07-28, utilities/caching)."""

LOG_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""From most to least talkative (RFC 5424 severities)."""

_SERVER_KEY = "io.modelcontextprotocol/serverInfo"


def era_of(version: str | None) -> Era:
    """The family of an `MCP-Protocol-Version` header; without one it is the session era. Raises `Refused` UNSUPPORTED_VERSION."""
    if version is None or version in SESSION_VERSIONS:
        return Era.SESSION
    if version in EXCHANGE_VERSIONS:
        return Era.EXCHANGE
    trimmed = version.strip(" \t")
    if trimmed == version:
        raise unsupported(version)
    return era_of(trimmed)


def unsupported(version: str) -> Refused:
    """The refusal of a revision that is not spoken here, with those that are."""
    supported = [*EXCHANGE_VERSIONS, *(known for known in SESSION_VERSIONS if known >= "2025-06-18")]
    return Refused(
        Reason.UNSUPPORTED_VERSION,
        f"protocol version {version[:40]!r}",
        extra={"supported": supported, "requested": version[:40]},
    )


class Envelope(msgspec.Struct):
    """What an exchange-era request says of itself in `params._meta`. (Not frozen: one is made on each request.)"""

    version: str
    capabilities: Mapping[str, Any]
    client_info: Mapping[str, Any]
    log_level: str | None
    progress_token: str | int | None
    traceparent: str
    rest: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Every other key, except those reserved for the protocol and the trace."""


def open_envelope(params: Mapping[str, Any]) -> Envelope:
    """The envelope of a request; raises `Refused` INVALID_PARAMS where a required key is missing or of the wrong type.

    Its version is not judged here: `era_of` has judged the header's, and `headers.check` refuses a body that says another.
    """
    meta = params.get("_meta")
    # By `dict`, which a parsed object is: to ask for a protocol takes as long as all the rest here.
    if not isinstance(meta, dict):
        raise _invalid("_meta", "an object")
    get = meta.get
    version, capabilities, client = get(VERSION_KEY), get(CAPABILITIES_KEY), get(CLIENT_KEY, _NOBODY)
    if not isinstance(version, str):
        raise _invalid(f"_meta[{VERSION_KEY!r}]", "a string")
    if not isinstance(capabilities, dict):
        raise _invalid(f"_meta[{CAPABILITIES_KEY!r}]", "an object")
    if not isinstance(client, dict):
        raise _invalid(f"_meta[{CLIENT_KEY!r}]", "an object")
    if len(meta) == (_FEWEST if client is _NOBODY else _FEWEST + 1):
        # Nothing else is in there, as in most requests.
        return Envelope(version, capabilities, client, None, None, "", _NOTHING)
    level = get(LEVEL_KEY)
    if level is not None and level not in LOG_LEVELS:
        raise _invalid(f"_meta[{LEVEL_KEY!r}]", f"one of {', '.join(LOG_LEVELS)}")
    return Envelope(version, capabilities, client, level, progress_token(meta), _trace(meta), rest_of(meta))


def progress_token(meta: Mapping[str, Any]) -> str | int | None:
    """The progress token of a request, if it has one; raises `Refused` INVALID_PARAMS where it is no string or integer."""
    token = meta.get("progressToken")
    if token is None or isinstance(token, str) or (isinstance(token, int) and not isinstance(token, bool)):
        return token
    raise _invalid("_meta.progressToken", "a string or an integer")


def rest_of(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `_meta` that belong to nobody on the way and go on to the upstream."""
    if meta.keys() <= _USUAL:
        return {}
    return {
        key: value for key, value in meta.items() if key != "progressToken" and key not in _TRACE_KEYS and not key.startswith(_RESERVED)
    }


def make_envelope(version: str, capabilities: Mapping[str, Any], client_info: Mapping[str, Any], log_level: str | None) -> dict[str, Any]:
    """The reserved keys of `_meta` for a request to an exchange-era upstream."""
    meta: dict[str, Any] = {VERSION_KEY: version, CAPABILITIES_KEY: dict(capabilities), CLIENT_KEY: dict(client_info)}
    if log_level is not None:
        meta[LEVEL_KEY] = log_level
    return meta


def to_exchange(method: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as an exchange-era client must get it: typed, and where it could be cached, only by this client.

    A `public` scope becomes `private`, for what one caller sees another may not (PROTOCOL.md §1.12).
    """
    shown = dict(result)
    shown.setdefault("resultType", "complete")
    if method in CACHEABLE and shown["resultType"] == "complete":
        ttl = shown.get("ttlMs")
        shown["ttlMs"] = ttl if type(ttl) is int and ttl > 0 else 0
        shown["cacheScope"] = "private"
    return shown


def to_session(method: str, result: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A result as a session-era client of a revision can read it; what no such revision can carry is said in what it can.

    Structured values that are no object become text unless there is text already, audio a resource, links to resources text.
    Unknown fields and kinds of content stay.
    """
    left_out = _left_out(method, result)
    shown = {key: value for key, value in result.items() if key not in left_out}
    meta = shown.get("_meta")
    if isinstance(meta, Mapping) and _SERVER_KEY in meta:
        shown["_meta"] = {key: value for key, value in meta.items() if key != _SERVER_KEY}
    carry = _CARRIED.get(method)
    if carry is not None:
        carry(shown, version)
    return shown


def _left_out(method: str, result: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a result that only the exchange era gives a meaning."""
    if result.get("resultType") == "input_required":
        return ("resultType", "inputRequests", "requestState")
    return ("resultType", "ttlMs", "cacheScope") if method in CACHEABLE else ("resultType",)


def _carry_tools(shown: dict[str, Any], version: str) -> None:
    _change(shown, "tools", _tool)


def _carry_call(shown: dict[str, Any], version: str) -> None:
    if version < "2025-06-18":
        _change(shown, "content", lambda block: _block(block, version))
    if isinstance(shown.get("structuredContent", {}), Mapping):
        return
    said = dump(shown.pop("structuredContent")).decode()
    content = shown.get("content")
    blocks = content if isinstance(content, list) else []
    if not any(isinstance(block, Mapping) and block.get("type") == "text" for block in blocks):
        shown["content"] = [*blocks, {"type": "text", "text": said}]


def _carry_prompt(shown: dict[str, Any], version: str) -> None:
    if version < "2025-06-18":
        _change(shown, "messages", lambda message: _message(message, version))


_CARRIED: Mapping[str, Callable[[dict[str, Any], str], None]] = {
    "tools/list": _carry_tools,
    "tools/call": _carry_call,
    "prompts/get": _carry_prompt,
}
"""What has to be done to results whose parts older revisions type more tightly (PROTOCOL.md §2.1)."""


def _change(shown: dict[str, Any], field_name: str, change: Callable[[Any], Any]) -> None:
    items = shown.get(field_name)
    if isinstance(items, list):
        shown[field_name] = [change(item) if isinstance(item, Mapping) else item for item in items]


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool whose schemas are what every session-era reader takes: objects, with an object for each property."""
    changed: dict[str, Any] = {}
    for name in ("inputSchema", "outputSchema"):
        schema = tool.get(name)
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        if isinstance(properties, Mapping) and any(isinstance(inner, bool) for inner in properties.values()):
            changed[name] = {**tool[name], "properties": {key: _spelled(inner) for key, inner in properties.items()}}
    shown = {**tool, **changed} if changed else tool
    output = tool.get("outputSchema", _OBJECT)
    if isinstance(output, Mapping) and output.get("type") == "object":
        return shown
    return {key: value for key, value in shown.items() if key != "outputSchema"}


_OBJECT = {"type": "object"}


def _spelled(schema: Any) -> Any:
    """A boolean schema as the object that means the same (JSON Schema 2020-12 §4.3.2)."""
    return {} if schema is True else {"not": {}} if schema is False else schema


def _message(message: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    content = message.get("content")
    return {**message, "content": _block(content, version)} if isinstance(content, Mapping) else message


def _block(block: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    """A content block for a revision that may not know its kind."""
    kind = block.get("type")
    if kind == "resource_link":
        return {"type": "text", "text": f"{block.get('name', '')} {block.get('uri', '')}".strip()}
    if kind == "audio" and version < "2025-03-26":
        resource = {"uri": "urn:doorward:audio", "blob": block.get("data", ""), "mimeType": block.get("mimeType", "")}
        return {"type": "resource", "resource": resource, **{key: block[key] for key in ("annotations", "_meta") if key in block}}
    return block


def _trace(meta: Mapping[str, Any]) -> str:
    trace = meta.get("traceparent", "")
    return trace if isinstance(trace, str) and len(trace) <= 128 else ""


def _invalid(where: str, wanted: str) -> Refused:
    return Refused(Reason.INVALID_PARAMS, f"expected {wanted} in params.{where}", sentence=f"`params.{where}` must be {wanted}.")
