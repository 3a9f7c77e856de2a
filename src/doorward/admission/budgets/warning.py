"""Who is told that a budget is nearly used up, or is: once in each window, and of a person only the pseudonym."""

from collections.abc import Callable

from doorward.admission.budgets.accounts import Account
from doorward.admission.budgets.rules import Rule
from doorward.domain.alerts import Alarm, Alert, AlertKind
from doorward.domain.budgets import Draw
from doorward.domain.calls import Call

NEARLY = 80
"""Percent of the limit."""
PERCENT = 100
"""The whole of it."""


class Warnings:
    """Makes alerts of draws."""

    __slots__ = ("_alarms", "_pseudonym")

    def __init__(self, pseudonym: Callable[[str], str]) -> None:
        self._pseudonym = pseudonym
        self._alarms: list[Alarm] = []

    def follow(self, alarm: Alarm) -> None:
        """One more that is told."""
        self._alarms.append(alarm)

    def drawn(self, rule: Rule, account: Account, draw: Draw, call: Call) -> None:
        """Tells of a draw by which a sum rose to four fifths of the limit, or to the limit."""
        after = account.spent(draw.at)
        reached = PERCENT if after >= draw.limit else NEARLY
        if (after - draw.units) * PERCENT < draw.limit * reached:
            self._tell(rule, account, draw, reached, call)

    def refused(self, rule: Rule, account: Account, draw: Draw, call: Call) -> None:
        """Tells of the first call that a budget does not hold any more; of one that needs more than the whole of it, nobody is told."""
        if draw.units <= draw.limit:
            self._tell(rule, account, draw, PERCENT, call)

    def _tell(self, rule: Rule, account: Account, draw: Draw, percent: int, call: Call) -> None:
        if draw.at < account.told.get(percent, 0):
            return
        account.told[percent] = draw.until
        whose = self._whose(rule, call)
        what = "is used up" if percent == PERCENT else f"is used by more than {NEARLY} %"
        counted = ", ".join(f"{name} {part}" for name, part in whose.items()) or "everybody"
        sentence = (
            f"The budget {rule.name} of {counted} {what}: {rule.shown(account.spent(draw.at))} of {rule.shown(draw.limit)} {rule.span}."
        )
        fields: dict[str, str | int] = {"budget": rule.name, "percent": percent, "team": rule.config.team, **whose}
        alert = Alert(AlertKind.BUDGET, sentence, fields, call.id, f"{rule.name} of {counted}, {percent} %")
        for alarm in self._alarms:
            alarm(alert)

    def _whose(self, rule: Rule, call: Call) -> dict[str, str]:
        parts = dict(zip(rule.chosen.per, rule.chosen.of(call) or (), strict=False))
        return {
            name: self._pseudonym(part) if name == "user" and call.principal.subject is not None else part for name, part in parts.items()
        }
