"""What a thief of the state directory finds, and the keys that it is encrypted with: lost, mistaken, rotated while calls go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import openbao
from tests.e2e.client import REVISIONS, Client
from tests.e2e.commands import asked, ordered
from tests.e2e.grants import VERIFIER, authorize, call, challenge, connected, refreshed
from tests.e2e.issuer import PUBLIC, Issuer, issuing
from tests.e2e.log import events, until
from tests.e2e.oauth import house
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, stop, write_config
from tests.scanned import spellings

KEYS = {"encryption.key", "log.key", "audit.key", "side.key", "seal.key", "authority.keys"}
"""Files that a thief must not get with the database."""
ASKING = (
    PERMIT_ALL
    + """
@id("somebody-looks")
@reason("A person looks at this first.")
@approval("leads")
forbid (principal, action == Action::"up/other", resource);
"""
)
PERSON = "canary-4Kd9-ann@example.com"


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


def found_in(state: Path, *canaries: str) -> list[str]:
    """Where any spelling of any of them stands in a state directory, but for its key files."""
    files = [path for path in state.rglob("*") if path.is_file() and path.name not in KEYS]
    assert "doorward.db" in {path.name for path in files}
    return [
        f"{path.name}: {canary}"
        for path in files
        for canary in canaries
        if any(spelling in path.read_bytes() for spelling in spellings(canary))
    ]


def document(issuer: Issuer, witness: Witness) -> dict[str, Any]:
    credential = {"header": "Authorization", "value": "Bearer ${env:CANARY}"}
    return {
        "listen": {"port": 0, "public_url": PUBLIC},
        "identity": {
            "issuers": {"corp": issuer.document()},
            "enrol": [{"issuer": "corp", "agent": "desktop", "team": "people", "owner": "platform"}],
        },
        "upstreams": {"up": http_upstream(witness.url, credential=credential)},
        "approvals": {"wait_seconds": 0},
        "budgets": {"calls": {"of": {}, "unit": "calls", "limit": 1000, "window": {"seconds": 86_400}, "per": ["user"], "team": "leads"}},
    }


def test_a_stolen_state_directory_without_its_key_files_reveals_nothing(issuer: Issuer, witness: Witness, tmp_path: Path) -> None:
    environment = {"CANARY": "canary-4Kd9-credential"}
    canaries = [PERSON, "canary-4Kd9"]
    with doorward(tmp_path, document(issuer, witness), ASKING, environment) as running:
        state = tmp_path / "state"
        for revision in REVISIONS:
            token = issuer.token("any", PERSON, email=PERSON, groups=["canary-4Kd9-group"])
            canaries += [token, token.rpartition(".")[2]]
            with Client(running.url(), token, revision) as client:
                assert "canary-4Kd9-argument" in client.call("up__echo", {"mark": "canary-4Kd9-argument"}).text
                assert client.call("up__other", {"mark": f"canary-4Kd9-approved-{revision}"}).reason == "pending"
                [one] = [one for one in asked(running, "approval", "list")["approvals"] if one["state"] == "pending"]
                digest = asked(running, "approval", "show", one["id"])["digest"]
                ordered(running, "approval", "approve", one["id"], "--digest", digest)
                assert client.call("up__other", {"mark": f"canary-4Kd9-approved-{revision}"}).reason == ""
                # One that is never answered stays a question, with its arguments.
                assert client.call("up__other", {"mark": f"canary-4Kd9-pending-{revision}"}).reason == "pending"
                [one] = [one for one in asked(running, "approval", "list")["approvals"] if one["state"] == "pending"]
                digest = asked(running, "approval", "show", one["id"])["digest"]
                if revision != REVISIONS[-1]:
                    ordered(running, "approval", "reject", one["id"], "--digest", digest)
                assert client.call("up__none", {"mark": "canary-4Kd9-unknown"}).raw
                assert client.call("up__echo", {"mark": ["canary-4Kd9-of-a-wrong-shape"]}).raw
        key = running.key()
        canaries.append(key)
        with Client(running.url(), key + "x", REVISIONS[0], session="") as stranger:
            stranger.post(b"{}", {"Authorization": "Bearer canary-4Kd9-of-a-stranger", "Content-Type": "application/json"})
        ordered(running, "stop", "user", f"corp:{PERSON}", "--reason", "looked at")
        with Client(running.url(), issuer.token("any", PERSON), REVISIONS[0], session="") as client:
            assert client.post(b"{}", {"Content-Type": "application/json"}).raw
        assert found_in(state, *canaries) == []
        assert [one["key"] for one in asked(running, "budget", "show", "calls")["keys"]] == [{"user": f"corp:{PERSON}"}]
    assert found_in(state, *canaries) == []


@pytest.mark.peer
def test_people_clients_and_tokens_of_our_own_authority_are_nowhere_in_clear(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        running, state = made.running, tmp_path / "state"
        tokens = connected(running, "alice")
        assert call(running.url(), tokens["access_token"], mark="canary-4Kd9-mark").status == 200
        again = refreshed(running, tokens["refresh_token"])[1]
        code = authorize(running)
        canaries = ["corp:alice", VERIFIER, challenge(), "canary-4Kd9-mark", running.url() + "/callback"]
        canaries += [text for one in (tokens, again) for name, text in one.items() if name in ("access_token", "refresh_token")]
        assert code
        assert found_in(state, *canaries) == []
    assert found_in(state, *canaries) == []


def test_calls_go_on_while_all_is_wrapped_anew_and_a_kill_in_the_middle_loses_nothing(witness: Witness, tmp_path: Path) -> None:
    described = {"upstreams": {"up": http_upstream(witness.url)}, "admission": {"calls_per_minute": 1_000_000, "burst": 1_000_000}}
    write_config(tmp_path, described)
    running = start(tmp_path)
    key = running.key()
    for number in range(400):
        running.admin.post("/v1/agents", {"id": f"agent-{number}", "team": "testers", "owner": "somebody"})
    (before,) = asked(running, "key", "list")["keys"]
    assert before["rows"] > 800
    assert ordered(running, "key", "list").splitlines()[1].split() == [before["id"], *_made(before), "current", str(before["rows"])]
    said: list[int] = []
    over = threading.Event()

    def calling() -> None:
        with Client(running.url(), key) as client:
            while not over.is_set():
                said.append(client.call("up__echo", {"mark": "on"}).status)

    caller = threading.Thread(target=calling)
    caller.start()
    made = json.loads(ordered(running, "key", "rotate", "--json"))["key"]
    some = until(lambda: [one for one in asked(running, "key", "list")["keys"] if one["id"] == made and one["rows"] > 50])
    over.set()
    caller.join(20)
    running.kill()
    assert some
    assert set(said) == {200}
    again = start(tmp_path)
    try:
        kept = until(lambda: list(asked(again, "key", "list")["keys"])[:2] if _is_alone(again) else [])
        assert [(one["id"], one["current"], one["rows"] >= before["rows"]) for one in kept] == [(made, True, True)]
        assert len((tmp_path / "state/encryption.key").read_text().splitlines()) == 1
        assert [leaf["fields"] for leaf in events(tmp_path / "state", "encryption_key_retired")] == [{"key": before["id"]}]
        with Client(again.url(), key) as client:
            assert client.call("up__echo", {"mark": "after"}).reason == ""
        assert len(asked(again, "agent", "list")["agents"]) == 401
    finally:
        stop(again)


def _made(key: dict[str, Any]) -> list[str]:
    """Day and minute, as a table shows them."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(key["made_at"])).split()


