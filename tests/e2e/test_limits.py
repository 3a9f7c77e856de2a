"""Bounds through a running gateway: rates and numbers of calls, sizes, callers who leave, and one process a state directory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import REVISIONS, Client
from tests.e2e.commands import metric
from tests.e2e.log import events, leaves, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import doorward, http_upstream, stdio_upstream
from tests.upstream.servers import SESSION, script

STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def call(message):
    result(message, {"content": [{"type": "text", "text": str(os.getpid())}]})
    time.sleep(600)
"""
WIDE = {"calls_per_minute": 1_000_000, "burst": 1_000_000}


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


@pytest.mark.parametrize("revision", REVISIONS)
def test_agent_over_its_rate_or_share_is_told_to_wait_and_nobody_else_is(tmp_path: Path, witness: Witness, revision: str) -> None:
    document = {
        "upstreams": {"witness": http_upstream(witness.url)},
        "admission": {"calls_per_minute": 1, "burst": 6, "concurrent": 2},
    }
    with doorward(tmp_path, document) as running, Client(running.url("witness"), running.key(), revision) as client:
        pending = [client.begin_call("wait", {"mark": str(number)}) for number in range(2)]
        for number in range(2):
            witness.has_seen(str(number))
        third = client.call("echo", {"mark": "too many"})
        assert (third.reason, third.result["isError"]) == ("over_concurrency", True)
        with Client(running.url("witness"), running.key("eve"), revision) as eve:
            assert eve.call("echo").reason == ""
        witness.release()
        assert [one.said().reason for one in pending] == ["", ""]
        said = [client.call("echo", {"mark": f"call {number}"}) for number in range(8)]
        refused = [one for one in said if one.reason]
        assert {one.reason for one in refused} == {"over_rate"}
        assert 0 < int(refused[-1].result["_meta"]["dev.doorward/retryAfterSeconds"]) <= 60
        assert "too many" not in witness.marks()
    told = [leaf for leaf in leaves(tmp_path / "state") if leaf["type"] == "refusal"]
    assert [leaf["decision"]["reason"] for leaf in told] == ["over_concurrency", "over_rate"]
    counted = {leaf["fields"]["reason"]: leaf["fields"]["more"] for leaf in events(tmp_path / "state", "refusals_counted")}
    assert counted == {"over_rate": len(refused) - 1}


def test_full_gateway_sheds_with_503_and_a_time_to_come_back(tmp_path: Path, witness: Witness) -> None:
    document = {"upstreams": {"witness": http_upstream(witness.url)}, "admission": {**WIDE, "in_flight": 1}}
    with doorward(tmp_path, document) as running, Client(running.url("witness"), running.key()) as client:
        pending = client.begin_call("wait", {"mark": "first"})
        witness.has_seen("first")
        with Client(running.url("witness"), running.key("eve")) as eve:
            shed = eve.call("echo")
        assert (shed.status, shed.reason, shed.headers["retry-after"]) == (503, "overloaded", "1")
        witness.release()
        assert pending.said().reason == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root sees how many files a gateway has open")
def test_callers_who_leave_in_crowds_leave_nothing_behind(tmp_path: Path, witness: Witness) -> None:
    document = {"upstreams": {"witness": http_upstream(witness.url)}, "admission": {**WIDE, "concurrent": 200}}
    with doorward(tmp_path, document) as running, Client(running.url("witness"), running.key()) as client:
        assert client.call("echo").reason == ""
        files = Path(f"/proc/{running.process.pid}/fd")
        before = len(list(files.iterdir())) if files.exists() else 0
        for turn in range(3):
            marks = [f"{turn}/{number}" for number in range(60)]
            pending = [client.begin_call("wait", {"mark": mark}) for mark in marks]
            until(lambda marks=marks: set(marks) <= set(witness.marks()))  # type: ignore[misc]
            for one in pending:
                one.hang_up()
            until(lambda marks=marks: set(marks) <= set(witness.ended))  # type: ignore[misc]
        until(lambda: metric(running, "doorward_calls_in_flight") == 0)
        assert client.call("echo").reason == ""
        if before:
            until(lambda: len(list(files.iterdir())) <= before + 5)
    statuses = [leaf["result"]["status"] for leaf in leaves(tmp_path / "state") if leaf["type"] == "outcome" and leaf["name"] == "wait"]
    assert statuses == ["cancelled"] * 180


@pytest.mark.parametrize("revision", REVISIONS)
def test_large_arguments_and_results_pass_up_to_their_limits_and_no_further(tmp_path: Path, witness: Witness, revision: str) -> None:
    document = {"upstreams": {"witness": http_upstream(witness.url, result_bytes=300_000, extra_arguments="allow")}, "admission": WIDE}
    with doorward(tmp_path, document) as running, Client(running.url("witness"), running.key(), revision) as client:
        fits = "x" * 250_000
        assert json.loads(client.call("echo", {"mark": fits}).text) == {"mark": fits}
        assert client.call("echo", {"mark": "x" * 262_145}).status in (400, 200)
        assert client.call("echo", {"mark": "x" * 2_000_000}).status == 413
        beyond = client.call("echo", {"mark": "x" * 100, "more": ["y" * 250_000, "z" * 100_000]})
        assert (beyond.reason, "may have run" in beyond.error["message"]) == ("upstream_broken", True)
        assert client.call("echo", {"mark": "and on"}).reason == ""


def test_second_gateway_does_not_start_on_the_same_state(tmp_path: Path) -> None:
    with doorward(tmp_path, {}) as running:
        words = [sys.executable, "-m", "doorward", "serve", "-c", str(tmp_path / "doorward.yaml")]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, "not_started" in done.stderr) == (1, True)
        assert running.admin.get("/readyz")["ready"] is True


def test_process_of_an_upstream_does_not_outlive_a_gateway_that_was_killed(tmp_path: Path) -> None:
    with doorward(tmp_path, {"upstreams": {"process": stdio_upstream(script(STUBBORN, SESSION))}}) as running:
        with Client(running.url("process"), running.key()) as client:
            child = int(client.call("echo").text)
        os.kill(child, 0)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(10)
        until(lambda: not _is_alive(child))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
