"""Server processes on a real gateway: known again by what they are made of, and kept to what they may touch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import until
from tests.gateway import Running, doorward, start, stdio_upstream, stop
from tests.upstream.servers import PRELUDE, SESSION
from tests.upstream.supply.test_sandbox import real_bubblewrap

SERVER = """
def call(message):
    said = []
    for place in message["params"]["arguments"]["places"]:
        try:
            said.append(open(place).read(12))
        except OSError as error:
            said.append(type(error).__name__)
    result(message, {"content": [{"type": "text", "text": json.dumps(said)}]})
"""


def write(script: Path, remark: str = "") -> None:
    script.write_text(f"{PRELUDE}{SERVER}{SESSION}# {remark}\n")


def document(script: Path, **stdio: Any) -> dict[str, Any]:
    upstream = stdio_upstream((sys.executable, "-I", "-S", str(script)), era="session", refresh_seconds=1)
    upstream["stdio"] |= stdio
    return {"upstreams": {"own": upstream}}


def read(running: Running, *places: Path) -> list[str]:
    with Client(running.url(), running.key()) as client:
        until(lambda: client.ask("tools/list").result["tools"])
        said = client.call("own__echo", {"places": [str(place) for place in places]})
        return list(json.loads(said.result["content"][0]["text"]))


def test_a_server_whose_script_was_changed_is_held_back_until_somebody_accepts_it(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    write(script)
    with doorward(tmp_path, document(script)) as running:
        until(lambda: [one["standing"] for one in asked(running, "catalog", "list", "--kind", "program")["items"]] == ["approved"])
        running.key()
        stop(running)
        write(script, "and now it sends everything elsewhere")
        again = start(tmp_path)
        again.keys |= running.keys
        try:
            until(lambda: told(again, "catalog", "diff")[0] == 1)
            _, diff = told(again, "catalog", "diff")
            assert "own program program: drifted" in diff
            with Client(again.url(), again.key()) as client:
                assert client.ask("tools/list").result["tools"] == []
            assert "accepted 1" in ordered(again, "catalog", "approve", "own", "program", "--kind", "program")
            with Client(again.url(), again.key()) as client:
                until(lambda: client.ask("tools/list").result["tools"])
        finally:
            stop(again)


@pytest.mark.skipif(real_bubblewrap() is None, reason="no bubblewrap can be used here")
def test_a_server_in_a_sandbox_serves_and_reads_what_is_declared_alone(tmp_path: Path) -> None:
    script, given = tmp_path / "server.py", tmp_path / "given"
    write(script)
    given.mkdir()
    (given / "a.txt").write_text("given")
    sandbox = {"read": ["given"]}
    with doorward(tmp_path, document(script, sandbox=sandbox), environment={"PATH": str(real_bubblewrap())}) as running:
        key = tmp_path / "state/log.key"
        assert key.exists()
        assert read(running, given / "a.txt", key, tmp_path / "doorward.yaml") == ["given", "FileNotFoundError", "FileNotFoundError"]


def test_a_declared_sandbox_that_cannot_be_had_starts_nothing(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    write(script)
    with doorward(tmp_path, document(script, sandbox={}), environment={"PATH": "/nonexistent"}) as running:
        until(lambda: any("bubblewrap" in event["why"] for event in running.events("upstream_missed")))
        with Client(running.url(), running.key()) as client:
            assert client.ask("tools/list").result["tools"] == []
