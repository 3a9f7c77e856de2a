"""Budgets over a store in memory, on a clock that a test holds, with calls that pay."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from doorward.admission.budgets.budgets import Budgets, Seams
from doorward.admission.budgets.store import Raise
from doorward.approval.elapsed import Elapsed
from doorward.config.model import Document
from doorward.domain.actors import Principal
from doorward.domain.alerts import Alert
from doorward.domain.budgets import Draw
from doorward.domain.calls import Answer, Call
from doorward.domain.ids import CallId
from doorward.domain.receipts import Outcome, Status
from doorward.stores.memory_budgets import MemoryBudgets
from tests.made import Clock, call, principal, target

NOON = 1_795_003_200.0
"""2026-11-18, a Wednesday, 12:00 UTC."""
DAY = 86_400

PAYMENTS: Mapping[str, Any] = {
    "of": {"tools": ["bank/pay"]},
    "unit": "amount",
    "amount": "/amount",
    "currency": "EUR",
    "limit": "1000",
    "team": "finance",
}


def document(**budgets: Mapping[str, Any]) -> Document:
    """With the upstream that payments go to."""
    upstreams = {"bank": {"url": "https://bank.example.com/mcp", "result_bytes": 4096}}
    return Document.model_validate({"upstreams": upstreams, "budgets": budgets})


def pay(amount: object, name: str = "c1", by: Principal | None = None, **arguments: object) -> Call:
    """A call of the tool that pays."""
    made = call({"amount": amount, **arguments}, by=by or principal(), to=target("bank", "pay"))
    return replace(made, id=CallId(name))


def ended(of: Call, status: Status, answered_bytes: int | None = None) -> Outcome:
    """How a call has ended."""
    answer = None if answered_bytes is None else Answer({}, answered_bytes)
    return Outcome(of, status, None, "", (), answer, None, {}, 1)


def is_owners(raised: Raise, by: Principal) -> bool:
    """Whether the owner of the agent has given it."""
    return raised.by == by.agent.owner


@dataclass
class Bench:
    """Budgets, and everything around them."""

    of: Document
    store: MemoryBudgets = field(default_factory=MemoryBudgets)
    wall: Clock = field(default_factory=lambda: Clock(NOON))
    steady: Clock = field(default_factory=lambda: Clock(5.0))
    alerts: list[Alert] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budgets = self._opened()

    def restart(self, known: float = 0.0) -> None:
        """A new process over the same store, which knows a moment that has passed."""
        self.budgets = self._opened(known)

    def intend(self, of: Call) -> tuple[Draw, ...]:
        """Draws as the log does it in its transaction; raises `Refused` or `OverdrawnError`."""
        draws = self.budgets.draw(of)
        short = self.store.overdrawn(draws)
        if short is not None:
            raise short
        self.store.draw(draws)
        return draws

    def conclude(self, outcome: Outcome) -> None:
        """Corrects as the log does it in its transaction."""
        self.store.give_back(self.budgets.settled(outcome).returns)

    def rows(self) -> int:
        """What the store says counts now, under all keys together."""
        return sum(row.units for row in asyncio.run(self.store.spent(int(self.now()))))

    def mirrored(self) -> int:
        """What memory says counts now."""
        return sum(one.spent for rule in self.budgets.rules() for one in self.budgets.standings(rule))

    def pass_seconds(self, seconds: float) -> None:
        """Lets time go by."""
        self.wall.at += seconds
        self.steady.at += seconds

    def _opened(self, known: float = 0.0) -> Budgets:
        self.now = Elapsed(self.wall, self.steady)
        self.now.has_been(max(known, asyncio.run(self.store.swept())))
        budgets = Budgets(self.store, Seams(self.now, is_owners, lambda person: f"p:{person}"))
        budgets.follow(self.alerts.append)
        asyncio.run(budgets.load())
        budgets.adopt(self.of)
        return budgets
