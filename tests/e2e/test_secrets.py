"""Secrets of a real OpenBao through a running gateway: KV that is rotated, credentials that are borrowed, kept and given back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chat import SECRET, chatting
from tests.e2e.client import Client
from tests.e2e.commands import asked, metric, ordered, page, told
from tests.e2e.log import PATIENT, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import doorward, http_upstream, stdio_upstream
from tests.openbao import Bao, Redis, openbao, redis
from tests.upstream.kit import header_of
from tests.upstream.servers import SESSION, script

pytestmark = pytest.mark.peer

TELLING = """
import hashlib
def call(message):
    shown = hashlib.sha256((os.environ["DB_USER"] + ":" + os.environ["DB_PASSWORD"]).encode()).hexdigest()
    result(message, {"content": [{"type": "text", "text": shown + " " + str(os.getpid())}]})
"""
"""A server that tells what it was given, by a hash, and which process it is."""


@pytest.fixture
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def things() -> Iterator[Redis]:
    with redis() as running:
        yield running


@pytest.fixture(scope="module")
def bao(things: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        running.database(things.port)
        brief = {"db_name": "things", "creation_statements": '["+@read", "~*"]', "default_ttl": "2s", "max_ttl": "5s"}
        running.ask("POST", "database/roles/brief", brief)
        yield running


def document(bao: Bao, role: str, witness: Witness | None = None) -> Mapping[str, Any]:
    env = {
        f"DB_{name.upper()}": f"${{openbao:database/creds/{role}#{field}}}"
        for name, field in (("user", "username"), ("password", "password"))
    }
    upstreams = {"db": stdio_upstream(script(TELLING, SESSION), team="data")}
    upstreams["db"]["stdio"]["env"] = env
    if witness is not None:
        upstreams["ci"] = http_upstream(witness.url, credential={"value": "Bearer ${openbao:secret/team/ci#token}"})
    auth = {"kind": "approle", "role_id": "${env:ROLE_ID}", "secret_id": "${file:secret-id}"}
    declared = {"address": bao.address, "private": True, "plain_http": True, "auth": auth, "refresh_seconds": 1, "listed": ["secret/team"]}
    much = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
    return {"upstreams": upstreams, "secrets": {"openbao": declared}, "admission": much, "runaway": PATIENT}


def environment(bao: Bao, directory: Path) -> Mapping[str, str]:
    role, secret = bao.approle()
    (directory / "secret-id").write_text(secret)
    (directory / "secret-id").chmod(0o600)
    return {"ROLE_ID": role}


def shown(things: Redis) -> set[str]:
    """How `TELLING` tells of the users that the database has now."""
    return {hashlib.sha256(f"{name}:{password}".encode()).hexdigest() for name, password in things.users.items()}


def test_secrets_reach_their_upstreams_are_rotated_kept_and_given_back(tmp_path: Path, bao: Bao, things: Redis, witness: Witness) -> None:
    for place, token in (("ci", "canary-one-of-ci"), ("forgotten", "canary-forgotten")):
        bao.ask("POST", f"secret/data/team/{place}", {"data": {"token": token}})
    given = environment(bao, tmp_path)

    def bearers() -> set[str | None]:
        return {header_of(request, "Authorization") for request in witness.requests[-1:]}

    with doorward(tmp_path, document(bao, "readonly", witness), environment=given) as running:
        key = running.key()
        with Client(running.url("ci"), key) as ci, Client(running.url("db"), key) as db:
            assert (ci.call("echo").reason, bearers()) == ("", {"Bearer canary-one-of-ci"})
            shown_now, pid = db.call("echo").text.split()
            # One reading made both variables, for discovery and for calls.
            assert ({shown_now}, len(things.users)) == (shown(things), 1)
            [(name, password)] = things.users.items()
            bao.ask("POST", "secret/data/team/ci", {"data": {"token": "canary-two-of-ci"}})

            def is_rotated() -> bool:
                ci.call("echo")
                return bearers() == {"Bearer canary-two-of-ci"}

            until(is_rotated)
            assert db.call("echo").text.split() == [shown_now, pid]
        listed = asked(running, "secret", "list")
        rows = {one["reference"]: one for one in listed["secrets"]}
        assert {reference: (row["owners"], row["resolves"], row["borrowed"]) for reference, row in rows.items()} == {
            "${openbao:secret/team/ci#token}": (["platform"], True, False),
            "${openbao:database/creds/readonly#username}": (["data"], True, True),
            "${openbao:database/creds/readonly#password}": (["data"], True, True),
            "${env:ROLE_ID}": ([], True, False),
            "${file:secret-id}": ([], True, False),
        }
        assert all(row["made_at"] and row["used_at"] for reference, row in rows.items() if "openbao:" in reference)
        assert (listed["unused"], listed["troubles"]) == (["openbao:secret/team/forgotten"], [])
        assert "unused: openbao:secret/team/forgotten" in ordered(running, "secret", "list")
        assert metric(running, "doorward_secrets_borrowed") == 1
        seen = [json.dumps(listed), page(running, "/metrics"), running.journal.read_text()]
    assert (things.users, name in things.gone) == ({}, True)
    kept = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    secret_id = (tmp_path / "secret-id").read_text()
    for value in ("canary-one-of-ci", "canary-two-of-ci", password, secret_id):
        assert not any(value in text for text in (*seen, running.journal.read_text()))
        assert not any(value.encode() in raw for raw in kept)


def test_near_the_most_it_may_live_a_credential_is_replaced_and_its_process_with_it(tmp_path: Path, bao: Bao, things: Redis) -> None:
    with doorward(tmp_path, document(bao, "brief"), environment=environment(bao, tmp_path)) as running:
        with Client(running.url("db"), running.key()) as db:
            first, pid = db.call("echo").text.split()
            before = set(things.users)

            def is_another() -> bool:
                said = db.call("echo")
                return not said.reason and said.text.split()[0] != first

            until(is_another)
            second, other = db.call("echo").text.split()
            assert (second != first, other != pid) == (True, True)
            assert second in shown(things)
        until(lambda: before <= set(things.gone))
    assert things.users == {}


def test_a_gateway_starts_while_openbao_is_away_and_serves_once_it_is_back(tmp_path: Path, bao: Bao) -> None:
    bao.ask("POST", "secret/data/team/ci", {"data": {"token": "canary-one-of-ci"}})
    given, declared = environment(bao, tmp_path), document(bao, "readonly")
    declared["secrets"]["openbao"]["address"] = "http://127.0.0.1:9"
    with doorward(tmp_path, declared, environment=given) as running:
        [row, _, *_] = asked(running, "secret", "list")["secrets"]
        assert row["resolves"] is False
        assert row["why"].startswith("OpenBao cannot be reached for auth/approle/login")
        text = (tmp_path / "doorward.yaml").read_text()
        (tmp_path / "doorward.yaml").write_text(text.replace("http://127.0.0.1:9", bao.address))
        ordered(running, "reload")
        ordered(running, "catalog", "refresh", "db")
        with Client(running.url("db"), running.key()) as db:
            until(lambda: not db.call("echo").reason)


def test_what_the_gateway_signs_with_itself_may_be_there_too_but_not_what_is_made_for_each_who_asks(tmp_path: Path, bao: Bao) -> None:
    bao.ask("POST", "secret/data/team/hook", {"data": {"key": SECRET}})
    given, declared = environment(bao, tmp_path), document(bao, "readonly")
    with chatting() as chat, chatting() as other:
        hooks = {
            "chat": {**chat.config(), "secret": "${openbao:secret/team/hook#key}"},
            "other": {**other.config(), "secret": "${openbao:database/creds/readonly#password}"},
        }
        with doorward(tmp_path, {**declared, "alerts": {"webhooks": hooks}}, environment=given) as running:
            code, said = told(running, "alert", "test")
            assert code == 1, said
            until(lambda: chat.of("alert.test"))
            assert (chat.wrong, other.told) == ([], [])
            rows = {one["reference"]: one for one in asked(running, "secret", "list")["secrets"]}
            assert rows["${openbao:secret/team/hook#key}"]["owners"] == []
            assert rows["${openbao:secret/team/hook#key}"]["resolves"] is True
            # The database upstream holds one; what was made for the webhook was given back at once.
            assert len(bao.leases("database/creds/readonly")) == 1
