"""Payments of at most 1,000 EUR a day for each agent, through a running gateway: never a cent over, whoever comes, falls or is killed."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client, Said
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, leaves, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop, write_config

WIDE = {"calls_per_minute": 1_000_000, "burst": 1_000_000, "concurrent": 200}
SCHEMA = {"type": "object", "properties": {"mark": {"type": "string"}, "amount": {}}, "additionalProperties": False}
CALLERS = 64
PAYMENTS = {
    "of": {"tools": ["witness/pay", "witness/slow"]},
    "unit": "amount",
    "amount": "/amount",
    "currency": "EUR",
    "limit": 1000,
    # No test runs over the end of it.
    "window": {"seconds": 86_400},
    "team": "finance",
}


@pytest.fixture
def bank() -> Iterator[Witness]:
    """An upstream with a tool that pays, and one that takes its time."""
    witness = Witness()
    witness.tools = [{"name": name, "description": "Pays.", "inputSchema": SCHEMA} for name in ("pay", "slow")]
    witness.behaviours["slow"] = witness.behaviours["wait"]
    with witnessing(witness) as made:
        yield made


def document(bank: Witness, **more: Any) -> dict[str, Any]:
    return {"upstreams": {"witness": http_upstream(bank.url)}, "admission": WIDE, "budgets": {"payments": {**PAYMENTS, **more}}}


def paid(bank: Witness) -> Decimal:
    """The sum of what the bank was told to pay."""
    return sum((Decimal(str(params["arguments"]["amount"])) for params in bank.calls()), Decimal(0))


def pay(running: Running, amount: object, agent: str = "tester") -> Said:
    with Client(running.url("witness"), running.key(agent)) as client:
        return client.call("pay", {"amount": amount})


def standing(running: Running) -> dict[str, tuple[str, str]]:
    """What each agent has spent, and has left."""
    (budget,) = asked(running, "budget", "list")["budgets"]
    return {key["key"]["agent"]: (key["spent"], key["left"]) for key in budget["keys"]}


def test_64_callers_at_once_spend_all_that_fits_and_not_a_cent_more(tmp_path: Path, bank: Witness) -> None:
    with doorward(tmp_path, document(bank)) as running:
        running.key()
        with ThreadPoolExecutor(CALLERS) as pool:
            said = list(pool.map(lambda number: pay(running, "30.01"), range(CALLERS)))
        assert Counter(one.reason for one in said) == {"": 33, "over_budget": CALLERS - 33}
        assert paid(bank) == Decimal("990.33")
        assert standing(running) == {"tester": ("990.33", "9.67")}
        last = pay(running, 9.67)
        assert (last.reason, [(one["name"], one["left"], one["unit"]) for one in last.result["_meta"]["dev.doorward/limits"]]) == (
            "",
            [("payments", "0.00", "EUR")],
        )
        refused = pay(running, "0.01")
        assert refused.result["isError"] is True
        assert refused.text.startswith("The budget payments has 0.00 EUR left of 1000.00 EUR in 86400 seconds for each agent")
        assert 0 < int(refused.result["_meta"]["dev.doorward/retryAfterSeconds"]) <= 87_840
        assert pay(running, 1000, "eve").reason == ""
    intents = {leaf["call"]: leaf for leaf in leaves(tmp_path / "state") if leaf["type"] == "intent"}
    assert intents[last.receipt]["budgets"] == {"payments": "9.67 EUR"}
    assert sum(Decimal(leaf["budgets"]["payments"].split()[0]) for leaf in intents.values() if "budgets" in leaf) == 2000


@pytest.mark.parametrize("amount", ["ten", -5, "0.001", None, True, ["5"], "5e2"])
def test_what_cannot_be_counted_is_not_paid(tmp_path: Path, bank: Witness, amount: object) -> None:
    with doorward(tmp_path, document(bank)) as running:
        said = pay(running, amount)
        assert (said.reason, bank.calls()) == ("over_budget", [])
        assert said.text.startswith("The budget payments cannot count this call: the amount at /amount ")


def test_what_ran_when_the_gateway_was_killed_stays_spent(tmp_path: Path, bank: Witness) -> None:
    write_config(tmp_path, document(bank))
    running = start(tmp_path)
    key = running.key()
    with Client(running.url("witness"), key) as client:
        assert client.call("pay", {"amount": 100}).reason == ""
        waiting = [client.begin_call("slow", {"amount": 250, "mark": str(number)}) for number in range(3)]
        for number in range(len(waiting)):
            bank.has_seen(str(number))
        running.kill()
    again = start(tmp_path)
    try:
        again.keys.update(running.keys)
        assert standing(again) == {"tester": ("850.00", "150.00")}
        assert pay(again, "150.01").reason == "over_budget"
        assert pay(again, 150).reason == ""
        assert pay(again, "0.01").reason == "over_budget"
    finally:
        assert stop(again) == 0
    statuses = Counter(leaf["result"]["status"] for leaf in leaves(tmp_path / "state") if leaf["type"] == "outcome" and leaf["name"] != "*")
    assert statuses["unknown"] == 3


def test_what_was_not_forwarded_is_given_back(tmp_path: Path) -> None:
    witness = Witness()
    witness.tools = [{"name": "pay", "description": "Pays.", "inputSchema": SCHEMA}]
    with ExitStack() as stack:
        bank = stack.enter_context(witnessing(witness))
        with doorward(tmp_path, document(bank)) as running:
            assert pay(running, 600).reason == ""
            stack.close()
            until(lambda: pay(running, 0).reason == "upstream_unreachable")
            assert [pay(running, 300).reason for _ in range(3)] == ["upstream_unreachable"] * 3
            assert standing(running) == {"tester": ("600.00", "400.00")}


def test_an_approver_raises_a_budget_until_an_end(tmp_path: Path, bank: Witness) -> None:
    with doorward(tmp_path, document(bank)) as running:
        assert pay(running, 1000).reason == ""
        assert pay(running, 1).reason == "over_budget"
        words = ("--by", "50.50", "--key", "agent=tester", "--reason", "Quarter's end.", "--for", "8h")
        given = asked(running, "budget", "raise", "payments", *words)
        assert pay(running, "50.50").reason == ""
        assert pay(running, "0.01").reason == "over_budget"
        assert pay(running, "1000.01", "eve").reason == "over_budget"
        assert f"+ {given['id']}: payments of agent=tester holds 50.50 more" in ordered(running, "budget", "show", "payments")
        ordered(running, "budget", "end", "payments", given["id"])
        assert standing(running) == {"tester": ("1050.50", "0.00")}
        code, output = told(running, "budget", "raise", "payments", "--by", "0.001", "--reason", "Half a cent.", "--for", "1h")
        assert (code, "in no such fractions" in output) == (1, True)
    (raised,) = events(tmp_path / "state", "budget_raised")
    fields = {name: raised["fields"][name] for name in ("raise", "budget", "for", "by", "reason")}
    assert fields == {"raise": given["id"], "budget": "payments", "for": "agent tester", "by": "50.50 EUR", "reason": "Quarter's end."}
    assert [leaf["fields"]["raise"] for leaf in events(tmp_path / "state", "budget_raise_ended")] == [given["id"]]


def test_a_raise_ends_by_itself_and_the_log_says_so(tmp_path: Path, bank: Witness) -> None:
    with doorward(tmp_path, document(bank)) as running:
        ordered(running, "budget", "raise", "payments", "--by", "500", "--reason", "For a second.", "--for", "1s")
        assert json.loads(ordered(running, "budget", "show", "payments", "--json"))["limit"] == "1000.00"
        until(lambda: bool(events(tmp_path / "state", "budget_raise_ended")))
        assert pay(running, "1000.01").reason == "over_budget"
