"""The admin API as an ASGI app: one dispatcher over the route table, behind each door; the door says which operator it is."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

import msgspec
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from doorward.control.forms import body_of
from doorward.control.openapi import openapi
from doorward.control.operators import Operator, Role, from_peer
from doorward.control.routes import Ask, ControlError, Problem, Route
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.reasons import Refused

PEER = "doorward.peer"
"""The ASGI extension by which the listener says whose socket it is: `{"uid": …}`."""

Roles = Callable[[], Mapping[str, str]]
"""Local users by name or uid, and their roles, as the document in force has them."""

Who = Callable[[Request], Awaitable[Operator]]
"""Which operator sends a request, by what the door it came through can prove; raises `ControlError` where that is nobody."""

Page = Callable[[], tuple[int, str, bytes]]
Plain = Mapping[str, Page]
"""Pages for probes and scrapers, for every operator: path → status, content type, body."""


def control_app(routes: Sequence[Route], roles: Roles, plain: Plain) -> Starlette:
    """The app behind the Unix socket."""
    return admin_app(routes, by_peer(roles), plain)


def admin_app(routes: Sequence[Route], who: Who, plain: Plain) -> Starlette:
    """The app behind one door: every route of the table, the OpenAPI document, and the plain pages."""
    document = msgspec.json.encode(openapi(routes))

    def described() -> tuple[int, str, bytes]:
        return 200, "application/json", document

    paths = [Path(route.path, partial(_answer, route, who), methods=[route.method]) for route in routes]
    paths += [Path(path, partial(_page, page, who), methods=["GET"]) for path, page in plain.items()]
    app = Starlette(
        routes=[*paths, Path("/v1/openapi.json", partial(_page, described, who), methods=["GET"])],
        exception_handlers={HTTPException: _nowhere, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


def by_peer(roles: Roles) -> Who:
    """The operator at the other end of the Unix socket, as its listener says; never by a header."""

    async def who(request: Request) -> Operator:
        peer = request.scope.get("extensions", {}).get(PEER)
        # The system's user database may be far away, and the agents' calls run in this loop too.
        operator = await asyncio.to_thread(from_peer, peer["uid"], roles()) if peer else None
        if operator is None:
            raise ControlError(403, "not_an_operator", "only operators of this gateway may use the admin API (control.operators)")
        return operator

    return who


async def _page(page: Page, who: Who, request: Request) -> Response:
    try:
        await who(request)
    except ControlError as error:
        return _told(error)
    status, media_type, body = page()
    return Response(body, status, media_type=media_type)


async def _answer(route: Route, who: Who, request: Request) -> Response:
    try:
        return _json(200, await _carried_out(route, who, request))
    except ControlError as error:
        return _told(error)
    except UnrecordedError as error:
        return _json(503, Problem(reason="unrecorded", message=f"the log cannot be written, so nothing was done: {error}"))
    except StoreError as error:
        return _json(503, Problem(reason="store", message=str(error)))
    except Refused as refused:
        return _json(409, Problem(reason=refused.reason, message=refused.detail or refused.public))


async def _carried_out(route: Route, who: Who, request: Request) -> BaseModel:
    operator = await who(request)
    if operator.role < route.role:
        needed, held = _named(route.role), _named(operator.role)
        raise ControlError(403, "forbidden", f"this needs the role {needed}, {operator.name} has {held}")
    raw = await body_of(request, route.body_bytes)
    ask = Ask(operator, dict(request.path_params), _query(route, request), _body(route, raw), raw, request.is_disconnected)
    if route.within is not None:
        _check_teams(route.role, operator, route.within(ask))
    return await route.carry_out(ask)


def _check_teams(role: Role, operator: Operator, teams: Collection[str]) -> None:
    if not operator.acts_for(role, teams):
        whose = f"an {_named(role)} of {' and '.join(sorted(teams))}" if teams else "an admin"
        raise ControlError(403, "forbidden", f"this needs {whose}, which {operator.name} is not")


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
