"""The commands for people who write policies, on a running gateway: explain, test, lint, replay, observed; as texts and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client, Json, Said
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, of_call, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop, write_config

POLICIES = """
@id("small-payments")
@reason("Support may pay up to 500.")
permit (principal in Team::"support", action == Action::"bank/pay", resource)
when { context.input.amount.lessThanOrEqual(decimal("500.00")) };

@id("known-banks")
@reason("Payments go to banks that we know.")
forbid (principal, action == Action::"bank/pay", resource)
unless { context.derived.bank };

@id("nobody-pays-acme")
@reason("We are at law with them.")
@mode("observe")
forbid (principal, action == Action::"bank/pay", resource)
when { context.input.to == "acme" };
"""
TESTS = """
agents: {clerk: {team: support, owner: ann, kind: desktop}, guest: {team: guests, owner: ann, kind: desktop}}
tests:
  - {name: small payments pass, agent: clerk, call: bank/pay, arguments: {amount: 500.00, to: acme, bank: DE-1}, expect: allow, by: [small-payments]}
  - {name: others do not, agent: clerk, call: bank/pay, arguments: {amount: 500.01, to: acme, bank: DE-1}, expect: deny, by: []}
  - {name: nor to others, agent: clerk, call: bank/pay, arguments: {amount: 1, to: acme, bank: XX-1}, expect: deny, by: [known-banks]}
  - {name: guests see nothing, agent: guest, call: bank/pay, arguments: {amount: 1, to: acme, bank: DE-1}, expect: deny, visible: false}
"""
PAY: Json = {
    "name": "pay",
    "description": "Pays.",
    "inputSchema": {
        "type": "object",
        "properties": {"amount": {"type": "number"}, "to": {"type": "string"}, "bank": {"type": "string"}},
        "required": ["amount", "to", "bank"],
    },
}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """A bank."""
    made = Witness()
    made.tools = [PAY]
    with witnessing(made) as running:
        yield running


def document(witness: Witness, **more: Any) -> Json:
    """A bank with a derived fact."""
    facts = {"bank": {"of": "/bank", "kind": "match", "pattern": "DE-[0-9]+"}}
    return {"upstreams": {"bank": http_upstream(witness.url, tools={"pay": {"facts": facts}})}, **more}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Running]:
    """A gateway with tests beside its policies."""
    directory = tmp_path_factory.mktemp("commands")
    (directory / "policies/tests").mkdir(parents=True)
    (directory / "policies/tests/payments.yaml").write_text(TESTS)
    with doorward(directory, document(witness), POLICIES) as gateway:
        yield gateway


def pay(running: Running, amount: float, to: str = "initech", bank: str = "DE-1") -> Said:
    """One payment by the clerk."""
    with Client(running.url("bank"), running.key("clerk", "support")) as client:
        return client.call("pay", {"amount": amount, "to": to, "bank": bank})


def config(running: Running) -> str:
    """Where the document is."""
    return str(running.directory / "doorward.yaml")


def test_a_live_explanation_names_policies_facts_and_the_smallest_change(running: Running) -> None:
    running.key("clerk", "support")
    words = ("--agent", "clerk", "--tool", "bank/pay", "--args", '{"amount": 750.00, "to": "initech", "bank": "DE-1"}')
    text = ordered(running, "policy", "explain", *words)
    assert "DENY" in text.splitlines()[0]
    assert "amount ≤ 500.00 instead of 750.00 → allow by small-payments" in text, text
    answer = asked(running, "policy", "explain", *words)
    assert (answer["effect"], answer["passes"], answer["policies"], answer["reason"]) == ("deny", False, [], "no policy permits it")
    assert {fact["name"]: fact["value"] for fact in answer["facts"]}.items() >= {
        "context.input.amount": "750.00",
        "context.derived.bank": True,
    }.items()
    assert {one["policy"]: one["match"] for one in answer["considered"]} == {
        "small-payments": "did not match",
        "known-banks": "did not match",
        "nobody-pays-acme": "did not match",
    }
    first = answer["flips"][0]
    assert (first["realm"], first["effect"], first["policies"]) == ("arguments", "allow", ["small-payments"])
    # What it says would flip the decision does, in earnest.
    assert (pay(running, 500.00).reason, pay(running, 500.01).reason) == ("", "forbidden")


def test_a_receipt_is_explained_with_the_facts_of_then_and_what_would_flip_it(running: Running) -> None:
    refused = pay(running, 20, bank="XX-1")
    assert (refused.reason, refused.text.split(" (")[0]) == ("forbidden", "Payments go to banks that we know.")
    text = ordered(running, "policy", "explain", "--receipt", refused.receipt)
    assert "DENY by known-banks" in text.splitlines()[0], text
    assert "BY THE POLICIES OF THAT TIME" in text
    answer = asked(running, "policy", "explain", "--receipt", refused.receipt)
    assert (answer["recorded"]["effect"], answer["recorded"]["policies"], answer["agrees"]) == ("deny", ["known-banks"], True)
    assert {fact["name"]: fact["value"] for fact in answer["then"]["facts"]}["context.derived.bank"] is False
    assert answer["then"]["flips"][0]["effect"] == "allow", answer["then"]["flips"]
    assert [leaf["fields"]["call"] for leaf in events(running.directory / "state", "contents_read")].count(refused.receipt) == 2


def test_tests_beside_the_policies_run_without_a_gateway_and_fail_where_they_should(running: Running, tmp_path: Path) -> None:
    code, said = told(None, "policy", "test", "-c", config(running))
    assert (code, said.splitlines()[-1]) == (0, "4 of 4 tests are as expected; 3 of 3 policies decided in one of them"), said
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(TESTS.replace("amount: 500.01", "amount: 499.00"))
    code, said = told(None, "policy", "test", "-c", config(running), str(wrong))
    assert (code, "others do not: expected deny, got allow by small-payments" in said) == (1, True), said
    answer = json.loads(told(None, "policy", "test", "-c", config(running), str(wrong), "--json")[1])
    assert isinstance(answer, dict)
    wrong.write_text("tests: [{name: nothing}]")
    assert told(None, "policy", "test", "-c", config(running), str(wrong))[0] == 2


LINTED = """
@id("all")
@reason("Everybody may do everything.")
permit (principal, action, resource);

