"""The registry of agents as an operator uses it: at the command line of a running gateway, with the agents calling in between."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import oidc
from tests.e2e.client import REVISIONS, Client, Said
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import PATIENT, events, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop

pytestmark = pytest.mark.peer

SOON = "0.00001"
"""Days: less than a second."""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def company() -> Iterator[oidc.Provider]:
    with oidc.provider((oidc.ROBOT,)) as made:
        yield made


@pytest.fixture(scope="module")
def running(company: oidc.Provider, witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    issuer = {"url": company.issuer, "plain_http": True, "private": True, "algorithms": ["RS256"]}
    document = {
        "upstreams": {"up": http_upstream(witness.url)},
        "identity": {"issuers": {"corp": issuer}},
        "admission": {"calls_per_minute": 1_000_000, "burst": 1_000_000},
        "runaway": PATIENT,
    }
    with doorward(tmp_path_factory.mktemp("agents"), document) as made:
        yield made


def add(running: Running, name: str, *words: str) -> str:
    """The first key of a new agent."""
    return ordered(running, "agent", "add", name, "--team", "web", *words).splitlines()[0]


def called(running: Running, credential: str, revision: str = REVISIONS[-1]) -> Said:
    """What comes of one call."""
    with Client(running.url(), credential, revision) as client:
        return client.call("up__echo", {"mark": "x"})


def status(running: Running, credential: str) -> int:
    """200 where a call went through, else the status of the refusal."""
    said = called(running, credential)
    assert said.status != 200 or said.reason == "", said
    return said.status


def shown(running: Running, name: str) -> dict[str, Any]:
    """All that is said of an agent."""
    found: dict[str, Any] = asked(running, "agent", "show", name)
    return found


def test_an_agent_is_made_known_seen_suspended_resumed_and_revoked(running: Running) -> None:
    key = add(running, "writer", "--owner", "ben", "--kind", "editor", "--purpose", "Writes the pages that people read.")
    before = shown(running, "writer")
    assert (before["owner"], before["team"], before["kind"], before["purpose"]) == (
        "ben",
        "web",
        "editor",
        "Writes the pages that people read.",
    )
    assert (before["state"], before["seen_at"], before["expires_at"], before["identities"]) == ("active", None, None, [])
    assert status(running, key) == 200
    assert shown(running, "writer")["seen_at"] >= before["created_at"]
    assert "Writes the pages" in ordered(running, "agent", "show", "writer")
    [line] = [line for line in ordered(running, "agent", "list").splitlines() if line.startswith("writer")]
    assert line.split()[1:4] == ["web", "ben", "active"]

    ordered(running, "agent", "suspend", "writer")
    assert (status(running, key), shown(running, "writer")["state"]) == (401, "suspended")
    ordered(running, "agent", "resume", "writer")
    assert status(running, key) == 200
    ordered(running, "agent", "revoke", "writer")
    assert (status(running, key), shown(running, "writer")["state"]) == (401, "revoked")
    for words in (("resume", "writer"), ("rotate", "writer"), ("add", "writer", "--team", "web")):
        assert told(running, "agent", *words)[0] == 1, words
    assert "writer" in [leaf["fields"]["agent"] for leaf in events(running.directory / "state", "agent_revoked")]


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("verb", ["suspend", "revoke"])
def test_what_keeps_an_agent_out_cuts_off_what_it_has_under_way(running: Running, witness: Witness, verb: str, revision: str) -> None:
    name = f"{verb}-{revision}"
    key = add(running, name)
    with Client(running.url("up"), key, revision) as client:
        client.ask("tools/list")
        pending = client.begin_call("wait", {"mark": name})
        witness.has_seen(name)
        ordered(running, "agent", verb, name)
        assert pending.said().reason == "revoked_meanwhile"
        until(lambda: name in witness.ended)
    assert called(running, key).status == 401


def test_a_rotated_key_goes_on_for_its_overlap_alone(running: Running) -> None:
    first = add(running, "rotor")
    second = ordered(running, "agent", "rotate", "rotor", "--overlap-hours", "1").splitlines()[0]
    assert [status(running, key) for key in (first, second)] == [200, 200]
    third = ordered(running, "agent", "rotate", "rotor", "--overlap-hours", "0").splitlines()[0]
    assert [status(running, key) for key in (first, second, third)] == [401, 401, 200]
    assert len(shown(running, "rotor")["keys"]) == 3


def test_keys_and_agents_end_when_they_were_said_to(running: Running) -> None:
    key = add(running, "brief")
    assert status(running, key) == 200
    ordered(running, "agent", "edit", "brief", "--ends-in-days", SOON)
    until(lambda: status(running, key) == 401)
    ordered(running, "agent", "edit", "brief", "--never-ends")
    assert status(running, key) == 200
    short = ordered(running, "agent", "rotate", "brief", "--days", SOON).splitlines()[0]
    until(lambda: status(running, short) == 401)
    assert status(running, key) == 200


def test_no_way_is_good_but_those_in_the_agents_record(running: Running, company: oidc.Provider) -> None:
    key = add(running, "either", "--method", "agent_key", "--method", "access_token")
    token = company.token_for_robot(running.url())
    assert [status(running, one) for one in (key, token)] == [200, 401]
    assert ordered(running, "agent", "bind", "either", "client:corp:robot") == "client:corp:robot is either\n"
    assert [status(running, one) for one in (key, token)] == [200, 200]
    ordered(running, "agent", "edit", "either", "--method", "access_token")
    assert [status(running, one) for one in (key, token)] == [401, 200]
    ordered(running, "agent", "edit", "either", "--method", "agent_key")
    assert [status(running, one) for one in (key, token)] == [200, 401]
    assert told(running, "agent", "edit", "either", "--method", "anything")[0] == 2
    assert ordered(running, "agent", "unbind", "either", "client:corp:robot") == "client:corp:robot is no longer either\n"


def test_an_identity_is_one_agents_until_it_is_taken_away(running: Running, company: oidc.Provider) -> None:
    add(running, "jealous")
    assert "it has no key" in ordered(
        running, "agent", "add", "robots", "--team", "web", "--method", "access_token", "--identity", "client:corp:robot"
    )
    code, said = told(running, "agent", "bind", "jealous", "client:corp:robot")
    assert (code, "robots" in said) == (1, True)
    token = company.token_for_robot(running.url())
    assert status(running, token) == 200
    [leaf] = asked(running, "log", "list", "--agent", "robots", "--limit", "1")["leaves"]
    principal = leaf["leaf"]["principal"]
    assert (principal["agent"], principal["method"], principal["issuer"], principal["client"]) == (
        "robots",
        "access_token",
        "corp",
        "robot",
    )
    assert shown(running, "robots")["seen_at"] is not None
    ordered(running, "agent", "suspend", "robots")
    assert status(running, token) == 401
    ordered(running, "agent", "resume", "robots")
    ordered(running, "agent", "unbind", "robots", "client:corp:robot")
    assert status(running, token) == 401


def test_an_identity_that_nothing_can_prove_is_taken_with_a_warning(running: Running) -> None:
    add(running, "typist")
    code, said = told(running, "agent", "bind", "typist", "client:crop:typist")
    assert (code, "no issuer is called 'crop'" in said) == (3, True)
    assert shown(running, "typist")["identities"] == ["client:crop:typist"]
    code, said = told(
        running, "agent", "add", "keyed", "--team", "web", "--method", "agent_key", "--identity", "spiffe://example.org/keyed"
    )
    assert (code, said.startswith("dw_"), "may not prove itself by certificate" in said) == (3, True, True)
    code, said = told(running, "agent", "add", "ours", "--team", "web", "--method", "access_token", "--identity", "client:self:ours")
    assert (code, "it has no key" in said, "no issuer is called 'self'" in said) == (3, True, True)
    assert ordered(running, "agent", "bind", "typist", "client:corp:typist") == "client:corp:typist is typist\n"


def test_the_agents_of_an_owner_who_left_stay_out_until_another_answers_for_them(running: Running) -> None:
    one, two, other = (
        add(running, "hers-one", "--owner", "ada"),
        add(running, "hers-two", "--owner", "ada"),
        add(running, "his", "--owner", "ben"),
    )
    said = ordered(running, "agent", "owner-left", "ada")
    assert said == "hers-one is suspended\nhers-two is suspended\nnobody acts for ada any more\n"
    assert [status(running, key) for key in (one, two, other)] == [401, 401, 200]
    assert "suspended (owner left)" in ordered(running, "agent", "list")
    code, why = told(running, "agent", "resume", "hers-one")
    assert (code, "has left" in why) == (1, True)
    ordered(running, "agent", "edit", "hers-one", "--owner", "ben")
    ordered(running, "agent", "resume", "hers-one")
    assert [status(running, key) for key in (one, two)] == [200, 401]


def test_the_registry_outlives_a_kill(witness: Witness, tmp_path: Path) -> None:
    with doorward(tmp_path, {"upstreams": {"up": http_upstream(witness.url)}}) as first:
        names = ("stays", "waits", "gone")
        keys = {name: add(first, name, "--purpose", f"It is {name}.") for name in names}
        assert {status(first, key) for key in keys.values()} == {200}
        ordered(first, "agent", "suspend", "waits")
        ordered(first, "agent", "revoke", "gone")
        first.kill()
        again = start(tmp_path)
        try:
            assert [status(again, keys[name]) for name in names] == [200, 401, 401]
            agents = {agent["id"]: (agent["state"], agent["purpose"]) for agent in asked(again, "agent", "list")["agents"]}
            assert agents == {
                "stays": ("active", "It is stays."),
                "waits": ("suspended", "It is waits."),
                "gone": ("revoked", "It is gone."),
            }
        finally:
            stop(again)


def test_the_command_works_as_a_process_too(running: Running) -> None:
    socket = str(running.directory / "state" / "control.sock")
    line = [sys.executable, "-m", "doorward", "agent"]
    added = subprocess.run(
        [*line, "add", "shell", "--team", "web", "--socket", socket], capture_output=True, text=True, timeout=60, check=True
    )
    assert (status(running, added.stdout.strip()), "not shown again" in added.stderr) == (200, True)
    listed = subprocess.run([*line, "list", "--socket", socket], capture_output=True, text=True, timeout=60, check=True)
    assert "shell" in listed.stdout
