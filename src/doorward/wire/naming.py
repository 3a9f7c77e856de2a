"""Names across upstreams: what a tool or URI is called where several servers share one endpoint. Pure of upstream and name.

A tool is advertised as `{upstream}__{name}` where that is at most 64 characters of `[A-Za-z0-9_-]` (what model APIs take), else
as `{upstream}__{start of name}_x{digest}`. LAW: two different pairs never get the same name: a name that could be taken for a
shortened one is shortened too, and the digest has 120 bits. Upstream names hold no underscore, so the first `__` splits.
"""

import re
from base64 import b32encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from doorward.domain.ids import UpstreamId

LONGEST = 64
_DIGEST_BYTES = 15
_DIGEST_LENGTH = 24
"""Characters of base32: 120 bits, so that not even the author of an upstream finds two names that share one."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z")
_SHORTENED = re.compile(r".*_x[a-z2-7]{24}\Z", re.DOTALL)
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_WRAPPED = re.compile(r"([a-z](?:-?[a-z0-9])*)\+(.*)\Z", re.DOTALL)
_UI_KEYS = ("resourceUri", "ui/resourceUri")


def advertise(upstream: UpstreamId, name: str) -> str:
    """What a tool or prompt of an upstream is called on the endpoint of all upstreams."""
    plain = f"{upstream}__{name}"
    if len(plain) <= LONGEST and _PLAIN.match(name) and not _SHORTENED.match(name):
        return plain
    raw = sha256(f"{upstream}\0{name}".encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]
    digest = b32encode(raw).decode().lower()
    room = LONGEST - len(upstream) - len("___x") - _DIGEST_LENGTH
    return f"{upstream}__{_ODD.sub('-', name)[:room]}_x{digest}"


def wrap_uri(upstream: UpstreamId, uri: str) -> str:
    """A URI (or URI template) of an upstream on the endpoint of all upstreams: `{upstream}+{uri}`, still a URI."""
    return f"{upstream}+{uri}"


def unwrap_uri(text: str) -> tuple[UpstreamId, str] | None:
    """The upstream and its own URI; None for a text that names no upstream."""
    found = _WRAPPED.match(text)
    return (UpstreamId(found[1]), found[2]) if found else None


def wrap_result(method: str, upstream: UpstreamId, result: Mapping[str, Any]) -> dict[str, Any]:
    """A result with every URI that names a resource of its upstream wrapped: contents, embedded resources, links, UI resources."""
    wrapped = dict(result)
    if method == "tools/call" and _is_text(result.get("content")):
        return wrapped

    def wrap(uri: str) -> str:
        return wrap_uri(upstream, uri)

    match method:
        case "tools/call":
            _replace(wrapped, "content", lambda block: _block(block, wrap))
        case "resources/read":
            _replace(wrapped, "contents", lambda item: _uri(item, wrap))
        case "prompts/get":
            _replace(wrapped, "messages", lambda message: _message(message, wrap))
        case _:
            pass
    return wrapped


def wrap_definition(upstream: UpstreamId, body: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's definition with the UI resource that it names wrapped (MCP Apps)."""
    meta = body.get("_meta")
    if not isinstance(meta, Mapping):
        return dict(body)
    wrapped = dict(meta)
    if isinstance(meta.get("ui"), Mapping):
        wrapped["ui"] = _keys(meta["ui"], upstream)
    return {**body, "_meta": _keys(wrapped, upstream)}


def _is_text(content: Any) -> bool:
    """Whether there are blocks of text alone, as in most results: they name nothing."""
    if not isinstance(content, list):
        return False
    for block in content:  # noqa: SIM110 -- a generator takes longer than all of it does
        if type(block) is not dict or block.get("type") != "text":
            return False
    return True


def _keys(held: Mapping[str, Any], upstream: UpstreamId) -> dict[str, Any]:
    named = {key: wrap_uri(upstream, held[key]) for key in _UI_KEYS if isinstance(held.get(key), str)}
    return {**held, **named}


def _replace(result: dict[str, Any], field: str, change: Callable[[Any], Any]) -> None:
    items = result.get(field)
    if isinstance(items, list):
        result[field] = [change(item) for item in items]


def _uri(item: Any, wrap: Callable[[str], str]) -> Any:
    return {**item, "uri": wrap(item["uri"])} if isinstance(item, Mapping) and isinstance(item.get("uri"), str) else item


def _block(block: Any, wrap: Callable[[str], str]) -> Any:
    match block:
        case {"type": "resource_link"}:
            return _uri(block, wrap)
        case {"type": "resource", "resource": resource}:
            return {**block, "resource": _uri(resource, wrap)}
        case _:
            return block


def _message(message: Any, wrap: Callable[[str], str]) -> Any:
    match message:
        case {"content": content}:
            return {**message, "content": _block(content, wrap)}
        case _:
            return message
