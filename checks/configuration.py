"""The published JSON Schema and the reference of every field, written from the model: `python -m checks.configuration`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doorward.config.schema import json_schema

SCHEMA = Path("docs/doorward.schema.json")
PAGE = Path("docs/configuration.md")
BEGIN, END = "<!-- fields: written by checks/configuration.py -->\n", "<!-- end of fields -->\n"

Schema = Mapping[str, Any]


def schema_text() -> str:
    """The JSON Schema as it is committed."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def page_text(page: str) -> str:
    """The page with its fields written anew between the two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{fields_text()}\n{END}{after}"


def fields_text() -> str:
    """A section for each part of the document, in the order in which they are met."""
    return "\n".join("\n".join(_section(title, part)) for title, part in _parts("", json_schema()))


def _parts(path: str, part: Schema) -> Iterator[tuple[str, Schema]]:
    yield path, part
    for name, field in part["properties"].items():
        inner, suffix = _inner(field)
        if inner is not None:
            yield from _parts(f"{path}.{name}{suffix}".lstrip("."), _definition(inner))
        for kind, one in _kinds(_values(field)).items():
            yield from _parts(f"{path}.{name}.NAME, kind: {kind}".lstrip("."), _definition(one))
        direct = (pair for option in (field, *field.get("anyOf", ())) for pair in _kinds(option).items())
        for kind, one in direct:
            yield from _parts(f"{path}.{name}, kind: {kind}".lstrip("."), _definition(one))


def _kinds(option: Schema) -> dict[str, str]:
    """The parts that a value can be, by the word that tells them apart."""
    mapping = option.get("discriminator", {}).get("mapping", {})
    return {kind: str(reference).removeprefix("#/$defs/") for kind, reference in mapping.items()}


def _values(option: Schema) -> Schema:
    """The schema of the values of a mapping."""
    found = next(iter(option.get("patternProperties", {}).values()), option.get("additionalProperties", {}))
    return found if isinstance(found, Mapping) else {}


def _inner(field: Schema) -> tuple[str | None, str]:
    """The name of the part that a field holds, and how a path goes on to it."""
    for option in (field, *field.get("anyOf", ()), *field.get("allOf", ())):
        if (name := _part_name(option)) is not None:
            return name, ""
        items = option.get("items")
        if isinstance(items, Mapping) and (name := _part_name(items)) is not None:
            return name, "[]"
        if (name := _part_name(_values(option))) is not None:
            return name, ".NAME"
    return None, ""


def _part_name(option: Schema) -> str | None:
    name = str(option.get("$ref", "")).removeprefix("#/$defs/")
    return name if name and "properties" in _definition(name) else None


def _definition(name: str) -> Schema:
    definitions = json_schema()["$defs"]
    assert isinstance(definitions, Mapping)
    found: Schema = definitions[name]
    return found


def _section(path: str, part: Schema) -> Iterator[str]:
    yield f"### `{path}`" if path else "### The document"
    yield ""
    yield str(part["description"])
    yield ""
    yield "| field | what it takes | default | |"
    yield "| --- | --- | --- | --- |"
    required = part.get("required", ())
    for name, field in part["properties"].items():
        default = "required" if name in required else _default(field.get("default", {}))
        yield f"| `{name}` | {_takes(field)} | {default} | {field['description'].replace('|', '∣')} |"
    yield ""


def _default(value: object) -> str:
    match value:
        case None | {} | []:
            return "none"
        case dict():
            return "as below"
        case _:
            return f"`{json.dumps(value)}`"


def _takes(field: Schema) -> str:
    options = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    return " or ".join(_sort(option) for option in options)


def _sort(option: Schema) -> str:
    name = str(option.get("$ref", "")).removeprefix("#/$defs/")
    if name:
        return "fields" if "properties" in _definition(name) else _sort(_definition(name))
    if _kinds(option):
        return "fields"
    if "enum" in option:
        return ", ".join(f"`{word}`" for word in option["enum"])
    if "const" in option:
        return f"`{option['const']}`"
    match option.get("type"):
        case "array":
            return f"sequence of {_sort(option['items'])}"
        case "object":
            return f"mapping of names to {_sort(_values(option))}"
        case "integer" | "number" as kind:
            return f"{'whole number' if kind == 'integer' else 'number'} {_range(option)}"
        case "boolean":
            return "`true` or `false`"
        case _:
            return "text"


def _range(option: Schema) -> str:
    low = f"from {option['minimum']}" if "minimum" in option else f"above {option.get('exclusiveMinimum')}"
    return f"{low} to {option['maximum']}"


def main(root: Path) -> int:
    """Writes both files."""
    (root / SCHEMA).write_text(schema_text(), "utf-8")
    page = root / PAGE
    page.write_text(page_text(page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
