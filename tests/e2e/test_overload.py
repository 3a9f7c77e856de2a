"""A running gateway that is pressed hard: whoever is slow, silent or greedy, and whatever runs out, others go on, and so does it."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.commands import metric
from tests.e2e.crowd import crowd, few_files, files_for, limited, request
from tests.e2e.log import leaves, until
from tests.e2e.witness import Json, Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.net.raw import Peer, response
from tests.upstream.kit import result

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another process's limits are set on Linux alone")

MIB = 2**20
WIDE: dict[str, Any] = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
IDLE = 2000


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream whose tool `other` gives 6 MiB: more than the kernel keeps for a client that does not read."""

    async def large(peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(result(message, {"content": [{"type": "text", "text": "x" * 6 * MIB}], "resultType": "complete"})))

    made = Witness()
    made.behaviours["other"] = large
    with witnessing(made):
        yield made


def document(witness: Witness, **admission: int) -> dict[str, Any]:
    return {"upstreams": {"up": http_upstream(witness.url, result_bytes=8 * MIB)}, "admission": {**WIDE, **admission}}


def goes_on(running: Running, agent: str = "eve") -> bool:
    """Whether a healthy agent, on a new connection, lists and calls."""
    with Client(running.url(), running.key(agent)) as client:
        return (client.ask("tools/list").status, client.call("up__echo").reason) == (200, "")


def is_empty(running: Running) -> bool:
    """Whether nothing is left in the door."""
    return (metric(running, "doorward_requests_in_door"), metric(running, "doorward_bytes_in_door")) == (0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root sees how many files a gateway has open")
def test_two_thousand_silent_connections_keep_nobody_out_of_a_gateway_that_was_started_with_few_files(
    tmp_path: Path, witness: Witness
) -> None:
    with few_files(256), doorward(tmp_path, document(witness)) as running, files_for(IDLE) as count:
        files = Path(f"/proc/{running.process.pid}/fd")
        before = len(list(files.iterdir()))
        # Fewer than 2,000 only where the hard limit of open files forbids them.
        with crowd(running, count):
            until(lambda: len(list(files.iterdir())) >= before + count)
            assert goes_on(running)
        until(lambda: len(list(files.iterdir())) < before + 50)
        assert goes_on(running)


def test_slow_senders_hold_their_own_bytes_and_no_more(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness, bytes_in_flight_per_agent=4 * MIB)) as running:
        key, length = running.key("mallory"), 1_000_000
        with crowd(running, 4, request(running, key, "up__echo", length)):
            until(lambda: metric(running, "doorward_bytes_in_door") == 4 * length)
            with crowd(running, 1, request(running, key, "up__echo", length)) as [fifth]:
                assert fifth.recv(4096).startswith(b"HTTP/1.1 429 ")
            assert goes_on(running)
        until(lambda: is_empty(running))
        assert goes_on(running, "mallory")


def test_full_door_sheds_and_is_open_again_when_the_slow_have_gone(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness, requests=4)) as running:
        mallory, mallet = [request(running, running.key(name), "up__echo", 100) for name in ("mallory", "mallet")]
        with crowd(running, 3, mallory), crowd(running, 1, mallet):
            until(lambda: metric(running, "doorward_requests_in_door") == 4)
            with Client(running.url(), running.key("eve")) as eve:
                shed = eve.call("up__echo")
                assert (shed.status, shed.reason, shed.headers["retry-after"]) == (503, "overloaded", "1")
            assert running.admin.get("/readyz")["ready"] is True
        until(lambda: is_empty(running))
        assert goes_on(running)


def test_slow_readers_are_counted_until_they_have_gone(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness, bytes_in_flight_per_agent=20 * MIB)) as running:
        asked = request(running, running.key("mallory"), "up__other")
        with crowd(running, 4, asked):
            until(lambda: metric(running, "doorward_bytes_in_door") > 24 * MIB)
            with crowd(running, 1, asked) as [fifth]:
                assert fifth.recv(4096).startswith(b"HTTP/1.1 429 ")
            assert goes_on(running)
        until(lambda: is_empty(running))
        assert goes_on(running, "mallory")


def test_who_sends_what_takes_long_to_read_is_made_to_wait_and_others_are_not(tmp_path: Path, witness: Witness) -> None:
    many = {str(number): number for number in range(50_000)}
    with doorward(tmp_path, document(witness)) as running, Client(running.url(), running.key("mallory")) as mallory:
        refused = next(one for one in (mallory.call("up__echo", many) for _ in range(40)) if one.reason == "over_rate")
        assert (refused.status, refused.headers["retry-after"].isdigit()) == (429, True)
        assert mallory.call("up__echo").reason == ""
        assert goes_on(running)


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root sees how many files a gateway has open")
def test_gateway_without_file_descriptors_serves_whom_it_has_and_accepts_again_later(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running, Client(running.url(), running.key("eve")) as eve:
        assert eve.call("up__echo").reason == ""
        files = Path(f"/proc/{running.process.pid}/fd")
        room = max(int(one.name) for one in files.iterdir()) + 9
        with limited(running, resource.RLIMIT_NOFILE, room), crowd(running, 40):
            until(lambda: len(list(files.iterdir())) >= room)
            assert [(eve.ask("tools/list").status, eve.call("up__echo").reason) for _ in range(3)] == [(200, "")] * 3
        assert goes_on(running, "ada")


def test_full_disk_answers_calls_and_lists_as_unrecorded_and_forwards_none_until_there_is_room(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running, Client(running.url(), running.key("eve")) as eve:
        assert eve.call("up__echo", {"mark": "before"}).reason == ""
        with limited(running, resource.RLIMIT_FSIZE, 1):
            assert [eve.call("up__echo", {"mark": "lost"}).reason for _ in range(3)] == ["unrecorded"] * 3
            # A list that could not be told to the log is not shown either; what shows nothing is answered as ever.
            assert (eve.ask("tools/list").status, eve.ask("server/discover").status) == (503, 200)
            with Client(running.url(), "nobody") as nobody:
                assert nobody.ask("tools/list").status == 401
            assert running.admin.get("/v1/status")["in_flight"] == 0
        until(lambda: eve.call("up__echo", {"mark": "after"}).reason == "")
        assert set(witness.marks()) == {"before", "after"}
        assert is_empty(running)
    statuses = [leaf["result"]["status"] for leaf in leaves(tmp_path / "state") if leaf["type"] == "outcome" and leaf["name"] == "echo"]
    assert set(statuses) == {"delivered"}