@id("tiny-payments")
@reason("Nobody minds 20.")
permit (principal in Team::"support", action == Action::"bank/pay", resource)
when { context.input.amount.lessThan(decimal("20.00")) };

@id("never")
@reason("Nobody is at two places.")
permit (principal, action == Action::"bank/pay", resource)
when { context.input.to == "acme" && context.input.to == "initech" };
"""


def test_lint_finds_what_is_shadowed_dead_and_too_broad(running: Running, tmp_path: Path) -> None:
    (tmp_path / "policy.cedar").write_text(LINTED)
    (tmp_path / "doorward.yaml").write_text(
        json.dumps({**json.loads(Path(config(running)).read_text()), "state": str(running.directory / "state")})
    )
    code, said = told(None, "policy", "lint", "-c", str(tmp_path / "doorward.yaml"))
    rules = {line.split(": ")[2]: line for line in said.splitlines() if ".cedar:" in line}
    assert (code, {"dead", "shadowed", "everything"} <= set(rules)) == (1, True), said
    assert ("never" in rules["dead"], "tiny-payments" in rules["shadowed"]) == (True, True)
    answer = json.loads(told(None, "policy", "lint", "-c", str(tmp_path / "doorward.yaml"), "--json")[1])
    assert {one["rule"] for one in answer["remarks"]} >= {"dead", "shadowed", "everything"}


def test_what_is_watched_is_recorded_on_each_call_decides_nothing_and_is_counted(running: Running) -> None:
    assert pay(running, 10, "acme").reason == ""
    passed = pay(running, 11, "acme")
    assert (passed.reason, pay(running, 12).reason) == ("", "")
    intent = of_call(running.directory / "state", passed.receipt)[0]
    assert (intent["decision"]["effect"], intent["decision"]["observed"]) == ("allow", {"effect": "deny", "policies": ["nobody-pays-acme"]})
    answer = asked(running, "policy", "observed", "--since", "1h")
    [change] = answer["changes"]
    assert (change["calls"], change["agent"], change["before"]["effect"]) == (2, "clerk", "allow")
    assert change["after"] == {"effect": "deny", "policies": ["nobody-pays-acme"]}
    assert "nobody-pays-acme" in ordered(running, "policy", "observed")
    assert len(asked(running, "log", "list", "--observed", "nobody-pays-acme")["leaves"]) == 2


def candidate(directory: Path, limit: str) -> Path:
    """The policies with another limit."""
    path = directory / "candidate.cedar"
    path.write_text(POLICIES.replace('decimal("500.00")', f'decimal("{limit}")'))
    return path


def test_a_candidate_is_replayed_and_what_the_log_no_longer_holds_is_unknown(tmp_path: Path, witness: Witness) -> None:
    """Arguments are kept at first, and none any more since the restart: `keep_side_records_days: 0`."""
    write_config(tmp_path, document(witness), POLICIES)
    first = start(tmp_path)
    for amount in (5, 60, 600):
        pay(first, amount)
    wanted = str(candidate(tmp_path, "50.00"))
    answer = asked(first, "policy", "replay", wanted, "--since", "7d")
    assert {name: answer[name] for name in ("calls", "same", "changed", "unknown")} == {"calls": 3, "same": 2, "changed": 1, "unknown": 0}
    assert [(one["agent"], one["name"], one["before"]["effect"], one["after"]["effect"]) for one in answer["changes"]] == [
        ("clerk", "pay", "allow", "deny")
    ]
    assert told(first, "policy", "replay", wanted, "--exit-code")[0] == 1
    keys = dict(first.keys)
    assert stop(first) == 0
    write_config(tmp_path, document(witness, audit={"keep_side_records_days": 0}), POLICIES)
    second = start(tmp_path)
    second.keys |= keys
    try:
        assert pay(second, 60).reason == ""
        until(lambda: asked(second, "policy", "replay", wanted)["unknown"] == 4)
        answer = asked(second, "policy", "replay", wanted)
        assert (answer["calls"], answer["unknown"], answer["changed"]) == (4, 4, 0), answer
        assert {(one["before"], "arguments" in one["why"]) for one in answer["unknowns"]} == {("allow", True), ("deny", True)}
        code, said = told(second, "policy", "replay", wanted, "--exit-code")
        assert (code, "NOT KNOWN" in said, "4 unknown" in said) == (3, True, True), said
        # What no arguments could get allowed is known all the same.
        nothing = tmp_path / "nothing.cedar"
        nothing.write_text('@id("no")\n@reason("Nothing.")\nforbid (principal, action, resource);\n')
        answer = asked(second, "policy", "replay", str(nothing))
        assert (answer["unknown"], answer["changed"], answer["same"]) == (0, 3, 1)
    finally:
        assert stop(second) == 0
    assert len(events(tmp_path / "state", "policies_replayed")) >= 5
