"""The schema guard: arguments against a tool's `inputSchema`, structured results against its `outputSchema` (JSON Schema 2020-12 and before).

Schemas come from upstreams, so they are hostile: nothing is fetched for a `$ref`, patterns run on a linear engine, and what is too
large, too deep or not understood is not tried but reported.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Never

import jsonschema_rs
import msgspec

from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.findings import Finding, Severity
from doorward.domain.ids import Digest, UpstreamId
from doorward.inspection.known import Known, known
from doorward.inspection.patterns import MOST_WORK, Pattern, Work, key_characters, property_patterns, states
from doorward.inspection.reach import ANY_DEPTH, NOT_AT_ALL, depth, reach
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import escape

NAME = "schema"

MOST_COMPILED = 4096
"""Definitions whose validators are kept."""

MOST_BYTES = 64 * 1024
"""Of one schema."""

_MASK = "…"
"""Stands for values in the validator's messages: they cost time there, and are not read."""
_LINEAR = jsonschema_rs.RegexOptions()

_RULES: Mapping[str, str] = {
    "additionalProperties": "additional_properties",
    "allOf": "all_of",
    "anyOf": "any_of",
    "const": "const",
    "enum": "enum",
    "exclusiveMaximum": "maximum",
    "exclusiveMinimum": "minimum",
    "maximum": "maximum",
    "maxItems": "max_items",
    "maxLength": "max_length",
    "minimum": "minimum",
    "minItems": "min_items",
    "minLength": "min_length",
    "multipleOf": "multiple_of",
    "oneOf": "one_of",
    "pattern": "pattern",
    "required": "required",
    "type": "type",
    "unevaluatedProperties": "additional_properties",
    "uniqueItems": "unique_items",
}

Define = Callable[[Call], Mapping[str, object] | None]
"""The whole accepted definition of a call's target; None where it is not known any more."""

Lenient = Callable[[UpstreamId], bool]
"""Whether an upstream's tools may be given arguments that their schemas do not name."""


_UNFIT = (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError)


class _Check(msgspec.Struct, frozen=True):
    """One schema, ready: `validator` is None where it is not tried."""

    validator: jsonschema_rs.Validator | None
    reach: int
    work: Work = msgspec.field(default_factory=Work)
    """What patterns may cost; its validator counts there."""
    key_states: int = 0
    """What each character of a name costs, for the patterns that names are tried on."""


class _Compiled(msgspec.Struct, frozen=True):
    """A definition's two schemas; `output` is None where it declares none."""

    input: _Check
    output: _Check | None
    known: Known | None = None
    """The names of arguments; None where any may come."""


_UNCHECKABLE = _Check(None, NOT_AT_ALL)


def nowhere(upstream: UpstreamId) -> bool:
    """No upstream's tools may be given arguments that nobody knows: what stands if nothing else is said."""
    return False


class Schema:
    """Reports what does not keep to a tool's own schemas."""

    __slots__ = ("_compiled", "_define", "_lenient")

    name = NAME
    rules: Mapping[str, Severity] = MappingProxyType(
        {
            **{f"schema_{rule}": Severity.HIGH for rule in sorted(set(_RULES.values()))},
            "schema_other": Severity.HIGH,
            "schema_unknown_argument": Severity.HIGH,
            "schema_uncheckable": Severity.HIGH,
            "structured_content_missing": Severity.LOW,
        }
    )

    def __init__(self, define: Define, lenient: Lenient = nowhere, compiled: dict[Digest, "_Compiled"] | None = None) -> None:
        """`compiled`: what other guards of this sort have compiled already, and will."""
        self._define = define
        self._lenient = lenient
        self._compiled = {} if compiled is None else compiled

    def again(self, define: Define, lenient: Lenient) -> "Schema":
        """Another one over another catalogue, which shares what is compiled."""
        return Schema(define, lenient, self._compiled)

    def look(self, view: View) -> tuple[Finding, ...]:
        """What of a tool's arguments or structured result breaks its schema; high for arguments, medium for results."""
        call, carrier = view.call, view.carrier
        target = call.target
        if target.kind is not Kind.TOOL or call.method != "tools/call" or carrier is Carrier.NOTICE:
            return ()
        compiled = self._compiled.get(target.definition) if target.definition is not None else None
        if compiled is None:
            compiled = self._made(call)
        if carrier is Carrier.RESPONSE:
            return () if compiled.output is None else _of_result(compiled.output, view.body)
        given, known = call.arguments, compiled.known
        if known is not None and not given.keys() <= known.names:
            strange = self._strange(call, compiled.input, known)
            if strange:
                return strange
        return _checked(compiled.input, given, "/arguments", Severity.HIGH)

    def _strange(self, call: Call, check: _Check, known: Known) -> tuple[Finding, ...]:
        """An argument that the schema does not know, whether it says something against it or not."""
        strange = None if _is_too_much(check, call.arguments) else known.first_unknown(call.arguments)
        if strange is None or self._lenient(call.target.upstream):
            return ()
        return (Finding(NAME, "schema_unknown_argument", Severity.HIGH, "/arguments" + escape(strange)),)

    def _made(self, call: Call) -> _Compiled:
        """Of a definition that was not compiled yet."""
        digest, definition = call.target.definition, self._define(call)
        if definition is None or digest is None:
            # Not kept: it may be found the next time.
            return _Compiled(_UNCHECKABLE, _UNCHECKABLE)
        compiled = _compile(definition)
        self._keep(digest, compiled)
        return compiled

    def _keep(self, digest: Digest, compiled: _Compiled) -> None:
        if len(self._compiled) >= MOST_COMPILED:
            self._compiled.pop(next(iter(self._compiled)), None)
        self._compiled[digest] = compiled


