"""Budgets as the spine asks them: what a call draws on, refused early where memory knows better, and what its outcome gives back.

INVARIANT: the rows written with intents are the truth; this mirror is never below what calls that run have set aside, so that it may
refuse what the rows would refuse, and the rows refuse whatever it has missed. A budget that cannot be computed denies.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import msgspec

from doorward.admission.budgets import sentences
from doorward.admission.budgets.accounts import Account
from doorward.admission.budgets.amounts import UncountedError
from doorward.admission.budgets.raises import Own, Raises
from doorward.admission.budgets.rules import Rule, compiled
from doorward.admission.budgets.store import BudgetStore
from doorward.admission.budgets.warning import Warnings
from doorward.config.model import Document
from doorward.domain.actors import AuthnMethod
from doorward.domain.alerts import Alarm
from doorward.domain.budgets import Draw, OverdrawnError
from doorward.domain.calls import Call
from doorward.domain.ids import CallId
from doorward.domain.reasons import Refused
from doorward.domain.receipts import Outcome
from doorward.wire.limits import REQUESTS, Entry

_encoder = msgspec.json.Encoder()
_UNITS = {"calls": REQUESTS, "bytes": "content-bytes", "tokens": "tokens"}


@dataclass(frozen=True, slots=True)
class Seams:
    """What budgets have of the rooms around them."""

    now: Callable[[], float]
    """Unix seconds of a clock that never goes back: one that is set back gives nothing back."""
    is_own: Own
    pseudonym: Callable[[str], str]
    """What alerts call a person."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one key of a budget stands."""

    rule: Rule
    key: tuple[str, ...]
    spent: int
    limit: int
    """With what it is raised by."""
    until: int
    """When something stops counting next."""


@dataclass(frozen=True, slots=True)
class _Taken:
    rule: Rule
    draw: Draw


