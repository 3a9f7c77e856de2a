"""The two protocol families: which revision a message speaks, its envelope, and results carried from one revision to another.

Session-era revisions go back to 2024-11-05; exchange-era ones begin with 2026-07-28 (the specification's "legacy" and "modern").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorward.domain.calls import Era
from doorward.domain.reasons import Reason, Refused

SESSION_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
EXCHANGE_VERSIONS = ("2026-07-28",)

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
LEVEL_KEY = "io.modelcontextprotocol/logLevel"
_TRACE_KEYS = ("traceparent", "tracestate", "baggage")
_RESERVED = "io.modelcontextprotocol/"

CACHEABLE = frozenset({"server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"})
"""Methods whose complete results say how long and for whom they hold (2026-07-28, utilities/caching)."""

_EXCHANGE_ONLY = ("resultType", "ttlMs", "cacheScope", "inputRequests", "requestState")
_SERVER_KEY = "io.modelcontextprotocol/serverInfo"


def era_of(version: str | None) -> Era:
    """The family of an `MCP-Protocol-Version` header; without one it is the session era. Raises `Refused` UNSUPPORTED_VERSION."""
    if version is None or version in SESSION_VERSIONS:
        return Era.SESSION
    if version in EXCHANGE_VERSIONS:
        return Era.EXCHANGE
    raise unsupported(version)


def unsupported(version: str) -> Refused:
    """The refusal of a revision that is not spoken here, with those that are."""
    supported = [*EXCHANGE_VERSIONS, *(known for known in SESSION_VERSIONS if known >= "2025-06-18")]
    return Refused(
        Reason.UNSUPPORTED_VERSION,
        f"protocol version {version[:40]!r}",
        extra={"supported": supported, "requested": version[:40]},
    )


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an exchange-era request says of itself in `params._meta`."""

    version: str
    capabilities: Mapping[str, Any]
    client_info: Mapping[str, Any]
    log_level: str | None
    progress_token: str | int | None
    traceparent: str
    rest: Mapping[str, Any] = field(default_factory=dict)
    """Every other key, except those reserved for the protocol and the trace."""


def open_envelope(params: Mapping[str, Any]) -> Envelope:
    """The envelope of a request; raises `Refused` INVALID_PARAMS where a required key is missing or of the wrong type."""
    meta = params.get("_meta")
    if not isinstance(meta, Mapping):
        raise _invalid("_meta", "an object")
    version, capabilities, client = meta.get(VERSION_KEY), meta.get(CAPABILITIES_KEY), meta.get(CLIENT_KEY, {})
    if not isinstance(version, str):
        raise _invalid(f"_meta[{VERSION_KEY!r}]", "a string")
    if not isinstance(capabilities, Mapping):
        raise _invalid(f"_meta[{CAPABILITIES_KEY!r}]", "an object")
    if not isinstance(client, Mapping):
        raise _invalid(f"_meta[{CLIENT_KEY!r}]", "an object")
    level = meta.get(LEVEL_KEY)
    if level is not None and not isinstance(level, str):
        raise _invalid(f"_meta[{LEVEL_KEY!r}]", "a string")
    return Envelope(version, capabilities, client, level, progress_token(meta), _trace(meta), rest_of(meta))


def progress_token(meta: Mapping[str, Any]) -> str | int | None:
    """The progress token of a request, if it has one; raises `Refused` INVALID_PARAMS where it is no string or integer."""
    token = meta.get("progressToken")
    if token is None or isinstance(token, str) or (isinstance(token, int) and not isinstance(token, bool)):
        return token
    raise _invalid("_meta.progressToken", "a string or an integer")


def rest_of(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `_meta` that belong to nobody on the way and go on to the upstream."""
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
        shown["ttlMs"] = ttl if isinstance(ttl, int) and ttl > 0 else 0
        shown["cacheScope"] = "private"
    return shown


def to_session(method: str, result: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A result as a session-era client of a revision can read it; what that revision has no place for is left out.

    Structured values that are no object go (their text copy stays); older revisions lose later content kinds' typed form.
    """
    shown = {key: value for key, value in result.items() if key not in _EXCHANGE_ONLY}
    meta = shown.get("_meta")
    if isinstance(meta, Mapping) and _SERVER_KEY in meta:
        shown["_meta"] = {key: value for key, value in meta.items() if key != _SERVER_KEY}
    match method:
        case "tools/list":
            shown["tools"] = [_tool(tool, version) for tool in shown.get("tools", ())]
        case "tools/call":
            if "structuredContent" in shown and (version < "2025-06-18" or not isinstance(shown["structuredContent"], Mapping)):
                del shown["structuredContent"]
            if isinstance(shown.get("content"), list) and version < "2025-06-18":
                shown["content"] = [_block(block, version) for block in shown["content"]]
        case "prompts/get":
            if isinstance(shown.get("messages"), list) and version < "2025-06-18":
                shown["messages"] = [_message(message, version) for message in shown["messages"]]
        case _:
            pass
    return shown


def _tool(tool: Any, version: str) -> Any:
    if not isinstance(tool, Mapping):
        return tool
    schema = tool.get("outputSchema")
    if schema is None or (version >= "2025-06-18" and isinstance(schema, Mapping) and schema.get("type") == "object"):
        return tool
    return {key: value for key, value in tool.items() if key != "outputSchema"}


def _message(message: Any, version: str) -> Any:
    return {**message, "content": _block(message.get("content"), version)} if isinstance(message, Mapping) else message


def _block(block: Any, version: str) -> Any:
    """A content block for a revision that may not know its kind: the same said as text."""
    kind = block.get("type") if isinstance(block, Mapping) else None
    if kind == "resource_link":
        return {"type": "text", "text": f"{block.get('name', '')} {block.get('uri', '')}".strip()}
    if kind == "audio" and version < "2025-03-26":
        return {"type": "text", "text": f"(audio, {block.get('mimeType', 'unknown type')})"}
    return block


def _trace(meta: Mapping[str, Any]) -> str:
    trace = meta.get("traceparent", "")
    return trace if isinstance(trace, str) and len(trace) <= 128 else ""


def _invalid(where: str, wanted: str) -> Refused:
    return Refused(Reason.INVALID_PARAMS, f"expected {wanted} in params.{where}", sentence=f"`params.{where}` must be {wanted}.")
