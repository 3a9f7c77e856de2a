"""The stop switch and revocations through a running gateway: the next call is refused, the one in flight is cut, and a restart changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import EXCHANGE, REVISIONS, Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, of_call, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop

MATTERS = ("agent tester", "key", "tool witness/wait", "upstream witness", "all")


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """One upstream for every test."""
    with witnessing() as made:
        yield made


@pytest.fixture
def running(tmp_path: Path, witness: Witness) -> Iterator[Running]:
    """A gateway of its own for each test, as stops outlive everything else."""
    with doorward(tmp_path, {"upstreams": {"witness": http_upstream(witness.url)}}) as gateway:
        yield gateway


def key_id(running: Running, agent: str) -> str:
    """The id of an agent's only key."""
    [key] = asked(running, "agent", "show", agent)["keys"]
    return str(key["id"])


def words_of(running: Running, matter: str) -> list[str]:
    """A matter as the command line names it."""
    return ["key", key_id(running, "tester")] if matter == "key" else matter.split(" ")


def test_stop_refuses_the_next_call_and_cuts_those_in_flight_until_it_is_lifted(running: Running, witness: Witness) -> None:
    for number, matter in enumerate(MATTERS):
        with Client(running.url("witness"), running.key(), REVISIONS[number % 3]) as client:
            client.ask("tools/list")
            words, mark = words_of(running, matter), f"in flight: {matter}"
            pending = client.begin_call("wait", {"mark": mark})
            witness.has_seen(mark)
            ordered(running, "stop", *words, "--reason", "An audit")

            cut = pending.said()
            assert (cut.reason, "may have run" in cut.error["message"]) == ("revoked_meanwhile", True)
            until(lambda mark=mark: mark in witness.ended)  # type: ignore[misc]
            refused = client.call("wait", {"mark": f"too late: {matter}"})
            assert (refused.reason, refused.result["isError"]) == ("stopped", True)
            assert "An audit" not in refused.text
            assert asked(running, "stop")["stops"][0]["reason"] == "An audit"

            ordered(running, "resume", *words)
            witness.release()
            assert f"again: {matter}" in client.call("echo", {"mark": f"again: {matter}"}).text
            [_, outcome] = of_call(running.directory / "state", cut.receipt)
            assert (outcome["result"]["status"], outcome["result"]["reason"]) == ("failed", "revoked_meanwhile")
            [refusal] = of_call(running.directory / "state", refused.receipt)
            assert (refusal["type"], refusal["decision"]["reason"]) == ("refusal", "stopped")
    assert not [mark for mark in witness.marks() if mark.startswith("too late")]
    state = running.directory / "state"
    assert (len(events(state, "stop_set")), len(events(state, "stop_lifted"))) == (len(MATTERS), len(MATTERS))


def test_stop_leaves_everybody_and_everything_else_alone(running: Running) -> None:
    with Client(running.url("witness"), running.key("other")) as other, Client(running.url("witness"), running.key()) as tester:
        ordered(running, "stop", "agent", "tester", "--reason", "An audit")
        assert tester.call("echo").reason == "stopped"
        assert other.call("echo", {"mark": "not stopped"}).text
        ordered(running, "stop", "tool", "witness/echo", "--reason", "An audit")
        assert other.call("echo").reason == "stopped"
        assert other.call("other").text
        assert other.ask("tools/list").result["tools"]


def test_stops_and_revocations_outlive_a_kill(running: Running, witness: Witness) -> None:
    keys = {name: running.key(name) for name in ("tester", "stopped", "suspended", "revoked", "by-key")}
    ordered(running, "stop", "agent", "stopped", "--reason", "An audit")
    ordered(running, "stop", "tool", "witness/other", "--reason", "An audit")
    ordered(running, "agent", "suspend", "suspended")
    ordered(running, "revoke", "agent", "revoked", "--reason", "A leak")
    ordered(running, "revoke", "key", key_id(running, "by-key"), "--reason", "A leak")
    running.kill()
    again = start(running.directory)
    try:
        for agent, (status, reason) in {
            "stopped": (200, "stopped"),
            "suspended": (401, ""),
            "revoked": (401, ""),
            "by-key": (401, ""),
        }.items():
            with Client(again.url("witness"), keys[agent]) as client:
                said = client.call("echo", {"mark": f"never: {agent}"})
                assert said.status == status, agent
                assert reason in ("", said.reason)
        with Client(again.url("witness"), keys["tester"]) as client:
            assert client.call("other", {"mark": "never: other"}).reason == "stopped"
            assert client.call("echo", {"mark": "again"}).text
            ordered(again, "stop", "all", "--reason", "Everything")
            assert client.call("echo", {"mark": "never: all"}).reason == "stopped"
        assert not [mark for mark in witness.marks() if mark.startswith("never")]
    finally:
        assert stop(again) == 0


@pytest.mark.parametrize("revision", REVISIONS)
def test_revoked_key_is_401_at_once_and_cuts_what_it_has_in_flight(running: Running, witness: Witness, revision: str) -> None:
    mark = f"by a key of {revision}"
    with Client(running.url("witness"), running.key(), revision) as client:
        pending = client.begin_call("wait", {"mark": mark})
        witness.has_seen(mark)
        listening = client.listen()
        assert listening.opened().status == 200
        ordered(running, "revoke", "key", key_id(running, "tester"), "--reason", "A leak")
        assert pending.said().reason == "revoked_meanwhile"
        until(lambda: mark in witness.ended)
        refused = client.call("echo", {"mark": f"never {mark}"})
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Bearer ")
        listening.hang_up()
    assert f"never {mark}" not in witness.marks()
    [revoked] = events(running.directory / "state", "revoked")
    assert revoked["fields"] == {"matter": f"key:{key_id(running, 'tester')}", "reason": "A leak"}


def test_rotated_key_takes_over_and_the_old_one_ends_at_once_where_no_overlap_is_wanted(running: Running) -> None:
    old = running.key()
    new = asked(running, "agent", "rotate", "tester", "--overlap-hours", "0")["key"]
    with Client(running.url("witness"), old) as before, Client(running.url("witness"), new) as after:
        assert before.call("echo").status == 401
        assert after.call("echo").status == 200


def test_revoked_upstream_and_tool_are_stopped_until_restored(running: Running) -> None:
    with Client(running.url("witness"), running.key(), EXCHANGE) as client:
        for words in (["tool", "witness/echo"], ["upstream", "witness"]):
            ordered(running, "revoke", *words, "--reason", "Not trusted")
            assert client.call("echo").reason == "stopped"
            ordered(running, "resume", *words, "--revoked")
            assert client.call("echo").text
    assert told(running, "resume", "agent", "tester")[0] == 1
