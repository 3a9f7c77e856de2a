"""`doorward agent enroll` against a running gateway: the key is made where the agent is, the certificate is renewed, used and revoked."""

from __future__ import annotations

import json
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from doorward.cli.main import main
from tests.certificates import Wanted
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events
from tests.e2e.secured import Place, client, is_over, principal, said
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop

SOON_DUE_HOURS = 0.02
"""Of so short a life less than a third is left from the start: it begins five minutes early, for clocks that are behind."""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "gateway")


@pytest.fixture
def gateway(place: Place, witness: Witness) -> Iterator[Running]:
    """Its own authority is the only one that it believes."""
    document = {
        "listen": place.listen(roots=[], crls=[]),
        "identity": {"ca": {"hours": SOON_DUE_HOURS}},
        "upstreams": {"up": http_upstream(witness.url)},
    }
    with doorward(place.directory, document) as running:
        yield running


def enroll(running: Running, place: Place, directory: Path, *words: str, key: str = "") -> tuple[int, str]:
    """Exit code and output of the command on an agent's machine."""
    told = ["--url", f"https://localhost:{running.port}", "--directory", str(directory), "--ca-file", str(place.directory / "roots.pem")]
    done = CliRunner().invoke(main, ["agent", "enroll", *told, *words], env={"DOORWARD_KEY": key or None})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def shown(place: Place, directory: Path) -> ssl.SSLContext:
    """What the agent connects with."""
    context = place.context()
    context.load_cert_chain(directory / "agent.pem", directory / "agent.key")
    return context


def test_agent_enrols_with_its_key_renews_with_its_certificate_and_is_revoked(gateway: Running, place: Place, tmp_path: Path) -> None:
    key, home = gateway.key("builder"), tmp_path / "home"
    code, output = enroll(gateway, place, home, key=key)
    assert (code, "agent.pem is valid until" in output) == (0, True)
    assert stat.S_IMODE((home / "agent.key").stat().st_mode) == 0o600
    made = load_pem_private_key((home / "agent.key").read_bytes(), None).private_numbers()  # type: ignore[union-attr]
    first = (home / "agent.pem").read_bytes()

    ordered(gateway, "agent", "edit", "builder", "--method", "certificate")
    assert said(gateway, place.context(), key).status == 401
    assert enroll(gateway, place, home, "--renew")[0] == 0
    assert (home / "agent.pem").read_bytes() != first
    assert load_pem_private_key((home / "agent.key").read_bytes(), None).private_numbers() == made  # type: ignore[union-attr]

    renewed, before = asked(gateway, "agent", "certificates", "builder")["certificates"]
    assert (before["proven_by"].partition(" ")[0], renewed["proven_by"]) == ("agent_key", f"certificate {before['id']}")
    assert renewed["id"] in ordered(gateway, "agent", "certificates")
    issued = events(gateway.directory / "state", "certificate_issued")
    assert [leaf["fields"]["certificate"] for leaf in issued] == [before["id"], renewed["id"]]

    with client(gateway, shown(place, home)) as one:
        who = principal(gateway, one.call("up__echo"))
        assert (who["agent"], who["method"], who["certificate"]) == ("builder", "certificate", renewed["id"])
        ordered(gateway, "revoke", f"certificate:{renewed['id']}", "--reason", "The machine was sold")
        is_over(one)
        assert one.call("up__echo").status == 401
    assert [one["revoked"] for one in asked(gateway, "agent", "certificates", "builder")["certificates"]] == [True, False]
    code, output = enroll(gateway, place, home, "--renew")
    assert (code, "status 401" in output) == (1, True)


def test_certificate_of_before_a_restart_holds_after_it(gateway: Running, place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert enroll(gateway, place, home, key=gateway.key("builder"))[0] == 0
    assert stop(gateway) == 0
    again = start(gateway.directory)
    try:
        assert principal(again, said(again, shown(place, home)))["agent"] == "builder"
        ordered(again, "agent", "revoke", "builder")
        assert said(again, shown(place, home)).status == 401
    finally:
        assert stop(again) == 0


def test_nobody_gets_a_certificate_without_a_key_that_holds(gateway: Running, place: Place, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert enroll(gateway, place, home, "--renew")[0] == 1
    code, output = enroll(gateway, place, home)
    assert (code, "DOORWARD_KEY" in output) == (2, True)
    code, output = enroll(gateway, place, home, key="dw_nobody's")
    assert (code, "status 401" in output) == (1, True)
    ordered(gateway, "agent", "add", "keys-alone", "--team", "ci", "--method", "agent_key")
    rotated = asked(gateway, "agent", "rotate", "keys-alone")["key"]
    code, output = enroll(gateway, place, home, key=rotated)
    assert (code, "status 401" in output) == (1, True)
    assert not (home / "agent.pem").exists()
    assert not events(gateway.directory / "state", "certificate_issued")


def test_gateway_that_is_not_the_right_one_gets_no_key(gateway: Running, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    code, output = enroll(gateway, other, tmp_path / "home", key=gateway.key())
    assert (code, "cannot be asked" in output) == (1, True)


def test_others_certificates_name_none_of_our_agents(place: Place, witness: Witness) -> None:
    document = {"listen": place.listen(), "identity": {"ca": {}}, "upstreams": {"up": http_upstream(witness.url)}}
    with doorward(place.directory, document) as running:
        running.key("builder")
        forged = place.root.leaf(Wanted(uris=("spiffe://doorward.local/agent/builder",)))
        assert said(running, place.context(forged)).status == 401
        code, _ = told(running, "agent", "bind", "builder", "spiffe://doorward.local/agent/builder")
        assert said(running, place.context(forged)).status == 401, code


def test_client_that_speaks_only_stdio_shows_the_certificate_and_its_successor(gateway: Running, place: Place, tmp_path: Path) -> None:
    home, ca_file = tmp_path / "home", str(place.directory / "roots.pem")
    assert enroll(gateway, place, home, key=gateway.key("desktop"))[0] == 0
    words = ["--url", f"https://localhost:{gateway.port}/mcp", "--directory", str(home), "--ca-file", ca_file]
    command = [sys.executable, "-m", "doorward", "stdio", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert called(process, 1)["result"]["content"]
            [before] = asked(gateway, "agent", "certificates", "desktop")["certificates"]
            assert enroll(gateway, place, home, "--renew")[0] == 0
            assert called(process, 2)["result"]["content"]
            # With it goes what it was renewed into.
            ordered(gateway, "revoke", f"certificate:{before['id']}", "--reason", "The machine was sold")
            assert called(process, 3)["error"]["message"] == "A valid credential is needed."
        finally:
            process.kill()
    who = [leaf["principal"] for leaf in events(gateway.directory / "state", "intent") if leaf["principal"]["agent"] == "desktop"]
    assert [(one["method"], one["certificate"] == before["id"]) for one in who] == [("certificate", True), ("certificate", False)]


def called(process: subprocess.Popen[str], number: int) -> dict[str, Any]:
    """The answer to one call of a tool over pipes."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"name": "up__echo", "arguments": {}, "_meta": meta}
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}) + "\n")
    process.stdin.flush()
    return dict(json.loads(process.stdout.readline()))
