"""One budget of the document, compiled: which calls it is about, what each takes of it, and how that is said. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from doorward.admission.budgets.amounts import ONE, Path, UncountedError, millionths, steps, value_at, written
from doorward.admission.budgets.windows import Calendar, Sliding, Until
from doorward.admission.selection import Chosen
from doorward.config import budgets as config
from doorward.config.model import Document
from doorward.domain.calls import Call
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Outcome, Status
from doorward.wire.limits import REQUESTS, Entry

_TOKEN_BYTES = 4
_NOT_FORWARDED: Final = Status.NOT_FORWARDED
"""A name of its own, for every call asks for it: the member of an enum costs seven times what a name costs (Python 3.11)."""
_ERRORS = frozenset({Status.TOOL_ERROR, Status.UPSTREAM_ERROR})
"""What an upstream says of a call that did not do what it was for."""
_LABELS = {"calls": REQUESTS, "bytes": "content-bytes", "tokens": "tokens"}
_SPAN = {"day": "a day", "week": "a week", "month": "a month"}


class Rule(msgspec.Struct, frozen=True):
    """A budget as it is asked on each call."""

    name: str
    ledger: str
    """Its name, and a digest of what makes its sums what they are: a budget that counts otherwise begins anew."""
    chosen: Chosen
    is_amount: bool
    """Whether its units are millionths."""
    places: int
    """Of an amount."""
    limit: int
    until: Until
    needs: Callable[[Call], int]
    """What a call takes at its intent; raises `UncountedError`."""
    size: Callable[[int], int] | None
    """Of bytes that went through; None where what was taken stays as it is."""
    suffix: str
    """What stands behind an amount: ` EUR`, or nothing."""
    told: Entry
    """What callers are told of it that is always the same, with the limit as it is when nobody has raised it."""
    refunds: bool
    """Whether an error gives back what was taken."""
    config: config.Budget

    def used(self, outcome: Outcome, taken: int) -> int:
        """What of it a call has used once it has ended; where its result's size is not known, all that was set aside."""
        status = outcome.status
        if status is _NOT_FORWARDED or (self.refunds and status in _ERRORS):
            return 0
        if self.size is None or outcome.answer is None:
            return taken
        return self.size(len(outcome.call.canonical) + outcome.answer.size_bytes)

    def number(self, units: int) -> str:
        """Units as a decimal text."""
        return str(self.counted(units))

    def counted(self, units: int) -> int | str:
        """Units as callers are told them among other numbers: an amount as a decimal text, so that nobody rounds it."""
        return written(units, self.places) if self.is_amount else units

    def shown(self, units: int) -> str:
        """Units with what they are of: `12.50 EUR`, `3 calls`."""
        if self.is_amount:
            return written(units, self.places) + self.suffix
        return f"{units} {self.config.unit.removesuffix('s' if units == 1 else '')}"

    @property
    def span(self) -> str:
        """The window as a sentence says it: `a day`."""
        window = self.config.window
        return f"{window.seconds} seconds" if isinstance(window, config.Sliding) else _SPAN[window]

    def units(self, amount: Decimal) -> int | None:
        """What an operator writes, in units; None where it is not of whole ones."""
        scaled = amount * ONE if self.config.unit == "amount" else amount
        return int(scaled) if scaled == int(scaled) else None


def compiled(document: Document) -> tuple[Rule, ...]:
    """Every budget of a checked document."""
    results = {UpstreamId(name): upstream.result_bytes for name, upstream in document.upstreams.items()}
    return tuple(_rule(name, budget, results) for name, budget in document.budgets.items())


def _rule(name: str, budget: config.Budget, results: Mapping[UpstreamId, int]) -> Rule:
    size, is_amount = _sizing(budget), budget.unit == "amount"
    limit = int(budget.limit * ONE) if is_amount else int(budget.limit)
    return Rule(
        name=name,
        ledger=_ledger(name, budget),
        chosen=Chosen(budget.of, budget.per),
        is_amount=is_amount,
        places=budget.places,
        limit=limit,
        until=_until(budget),
        needs=_needs(budget, size, results),
        size=size,
        suffix=f" {budget.currency}" if budget.currency else "",
        told={
            "name": name,
            "quota": written(limit, budget.places) if is_amount else limit,
            "unit": (budget.currency or "amount") if budget.unit == "amount" else _LABELS[budget.unit],
        },
        refunds=budget.refund == "on_error",
        config=budget,
    )


def _until(budget: config.Budget) -> Until:
    window = budget.window
    return Sliding(window.seconds) if isinstance(window, config.Sliding) else Calendar(window, ZoneInfo(budget.timezone))


def _ledger(name: str, budget: config.Budget) -> str:
    fields = {"per", "unit", "amount", "currency", "currency_argument", "window", "timezone"}
    text = json.dumps(budget.model_dump(mode="json", include=fields), sort_keys=True)
    return f"{name}@{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _sizing(budget: config.Budget) -> Callable[[int], int] | None:
    factor = budget.factor
    match budget.unit:
        case "bytes":
            return int
        case "tokens":
            return lambda size: int((-(-size // _TOKEN_BYTES) * factor).to_integral_value(ROUND_CEILING))
        case "calls" | "amount":
            return None


def _needs(budget: config.Budget, size: Callable[[int], int] | None, results: Mapping[UpstreamId, int]) -> Callable[[Call], int]:
    if size is not None:
        if (reserve := budget.reserve) is not None:
            return lambda call: reserve
        # A call goes to an upstream of the document it was resolved by; should that be another one by now, nothing is known of its results.
        largest = max(results.values(), default=0)
        return lambda call: size(len(call.canonical) + results.get(call.target.upstream, largest))
    if budget.amount is None:
        return lambda call: 1
    return _amount(budget, budget.amount)


def _amount(budget: config.Budget, pointer: str) -> Callable[[Call], int]:
    path, places, currency = steps(pointer), budget.places, budget.currency
    named = None if budget.currency_argument is None else steps(budget.currency_argument)

    def needs(call: Call) -> int:
        try:
            units = millionths(value_at(call.arguments, path), places)
        except UncountedError as error:
            raise UncountedError(f"the amount at {pointer} {error}") from error
        if named is not None and _text_at(call, named) != currency:
            raise UncountedError(f"the currency at {budget.currency_argument} is not {currency}")
        return units

    return needs


def _text_at(call: Call, path: Path) -> object:
    try:
        return value_at(call.arguments, path)
    except UncountedError:
        return None
