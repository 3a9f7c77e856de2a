"""Agents that go in circles, through a running gateway: they are told, they stop, people hear of it, and honest work goes on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import REVISIONS, Client
from tests.e2e.commands import page
from tests.e2e.log import events, leaves, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import doorward, http_upstream, write_config
from tests.peers import ROOT

WIDE = {"calls_per_minute": 1_000_000, "burst": 1_000_000}


@pytest.fixture
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


def document(witness: Witness, **rules: Any) -> dict[str, Any]:
    return {"upstreams": {"witness": http_upstream(witness.url)}, "admission": WIDE, "runaway": rules}


@pytest.mark.peer
def test_a_client_of_the_sdk_that_is_stuck_is_told_and_stops(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running:
        command = [sys.executable, str(ROOT / "tests/clients/looping_with_sdk2.py"), running.url("witness"), running.key(), "echo"]
        done = subprocess.run(command, input=json.dumps({"mark": "stuck"}), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        [alert] = until(lambda: running.events("alert"))
    assert seen["calls"] in range(151, 250)
    assert len(witness.marks()) == seen["calls"] - 1
    told = seen["last"]
    assert told["content"][0]["text"].startswith(f"This exact call was made {seen['calls'] - 1} times in ")
    assert (
        "Stop repeating it: use the answer you have, change the arguments, or tell the user what is missing." in told["content"][0]["text"]
    )
    assert (told["_meta"]["dev.doorward/reason"], told["_meta"]["dev.doorward/limit"]) == ("runaway", "runaway.repeated")
    made = seen["calls"] - 1
    assert (alert["kind"], alert["about"]) == ("runaway", "tester repeated")
    assert alert["facts"] == f"agent=tester, rule=repeated, target=witness/echo, calls={made}"
    [leaf] = [leaf for leaf in leaves(tmp_path / "state") if leaf["type"] == "refusal"]
    assert (leaf["decision"]["reason"], leaf["name"]) == ("runaway", "echo")


@pytest.mark.parametrize("revision", REVISIONS)
def test_who_is_stuck_may_do_something_else_and_others_go_on(tmp_path: Path, witness: Witness, revision: str) -> None:
    rules = {"repeated": {"calls": 5}}
    with doorward(tmp_path, document(witness, **rules)) as running, Client(running.url("witness"), running.key(), revision) as client:
        said = [client.call("echo", {"mark": "same"}).reason for _ in range(40)]
        refused = said.index("runaway")
        assert said == [""] * refused + ["runaway"] * (40 - refused)
        assert refused in range(6, 12)
        assert client.call("echo", {"mark": "another"}).reason == ""
        with Client(running.url("witness"), running.key("eve"), revision) as eve:
            assert eve.call("echo", {"mark": "same"}).reason == ""
        assert 'doorward_runaway_total{rule="repeated"} 1.0' in page(running, "/metrics")
    [counted] = events(tmp_path / "state", "refusals_counted")
    assert (counted["fields"]["reason"], counted["fields"]["more"]) == ("runaway", 39 - refused)


def test_at_most_so_many_writes_are_made_and_a_reload_allows_more(tmp_path: Path, witness: Witness) -> None:
    cap = {"mode": "refuse", "calls": 20, "seconds": 3600}
    with doorward(tmp_path, document(witness, write=cap)) as running, Client(running.url("witness"), running.key()) as client:
        said = [client.call("echo", {"mark": str(number)}) for number in range(25)]
        assert [one.reason for one in said] == [""] * 20 + ["runaway"] * 5
        assert said[-1].text.startswith("At most 20 calls of the group `write` may be made in 60 minutes, and they are used up. Stop here ")
        write_config(tmp_path, document(witness, write={**cap, "calls": 21}))
        running.admin.post("/v1/reload", {})
        assert [client.call("echo", {"mark": mark}).reason for mark in ("more", "too many")] == ["", "runaway"]
    assert "more" in witness.marks()
    assert "too many" not in witness.marks()


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_list_asked_for_277_times_is_told_of_and_refused_where_that_is_wanted(tmp_path: Path, witness: Witness, revision: str) -> None:
    with doorward(tmp_path, document(witness)) as running:
        with Client(running.url(), running.key(), revision) as client:
            assert {client.ask("tools/list").reason for _ in range(277)} == {""}
            [alert] = until(lambda: running.events("alert"))
            assert (alert["kind"], alert["about"]) == ("runaway", "tester lists")
        write_config(tmp_path, document(witness, lists={"mode": "refuse"}))
        running.admin.post("/v1/reload", {})
        with Client(running.url(), running.key("eve"), revision) as eve:
            said = [eve.ask("tools/list").reason for _ in range(277)]
            assert "runaway" in said[60:80]
            assert eve.call("witness__echo", {"mark": "x"}).reason == ""
            assert eve.ask("tools/list").reason == ""
