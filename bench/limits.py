"""What all limits cost a call, in microseconds of processor time: ten limits of which three concern it, one budget of money, the watch
for runaways, the door, and telling what is left. `python -m bench.limits` prints them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

import msgspec

from doorward.admission.budgets.budgets import Budgets, Seams
from doorward.admission.intake import Intake
from doorward.admission.limits import Declared, compiled
from doorward.admission.runaway.rules import compiled as rules_of
from doorward.admission.runaway.watch import Standing, Watch
from doorward.config.model import Document
from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import AgentId, CallId, InstanceId, TeamId, UpstreamId
from doorward.domain.receipts import Outcome, Status
from doorward.stores.memory_budgets import MemoryBudgets
from doorward.telemetry.meter import Meter
from doorward.wire.canonical import canonical, sha256
from doorward.wire.limits import fields, in_meta

ROUNDS = 15
CALLS = 4_000
"""In one round; the least of all rounds counts, as whatever others do on the machine only adds to it."""

_AGENT = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
_PRINCIPAL = Principal(_AGENT, None, (), AuthnMethod.AGENT_KEY, InstanceId("key:key1"), "key1", "127.0.0.1")
_TARGET = Target(UpstreamId("bank"), Kind.TOOL, "pay", None, TeamId("bank"), frozenset({"write"}), Reversibility.IRREVERSIBLE)
_RATE = {"calls": 100, "seconds": 60}
_DOCUMENT: Mapping[str, object] = {
    "upstreams": {"bank": {"url": "https://bank.example.com/mcp"}},
    "limits": {
        "calls": {"rate": _RATE},
        "payments": {"of": {"tools": ["bank/pay"]}, "per": ["agent", "tool"], "rate": _RATE},
        "bank": {"of": {"upstreams": ["bank"]}, "per": [], "concurrent": 100},
        **{f"other-{number}": {"of": {"tools": [f"bank/tool-{number}"]}, "rate": _RATE} for number in range(7)},
    },
    "budgets": {
        "payments": {
            "of": {"tools": ["bank/pay"]},
            "unit": "amount",
            "amount": "/amount",
            "currency": "EUR",
            "limit": 10**9,
            "team": "support",
        }
    },
}


def costs(rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds of a call in each part, and in all of them."""
    works = _works(Document.model_validate(_DOCUMENT))
    empty = _least(lambda call: None, rounds)
    found = {name: _least(work, rounds) - empty for name, work in works.items()}
    return {**found, "all limits together": sum(found.values())}


def _works(document: Document) -> dict[str, Callable[[Call], object]]:
    declared, intake = Declared(compiled(document.limits)), Intake()
    # Time goes on so fast that nothing is reached; like the real clock, it is no function of Python.
    clock = count(1000.0, 2.0).__next__

    budgets = Budgets(MemoryBudgets(), Seams(time.time, lambda raised, by: False, str))
    budgets.adopt(document)
    watch = Watch(rules_of(document.runaway), clock, Meter(), lambda alert: None)
    body: Mapping[str, object] = {"content": [{"type": "text", "text": "paid"}], "resultType": "complete"}
    outcome = Outcome(call_of(0), Status.DELIVERED, None, "", (), Answer(body, 60), Reply(body), {}, 1)
    told = declared.take(outcome.call, 0.0).left(0.0)
    told = (*told, {"name": "payments", "quota": "1000000000.00", "left": "999999987.50", "unit": "EUR", "resetSeconds": 3600})

    outcomes = {call.id: replace(outcome, call=call) for call in _CALLS}

    def limited(call: Call) -> None:
        taken = declared.take(call, clock())
        taken.left(clock())
        taken.leave()

    def budgeted(call: Call) -> None:
        budgets.draw(call)
        budgets.settled(outcomes[call.id])

    def watched(call: Call) -> None:
        with watch.admit(call, Standing.FREE) as step:
            step.answered(body)

    def entered(call: Call) -> None:
        place = intake.enter()
        place.claim(call.principal.agent.id, 200)
        place.keep(200)
        place.leave()

    def telling(call: Call) -> None:
        meta = in_meta(told)
        _printed(meta)
        fields(meta["dev.doorward/limits"])

    return {
        "ten limits, of which three concern the call": limited,
        "one budget of money": budgeted,
        "watch for runaways": watched,
        "the door": entered,
        "telling what is left": telling,
    }


_printed = msgspec.json.Encoder(decimal_format="number").encode


def call_of(number: int) -> Call:
    """A payment, another one for each number."""
    arguments = {"amount": "12.50", "to": f"account-{number}"}
    raw = canonical({"arguments": arguments, "extras": {}, "method": "tools/call", "name": "pay", "upstream": "bank"})
    return Call(CallId(str(number)), _PRINCIPAL, _TARGET, "tools/call", arguments, {}, raw, sha256(raw))


_CALLS = [call_of(number) for number in range(CALLS)]


def _least(work: Callable[[Call], object], rounds: int) -> float:
    """Microseconds of this thread for one call, the least of some rounds."""
    times: list[int] = []
    for _ in range(rounds):
        start = time.thread_time_ns()
        for call in _CALLS:
            work(call)
        times.append(time.thread_time_ns() - start)
    return min(times) / len(_CALLS) / 1000


def main() -> None:
    """Prints a line for each part."""
    for name, microseconds in costs().items():
        print(f"{microseconds:6.2f} {name}")


if __name__ == "__main__":
    main()