def _is_alone(running: Running) -> bool:
    return len(asked(running, "key", "list")["keys"]) == 1


def test_without_its_key_or_with_another_a_gateway_does_not_start_and_makes_none(witness: Witness, tmp_path: Path) -> None:
    with doorward(tmp_path, {"upstreams": {"up": http_upstream(witness.url)}}) as running:
        agent = running.key()
    path = tmp_path / "state/encryption.key"
    kept = path.read_text()
    for wrong in (None, "ab" * 32 + "\n"):
        path.unlink()
        if wrong is not None:
            path.write_text(wrong)
            path.chmod(0o600)
        code, told = _refused(tmp_path)
        assert (code, "is sealed and cannot be opened" in told, "put that key back" in told) == (1, True, True), told
        assert (path.read_text() if path.exists() else None) == wrong
        path.write_text(kept)
        path.chmod(0o600)
    again = start(tmp_path)
    try:
        with Client(again.url(), agent) as client:
            assert client.call("up__echo", {"mark": "back"}).reason == ""
    finally:
        stop(again)


def test_a_key_moves_to_another_place_at_a_restart(witness: Witness, tmp_path: Path) -> None:
    described: dict[str, Any] = {"upstreams": {"up": http_upstream(witness.url)}}
    with doorward(tmp_path, described) as running:
        agent = running.key()
    old = tmp_path / "state/encryption.key"
    described["encryption"] = {"key": {"path": "elsewhere.key"}, "former": [{"kind": "file", "path": "state/encryption.key"}]}
    with doorward(tmp_path, described):
        old.unlink()
    del described["encryption"]["former"]
    with doorward(tmp_path, described) as running, Client(running.url(), agent) as client:
        assert client.call("up__echo", {"mark": "moved"}).reason == ""
        (key,) = asked(running, "key", "list")["keys"]
        assert key["held"]
    assert not old.exists()


@pytest.mark.peer
def test_with_its_key_in_openbao_the_state_directory_opens_nothing_by_itself(witness: Witness, tmp_path: Path) -> None:
    with openbao.openbao(tmp_path) as bao:
        bao.ask("POST", "sys/mounts/transit", {"type": "transit"})
        bao.ask("POST", "transit/keys/doorward", {"type": "aes256-gcm96"})
        role, secret = bao.approle()
        auth = {"kind": "approle", "role_id": role, "secret_id": "${env:SECRET_ID}"}
        described = {
            "upstreams": {"up": http_upstream(witness.url)},
            "secrets": {"openbao": {"address": bao.address, "auth": auth, "private": True, "plain_http": True}},
            "encryption": {"key": {"kind": "openbao"}},
        }
        with doorward(tmp_path / "house", described, PERMIT_ALL, {"SECRET_ID": secret}) as running:
            agent = running.key()
            assert json.loads(ordered(running, "key", "rotate", "--json"))["key"] == "openbao:transit/doorward:v2"
            until(lambda: _is_alone(running))
            assert ordered(running, "key", "rotate").startswith("everything new is sealed under openbao:transit/doorward:v3; ")
        state = tmp_path / "house/state"
        assert not (state / "encryption.key").exists()
        assert found_in(state, secret) == []
        with doorward(tmp_path / "house", described, PERMIT_ALL, {"SECRET_ID": secret}) as running, Client(running.url(), agent) as client:
            assert client.call("up__echo", {"mark": "again"}).reason == ""
    # It has ended, and with it the key.
    code, told = _refused(tmp_path / "house", SECRET_ID=secret)
    assert (code, "is sealed and cannot be opened" in told, "OpenBao cannot be reached" in told) == (1, True, True)
    assert not any(text in told for text in (secret, "put that key back"))


def _refused(directory: Path, **environment: str) -> tuple[int, str]:
    """How a gateway ends that does not start."""
    words = [sys.executable, "-m", "doorward", "serve", "-c", str(directory / "doorward.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment})
    return done.returncode, done.stdout + done.stderr
