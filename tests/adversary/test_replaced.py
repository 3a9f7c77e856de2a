"""A server that takes the place of another under the same name: nothing decided for the one goes to the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason
from doorward.testing.house import document_of
from doorward.testing.playbook import playbook, tool_call
from doorward.testing.trace import GotRefusal, Leaf
from doorward.testing.upstream import FakeUpstream
from tests.call.steps import PLAN
from tests.e2e.client import Client
from tests.e2e.log import until
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import Running, doorward, http_upstream, write_config


@pytest.mark.anyio
async def test_a_decided_call_does_not_go_to_another_server_of_the_same_name() -> None:
    async with playbook(PLAN) as book:
        house = book.house
        house.evidence.log.hold()
        running = await book.begin(tool_call("git__commit", {"n": 1}))
        other = cast("dict[UpstreamId, FakeUpstream]", house.upstreams)[UpstreamId("git")] = FakeUpstream("git")
        document = document_of(PLAN)
        moved = document.upstreams["git"].model_copy(update={"url": "https://other.example.com/mcp"})
        house.parts.fleet.match(document.model_copy(update={"upstreams": {"git": moved}}))
        house.evidence.log.release()
        await running
        trace = await book.rest()
        assert other.orders == []
        assert trace[:3] == [
            Leaf("intent", "allow", ("all",)),
            Leaf("outcome", "not_forwarded", ("upstream_unreachable",)),
            GotRefusal(Reason.UPSTREAM_UNREACHABLE),
        ]


@pytest.mark.anyio
async def test_a_decided_call_goes_on_where_only_the_terms_of_its_server_change() -> None:
    async with playbook(PLAN) as book:
        house = book.house
        house.evidence.log.hold()
        running = await book.begin(tool_call("git__commit", {"n": 1}))
        document = document_of(PLAN)
        changed = document.upstreams["git"].model_copy(update={"refresh_seconds": 10.0})
        house.parts.fleet.match(document.model_copy(update={"upstreams": {"git": changed}}))
        house.evidence.log.release()
        await running
        assert len(house.upstream("git").orders) == 1


@pytest.fixture
def servers() -> Iterator[tuple[Witness, Witness]]:
    """Two servers that offer a tool of the same name, one of them with another definition, which it is slow to show."""
    with witnessing() as honest, witnessing() as other:
        other.tools = [tool("echo", "Now with a difference.")]
        yield honest, other


def test_a_new_server_under_an_old_name_is_not_called_by_what_the_old_one_showed(tmp_path: Path, servers: tuple[Witness, Witness]) -> None:
    honest, other = servers

    async def never(peer: object, message: object, head: bytes) -> None:
        raise ConnectionResetError

    with doorward(tmp_path, {"upstreams": {"files": http_upstream(honest.url)}}) as running:
        client = Client(running.url(), running.key())
        assert client.call("files__echo", {"mark": "to the first"}).text
        other.handlers["tools/list"] = never
        _reload(running, {"upstreams": {"files": http_upstream(other.url)}})
        assert client.call("files__echo", {"mark": "unseen"}).reason == "unknown_target"
        assert client.ask("tools/list").result["tools"] == []
        assert other.marks() == []
        until(lambda: any(b"tools/list" in request for request in other.requests))


def _reload(running: Running, document: dict[str, object]) -> None:
    port = running.port
    write_config(running.directory, {"listen": {"port": 0}, **document})
    running.admin.post("/v1/reload")
    assert running.port == port
