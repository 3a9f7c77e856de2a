"""Headers that say what the body says (MCP 2026-07-28, streamable-http): checked on what comes in, derived for what goes out.

LAW: the body decides; a header that disagrees with it, is doubled, or is missing refuses the message, so that nobody before us
can have routed or filtered by something else than we decide on.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
_ANNOTATION = "x-mcp-header"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?\Z")
_SENTINEL = re.compile(r"=\?base64\?(.*)\?=\Z", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]{1,17}(?:\.0+)?\Z")
_SAFE = 2**53 - 1
_MOST_ANNOTATIONS = 64
_DEEPEST = 16

ParamHeaders = Mapping[str, tuple[str, ...]]
"""Header name in lower case, with `mcp-param-` → the path of the argument it repeats."""


def encode_value(text: str) -> str:
    """A header value for a text: itself where it is plain, else base64 between markers."""
    if (text == "" or _PLAIN.match(text)) and not text.startswith("=?base64?"):
        return text
    return f"=?base64?{b64encode(text.encode()).decode()}?="


def decode_value(value: str) -> str | None:
    """The text of a header value; None where the markers are there and what stands between them is not base64 of UTF-8."""
    found = _SENTINEL.match(value)
    if found is None:
        return value
    try:
        return b64decode(found[1], validate=True).decode()
    except (Error, ValueError):
        return None


def check(headers: Sequence[tuple[bytes, bytes]], method: str, params: Mapping[str, Any], version: str) -> None:
    """Raises `Refused` HEADER_MISMATCH unless the routing headers of an exchange-era request say what its body says.

    `headers`: names in lower case. `Mcp-Param-*` are checked by `check_params`, once the tool is known.
    """
    found = _routing(headers)
    _same("MCP-Protocol-Version", found.get(b"mcp-protocol-version"), version)
    _same("Mcp-Method", found.get(b"mcp-method"), method)
    field = NAMED_BY.get(method)
    if field is None:
        return
    named = params.get(field)
    value = found.get(b"mcp-name")
    _same("Mcp-Name", None if value is None else decode_value(value), named)


def check_params(headers: Sequence[tuple[bytes, bytes]], arguments: Mapping[str, Any], expected: ParamHeaders) -> None:
    """Raises `Refused` HEADER_MISMATCH unless every annotated argument is repeated by its `Mcp-Param-*` header, and none else is."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name.startswith(_PARAM):
            if name.decode("latin-1") in found:
                raise _mismatch(f"{name.decode('latin-1')[:80]} stands there twice")
            found[name.decode("latin-1")] = value.decode("latin-1").strip(" \t")
    for header, path in expected.items():
        argument = _at(arguments, path)
        if argument is None:
            if header in found:
                raise _mismatch(f"{header} is there, its argument {'.'.join(path)} is not")
            continue
        said = found.get(header)
        if said is None:
            raise _mismatch(f"{header} is missing, its argument {'.'.join(path)} is there")
        decoded = decode_value(said)
        if decoded is None or not _equal(decoded, argument):
            raise _mismatch(f"{header} and its argument {'.'.join(path)} differ")


def derive(method: str, params: Mapping[str, Any], version: str, expected: ParamHeaders | None) -> list[tuple[str, str]]:
    """The headers that an exchange-era request to an upstream carries, from its body."""
    derived = [("MCP-Protocol-Version", version), ("Mcp-Method", method)]
    field = NAMED_BY.get(method)
    if field is not None and isinstance(params.get(field), str):
        derived.append(("Mcp-Name", encode_value(params[field])))
    arguments = params.get("arguments")
    if expected and isinstance(arguments, Mapping):
        for name, path in expected.items():
            rendered = _rendered(_at(arguments, path))
            if rendered is not None:
                derived.append((name, encode_value(rendered)))
    return derived


def param_headers(schema: Mapping[str, Any]) -> ParamHeaders | None:
    """Which arguments of a tool are repeated in headers; None where an annotation breaks a rule and the tool must be left out."""
    headers: dict[str, tuple[str, ...]] = {}
    allowed = 0
    for name, path, kind in _annotated(schema, ()):
        allowed += 1
        key = f"mcp-param-{name.lower()}" if isinstance(name, str) else ""
        shaped = isinstance(name, str) and _TOKEN.match(name) is not None and kind in ("string", "integer", "boolean")
        if not shaped or key in headers or allowed > _MOST_ANNOTATIONS:
            return None
        headers[key] = path
    # An annotation anywhere else than along `properties` is out of reach of clients and breaks the rule too.
    return headers if allowed == _count(schema) else None


def _routing(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in _ROUTING:
            if name in found:
                raise _mismatch(f"{name.decode('latin-1')} stands there twice")
            found[name] = value.decode("latin-1").strip(" \t")
    return found


def _same(header: str, value: str | None, wanted: object) -> None:
    if value is None:
        raise _mismatch(f"{header} is missing or not readable")
    if value != wanted:
        raise _mismatch(f"{header} is {value[:80]!r}, the body says {str(wanted)[:80]!r}")


def _mismatch(what: str) -> Refused:
    return Refused(Reason.HEADER_MISMATCH, what, sentence=f"Headers and body do not say the same: {what}.")


def _at(arguments: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = arguments
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _rendered(argument: Any) -> str | None:
    match argument:
        case bool():
            return "true" if argument else "false"
        case str():
            return argument
        case int() if -_SAFE <= argument <= _SAFE:
            return str(argument)
        case _:
            return None


def _equal(value: str, argument: Any) -> bool:
    if isinstance(argument, int) and not isinstance(argument, bool) and _INTEGER.match(value):
        return int(value.partition(".")[0]) == argument
    return value == _rendered(argument)


def _annotated(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...], Any]]:
    """Every annotation that a chain of `properties` leads to: its value, the argument's path and type."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or len(path) >= _DEEPEST:
        return
    for name, inner in properties.items():
        if isinstance(inner, Mapping):
            if _ANNOTATION in inner:
                yield inner[_ANNOTATION], (*path, name), inner.get("type")
            yield from _annotated(inner, (*path, name))


def _count(schema: Any) -> int:
    """How often the annotation stands anywhere in a schema as a keyword (not as the name of a property)."""
    found, queue = 0, [(schema, False)]
    while queue:
        node, names = queue.pop()
        if isinstance(node, Mapping):
            found += 0 if names else _ANNOTATION in node
            queue.extend(
                (inner, key == "properties" and not names)
                for key, inner in node.items()
                if names or key not in ("const", "enum", "default", "examples")
            )
        elif isinstance(node, list):
            queue.extend((inner, False) for inner in node)
    return found
