"""The admin API's door: who may, what is read, and how everything else is turned down."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.control.app import control_app
from doorward.control.operators import Role
from doorward.control.routes import Ask, Nothing, Route
from tests.control.plane import ANN, BOB, OWN, asked, plane

pytestmark = pytest.mark.anyio


async def test_a_user_without_a_role_is_nobody(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        status, answer = await it.ask("GET", "/v1/status", uid=BOB)
        assert (status, answer["reason"]) == (403, "not_an_operator")


async def test_a_request_that_came_through_no_known_socket_is_nobodys_whatever_its_headers_say(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        status, answer = await it.ask("GET", "/v1/status", uid=None)
        assert (status, answer["reason"]) == (403, "not_an_operator")


async def test_a_viewer_may_look_and_not_change(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("GET", "/v1/agents", uid=ANN))[0] == 200
        status, answer = await it.ask("POST", "/v1/agents", {"id": "x", "team": "t"}, uid=ANN)
        assert (status, answer["reason"]) == (403, "forbidden")
        assert it.registry.agents() == ()


async def test_each_operation_is_refused_to_every_role_below_its_own(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        needing_more = [route for route in it.routes if route.role.name != "VIEWER"]
        said = [(await it.ask(route.method, route.path, {}, uid=ANN))[1]["reason"] for route in needing_more]
        assert said == ["forbidden"] * len(needing_more)


async def test_roles_follow_the_document_in_force(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.path.write_text(it.path.read_text().replace('"viewer"', '"admin"'))
        assert (await it.ask("POST", "/v1/reload"))[0] == 200
        assert (await it.ask("POST", "/v1/agents", {"id": "x", "team": "t"}, uid=ANN))[0] == 200


async def test_unknown_fields_parameters_paths_and_methods_are_refused_with_a_reason(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        asked = [
            await it.ask("POST", "/v1/agents", {"id": "x", "team": "t", "admin": True}),
            await it.ask("POST", "/v1/agents", "{"),
            await it.ask("GET", "/v1/log?colour=red"),
            await it.ask("GET", "/v1/log?limit=1&limit=2"),
            await it.ask("GET", "/v1/log?limit=many"),
            await it.ask("GET", "/v1/nothing"),
            await it.ask("GET", "/v1/agents/"),
            await it.ask("PUT", "/v1/agents"),
        ]
        assert [(status, answer["reason"]) for status, answer in asked] == [
            (400, "invalid_body"),
            (400, "invalid_body"),
            (400, "invalid_query"),
            (400, "invalid_query"),
            (400, "invalid_query"),
            (404, "unknown_path"),
            (404, "unknown_path"),
            (405, "wrong_method"),
        ]


async def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        status, answer = await it.ask("POST", "/v1/agents", '{"id": "' + "x" * 1_100_000 + '"}')
        assert (status, answer["reason"]) == (413, "too_large")


async def test_a_log_that_cannot_be_written_is_told_as_such(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.log.broken = "no space"
        status, answer = await it.ask("POST", "/v1/agents", {"id": "x", "team": "t"})
        assert (status, answer["reason"]) == (503, "unrecorded")


async def test_a_defect_of_ours_is_answered_without_its_details_and_raised_for_the_journal() -> None:
    async def fail(ask: Ask) -> Nothing:
        raise ZeroDivisionError("a secret detail")

    told: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        told.append(event)

    app = control_app([Route("GET", "/v1/x", Role.VIEWER, "Fail", fail)], dict, {})
    with pytest.raises(ZeroDivisionError):
        await asked(app, "GET", "/v1/x", b"", OWN, send)
    assert told[0]["status"] == 500
    assert json.loads(told[1]["body"])["reason"] == "internal"
    assert b"secret" not in told[1]["body"]


async def test_the_plain_pages_are_for_operators_too(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for path in ("/healthz", "/readyz", "/metrics", "/v1/openapi.json"):
            assert ((await it.ask("GET", path, uid=BOB))[0], (await it.ask("GET", path, uid=ANN))[0]) == (403, 200)


async def test_the_plain_pages_say_that_it_lives_whether_it_is_ready_and_what_was_counted(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.meter.answered("exchange", 200)
        assert await it.ask("GET", "/healthz") == (200, "ok\n")
        assert await it.ask("GET", "/readyz") == (200, {"ready": True, "reasons": []})
        it.reasons = ("going down",)
        assert await it.ask("GET", "/readyz") == (503, {"ready": False, "reasons": ["going down"]})
        status, page = await it.ask("GET", "/metrics")
        assert status == 200
        assert 'doorward_http_requests_total{era="exchange",status="200"} 1.0' in page


async def test_the_gateways_own_user_is_an_admin(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("POST", "/v1/agents", {"id": "x", "team": "t"}, uid=OWN))[0] == 200
