"""The commands of an operator, at a gateway's socket."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, PolicyId
from doorward.domain.reasons import Refused
from tests import made
from tests.cli.operating import Operating, operating
from tests.control.calls import WOULD, told
from tests.control.plane import DOCUMENT, ME, READ_FILE, tool

ANY = '@id("any") @reason("Anything.") permit (principal, action, resource);'
ASK = Ask((PolicyId("ask-late"),), (Need("ops"),), "Late reads are looked at.", Digest("b" * 64))


def waiting_approval(at: Operating, arguments: dict[str, object]) -> str:
    async def ask() -> str:
        try:
            await at.it.desk.clear(made.call(arguments), ASK)
        except Refused as refused:
            return str(refused.extra["approval"])
        raise AssertionError("a question was expected")

    return at.do(ask())


def test_an_agents_life_from_its_first_key_to_its_end(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        added = at.told("agent", "add", "claude", "--team", "support", "--days", "2")
        assert added.stdout.startswith("dw_")
        assert "It is not shown again" in added.stderr
        assert [line.split() for line in at.said("agent", "list").splitlines()] == [
            ["AGENT", "TEAM", "OWNER", "STATE", "LAST", "SEEN", "ENDS", "KNOWN", "BY"],
            ["claude", "support", ME, "active", "never", "never", "1", "key"],
        ]
        assert at.said("agent", "rotate", "claude").startswith("dw_")
        assert at.said("agent", "suspend", "claude") == "claude is suspended\n"
        assert at.said("agent", "resume", "claude") == "claude is active\n"
        assert 'owner: "' in at.said("agent", "show", "claude")
        assert at.said("agent", "revoke", "claude") == "claude is revoked\n"
        assert at.told("agent", "resume", "claude").output == "Error: expected a suspended agent, 'claude' is revoked\n"
        assert at.asked("agent", "list")["agents"][0]["state"] == "revoked"


def test_a_stop_is_set_listed_and_lifted(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        assert at.said("stop", "all", "--reason", "an incident") == "all is stopped\n"
        assert at.said("stop").splitlines()[1].split() == ["all", "stopped", "2026-11-18", "12:00", ME, "an", "incident"]
        assert at.said("resume", "all") == "all goes on\n"
        assert at.asked("stop") == {"stops": []}
        assert at.said("revoke", "upstream", "git", "--reason", "r") == "upstream:git is revoked\n"
        assert at.said("resume", "upstream", "git", "--revoked") == "upstream:git goes on\n"
        assert at.said("revoke", "family:f1", "--reason", "stolen") == "family:f1 is revoked\n"
        assert at.told("resume", "family", "f1", "--revoked").stderr == "Error: the revocation of family:f1 is for good\n"
        assert "no issuer is known by the name 'corp'" in at.told("revoke", "user:corp:ann", "--reason", "left").output
        assert at.said("resume", "user:corp:ann", "--revoked") == "user:corp:ann goes on\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("stop", "agent"), "a stop needs --reason"),
        (("stop", "agent", "--reason", "r"), "which agent?"),
        (("stop", "all", "x", "--reason", "r"), "`all` takes no name"),
        (("stop", "team:x", "--reason", "r"), "expected one of agent, user"),
        (("revoke", "user:", "--reason", "r"), "which user?"),
        (("catalog", "approve", "git"), "name what to approve, or say --all"),
        (("policy", "explain", "--agent", "a", "--tool", "b/c", "--args", "[]"), "expected an object"),
        (("policy", "explain", "--agent", "a", "--tool", "b/c", "--session", "[]"), "expected an object in --session"),
        (("policy", "explain", "--agent", "a", "--tool", "b/c", "-a", "x"), "expected NAME=VALUE"),
        (("policy", "explain", "--tool", "b/c"), "which agent?"),
        (("policy", "explain", "--agent", "a"), "say what is called"),
        (("policy", "explain", "--agent", "a", "--tool", "b/c", "--prompt", "b/c"), "say what is called"),
        (("policy", "explain", "--agent", "a", "--tool", "bc"), "expected UPSTREAM/NAME"),
        (("policy", "explain", "--agent", "a", "--resource", "file:///x"), "--resource needs --upstream"),
        (("policy", "explain", "--agent", "a", "--tool", "b/c", "--upstream", "b"), "--upstream belongs to --resource"),
        (("log", "verify", "--database", __file__, "--receipt", __file__), "at a time"),
        (("log", "verify", "--database", __file__), "--key is needed"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    with operating(tmp_path) as at:
        result = at.told(*words)
        assert (result.exit_code, why in result.stderr) == (2, True)


def test_a_stop_that_would_not_survive_holds_says_so_and_ends_with_another_code(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.it.stops.broken = True
        result = at.told("stop", "all", "--reason", "r")
        assert (result.exit_code, result.stdout) == (3, "all is stopped\n")
        assert result.stderr == "! it holds now, but would not survive a restart: the disk is full\n"


def test_the_catalogue_is_looked_through_and_accepted_as_it_was_shown(tmp_path: Path) -> None:
    with operating(tmp_path, policy=ANY) as at:
        at.do(at.it.show("git", READ_FILE, tool("push", "Pushes.\x1b[2J\u202e")))
        shown = at.told("catalog", "diff", "git")
        assert shown.exit_code == 1
        assert "⟨U+001B⟩" in shown.stdout
        assert "⟨U+202E⟩" in shown.stdout
        assert not {"\x1b", "\u202e"} & set(shown.stdout)
        assert "nothing that waits is called pull" in at.told("catalog", "approve", "git", "pull").stderr
        assert "nothing that waits" in at.told("catalog", "approve", "git", "push", "--digest", "0000").stderr
        held = at.told("catalog", "approve", "git", "push")
        assert (held.exit_code, "say --despite control_character --despite hidden_text" in held.stderr) == (1, True)
        named = ("--despite", "control_character", "--despite", "hidden_text")
        assert at.said("catalog", "approve", "git", "push", *named).splitlines()[-1].startswith("accepted 1, generation")
        assert at.said("catalog", "approve", "git", "--all").splitlines()[-1].startswith("accepted 1, generation")
        assert at.told("catalog", "diff").exit_code == 0
        assert {item["name"]: item["standing"] for item in at.asked("catalog", "list", "--kind", "tool")["items"]} == {
            "push": "approved",
            "read_file": "approved",
        }
        assert at.said("catalog", "withdraw", "git", "push").startswith("withheld 1")
        assert [line.split()[:4] for line in at.said("catalog", "list", "--standing", "new").splitlines()[1:]] == [
            ["git", "tool", "push", "new"]
        ]


def test_status_tells_what_is_wrong_and_ends_with_1_while_it_is_not_ready(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(at.it.show("git", tool("push"), {"name": "broken"}))
        assert at.said("status").splitlines()[-2].split() == ["git", "up", "0", "1", "+", "1", "dropped", "enforce", "0"]
        at.it.reasons = ("going down\x07",)
        result = at.told("status")
        assert (result.exit_code, "NOT READY" in result.stdout, "✗ going down⟨U+0007⟩" in result.stdout) == (1, True, True)
        assert at.told("status", "--json").exit_code == 1


def test_a_call_is_shown_whole_before_somebody_says_yes(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting_approval(at, {"path": "a\u202e", "amount": 12345678901234567890.5})
        assert reference in at.said("approval", "list")
        shown = at.said("approval", "show", reference)
        assert "a⟨U+202E⟩" in shown
        assert at.told("approval", "approve", reference, typed="n\n").exit_code == 1
        assert at.asked("approval", "list")["approvals"][0]["state"] == "pending"
        answered = at.said("approval", "approve", reference, "--note", "seen", typed="y\n")
        assert answered.splitlines()[-1].endswith(f"{reference} is approved; the agent may make the call once")
        assert at.said("approval", "reject", reference, "--digest", at.asked("approval", "show", reference)["digest"][:8]) == (
            f"{reference} is rejected\n"
        )
        assert at.told("approval", "approve", reference, "--digest", "0000").exit_code == 1


def test_a_decision_is_explained_with_its_policies_and_facts(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(at.it.show("git", READ_FILE))
        at.said("agent", "add", "claude", "--team", "support")
        at.said("catalog", "approve", "git", "--all")
        denied = at.said("policy", "explain", "--agent", "claude", "--tool", "git/read_file", "-a", "path=secret", "-a", "share=0.1000")
        assert denied.startswith("DENY (it would not pass")
        assert "because: Nobody reads secrets." in denied
        assert 'context.input.path: "secret"' in denied
        assert "THE SMALLEST CHANGES THAT FLIP IT\n  path not like" in denied
        whole = at.asked(
            "policy", "explain", "--agent", "claude", "--tool", "git/read_file", "--args", '{"path": "a"}', "--at", "1795035600"
        )
        assert (whole["effect"], whole["approvers"]) == ("ask", ["ops"])
        read = at.asked("policy", "explain", "--agent", "claude", "--resource", "file:///a", "--upstream", "git", "--certificate")
        assert (read["action"], read["effect"]) == ("git/resources/read", "deny")
        assert "git has no prompt 'review'" in at.told("policy", "explain", "--agent", "claude", "--prompt", "git/review").output
        assert [line.split()[0] for line in at.said("policy", "list").splitlines()[1:]] == ["reads", "no-secrets", "ask-late"]


def test_what_observation_let_pass_is_counted(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(told(at.it, "call-1", would=WOULD))
        assert at.said("policy", "observed").splitlines()[1].split()[:4] == ["1", "claude", "git/commit", "no-secrets"]
        assert at.asked("policy", "observed", "--agent", "other")["calls"] == 0


def test_the_log_is_read_proven_and_verified(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(told(at.it, "call-1", {"account": 4711, "text": "\x1b[1mbold"}))
        rows = [line.split() for line in at.said("log", "list", "--call", "call-1").splitlines()]
        assert [row[0] for row in rows] == ["INDEX", "2", "1"]
        assert rows[1][3:7] == ["outcome", "claude", "git/commit", "delivered"]
        assert at.told("log", "list", "--limit", "1").stderr == "there are more: --before 2\n"
        assert at.asked("log", "list", "--touched", "4711")["leaves"][0]["leaf"]["call"] == "call-1"
        shown = at.said("log", "show", "call-1", "--contents")
        assert "4711" in shown
        assert "\x1b" not in shown
        assert len(at.asked("log", "show", "call-1", "--contents")["contents"]) == 2
        key = at.said("log", "checkpoint", "--key").strip()
        at.said("receipt", "call-1", "-o", str(tmp_path / "receipt.json"))
        assert at.said("log", "verify", "--receipt", str(tmp_path / "receipt.json"), "--key", key).startswith("OK: 2 leaves")
        assert json.loads(at.said("receipt", "call-1"))["call"] == "call-1"
        assert "is there already" in at.told("receipt", "call-1", "-o", str(tmp_path / "receipt.json")).stderr
        assert at.told("receipt", "call-2").exit_code == 1


def test_an_export_is_verified_and_a_tampered_one_is_found(tmp_path: Path) -> None:
    directory = tmp_path / "export"
    with operating(tmp_path) as at:
        at.do(told(at.it, "call-1"))
        running = at.told("log", "verify")
        assert (running.exit_code, running.stdout.startswith("OK: 4 leaves")) == (0, True)
        assert "the key came with the log itself" in running.stderr
        (tmp_path / "kept").write_text(at.said("log", "checkpoint", "--now"))
        assert at.said("log", "export", str(directory)).startswith(f"5 leaves in {directory}")
        verified = ("log", "verify", "--export", str(directory), "--checkpoint", str(tmp_path / "kept"))
        assert at.said(*verified) == "OK: 5 leaves, 5 under the log's own checkpoint, 4 under a trusted one\n"
        bundle = next((directory / "tile" / "entries").rglob("*.p/*"))
        bundle.write_bytes(bundle.read_bytes().replace(b"delivered", b"cancelled"))
        tampered = at.told(*verified)
        assert (tampered.exit_code, tampered.stdout.startswith("TAMPERED (altered)")) == (1, True)


def test_a_reload_tells_its_changes_or_every_problem(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.it.path.write_text(json.dumps({**DOCUMENT, "admission": {"burst": 7}}))
        assert at.said("reload").splitlines() == ["  admission.burst: 100 → 7", "generation 2"]
        at.it.path.write_text(json.dumps({**DOCUMENT, "admision": {}, "listen": {"port": "many"}}))
        result = at.told("reload")
        assert (result.exit_code, result.stderr.count("doorward.yaml:1:")) == (1, 2)


def test_the_configuration_in_force_is_shown_without_secrets(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        shown = at.said("config")
        assert 'value: "${env:GIT_TOKEN}"' in shown
        assert "plainly-a-secret" not in shown
        assert at.asked("config")["generation"] == 1


def test_sessions_are_listed_and_killed(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        assert at.said("session", "list").splitlines() == ["SESSION  PRINCIPAL  UPSTREAM  VERSION  CLIENT  SINCE  LAST SEEN  ENDS BY"]
        assert at.told("session", "kill", "none").stderr == "Error: there is no session 'none'\n"


def test_the_running_gateway_describes_its_api(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        described: dict[str, Any] = json.loads(at.said("schema", "--api"))
        assert described["openapi"] == "3.1.0"


def test_without_a_gateway_a_command_ends_plainly(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        gone = at
    result = gone.told("status")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: there is no control socket at {gone.socket}")