def _of_result(output: _Check, body: Mapping[str, object]) -> tuple[Finding, ...]:
    is_result = "content" in body or "structuredContent" in body
    if not is_result or body.get("isError") is True or body.get("resultType") == "input_required":
        return ()
    if "structuredContent" not in body:
        return (Finding(NAME, "structured_content_missing", Severity.LOW, ""),)
    if output.validator is None:
        # The upstream wrote both, so nothing is lost but its own promise; withholding every result of a call that ran would be.
        return (Finding(NAME, "schema_uncheckable", Severity.LOW, "/structuredContent"),)
    return _checked(output, body["structuredContent"], "/structuredContent", Severity.MEDIUM)


def _compile(definition: Mapping[str, object]) -> _Compiled:
    output = definition.get("outputSchema")
    schema = definition.get("inputSchema")
    checked = _check(schema)
    return _Compiled(checked, None if output is None else _check(output), None if checked.validator is None else known(schema))


def _check(schema: object) -> _Check:
    if not isinstance(schema, dict | bool) or len(msgspec.json.encode(schema)) > MOST_BYTES:
        return _UNCHECKABLE
    levels = reach(schema) if isinstance(schema, dict) else ANY_DEPTH
    if levels == NOT_AT_ALL:
        return _UNCHECKABLE
    work = Work()
    return _Check(_validator(schema, work), levels, work, sum(map(states, property_patterns(schema))))


def _validator(schema: dict[str, object] | bool, work: Work) -> jsonschema_rs.Validator | None:
    try:
        return jsonschema_rs.validator_for(schema, **_options(work))
    except _UNFIT:
        return _older(schema, work)


def _older(schema: dict[str, object] | bool, work: Work) -> jsonschema_rs.Validator | None:
    """Real servers write draft 4 (`exclusiveMinimum: true`) and do not say so."""
    if isinstance(schema, bool) or "$schema" in schema:
        return None
    try:
        return jsonschema_rs.Draft4Validator(schema, **_options(work))
    except _UNFIT:
        return None


def _options(work: Work) -> dict[str, Any]:
    return {
        "validate_formats": False,
        "retriever": _refuse,
        "pattern_options": _LINEAR,
        "mask": _MASK,
        "keywords": {"pattern": lambda parent, pattern, path: Pattern(pattern, work)},
    }


def _refuse(uri: str) -> Never:
    raise ValueError(f"expected a schema that stands alone, it refers to {uri[:200]!r}")


def _checked(check: _Check, value: object, pointer: str, severity: Severity) -> tuple[Finding, ...]:
    if check.validator is None or (check.reach < ANY_DEPTH and depth(value, check.reach) > check.reach):
        return (Finding(NAME, "schema_uncheckable", severity, pointer),)
    if check.key_states and _is_too_much(check, value):
        return (Finding(NAME, "schema_uncheckable", severity, pointer),)
    check.work.renew()
    if check.validator.is_valid(value):
        return ()
    try:
        # The first error only: looking for all of them takes as long as the value is large and the schema is branched.
        check.validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return (Finding(NAME, _rule(error), severity, pointer + "".join(map(escape, error.instance_path))),)
    return (Finding(NAME, "schema_other", severity, pointer),)


def _is_too_much(check: _Check, value: object) -> bool:
    """Whether trying the names of a value on the schema's patterns costs more than one message may."""
    return check.key_states * key_characters(value) > MOST_WORK


def _rule(error: jsonschema_rs.ValidationError) -> str:
    """Named for the keyword that failed: the last one on the way through the schema that is known."""
    words = [step for step in error.schema_path if isinstance(step, str) and step in _RULES]
    return f"schema_{_RULES[words[-1]]}" if words else "schema_other"
