"""An operator takes addresses of upstreams out of service and puts them back."""

from pathlib import Path

import pytest

from doorward.domain.ids import UpstreamId
from tests.control.idle import PLACE
from tests.control.plane import ANN, plane

pytestmark = pytest.mark.anyio

GIT = UpstreamId("git")
ADDRESS = {"name": PLACE, "in_flight": 0, "failures": 0, "seconds": 0.0, "error": "", "why": "", "processes": 0}


async def test_an_address_is_drained_and_restored_and_the_log_says_by_whom(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for what, state in (("drain", "drained"), ("restore", "serving")):
            assert await it.ask("POST", f"/v1/upstreams/{what}", {"upstream": "git", "address": PLACE}) == (200, {"warnings": []})
            _, status = await it.ask("GET", "/v1/status")
            shown = {one["id"]: one["addresses"] for one in status["upstreams"]}
            assert shown == {"git": [ADDRESS | {"state": state}], "time": [ADDRESS | {"state": "serving"}]}
        fields = {"upstream": "git", "addresses": PLACE}
        told = [(event, said) for event, _, said in await it.events() if event.startswith("upstream_")]
        assert told == [("upstream_drained", fields), ("upstream_restored", fields)]


async def test_without_an_address_all_of_the_upstream_are_meant(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("POST", "/v1/upstreams/drain", {"upstream": "git"}))[0] == 200
        assert [one.duty for one in it.fleet.all()[GIT].addresses()] == ["drained"]


async def test_what_is_not_there_is_said_with_what_is_and_a_viewer_may_not(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        status, answer = await it.ask("POST", "/v1/upstreams/drain", {"upstream": "git", "address": "elsewhere"})
        assert (status, answer["reason"], answer["problems"]) == (404, "unknown_address", [PLACE])
        assert (await it.ask("POST", "/v1/upstreams/restore", {"upstream": "none"}))[0] == 404
        assert (await it.ask("POST", "/v1/upstreams/drain", {"upstream": "git"}, uid=ANN))[0] == 403


async def test_while_the_log_cannot_be_written_an_address_is_drained_with_a_warning_and_none_is_restored(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.log.broken = "no space"
        status, answer = await it.ask("POST", "/v1/upstreams/drain", {"upstream": "git"})
        assert (status, len(answer["warnings"])) == (200, 1)
        assert (await it.ask("POST", "/v1/upstreams/restore", {"upstream": "git"}))[0] == 503
        assert [one.duty for one in it.fleet.all()[GIT].addresses()] == ["drained"]
