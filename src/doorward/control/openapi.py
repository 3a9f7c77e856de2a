"""The OpenAPI 3.1 document of the admin API, made from the route table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel

from doorward import __version__
from doorward.control.routes import Nothing, Problem, Route

_REF = "#/components/schemas/{model}"
_DESCRIPTION = (
    "For operators, over a Unix socket beside the database, where the kernel says who is at the other end, or over TLS once they have "
    "signed in. `x-role` is the least role that an operation needs (viewer, auditor, approver, owner, admin; each may do what the ones "
    "before it may); with `x-within: teams`, approvers and owners may do it to what belongs to their own teams."
)


def openapi(routes: Sequence[Route]) -> dict[str, object]:
    """The document as JSON values, in the order of the table."""
    schemas: dict[str, object] = {}
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    _add(Problem, "serialization", schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward admin API",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://doorward", "description": "The control socket; the host is of no matter"}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(route: Route, schemas: dict[str, object]) -> dict[str, object]:
    problem = {"description": "What went wrong", "content": _json(_ref(Problem))}
    operation: dict[str, object] = {
        "summary": route.summary,
        "operationId": _identity(route),
        "tags": [route.path.split("/")[2]],
        "x-role": route.role.name.lower(),
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {
            "200": {"description": "Done", "content": _json(_add(route.gives, "serialization", schemas))},
            "4XX": problem,
            "5XX": problem,
        },
    }
    if route.within is not None:
        operation["x-within"] = "teams"
    if route.takes is not Nothing:
        operation["requestBody"] = {"required": True, "content": _json(_add(route.takes, "validation", schemas))}
    return operation


def _identity(route: Route) -> str:
    """`post_agents_by_agent_rotate`: unique, as method and path together are."""
    parts = [part.replace("{", "by_").replace("}", "") for part in route.path.split("/")[2:]]
    return "_".join([route.method.lower(), *parts])


def _path_parameters(path: str) -> Iterator[dict[str, object]]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(model: type[BaseModel]) -> Iterator[dict[str, object]]:
    schema = model.model_json_schema()
    for name, field in schema.get("properties", {}).items():
        described = {key: value for key, value in field.items() if key not in {"title", "description"}}
        parameter: dict[str, object] = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": described}
        if "description" in field:
            parameter["description"] = field["description"]
        yield parameter


def _add(model: type[BaseModel], mode: Literal["validation", "serialization"], schemas: dict[str, object]) -> Mapping[str, object]:
    """A reference to a model's schema, which is put among the others."""
    schema = model.model_json_schema(ref_template=_REF, mode=mode)
    schemas.update({name: _untitled(inner) for name, inner in schema.pop("$defs", {}).items()})
    schemas[model.__name__] = _untitled(schema)
    return _ref(model)


def _untitled(value: object) -> object:
    """The same without generated titles, which only repeat names."""
    match value:
        case dict():
            return {key: _untitled(inner) for key, inner in value.items() if not (key == "title" and isinstance(inner, str))}
        case list():
            return [_untitled(inner) for inner in value]
        case _:
            return value


def _ref(model: type[BaseModel]) -> dict[str, object]:
    return {"$ref": _REF.format(model=model.__name__)}


def _json(schema: Mapping[str, object]) -> dict[str, object]:
    return {"application/json": {"schema": schema}}
