"""Budgets that cannot be counted are not accepted, and each finding says where."""

from typing import Any

import pytest

from doorward.config.check_budgets import budgets
from doorward.config.ground import Weight
from doorward.config.model import Document

PAYMENTS: dict[str, Any] = {"unit": "amount", "amount": "/amount", "limit": "1000.50"}


def found(budget: dict[str, Any], **document: Any) -> list[tuple[tuple[str | int, ...], Weight]]:
    made = Document.model_validate({"upstreams": {"bank": {"url": "https://bank.test/mcp"}}, **document, "budgets": {"one": budget}})
    return [(one.path[2:], one.weight) for one in budgets(made)]


@pytest.mark.parametrize(
    "budget",
    [
        {"limit": 5},
        PAYMENTS,
        {**PAYMENTS, "currency": "EUR", "currency_argument": "/currency", "places": 4, "limit": "0.0001"},
        {"unit": "tokens", "limit": 10_000_000, "factor": 1.3, "window": {"seconds": 3600}},
        {"unit": "bytes", "limit": 1000, "reserve": 1000, "timezone": "Europe/Berlin", "window": "month"},
    ],
)
def test_a_budget_that_can_be_counted_is_as_it_should_be(budget: dict[str, Any]) -> None:
    assert found(budget) == []


@pytest.mark.parametrize(
    ("budget", "at"),
    [
        ({"limit": "1.5"}, ("limit",)),
        ({**PAYMENTS, "limit": "1.005"}, ("limit",)),
        ({"unit": "amount", "limit": 5}, ()),
        ({"limit": 5, "amount": "/amount"}, ("amount",)),
        ({"limit": 5, "currency": "EUR"}, ("currency",)),
        ({**PAYMENTS, "currency_argument": "/currency"}, ("currency_argument",)),
        ({**PAYMENTS, "amount": "/payments/*/amount"}, ("amount",)),
        ({"limit": 5, "reserve": 1}, ("reserve",)),
        ({"unit": "bytes", "limit": 5, "reserve": 6}, ("reserve",)),
        ({"limit": 5, "factor": 2}, ("factor",)),
        ({"limit": 5, "timezone": "Berlin"}, ("timezone",)),
        ({"limit": 5, "per": ["agent", "agent"]}, ("per",)),
        ({"limit": 5, "of": {"methods": ["lists"]}}, ("of", "methods")),
        ({"limit": 5, "of": {"tools": ["nowhere/pay"]}}, ("of", "tools", 0)),
    ],
)
def test_what_cannot_be_counted_is_found_at_its_field(budget: dict[str, Any], at: tuple[str | int, ...]) -> None:
    assert found(budget) == [(at, Weight.ERROR)]


def test_budgets_and_limits_do_not_share_a_name() -> None:
    assert found({"limit": 5}, limits={"one": {"concurrent": 1}}) == [((), Weight.ERROR)]


@pytest.mark.parametrize("unit", ["bytes", "tokens"])
def test_a_limit_below_the_largest_result_is_noted(unit: str) -> None:
    assert found({"unit": unit, "limit": 1000}) == [(("limit",), Weight.NOTE)]