class Budgets:
    """Every budget of the document in force. Used from the tasks of one event loop."""

    __slots__ = ("_accounts", "_now", "_open", "_rules", "_store", "_warnings", "raises")

    def __init__(self, store: BudgetStore, seams: Seams) -> None:
        self._store = store
        self._now = seams.now
        self._rules: tuple[Rule, ...] = ()
        self._accounts: dict[tuple[str, str], Account] = {}
        self._open: dict[CallId, tuple[_Taken, ...]] = {}
        self._warnings = Warnings(seams.pseudonym)
        self.raises = Raises(store, seams.now, seams.is_own)

    async def load(self) -> None:
        """Goes on from what the store holds; raises `StoreError`. What calls of a dead process had set aside stays spent."""
        for row in await self._store.spent(int(self._now())):
            self._account(row.ledger, row.key).add(row.until, row.units)
        await self.raises.load()

    def adopt(self, document: Document) -> None:
        """Goes on with the budgets of a document. What is drawn already stays, but for budgets that count otherwise now."""
        self._rules = compiled(document)

    def follow(self, alarm: Alarm) -> None:
        """Tells of each budget that is nearly used up, or is, from now on."""
        self._warnings.follow(alarm)

    def check(self, call: Call) -> None:
        """Raises `Refused` OVER_BUDGET for a call that could not draw what it needs; takes nothing."""
        for _ in self._fits(call):
            pass

    def draw(self, call: Call) -> tuple[Draw, ...]:
        """What a call takes of each budget that is about it, to be written with its intent; raises `Refused` OVER_BUDGET.

        Whoever calls this says later how it went: `settled`, or `dropped`.
        """
        if not self._rules:
            return ()
        taken = tuple(self._fits(call))
        if not taken:
            return ()
        for one in taken:
            draw = one.draw
            account = self._account(draw.ledger, draw.key)
            before = account.spent(draw.at)
            account.add(draw.until, draw.units)
            self._warnings.drawn(one.rule, account, draw, before, call)
        self._open[call.id] = taken
        return tuple([one.draw for one in taken])

    def dropped(self, call: CallId) -> None:
        """The intent was not written, so nothing was drawn."""
        for one in self._open.pop(call, ()):
            self._account(one.draw.ledger, one.draw.key).add(one.draw.until, -one.draw.units)

    def overdrawn(self, call: Call, error: OverdrawnError) -> Refused:
        """The refusal of a call whose draw the store did not hold, whatever the mirror thought."""
        rule = next(one.rule for one in self._open[call.id] if one.draw.budget == error.draw.budget)
        self.dropped(call.id)
        draw, account = error.draw, self._account(error.draw.ledger, error.draw.key)
        missed = error.spent - account.spent(draw.at)
        if missed > 0:
            account.add(draw.until, missed)
        return self._over(rule, draw, call)

    def settled(self, outcome: Outcome) -> tuple[Draw, ...]:
        """What is corrected of a call's draws with its outcome: only those that change."""
        taken = self._open.pop(outcome.call.id, None) if self._open else None
        if taken is None:
            return ()
        returns: list[Draw] = []
        for one in taken:
            back = one.draw.units - one.rule.used(outcome, one.draw.units)
            if back:
                self._account(one.draw.ledger, one.draw.key).add(one.draw.until, -back)
                returns.append(replace(one.draw, units=back))
        return tuple(returns)

    def left(self, call: Call) -> Iterator[Entry]:
        """What is left of each budget that is about a call, for whoever made it."""
        if not self._rules or call.principal.method is AuthnMethod.OWN:
            return
        at = int(self._now())
        for rule in self._rules:
            key = rule.chosen.of(call)
            if key is not None:
                yield self._entry(rule, key_text(key), call, at)

    def now(self) -> float:
        """The time that budgets go by: Unix seconds that never go back."""
        return self._now()

    def rule(self, name: str) -> Rule | None:
        """The budget of this name."""
        return next((rule for rule in self._rules if rule.name == name), None)

    def rules(self) -> tuple[Rule, ...]:
        """Every budget, in the order of the document."""
        return self._rules

    def standings(self, rule: Rule) -> tuple[Standing, ...]:
        """How each key that something counts under stands, the fullest first."""
        at = int(self._now())
        found = [
            Standing(rule, parts(key), spent, rule.limit + self.raises.on(ledger, key), next(account.ends())[0])
            for (ledger, key), account in self._accounts.items()
            if ledger == rule.ledger and (spent := account.spent(at))
        ]
        return tuple(sorted(found, key=lambda one: (-one.spent, one.key)))

    async def sweep(self) -> None:
        """Forgets what has stopped counting; to be called every minute or so. Raises `StoreError`."""
        at = int(self._now())
        for account in self._accounts.values():
            account.spent(at)
        self._accounts = {place: account for place, account in self._accounts.items() if not account.is_empty}
        await self._store.sweep(at)

    def _fits(self, call: Call) -> Iterator[_Taken]:
        if call.principal.method is AuthnMethod.OWN:
            return
        at = int(self._now())
        for rule in self._rules:
            key = rule.chosen.of(call)
            if key is not None:
                yield _Taken(rule, self._fit(rule, key_text(key), call, at))

    def _fit(self, rule: Rule, key: str, call: Call, at: int) -> Draw:
        try:
            units = rule.needs(call)
        except UncountedError as error:
            raise sentences.uncounted(rule, error) from error
        ledger = rule.ledger
        limit = rule.limit + self.raises.of(ledger, key, call.principal)
        account = self._accounts.get((ledger, key))
        draw = Draw(rule.name, ledger, key, at, rule.until(at), units, limit, rule.shown(units))
        if (0 if account is None else account.spent(at)) + units > limit:
            raise self._over(rule, draw, call)
        return draw

    def _over(self, rule: Rule, draw: Draw, call: Call) -> Refused:
        account = self._accounts.get((draw.ledger, draw.key)) or Account()
        self._warnings.refused(rule, account, draw, call)
        return sentences.over(rule, account, draw.units, draw.limit, draw.at)

    def _entry(self, rule: Rule, key: str, call: Call, at: int) -> Entry:
        account = self._accounts.get((rule.ledger, key)) or Account()
        limit = rule.limit + self.raises.of(rule.ledger, key, call.principal)
        left, reset = max(0, limit - account.spent(at)), next(account.ends(), None)
        is_amount = rule.config.unit == "amount"
        return {
            "name": rule.name,
            "quota": rule.number(limit) if is_amount else limit,
            "left": rule.number(left) if is_amount else left,
            "unit": (rule.config.currency or "amount") if is_amount else _UNITS[rule.config.unit],
            **({} if reset is None else {"resetSeconds": reset[0] - at}),
        }

    def _account(self, ledger: str, key: str) -> Account:
        account = self._accounts.get((ledger, key))
        if account is None:
            account = self._accounts[ledger, key] = Account()
        return account


def key_text(key: tuple[str, ...]) -> str:
    """A key as rows and raises have it."""
    return _encoder.encode(key).decode()


def parts(key: str) -> tuple[str, ...]:
    """The same, read again."""
    return msgspec.json.decode(key, type=tuple[str, ...])
