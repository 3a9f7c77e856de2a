"""Schemas by their keywords: those that no dialect has, references that lead elsewhere, and parameters whose name asks for too much."""

from collections.abc import Iterator, Mapping
from typing import Final

import re2

from doorward.catalog.poison.folding import words
from doorward.catalog.poison.found import Found, Rule, quoted
from doorward.catalog.poison.places import pointer
from doorward.domain.findings import Severity

KNOWN: Final = frozenset(
    # JSON Schema drafts 4 to 2020-12
    "$schema $id $ref $anchor $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $vocabulary $comment $defs id definitions type enum const "
    "title description default examples deprecated readOnly writeOnly format pattern minLength maxLength minimum maximum exclusiveMinimum "
    "exclusiveMaximum multipleOf properties patternProperties additionalProperties propertyNames required minProperties maxProperties "
    "dependentRequired dependentSchemas dependencies items prefixItems additionalItems contains minContains maxContains uniqueItems minItems "
    "maxItems unevaluatedItems unevaluatedProperties allOf anyOf oneOf not if then else contentEncoding contentMediaType contentSchema "
    # OpenAPI, and what generators and editors write
    "example nullable discriminator xml externalDocs enumNames enumDescriptions enumTitles markdownDescription errorMessage optional "
    "propertyOrdering order hidden placeholder label options widget group unit units choices strict multiline extra env_names".split()
)
NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
VALUES: Final = frozenset(
    {
        "const",
        "default",
        "enum",
        "examples",
        "example",
        "required",
        "dependentRequired",
        "enumNames",
        "enumDescriptions",
        "discriminator",
        "xml",
        "externalDocs",
    }
)
REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
DEPTH: Final = 40
MOST: Final = 4_000
LONG: Final = 40
"""Characters from which on the text of an unknown keyword is more than a mark for some program."""

_ASKING = re2.compile(
    r"^(?:(?:your|full|current|entire|raw|original|all|the|complete|user|agent|llm|model|previous|recent|chat|calling|caller|assistant) )*"
    r"(?:system (?:prompt|message|instructions?)|(?:conversation|chat|message|dialogue?|session|prompt) (?:history|log|"
    r"transcript|context|so far)|(?:previous|prior|past) (?:messages|conversation|prompts?)"
    r"|(?:llm|caller|calling|agent|assistant) (?:model )?(?:name|version|id|identity)|(?:llm|calling|caller|agent|"
    r"assistant) model(?: (?:name|version|id))?"
    r"|(?:other |all |available |known )?tools? (?:list|names|results|outputs|history|calls?|descriptions)|(?:available|"
    r"other|installed|connected) (?:tools|mcp servers?|servers)"
    r"|(?:chain of thought|internal (?:reasoning|thoughts|monologue)|hidden (?:instructions|prompt)|(?:env|environment)"
    r" vars|all environment variables|process env|ssh key|private ssh key|file contents? of .*))(?: (?:text|content|"
    r"contents|string|json|value))?$"
)


def schema_findings(schema: object, base: tuple[str, ...]) -> Iterator[Found]:
    """What the structure of one schema gives away."""
    for path, node in _subschemas(schema, base):
        yield from _keywords(path, node)


def asked_for(schema: object, base: tuple[str, ...]) -> Iterator[Found]:
    """Parameters of an input whose names ask for what is none of a tool's business."""
    for path, node in _subschemas(schema, base):
        properties = node.get("properties")
        names = properties if isinstance(properties, Mapping) else ()
        for name in filter(is_asking, names):
            yield Found(Rule.OUT_OF_SCOPE, Severity.MEDIUM, pointer((*path, "properties", name)), f"asks for {quoted(name)}")


def _subschemas(schema: object, base: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, object]]]:
    """Every schema in a schema, at most `MOST`."""
    stack: list[tuple[tuple[str, ...], object]] = [(base, schema)]
    seen = 0
    while stack and seen < MOST:
        path, node = stack.pop()
        if isinstance(node, Mapping) and len(path) <= DEPTH:
            seen += 1
            yield path, node
            stack.extend(_below(path, node))


def _keywords(path: tuple[str, ...], node: Mapping[str, object]) -> Iterator[Found]:
    for keyword, value in node.items():
        if keyword in REFERENCES and isinstance(value, str) and value and not value.startswith("#"):
            yield Found(Rule.REMOTE_REFERENCE, Severity.HIGH, pointer((*path, keyword)), f"refers to {quoted(value)}")
        elif keyword not in KNOWN and not keyword.startswith(("x-", "x_", "$", "_")):
            yield _unexpected((*path, keyword), keyword, value)


def _unexpected(path: tuple[str, ...], keyword: str, value: object) -> Found:
    """An unknown keyword weighs more where a model would read a sentence in it that no form shows."""
    is_long = len(keyword) > LONG or (isinstance(value, str) and len(value) > LONG)
    return Found(
        Rule.UNEXPECTED_KEYWORD,
        Severity.MEDIUM if is_long else Severity.LOW,
        pointer(path),
        f"no keyword of JSON Schema: {quoted(keyword)}",
    )


def _below(path: tuple[str, ...], node: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    for keyword, value in node.items():
        if keyword in NAMED and isinstance(value, Mapping):
            yield from (((*path, keyword, name), inner) for name, inner in value.items())
        elif keyword in VALUES:
            continue
        elif isinstance(value, list):
            yield from (((*path, keyword, str(index)), inner) for index, inner in enumerate(value))
        elif isinstance(value, Mapping):
            yield (*path, keyword), value


def is_asking(name: str) -> bool:
    """Whether the name of a parameter asks for what a model knows of its own session."""
    return len(name) <= 200 and _ASKING.match(words(name)) is not None
