"""Rights that end while a request is still arriving: what counts is the moment the call begins, not the one its head came in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adversary.slow import Waiting
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """One upstream for every test."""
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Running]:
    """One gateway; each test has an agent of its own."""
    directory: Path = tmp_path_factory.mktemp("meanwhile")
    with doorward(directory, {"upstreams": {"witness": http_upstream(witness.url)}}) as gateway:
        yield gateway


@pytest.mark.parametrize("order", ["suspend", "revoke", "revoke its key"])
def test_a_request_whose_body_arrives_after_its_agent_lost_its_rights_is_not_authenticated(
    running: Running, witness: Witness, order: str
) -> None:
    agent = f"slow-{order.replace(' ', '-')}"
    call = Waiting(running.port, running.key(agent), "witness__echo", {"mark": agent})
    if order == "revoke its key":
        [key] = running.admin.get(f"/v1/agents/{agent}")["keys"]
        running.admin.delete(f"/v1/keys/{key['id']}")
    else:
        running.admin.post(f"/v1/agents/{agent}/{order}")
    assert call.finish().startswith(b"HTTP/1.1 401 ")
    assert agent not in witness.marks()


def test_a_request_whose_body_arrives_slowly_from_an_agent_in_good_standing_runs(running: Running, witness: Witness) -> None:
    call = Waiting(running.port, running.key("patient"), "witness__echo", {"mark": "patient"})
    assert call.finish().startswith(b"HTTP/1.1 200 ")
    assert "patient" in witness.marks()
