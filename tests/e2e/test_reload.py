"""Reloads under load with bad ones mixed in, by command, by signal and by a changed file; upstreams that come, go and change; and drain."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import EXCHANGE, REVISIONS, Client
from tests.e2e.commands import asked, metric, ordered, told
from tests.e2e.log import events, leaves, of_call, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, stop, write_config

FORBID_OTHER = PERMIT_ALL + '@id("no-other")\n@reason("Not this one.")\nforbid (principal, action == Action::"witness/other", resource);\n'
RELOADS = 24
WIDE = {"calls_per_minute": 1_000_000, "burst": 1_000_000}


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


def document(witness: Witness, **more: Any) -> dict[str, Any]:
    """A configuration with one upstream."""
    return {"upstreams": {"witness": http_upstream(witness.url)}, "admission": WIDE, **more}


def in_force(running: Running) -> tuple[str, str]:
    """The digests of the document and of the policies in force."""
    status = asked(running, "status")
    return status["config"], status["policies"]


@dataclass
class Load:
    """Callers that call until they are told to end; every answer must be the right one."""

    running: Running
    count: int = 0
    wrong: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def call(self, number: int, key: str) -> None:
        """What each thread does."""
        with Client(self.running.url("witness"), key, REVISIONS[number % 3]) as client:
            while not self.over.is_set():
                mark = f"{number}/{self.count}"
                try:
                    text = client.call("echo", {"mark": mark}).text
                except (OSError, AssertionError, ValueError) as error:
                    self.wrong.append(repr(error))
                    return
                if mark not in text:
                    self.wrong.append(text)
                self.count += 1


@contextmanager
def loaded(running: Running, callers: int = 3) -> Iterator[Load]:
    """Callers at work until the block ends."""
    load = Load(running)
    key = running.key()
    threads = [threading.Thread(target=load.call, args=(number, key)) for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in threads:
            thread.join(30)


def spoilt(directory: Path, good: dict[str, Any]) -> list[Callable[[], object]]:
    """Ways to spoil a configuration; each is worded so that the problem can be told."""
    path, policy = directory / "doorward.yaml", directory / "policy.cedar"
    return [
        lambda: path.write_text("upstreams: [not closed\n"),
        lambda: write_config(directory, {**good, "upstraems": {}}),
        lambda: write_config(directory, {**good, "listen": {"port": 1}}),
        lambda: write_config(directory, {**good, "policies": {"files": ["none.cedar"]}}),
        lambda: write_config(directory, good, "permit (principal, action, resource"),
        lambda: write_config(directory, good, PERMIT_ALL + 'forbid (principal, action == Action::"witness/ohter", resource);'),
        lambda: policy.write_bytes(b"\xff\xfe"),
        path.unlink,
    ]


def test_reloads_under_load_with_bad_ones_between_fail_no_call_and_keep_what_is_good(tmp_path: Path, witness: Witness) -> None:
    good = document(witness)
    bad = spoilt(tmp_path, good)
    with doorward(tmp_path, good) as running, loaded(running) as load:
        for number in range(RELOADS):
            before, calls = in_force(running), load.count
            if number % 2:
                bad[number // 2 % len(bad)]()
                code, output = told(running, "reload")
                assert (code, in_force(running)) == (1, before), output
                assert asked(running, "status")["problems"] != []
                assert running.admin.get("/readyz")["ready"] is True
            else:
                write_config(tmp_path, {**good, "admission": {**WIDE, "concurrent": 32 + number}})
                ordered(running, "reload")
                assert in_force(running) != before
                assert asked(running, "status")["problems"] == []
            until(lambda calls=calls: load.count > calls + 5 or load.wrong)  # type: ignore[misc]
    assert load.wrong == []
    state = tmp_path / "state"
    grown = [leaf["decision"]["generation"] for leaf in leaves(state) if leaf["type"] == "intent" and leaf.get("name") == "echo"]
    assert grown[-1] > RELOADS // 2
    assert sorted(set(grown)) == sorted(set(grown), key=grown.index)
    assert len(events(state, "config_loaded")) >= RELOADS // 2
    assert len(events(state, "config_rejected")) >= RELOADS // 2
    assert {leaf["result"]["status"] for leaf in leaves(state) if leaf["type"] == "outcome"} == {"delivered"}


def test_changed_policy_file_is_picked_up_on_its_own_from_the_first_moment_on(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running, Client(running.url("witness"), running.key()) as client:
        (tmp_path / "policy.cedar").write_text(FORBID_OTHER)
        until(lambda: running.events("config_loaded"))
        assert client.call("other").reason == "unknown_target"
        assert [tool["name"] for tool in client.ask("tools/list").result["tools"]] == ["echo", "stream", "wait"]


def test_change_is_taken_once_whoever_notices_it_first(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running:
        write_config(tmp_path, document(witness, admission={**WIDE, "concurrent": 7}))
        ordered(running, "reload")
        until(lambda: running.events("config_unchanged") or running.events("config_loaded"))
        assert "nothing in the document changed" in ordered(running, "reload")
    assert len(events(tmp_path / "state", "config_loaded")) == 1


def test_hangup_signal_reloads_and_a_bad_file_is_told_in_journal_log_and_status(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running, Client(running.url("witness"), running.key()) as client:
        write_config(tmp_path, document(witness), FORBID_OTHER)
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.events("config_loaded"))
        assert client.call("other").reason == "unknown_target"
        (tmp_path / "policy.cedar").write_text("permit (")
        running.process.send_signal(signal.SIGHUP)
        [told_so, *_] = until(lambda: running.events("config_rejected"))
        assert f"{tmp_path / 'policy.cedar'}:1" in told_so["problem"]
        assert asked(running, "status")["problems"] == [told_so["problem"]]
        assert metric(running, "doorward_config_problems") == 1
        assert "policy.cedar" in events(tmp_path / "state", "config_rejected")[0]["fields"]["problem"]
        assert client.call("echo").text
        assert client.call("other").reason == "unknown_target"


@pytest.mark.parametrize("revision", REVISIONS)
def test_upstreams_come_go_and_change_while_calls_are_in_flight(tmp_path: Path, witness: Witness, revision: str) -> None:
    one, two = http_upstream(witness.url), http_upstream(witness.url, team="others")
    before = {"upstreams": {"stays": one, "goes": one, "changes": one}}
    after = {"upstreams": {"stays": one, "changes": two, "comes": one}}
    with doorward(tmp_path, before) as running, Client(running.url(), running.key(), revision) as client:
        pending = {name: client.begin_call(f"{name}__wait", {"mark": name}) for name in before["upstreams"]}
        for name in pending:
            witness.has_seen(name)
        write_config(tmp_path, after)
        output = ordered(running, "reload")
        assert all(name in output for name in ("goes", "changes", "comes"))
        until(lambda: running.admin.get("/v1/status")["ready"])
        listed = {tool["name"].partition("__")[0] for tool in client.ask("tools/list").result["tools"]}
        assert listed == set(after["upstreams"])
        for name in after["upstreams"]:
            assert client.call(f"{name}__echo", {"mark": f"new {name}"}).text
        assert client.call("goes__echo").reason == "unknown_target"
        witness.release()
        for name, one_pending in pending.items():
            assert name in one_pending.said().text
        assert witness.ended == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_client_hears_of_a_reload_that_changes_what_it_may_see_and_of_no_other(tmp_path: Path, witness: Witness, revision: str) -> None:
    with doorward(tmp_path, document(witness)) as running, Client(running.url("witness"), running.key(), revision) as client:
        listening = client.listen()
        assert listening.opened().status == 200
        if client.is_exchange:
            assert (listening.event() or {})["method"] == "notifications/subscriptions/acknowledged"
        write_config(tmp_path, document(witness, admission={**WIDE, "concurrent": 7}))
        ordered(running, "reload")
        write_config(tmp_path, document(witness), FORBID_OTHER)
        ordered(running, "reload")
        assert (listening.event() or {})["method"] == "notifications/tools/list_changed"
        listening.hang_up()


def test_drain_lets_running_calls_and_streams_end_and_then_ends_itself(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running:
        clients = [Client(running.url("witness"), running.key(), revision) for revision in REVISIONS]
        slow = [client.begin_call("wait", {"mark": client.revision}) for client in clients]
        for client in clients:
            witness.has_seen(client.revision)
        streams = [client.begin_call("stream", progressToken="t") for client in clients]
        assert [(stream.event() or {})["params"]["progressToken"] for stream in streams] == ["t"] * 3
        listening = [client.listen() for client in clients]
        assert [one.opened().status for one in listening] == [200] * 3

        running.process.terminate()
        ended = [one.said() for one in listening]
        assert all(said.status == 200 for said in ended)
        with pytest.raises(OSError, match="refused"), Client(running.url("witness"), running.key()) as late:
            late.call("echo")
        assert running.process.poll() is None
        witness.release()
        said = [pending.said() for pending in slow]
        assert [one.text for one in said] == [json.dumps({"mark": client.revision}) for client in clients]
        assert [(stream.event() or {})["result"]["content"][0]["text"] for stream in streams] == ["done"] * 3
        assert running.process.wait(10) == 0
    state = tmp_path / "state"
    assert {of_call(state, one.receipt)[-1]["result"]["status"] for one in said} == {"delivered"}
    assert leaves(state)[-1]["type"] == "gateway_stopped"


def test_call_that_outlasts_the_grace_is_told_that_it_may_have_run(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness)) as running:
        clients = [Client(running.url("witness"), running.key(), revision) for revision in ("2025-11-25", EXCHANGE)]
        slow = [client.begin_call("wait", {"mark": client.revision}) for client in clients]
        for client in clients:
            witness.has_seen(client.revision)
        assert stop(running) == 0
        for said in (pending.said() for pending in slow):
            assert (said.reason, "may have run" in said.error["message"]) == ("cancelled", True)
        assert sorted(witness.ended) == ["2025-11-25", EXCHANGE]
    ended = [leaf["result"]["status"] for leaf in leaves(tmp_path / "state") if leaf["type"] == "outcome" and leaf["name"] == "wait"]
    assert ended == ["cancelled", "cancelled"]


def test_bad_configuration_does_not_start_and_says_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    path = write_config(tmp_path, {"upstreams": {"a": {"url": "http://example.com/mcp"}}, "lisen": {}}, "permit (")
    code, output = told(None, "check", "-c", str(path))
    assert code == 1
    assert "listen" in output
    assert "plain_http" in output
    with pytest.raises(AssertionError, match="the gateway ended with 1"):
        start(tmp_path)
