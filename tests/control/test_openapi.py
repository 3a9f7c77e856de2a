"""The OpenAPI document: sound in itself, true of the table, and committed as it is."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from doorward.control.openapi import openapi
from doorward.control.operators import Role
from tests.control.plane import plane
from tests.control.published import DOCUMENT, PAGE, document_text, page_text, routes

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parent.parent.parent


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: object) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


async def test_the_committed_document_and_page_are_current() -> None:
    table = await routes()
    page = (ROOT / PAGE).read_text("utf-8")
    assert (ROOT / DOCUMENT).read_text("utf-8") == document_text(table), "run python -m tests.control.published"
    assert page == page_text(page, table), "run python -m tests.control.published"


async def test_every_operation_has_a_role_a_summary_a_name_of_its_own_and_its_parameters() -> None:
    document: Any = openapi(await routes())
    found = list(operations(document))
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)
    for path, method, operation in found:
        assert operation["x-role"] in {role.name.lower() for role in Role}
        assert operation["summary"]
        assert method in {"get", "post", "delete"}
        given = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"]
        assert given == re.findall(r"{(\w+)}", path)
        assert set(operation["responses"]) == {"200", "4XX", "5XX"}


async def test_every_schema_is_sound_and_every_reference_leads_to_one() -> None:
    document: Any = openapi(await routes())
    schemas = document["components"]["schemas"]
    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} == set(schemas)
    for schema in schemas.values():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


async def test_two_models_of_one_name_do_not_hide_each_other() -> None:
    table = await routes()
    models = {model for route in table for model in (route.takes, route.gives)}
    names = [model.__name__ for model in models]
    assert sorted(names) == sorted(set(names))


async def test_answers_are_what_the_document_says(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        _, document = await it.ask("GET", "/v1/openapi.json")
        assert document == json.loads((ROOT / DOCUMENT).read_text("utf-8"))
        for path, method, operation in operations(document):
            if method == "get" and "{" not in path:
                status, answer = await it.ask("GET", path)
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
                whole = {"components": document["components"], **schema}
                assert (path, status) == (path, 200)
                jsonschema_rs.validator_for(whole).validate(answer)
