"""Policies over time on a running gateway: replayed before they decide, rolled back at once, and back to the files when these change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, leaves, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, http_upstream, start, stop, write_config

NO_X = (
    PERMIT_ALL + '@id("no-x")\n@reason("Nothing that begins with x.")\n'
    'forbid (principal, action == Action::"witness/echo", resource) when { context.input has mark && context.input.mark like "x*" };\n'
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A gateway with one upstream, ended whatever becomes of it."""
    with witnessing() as witness:
        write_config(tmp_path, document(witness))
        gateway = start(tmp_path)
        try:
            yield gateway
        finally:
            if gateway.process.poll() is None:
                stop(gateway)


def document(witness: Witness) -> dict[str, Any]:
    return {"upstreams": {"witness": http_upstream(witness.url)}}


def digest(running: Running) -> str:
    return str(asked(running, "status")["policies"])


def echoed(running: Running, key: str, mark: str) -> tuple[str, str]:
    """Why a call was refused (empty: it was not), and its receipt."""
    with Client(running.url("witness"), key) as client:
        said = client.call("echo", {"mark": mark})
        return said.reason, said.receipt


def test_candidate_is_replayed_over_what_callers_really_did(running: Running, tmp_path: Path) -> None:
    key = running.key()
    newest = [echoed(running, key, mark)[1] for mark in ("a", "b", "x1")][-1]
    candidate = tmp_path / "candidate.cedar"
    candidate.write_text(NO_X)
    assert told(running, "policy", "replay", str(candidate), "--exit-code")[0] == 1
    answer = asked(running, "policy", "replay", str(candidate), "--since", "1h")
    assert {name: answer[name] for name in ("calls", "same", "changed", "unknown", "undecided", "is_whole")} == {
        "calls": 3,
        "same": 2,
        "changed": 1,
        "unknown": 0,
        "undecided": 0,
        "is_whole": True,
    }
    (change,) = answer["changes"]
    assert (change["agent"], change["name"], change["example"]) == ("tester", "echo", newest)
    assert (change["before"], change["after"]) == (
        {"effect": "allow", "policies": ["all"]},
        {"effect": "deny", "policies": ["no-x"]},
    )
    assert told(running, "policy", "replay", str(tmp_path / "policy.cedar"), "--exit-code")[0] == 0
    assert len(events(tmp_path / "state", "policies_replayed")) == 3
    explained = asked(running, "policy", "explain", "--receipt", newest)
    assert (explained["recorded"]["effect"], explained["then"]["effect"], explained["agrees"], explained["differs"]) == (
        "allow",
        "allow",
        True,
        False,
    )


def test_rollback_decides_at_once_outlives_a_restart_and_ends_when_the_files_change(running: Running, tmp_path: Path) -> None:
    key, before = running.key(), digest(running)
    (tmp_path / "policy.cedar").write_text(NO_X)
    until(lambda: running.events("config_loaded"))
    after = digest(running)
    refused, receipt = echoed(running, key, "x1")
    assert (refused, before == after) == ("forbidden", False)
    assert [leaf["decision"]["set"] for leaf in leaves(tmp_path / "state") if leaf.get("call") == receipt] == [after]

    assert ordered(running, "policy", "rollback", before[:12], "--reason", "x is needed").startswith(f"policies {before[:12]}")
    assert echoed(running, key, "x2")[0] == ""
    (event,) = events(tmp_path / "state", "policies_rolled_back")
    assert (event["fields"]["policies"], event["fields"]["before"], event["fields"]["reason"]) == (before, after, "x is needed")
    explained = asked(running, "policy", "explain", "--receipt", receipt)
    assert (explained["policy_set"], explained["then"]["effect"], explained["today"]["effect"], explained["differs"]) == (
        after,
        "deny",
        "allow",
        True,
    )

    running.kill()
    again = start(tmp_path)
    try:
        assert (digest(again), echoed(again, key, "x3")[0]) == (before, "")
        assert any("the files on disk are not in force" in line["text"] for line in again.events("warning"))
        assert any("the files on disk are not in force" in text for text in asked(again, "status")["warnings"])
        assert [entry["why"] for entry in asked(again, "policy", "history")["entries"]] == ["rollback", "reload", "start"]
        (tmp_path / "policy.cedar").write_text(NO_X + "// mended\n")
        until(lambda: again.events("config_loaded"))
        assert echoed(again, key, "x4")[0] == "forbidden"
        assert not any("not in force" in text for text in asked(again, "status")["warnings"])
        shown = ordered(again, "policy", "diff", before[:12])
        assert shown.splitlines()[-1] == "added: no-x"
    finally:
        stop(again)


def test_rollback_is_undone_by_command(running: Running, tmp_path: Path) -> None:
    key, before = running.key(), digest(running)
    (tmp_path / "policy.cedar").write_text(NO_X)
    until(lambda: running.events("config_loaded"))
    ordered(running, "policy", "rollback", before[:12], "--reason", "odd")
    ordered(running, "policy", "rollback", "--undo")
    assert echoed(running, key, "x1")[0] == "forbidden"
    assert [entry["why"] for entry in asked(running, "policy", "history")["entries"]] == ["undo", "rollback", "reload", "start"]
