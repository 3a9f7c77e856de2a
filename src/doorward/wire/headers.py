"""Headers that say what the body says (MCP 2026-07-28, streamable-http): checked on what comes in, derived for what goes out.

LAW: the body decides; a header that disagrees with it, is doubled, or is missing refuses the message, so that nobody before us
can have routed or filtered by something else than we decide on.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from doorward.domain.reasons import Reason, Refused

NAMED_BY = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
"""Which field of `params` the `Mcp-Name` header repeats."""

_PARAM = b"mcp-param-"
_ROUTING = frozenset({b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"mcp-session-id"})
_UNASKED = frozenset({b"mcp-method", b"mcp-name"})
_ANNOTATION = "x-mcp-header"
_PRIMITIVES = ("string", "integer", "boolean")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_PLAIN = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?\Z")
_SENTINEL = re.compile(r"=\?base64\?(.*)\?=\Z", re.DOTALL)
_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?\Z")
_MOST_ANNOTATIONS = 64
_DEEPEST = 16
"""Annotations of one tool and steps to one: far above any sensible tool, and few enough for a header block."""

_SCHEMAS = frozenset(
    """
    items contains unevaluatedItems additionalProperties propertyNames unevaluatedProperties not if then else contentSchema
    allOf anyOf oneOf prefixItems
    """.split()
)
"""Keywords of JSON Schema 2020-12 that hold a schema or a list of them."""
_NAMED_SCHEMAS = frozenset({"patternProperties", "dependentSchemas", "$defs", "definitions"})

ParamHeaders = Mapping[str, tuple[str, ...]]
"""Header name in lower case, with `mcp-param-` → the path of the argument it repeats."""


def encode_value(text: str) -> str:
    """A header value for a text: itself where it is plain, else base64 between markers."""
    if _PLAIN.match(text) and not _SENTINEL.match(text):
        return text
    return f"=?base64?{b64encode(text.encode()).decode()}?="


def decode_value(value: str) -> str | None:
    """The text of a header value; None where the markers are there and what stands between them is not exactly base64 of UTF-8."""
    found = _SENTINEL.match(value)
    if found is None:
        return value
    try:
        raw = b64decode(found[1], validate=True)
        # One text for one header: a lenient reader of unused bits would see this text behind several.
        return raw.decode() if b64encode(raw).decode() == found[1] else None
    except (Error, ValueError):
        return None


class Routing(msgspec.Struct, frozen=True):
    """What the routing headers of a request say; None for one that is not there or not readable."""

    version: str | None
    method: str | None
    name: str | None
    """As it was sent."""
    named: str | None
    """What it stands for."""


def routing(headers: Iterable[tuple[bytes, bytes]]) -> Routing:
    """What the routing headers say (names in lower case); raises `Refused` HEADER_MISMATCH for one that stands there twice."""
    found = _collected((name, value) for name, value in headers if name in _ROUTING)
    name = found.get(b"mcp-name")
    return Routing(found.get(b"mcp-protocol-version"), found.get(b"mcp-method"), name, None if name is None else decode_value(name))


def check(headers: Iterable[tuple[bytes, bytes]], method: str, params: Mapping[str, Any], version: str) -> None:
    """Raises as `routing` and `check_routing`."""
    check_routing(routing(headers), method, params, version)


def check_routing(said: Routing, method: str, params: Mapping[str, Any], version: str) -> None:
    """Raises `Refused` HEADER_MISMATCH unless the routing headers of an exchange-era request say what its body says.

    `Mcp-Param-*` are checked by `check_params`, once the tool is known.
    """
    if said.version != version:
        _same("MCP-Protocol-Version", said.version, version)
    if said.method != method:
        _same("Mcp-Method", said.method, method)
    field = NAMED_BY.get(method)
    if field is None:
        return
    named = params.get(field)
    # Where both lack it, the body is refused for what it lacks.
    if (said.named is None or said.named != named) and (named is not None or said.name is not None):
        _same("Mcp-Name", said.named, named)


def check_unasked(headers: Sequence[tuple[bytes, bytes]], method: str, params: Mapping[str, Any]) -> None:
    """Raises `Refused` HEADER_MISMATCH where a session-era request carries routing headers that say other things than its body.

    They are not asked for there; whoever stands before us may have gone by them all the same.
    """
    found = _collected((name, value) for name, value in headers if name in _UNASKED)
    if b"mcp-method" in found:
        _same("Mcp-Method", found[b"mcp-method"], method)
    if b"mcp-name" in found:
        said = found[b"mcp-name"]
        _same("Mcp-Name", None if said is None else decode_value(said), params.get(NAMED_BY.get(method, "")))


def check_params(headers: Sequence[tuple[bytes, bytes]], arguments: Mapping[str, Any], expected: ParamHeaders) -> None:
    """Raises `Refused` HEADER_MISMATCH unless every annotated argument is repeated by its `Mcp-Param-*` header, and none else is.

    Headers that no annotation names say nothing, and are passed on to nobody.
    """
    if not expected:
        return
    found = _collected((name, value) for name, value in headers if name.startswith(_PARAM))
    for header, path in expected.items():
        _check_param(header, found.get(header.encode("ascii")), ".".join(path), _at(arguments, path))


def derive(method: str, params: Mapping[str, Any], version: str, expected: ParamHeaders | None) -> list[tuple[str, str]]:
    """The headers that an exchange-era request to an upstream carries, from its body."""
    derived = [("MCP-Protocol-Version", version), ("Mcp-Method", method)]
    field = NAMED_BY.get(method)
    # A caller may call a parameter anything: none of no name is taken for what a method names.
    named = None if field is None else params.get(field)
    if isinstance(named, str):
        derived.append(("Mcp-Name", encode_value(named)))
    arguments = params.get("arguments")
    if expected and isinstance(arguments, Mapping):
        rendered = ((name, _rendered(_at(arguments, path))) for name, path in expected.items())
        derived.extend((name, encode_value(text)) for name, text in rendered if text is not None)
    return derived


def param_headers(schema: Any) -> ParamHeaders | None:
    """Which arguments of a tool are repeated in headers; None where an annotation breaks a rule and the tool must be left out.

    An annotation counts wherever a schema may stand, and is good on a primitive that `properties` alone lead to (2026-07-28, server/tools).
    """
    headers: dict[str, tuple[str, ...]] = {}
    for path, node in _positions(schema):
        if _ANNOTATION not in node:
            continue
        name = node[_ANNOTATION]
        key = f"mcp-param-{name.lower()}" if isinstance(name, str) and _TOKEN.match(name) else None
        if key is None or key in headers or not path or node.get("type") not in _PRIMITIVES:
            return None
        headers[key] = path
    within = len(headers) <= _MOST_ANNOTATIONS and all(len(path) <= _DEEPEST for path in headers.values())
    return headers if within else None


def _collected(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str | None]:
    """The values of headers by name, without the white space around them; None for one that is not visible ASCII."""
    found: dict[bytes, str | None] = {}
    for name, value in headers:
        if name in found:
            raise _mismatch(f"{name.decode('latin-1')[:80]} stands there twice")
        text = value.decode("latin-1").strip(" \t")
        found[name] = text if _PLAIN.match(text) else None
    return found


def _same(header: str, value: str | None, wanted: object) -> None:
    if value is None:
        raise _mismatch(f"{header} is missing or not readable")
    if value != wanted:
        raise _mismatch(f"{header} is {value[:80]!r}, the body says {str(wanted)[:80]!r}")


def _check_param(header: str, said: str | None, where: str, argument: Any) -> None:
    rendered = _rendered(argument)
    if rendered is None:  # absent, null, or nothing that a header could repeat
        if said is not None:
            raise _mismatch(f"{header} is there, its argument {where} is not")
        return
    decoded = None if said is None else decode_value(said)
    if decoded is None:
        raise _mismatch(f"{header} is missing or not readable, its argument {where} is there")
    is_number = isinstance(argument, int | Decimal) and not isinstance(argument, bool)
    # Integers are compared as numbers: 42.0 in a header is 42 in a body (streamable-http, Custom Headers).
    is_equal = Decimal(decoded) == argument if is_number and _DECIMAL.match(decoded) else decoded == rendered
    if not is_equal:
        raise _mismatch(f"{header} and its argument {where} differ")


def _mismatch(what: str) -> Refused:
    return Refused(Reason.HEADER_MISMATCH, what, sentence=f"Headers and body do not say the same: {what}.")


def _at(arguments: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = arguments
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _rendered(argument: Any) -> str | None:
    """An argument as a header repeats it; None for null and for what is no primitive."""
    match argument:
        case bool():
            return "true" if argument else "false"
        case str():
            return argument
        case int():
            return str(argument)
        case Decimal():
            text = format(argument, "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return None


def _positions(schema: Any) -> Iterator[tuple[tuple[str, ...] | None, Mapping[str, Any]]]:
    """Every place of a schema where a schema may stand, with the path of `properties` to it, None once another keyword was crossed."""
    queue: list[tuple[tuple[str, ...] | None, Any]] = [((), schema)]
    for path, node in queue:
        if isinstance(node, Mapping):
            yield path, node
            queue.extend(_below(path, node))


def _below(path: tuple[str, ...] | None, node: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...] | None, Any]]:
    for key, inner in node.items():
        if key == "properties" and isinstance(inner, Mapping):
            yield from ((None if path is None else (*path, name), held) for name, held in inner.items())
        elif key in _NAMED_SCHEMAS and isinstance(inner, Mapping):
            yield from ((None, held) for held in inner.values())
        elif key in _SCHEMAS:
            yield from ((None, held) for held in (inner if isinstance(inner, list) else [inner]))
