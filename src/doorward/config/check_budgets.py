"""Whether budgets can be counted at all: a limit of whole units, an amount where one is meant, a zone that there is."""

import zoneinfo
from collections.abc import Iterator
from decimal import Decimal

from doorward.config.budgets import Budget
from doorward.config.check_limits import selection
from doorward.config.ground import Found, error, note
from doorward.config.model import Document
from doorward.config.problems import Step, meant, quoted

MOST = 100
"""Budgets of one document."""
_SIZES = frozenset({"bytes", "tokens"})


def budgets(document: Document) -> Iterator[Found]:
    """Findings about every budget."""
    if len(document.budgets) > MOST:
        yield error(f"expected at most {MOST} budgets, got {len(document.budgets)}", "budgets")
    for name, budget in document.budgets.items():
        at: tuple[Step, ...] = ("budgets", name)
        yield from selection(budget.of, document, (*at, "of"))
        yield from _counted(budget, at)
        yield from _limit(budget, at)
        yield from _amount(budget, at)
        yield from _sizes(budget, document, at)
        yield from _zone(budget, at)
        if name in document.limits:
            yield error("expected a name that no limit has: callers are told of both by their names", *at)


def _counted(budget: Budget, at: tuple[Step, ...]) -> Iterator[Found]:
    if "lists" in budget.of.methods:
        yield error("lists are in no budget; a rate under limits bounds them", *at, "of", "methods")
    if len(set(budget.per)) < len(budget.per):
        yield error("expected each thing once", *at, "per")


def _limit(budget: Budget, at: tuple[Step, ...]) -> Iterator[Found]:
    places = budget.places if budget.unit == "amount" else 0
    if budget.limit != round(budget.limit, places):
        shown = f"a number of at most {places} decimal places" if places else "a whole number"
        yield error(f"expected {shown}, got {budget.limit}", *at, "limit")


def _amount(budget: Budget, at: tuple[Step, ...]) -> Iterator[Found]:
    given = {"amount": budget.amount, "currency": budget.currency, "currency_argument": budget.currency_argument}
    if budget.unit != "amount":
        for field in (field for field, value in given.items() if value is not None):
            yield error(f"this is for unit: amount, not for {budget.unit}", *at, field)
        return
    if budget.amount is None:
        yield error("expected a JSON pointer to the amount among the arguments, such as /amount", *at)
    if budget.currency_argument is not None and budget.currency is None:
        yield error("expected the currency that the argument must name, such as EUR, under currency", *at, "currency_argument")
    for field in ("amount", "currency_argument"):
        if "*" in (given[field] or "").split("/"):
            yield error("expected a pointer to one value; * is of no use here", *at, field)


def _sizes(budget: Budget, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    if budget.reserve is not None:
        if budget.unit not in _SIZES:
            yield error(f"this is for unit: bytes and unit: tokens, not for {budget.unit}", *at, "reserve")
        elif budget.reserve > budget.limit:
            yield error(f"no call could ever be made: more is set aside for each than the limit, {budget.limit}", *at, "reserve")
    elif budget.unit in _SIZES:
        largest = max((upstream.result_bytes for upstream in document.upstreams.values()), default=0)
        needed = Decimal(largest) if budget.unit == "bytes" else largest * budget.factor / 4
        if needed >= budget.limit:
            yield note("less than the largest result an upstream may give: such calls are refused; reserve sets less aside", *at, "limit")
    if budget.unit != "tokens" and budget.factor != 1:
        yield error(f"this is for unit: tokens, not for {budget.unit}", *at, "factor")


def _zone(budget: Budget, at: tuple[Step, ...]) -> Iterator[Found]:
    try:
        zoneinfo.ZoneInfo(budget.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        guess = meant(budget.timezone, zoneinfo.available_timezones())
        yield error(f"expected the name of a time zone such as Europe/Berlin, got {quoted(budget.timezone)}{guess}", *at, "timezone")
