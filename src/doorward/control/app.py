"""The admin API as an ASGI app: one dispatcher over the route table; the operator comes from the socket, never from a header."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from doorward.control.openapi import openapi
from doorward.control.operators import Operator, Role, from_peer
from doorward.control.routes import Ask, ControlError, Problem, Route
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.reasons import Refused

PEER = "doorward.peer"
"""The ASGI extension by which the listener says whose socket it is: `{"uid": …}`."""

_BODY_BYTES = 1_048_576

Roles = Callable[[], Mapping[str, str]]
"""Local users by name or uid, and their roles, as the document in force has them."""

Page = Callable[[], tuple[int, str, bytes]]
Plain = Mapping[str, Page]
"""Pages for probes and scrapers, for every operator: path → status, content type, body."""


def control_app(routes: Sequence[Route], roles: Roles, plain: Plain) -> Starlette:
    """The app: every route of the table, the OpenAPI document, and the plain pages."""
    document = msgspec.json.encode(openapi(routes))

    def described() -> tuple[int, str, bytes]:
        return 200, "application/json", document

    paths = [Path(route.path, partial(_answer, route, roles), methods=[route.method]) for route in routes]
    paths += [Path(path, partial(_page, page, roles), methods=["GET"]) for path, page in plain.items()]
    app = Starlette(
        routes=[*paths, Path("/v1/openapi.json", partial(_page, described, roles), methods=["GET"])],
        exception_handlers={HTTPException: _nowhere, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


async def _page(page: Page, roles: Roles, request: Request) -> Response:
    try:
        await _operator(request, roles())
    except ControlError as error:
        return _told(error)
    status, media_type, body = page()
    return Response(body, status, media_type=media_type)


async def _answer(route: Route, roles: Roles, request: Request) -> Response:
    try:
        return _json(200, await _carried_out(route, roles, request))
    except ControlError as error:
        return _told(error)
    except UnrecordedError as error:
        return _json(503, Problem(reason="unrecorded", message=f"the log cannot be written, so nothing was done: {error}"))
    except StoreError as error:
        return _json(503, Problem(reason="store", message=str(error)))
    except Refused as refused:
        return _json(409, Problem(reason=refused.reason, message=refused.detail or refused.public))


async def _carried_out(route: Route, roles: Roles, request: Request) -> BaseModel:
    operator = await _operator(request, roles())
    if operator.role < route.role:
        needed, held = _named(route.role), _named(operator.role)
        raise ControlError(403, "forbidden", f"this needs the role {needed}, {operator.name} has {held}")
    raw = await _raw(request)
    return await route.carry_out(Ask(operator, dict(request.path_params), _query(route, request), _body(route, raw), raw))


async def _operator(request: Request, roles: Mapping[str, str]) -> Operator:
    peer = request.scope.get("extensions", {}).get(PEER)
    # The system's user database may be far away, and the agents' calls run in this loop too.
    operator = await asyncio.to_thread(from_peer, peer["uid"], roles) if peer else None
    if operator is None:
        raise ControlError(403, "not_an_operator", "only operators of this gateway may use the admin API (control.operators)")
    return operator


def _query(route: Route, request: Request) -> BaseModel:
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ControlError(400, "invalid_query", f"the parameter {twice!r} was expected once")
    unknown = next((name for name in names if name not in route.query.model_fields), None)
    if unknown is not None:
        known = ", ".join(route.query.model_fields) or "none"
        raise ControlError(400, "invalid_query", f"there is no parameter {unknown[:80]!r}, expected: {known}")
    try:
        return route.query.model_validate_strings(dict(given))
    except ValidationError as error:
        raise ControlError(400, "invalid_query", _first(error)) from error


async def _raw(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _BODY_BYTES:
            raise ControlError(413, "too_large", f"expected at most {_BODY_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _body(route: Route, raw: bytes) -> BaseModel:
    try:
        return route.takes.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise ControlError(400, "invalid_body", _first(error)) from error


def _first(error: ValidationError) -> str:
    """The first thing that is wrong: its field, and a sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


async def _nowhere(request: Request, error: Exception) -> Response:
    """A path or method that is not in the table."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    reason = "wrong_method" if status == 405 else "unknown_path"
    return _json(status, Problem(reason=reason, message=f"there is no {request.method} {request.url.path[:200]}"))


async def _failed(request: Request, error: Exception) -> Response:
    """A defect of ours; Starlette raises it again after this, for the journal."""
    return _json(500, Problem(reason="internal", message="the gateway failed; its journal says why"))


def _told(error: ControlError) -> Response:
    return _json(error.status, Problem(reason=error.reason, message=error.message, problems=error.problems))


def _named(role: Role) -> str:
    return role.name.lower()


def _json(status: int, body: BaseModel) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")
