"""Budgets as the spine asks them: what a call draws on, refused early where memory knows better, and what its outcome gives back.

INVARIANT: the rows written with intents are the truth; this mirror is never below what calls that run have set aside, so that it may
refuse what the rows would refuse, and the rows refuse whatever it has missed. A budget that cannot be computed denies.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from doorward.admission.budgets import sentences
from doorward.admission.budgets.accounts import Account
from doorward.admission.budgets.amounts import UncountedError, written
from doorward.admission.budgets.raises import Own, Raises
from doorward.admission.budgets.rules import Rule, compiled
from doorward.admission.budgets.store import BudgetStore
from doorward.admission.budgets.warning import NEARLY, PERCENT, Warnings
from doorward.admission.selection import Key, reads_of
from doorward.config.model import Document
from doorward.domain.actors import AuthnMethod
from doorward.domain.alerts import Alarm
from doorward.domain.budgets import Draw, OverdrawnError
from doorward.domain.calls import Call
from doorward.domain.ids import CallId
from doorward.domain.reasons import Refused
from doorward.domain.receipts import Outcome, Status
from doorward.wire.limits import Entry

_encoder = msgspec.json.Encoder()
_OWN: Final = AuthnMethod.OWN
_DELIVERED: Final = Status.DELIVERED
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""
_KNOWN: Final = 4_096
"""Pairs of caller and target whose budgets are remembered; beyond, all are worked out anew."""


class Seams(msgspec.Struct, frozen=True):
    """What budgets have of the rooms around them."""

    now: Callable[[], float]
    """Unix seconds of a clock that never goes back: one that is set back gives nothing back."""
    is_own: Own
    pseudonym: Callable[[str], str]
    """What alerts call a person."""


class Standing(msgspec.Struct, frozen=True):
    """How one key of a budget stands."""

    rule: Rule
    key: tuple[str, ...]
    spent: int
    limit: int
    """With what it is raised by."""
    until: int
    """When something stops counting next."""


_Taken = tuple[Rule, Account, Draw]
"""Whose account holds which draw: a tuple, as every call makes one."""


class _Concern:
    """A budget that a call is in, the account that it draws on there, and the draw that was made of it last.

    In one second most calls draw the same: what is equal is the same object then, which is never changed.
    """

    __slots__ = ("account", "latest", "rule")

    def __init__(self, rule: Rule, account: Account) -> None:
        self.rule, self.account = rule, account
        self.latest: Draw | None = None


class Settled(NamedTuple):
    """How a call ends for its budgets."""

    returns: tuple[Draw, ...]
    """Corrections, of the draws that change alone."""
    left: tuple[Entry, ...]
    """What is left of each budget now, for the caller; of a call without a reply, nothing."""


NOTHING = Settled((), ())
"""Of a call that is in no budget."""


class Budgets:
    """Every budget of the document in force. Used from the tasks of one event loop."""

    __slots__ = ("_accounts", "_known", "_now", "_open", "_refused", "_rules", "_store", "_warnings", "raises")

    def __init__(self, store: BudgetStore, seams: Seams) -> None:
        self._store = store
        self._now = seams.now
        self._rules: tuple[Rule, ...] = ()
        self._accounts: dict[tuple[str, Key], Account] = {}
        self._known: dict[tuple[object, ...], tuple[_Concern, ...]] = {}
        self._open: dict[CallId, list[_Taken]] = {}
        self._refused: dict[str, int] = {}
        self._warnings = Warnings(seams.pseudonym)
        self.raises = Raises(store, seams.now, seams.is_own)

    async def load(self) -> None:
        """Goes on from what the store holds; raises `StoreError`. What calls of a dead process had set aside stays spent."""
        for row in await self._store.spent(int(self._now())):
            self._account(row.ledger, parts(row.key)).add(row.until, row.units)
        await self.raises.load()

    def adopt(self, document: Document) -> None:
        """Goes on with the budgets of a document. What is drawn already stays, but for budgets that count otherwise now."""
        self._rules = compiled(document)
        self._known.clear()
        self._refused = dict(self.refused())

    def follow(self, alarm: Alarm) -> None:
        """Tells of each budget that is nearly used up, or is, from now on."""
        self._warnings.follow(alarm)

    def check(self, call: Call) -> None:
        """Raises `Refused` OVER_BUDGET for a call that could not draw what it needs; takes nothing."""
        if self._rules:
            self._fits(call)

    def draw(self, call: Call) -> tuple[Draw, ...]:
        """What a call takes of each budget that is about it, to be written with its intent; raises `Refused` OVER_BUDGET.

        Whoever calls this says later how it went: `settled`, or `dropped`.
        """
        taken = self._fits(call) if self._rules else None
        if not taken:
            return ()
        draws: list[Draw] = []
        for rule, account, draw in taken:
            spent = account.add(draw.until, draw.units)
            if spent * PERCENT >= draw.limit * NEARLY:
                self._warnings.drawn(rule, account, draw, call)
            draws.append(draw)
        self._open[call.id] = taken
        return tuple(draws)

    def dropped(self, call: CallId) -> None:
        """The intent was not written, so nothing was drawn."""
        for _, account, draw in self._open.pop(call, ()):
            account.add(draw.until, -draw.units)

    def overdrawn(self, call: Call, error: OverdrawnError) -> Refused:
        """The refusal of a call whose draw the store did not hold, whatever the mirror thought."""
        rule, account, draw = next(one for one in self._open[call.id] if one[2].budget == error.draw.budget)
        self.dropped(call.id)
        missed = error.spent - account.spent(draw.at)
        if missed > 0:
            account.add(draw.until, missed)
        return self._over(rule, account, draw, call)

    def settled(self, outcome: Outcome) -> Settled:
        """What is corrected of a call's draws with its outcome, and what is left of their budgets."""
        taken = self._open.pop(outcome.call.id, None) if self._open else None
        if taken is None:
            return NOTHING
        returns: list[Draw] = []
        is_plain = outcome.status is _DELIVERED
        for rule, account, draw in taken:
            back = 0 if is_plain and rule.size is None else draw.units - rule.used(outcome, draw.units)
            if back:
                account.add(draw.until, -back)
                returns.append(draw._replace(units=back))
        left = () if outcome.reply is None else self._left(taken)
        return Settled(tuple(returns), left) if returns or left else NOTHING

    def left(self, call: CallId) -> tuple[Entry, ...]:
        """What is left of each budget that a call has drawn on, while it runs."""
        taken = self._open.get(call) if self._open else None
        return () if taken is None else self._left(taken)

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
            Standing(rule, key, spent, rule.limit + self.raises.on(ledger, account.key), next(account.ends())[0])
            for (ledger, key), account in self._accounts.items()
            if ledger == rule.ledger and (spent := account.spent(at))
        ]
        return tuple(sorted(found, key=lambda one: (-one.spent, one.key)))

    def refused(self) -> Mapping[str, int]:
        """How many calls each budget has refused since the process began, by the names of those in force."""
        return {rule.name: self._refused.get(rule.name, 0) for rule in self._rules}

    def used(self) -> Mapping[str, float]:
        """How much of each budget the key that has used most of it has used: 1 is all of it; by the names of those in force."""
        shares = {rule.ledger: 0.0 for rule in self._rules}
        limits = {rule.ledger: rule.limit for rule in self._rules}
        at = int(self._now())
        for (ledger, _), account in self._accounts.items():
            if ledger in shares:
                limit = limits[ledger] + self.raises.on(ledger, account.key)
                shares[ledger] = max(shares[ledger], account.spent(at) / limit)
        return {rule.name: shares[rule.ledger] for rule in self._rules}

    async def sweep(self) -> None:
        """Forgets what has stopped counting; to be called every minute or so. Raises `StoreError`."""
        at = int(self._now())
        for account in self._accounts.values():
            account.spent(at)
        running = {id(account) for taken in self._open.values() for _, account, _ in taken}
        kept = {place: account for place, account in self._accounts.items() if not account.is_empty or id(account) in running}
        self._accounts = kept
        self._known.clear()
        await self._store.sweep(at)

    def _fits(self, call: Call) -> list[_Taken]:
        """What a call would take; raises `Refused` OVER_BUDGET where a budget does not hold it."""
        if call.principal.method is _OWN:
            return []
        about = reads_of(call)
        concerned = self._known.get(about)
        if concerned is None:
            concerned = self._concerned(about, call)
        if not concerned:
            return []
        at = int(self._now())
        return [self._fit(one, call, at) for one in concerned]

    def _concerned(self, about: tuple[object, ...], call: Call) -> tuple[_Concern, ...]:
        """The budgets that a call is in, and its accounts there, worked out and remembered."""
        if len(self._known) >= _KNOWN:
            self._known.clear()
        keyed = ((rule, rule.chosen.of(call)) for rule in self._rules)
        found = self._known[about] = tuple([_Concern(rule, self._account(rule.ledger, key)) for rule, key in keyed if key is not None])
        return found

    def _fit(self, one: _Concern, call: Call, at: int) -> _Taken:
        rule, account, draw = one.rule, one.account, one.latest
        try:
            units = rule.needs(call)
        except UncountedError as error:
            self._count(rule)
            raise sentences.uncounted(rule, error) from error
        ledger, limit = rule.ledger, rule.limit
        if ledger in self.raises.held:
            limit += self.raises.of(ledger, account.key, call.principal)
        if draw is None or draw.at != at or draw.units != units or draw.limit != limit:
            draw = one.latest = Draw(rule.name, ledger, account.key, at, rule.until(at), units, limit, rule.shown(units))
        if account.spent(at) + units > limit:
            raise self._over(rule, account, draw, call)
        return rule, account, draw

    def _over(self, rule: Rule, account: Account, draw: Draw, call: Call) -> Refused:
        self._count(rule)
        self._warnings.refused(rule, account, draw, call)
        return sentences.over(rule, account, draw.units, draw.limit, draw.at)

    def _count(self, rule: Rule) -> None:
        self._refused[rule.name] = self._refused.get(rule.name, 0) + 1

    def _left(self, taken: Sequence[_Taken]) -> tuple[Entry, ...]:
        at = int(self._now())
        told: list[Entry] = []
        for rule, account, draw in taken:
            left = draw.limit - account.spent(at)
            left = left if left > 0 else 0  # noqa: FURB136 - on the way of every call
            entry = {**rule.told, "left": written(left, rule.places) if rule.is_amount else left}
            if draw.limit != rule.limit:
                entry["quota"] = rule.counted(draw.limit)
            if account.next > at:
                entry["resetSeconds"] = account.next - at
            told.append(entry)
        return tuple(told)

    def _account(self, ledger: str, key: Key) -> Account:
        account = self._accounts.get((ledger, key))
        if account is None:
            account = self._accounts[ledger, key] = Account(key_text(key))
        return account


def key_text(key: Key) -> str:
    """A key as rows and raises have it."""
    return _encoder.encode(key).decode()


def parts(key: str) -> Key:
    """The same, read again."""
    return msgspec.json.decode(key, type=tuple[str, ...])
