"""What a call draws, what it is told where a budget does not hold it, and what its outcome gives back."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from doorward.admission.budgets.store import Raise, Spent
from doorward.domain.actors import AuthnMethod, Subject
from doorward.domain.alerts import AlertKind
from doorward.domain.budgets import Draw, OverdrawnError
from doorward.domain.calls import Reply
from doorward.domain.ids import SubjectId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Status
from tests.admission.budgets.bench import DAY, NOON, PAYMENTS, Bench, document, ended, pay
from tests.made import call, principal, target

MIDNIGHT = int(NOON) + DAY // 2
ADA = replace(principal(), subject=Subject(SubjectId("corp:ada"), frozenset()))


def refused(bench: Bench, *args: Any, **more: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        bench.intend(pay(*args, **more))
    assert caught.value.reason is Reason.OVER_BUDGET
    return caught.value


def raised(bench: Bench, units: int, **more: Any) -> Raise:
    rule, *_ = bench.budgets.rules()
    one = Raise("r1", rule.name, rule.ledger, '["claude"]', units, "Quarter's end.", "eve", NOON, NOON + 3600.0)
    return msgspec.structs.replace(one, **more)


def test_a_call_draws_on_every_budget_that_is_about_it() -> None:
    bench = Bench(document(payments=PAYMENTS, calls={"limit": 5, "per": ["upstream"]}, other={"limit": 1, "of": {"agents": ["robin"]}}))
    payments, calls, _ = bench.budgets.rules()
    assert bench.intend(pay("12.50")) == (
        Draw("payments", payments.ledger, '["claude"]', int(NOON), MIDNIGHT, 12_500_000, 1_000_000_000, "12.50 EUR"),
        Draw("calls", calls.ledger, '["bank"]', int(NOON), MIDNIGHT, 1, 5, "1 call"),
    )


def test_where_one_budget_does_not_hold_a_call_it_draws_on_none() -> None:
    bench = Bench(document(payments=PAYMENTS, calls={"limit": 1}))
    bench.intend(pay(1))
    refused(bench, 1, "c2")
    assert (bench.rows(), bench.mirrored()) == (1_000_001, 1_000_001)


def test_without_budgets_and_for_the_gateways_own_calls_nothing_is_drawn() -> None:
    assert Bench(document()).budgets.draw(pay(10**9)) == ()
    assert Bench(document(payments=PAYMENTS)).budgets.draw(pay(10**9, by=principal(method=AuthnMethod.OWN))) == ()


def test_who_is_over_is_told_what_is_left_when_there_is_more_and_who_can_raise_it() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay("987.50"))
    told = refused(bench, 20, "c2")
    assert told.public == (
        "The budget payments has 12.50 EUR left of 1000.00 EUR a day for each agent, and this call needs 20.00 EUR. "
        "There is enough again at 2026-11-19 00:00:00 (UTC). Somebody who approves for the team finance can raise it for a while. "
        "Do not repeat the call before then, and do not split it to get around this."
    )
    assert told.extra == {"budget": "payments", "retryAfterSeconds": DAY // 2}
    bench.intend(pay("12.50", "c3"))


def test_for_more_than_the_whole_budget_waiting_does_not_help() -> None:
    told = refused(Bench(document(payments=PAYMENTS)), "1000.01")
    assert "It is more than the whole budget, so waiting does not help." in told.public
    assert told.extra == {"budget": "payments"}


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        (None, "the amount at /amount is neither a number nor a decimal text such as 12.50"),
        ("-5", "the amount at /amount is neither a number nor a decimal text such as 12.50"),
        (-5, "the amount at /amount is negative"),
        ("1.001", "the amount at /amount has more than 2 decimal places"),
    ],
)
def test_an_amount_that_cannot_be_computed_denies(amount: object, why: str) -> None:
    bench = Bench(document(payments=PAYMENTS))
    assert refused(bench, amount).detail == f"budget payments cannot count: {why}"
    assert bench.rows() == 0


def test_a_call_has_to_name_the_currency_of_its_budget_where_it_names_one() -> None:
    bench = Bench(document(payments={**PAYMENTS, "currency_argument": "/currency"}))
    bench.intend(pay(1, currency="EUR"))
    for other in ({"currency": "JPY"}, {"currency": "eur"}, {"currency": ["EUR"]}, {}):
        assert "the currency at /currency is not EUR" in refused(bench, 1, "c2", **other).public


@pytest.mark.parametrize(
    ("status", "refund", "left"),
    [
        (Status.DELIVERED, "never", 100),
        (Status.NOT_FORWARDED, "never", 0),
        (Status.FAILED, "on_error", 100),
        (Status.CANCELLED, "on_error", 100),
        (Status.WITHHELD, "on_error", 100),
        (Status.INPUT_REQUIRED, "on_error", 100),
        (Status.TOOL_ERROR, "never", 100),
        (Status.TOOL_ERROR, "on_error", 0),
        (Status.UPSTREAM_ERROR, "on_error", 0),
    ],
)
def test_only_what_was_not_forwarded_gives_an_amount_back_or_where_it_says_so_an_error(status: Status, refund: str, left: int) -> None:
    bench = Bench(document(payments={**PAYMENTS, "refund": refund}))
    made = pay(100)
    bench.intend(made)
    bench.conclude(ended(made, status, 10))
    bench.conclude(ended(made, status, 10))
    assert (bench.rows(), bench.mirrored()) == (left * 1_000_000, left * 1_000_000)


def test_bytes_are_set_aside_at_their_most_and_settled_to_what_went_through() -> None:
    bench = Bench(document(traffic={"unit": "bytes", "limit": 10_000}))
    made = pay(1)
    request = len(made.canonical)
    assert [draw.units for draw in bench.intend(made)] == [request + 4096]
    bench.conclude(ended(made, Status.DELIVERED, 500))
    assert bench.rows() == request + 500


def test_of_a_result_that_never_came_whole_all_that_was_set_aside_stays_used() -> None:
    bench = Bench(document(traffic={"unit": "bytes", "limit": 10_000, "reserve": 700}))
    made = pay(1)
    bench.intend(made)
    bench.conclude(ended(made, Status.FAILED))
    assert bench.rows() == 700


def test_tokens_are_quarters_of_bytes_rounded_up_times_a_factor_rounded_up() -> None:
    bench = Bench(document(tokens={"unit": "tokens", "limit": 1000, "reserve": 10, "factor": "1.1"}))
    made = pay(1)
    bench.intend(made)
    bench.conclude(ended(made, Status.DELIVERED, 4 * 25 + 1 - len(made.canonical)))
    # 26 quarters, times 1.1: 28.6.
    assert bench.rows() == 29
    bench.conclude(ended(made, Status.DELIVERED, 0))


def test_what_is_not_written_is_not_drawn() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.budgets.draw(pay(600))
    refused(bench, 600, "c2")
    bench.budgets.dropped(pay(600).id)
    bench.intend(pay(1000, "c3"))


def test_whatever_memory_thinks_the_store_has_the_last_word() -> None:
    bench = Bench(document(payments=PAYMENTS))
    made = pay(400)
    (draw,) = bench.budgets.draw(made)
    bench.store.draw((draw._replace(units=700_000_000),))
    with pytest.raises(OverdrawnError) as caught:
        raise bench.store.overdrawn((draw,)) or AssertionError
    assert "has 300.00 EUR left" in bench.budgets.overdrawn(made, caught.value).public
    assert bench.mirrored() == bench.rows()


def test_the_next_day_is_another_window_and_a_clock_that_is_set_back_opens_none() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay(1000))
    bench.wall.at += DAY
    bench.intend(pay(1000, "c2"))
    bench.wall.at -= 3 * DAY
    refused(bench, 1, "c3")
    bench.wall.at += 3 * DAY
    refused(bench, 1, "c3")


def test_a_clock_that_is_set_back_before_a_restart_gives_nothing_back() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay(1000))
    bench.wall.at -= DAY
    bench.restart()
    refused(bench, 1, "c2")
    assert bench.rows() == 1_000_000_000


def test_what_slides_gives_back_bit_by_bit() -> None:
    bench = Bench(document(payments={**PAYMENTS, "window": {"seconds": 3600}}))
    for number in range(4):
        bench.intend(pay(250, f"c{number}"))
        bench.pass_seconds(900)
    assert refused(bench, 500, "c4").extra["retryAfterSeconds"] == 60 + 900
    bench.pass_seconds(59)
    refused(bench, 250, "c5")
    bench.pass_seconds(1)
    bench.intend(pay(250, "c6"))
    refused(bench, 1, "c7")


def test_people_and_agents_have_budgets_of_their_own() -> None:
    bench = Bench(document(payments={**PAYMENTS, "per": ["user"]}))
    bench.intend(pay(1000, by=ADA))
    bench.intend(pay(1000, "c2"))
    refused(bench, 1, "c3", by=ADA)


def test_a_budget_that_counts_otherwise_begins_anew_and_one_with_another_limit_goes_on() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay(600))
    bench.budgets.adopt(document(payments={**PAYMENTS, "limit": 700, "team": "other"}))
    refused(bench, 200, "c2")
    bench.budgets.adopt(document(payments={**PAYMENTS, "limit": 700, "per": ["team"]}))
    bench.intend(pay(700, "c3"))


def test_a_draw_is_the_last_one_again_only_where_all_of_it_is_the_same() -> None:
    bench = Bench(document(payments=PAYMENTS))
    (first,) = bench.intend(pay(1))
    assert bench.intend(pay(1, "c2")) == (first,)
    assert bench.intend(pay(2, "c3")) == (first._replace(units=2_000_000, told="2.00 EUR"),)
    bench.pass_seconds(1)
    assert bench.intend(pay(2, "c4")) == (first._replace(at=first.at + 1, units=2_000_000, told="2.00 EUR"),)
    asyncio.run(bench.budgets.raises.give(raised(bench, 500_000_000)))
    assert bench.intend(pay(2, "c5")) == (first._replace(at=first.at + 1, units=2_000_000, limit=1_500_000_000, told="2.00 EUR"),)
    bench.pass_seconds(DAY)
    bench.budgets.adopt(document(payments={**PAYMENTS, "places": 3}))
    assert bench.intend(pay(2, "c6")) == (
        first._replace(at=first.at + 1 + DAY, until=first.until + DAY, units=2_000_000, told="2.000 EUR"),
    )


def test_a_call_that_ran_while_its_budget_was_taken_out_of_the_document_is_settled_all_the_same() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay(600))
    bench.budgets.adopt(document())
    bench.conclude(ended(pay(600), Status.NOT_FORWARDED))
    assert bench.rows() == 0


def test_a_raised_budget_holds_more_until_the_end() -> None:
    bench = Bench(document(payments=PAYMENTS))
    asyncio.run(bench.budgets.raises.give(raised(bench, 500_000_000)))
    bench.intend(pay(1400))
    bench.intend(pay(100, "c3"))
    bench.pass_seconds(3600)
    refused(bench, 1, "c4")


def test_a_budget_is_raised_for_one_key_or_for_all() -> None:
    bench = Bench(document(payments=PAYMENTS))
    asyncio.run(bench.budgets.raises.give(raised(bench, 1_000_000)))
    refused(bench, 1001, by=principal("robin"))
    asyncio.run(bench.budgets.raises.give(raised(bench, 1_000_000, id="r2", key=None)))
    bench.intend(pay(1001, by=principal("robin")))
    bench.intend(pay(1002, "c2"))


def test_nobody_raises_a_budget_for_their_own_agents() -> None:
    bench = Bench(document(payments={**PAYMENTS, "per": []}))
    asyncio.run(bench.budgets.raises.give(raised(bench, 500_000_000, by="ada", key=None)))
    refused(bench, 1001)
    bench.intend(pay(1001, "c2", by=principal("robin", owner="bob")))


def test_somebody_is_told_once_a_window_that_a_budget_is_nearly_used_up_and_once_that_it_is() -> None:
    bench = Bench(document(payments=PAYMENTS))
    for number, amount in enumerate((799, 1, 1, 1)):
        bench.intend(pay(amount, f"c{number}"))
    refused(bench, 999, "c4")
    refused(bench, 999, "c5")
    assert [(alert.kind, alert.fields["percent"], alert.reference) for alert in bench.alerts] == [
        (AlertKind.BUDGET, 80, "c1"),
        (AlertKind.BUDGET, 100, "c4"),
    ]
    assert bench.alerts[0].sentence == "The budget payments of agent claude is used by more than 80 %: 800.00 EUR of 1000.00 EUR a day."
    bench.pass_seconds(DAY)
    bench.intend(pay(1000, "c6"))
    assert [alert.fields["percent"] for alert in bench.alerts] == [80, 100, 100]


def test_alerts_name_people_by_pseudonym() -> None:
    bench = Bench(document(payments={**PAYMENTS, "per": ["user", "agent"]}))
    bench.intend(pay(1000, by=ADA))
    assert bench.alerts[0].fields == {"budget": "payments", "percent": 100, "team": "finance", "user": "p:corp:ada", "agent": "claude"}
    assert bench.alerts[0].key == "payments of user p:corp:ada, agent claude, 100 %"


@pytest.mark.parametrize(
    ("budget", "entry"),
    [
        (PAYMENTS, {"name": "one", "quota": "1000.00", "left": "900.00", "unit": "EUR", "resetSeconds": DAY // 2}),
        ({"limit": 5}, {"name": "one", "quota": 5, "left": 4, "unit": "requests", "resetSeconds": DAY // 2}),
        ({"limit": 5, "of": {"agents": ["robin"]}}, None),
    ],
)
def test_callers_are_told_what_is_left(budget: Mapping[str, Any], entry: Mapping[str, object] | None) -> None:
    bench = Bench(document(one=budget))
    bench.intend(pay(100))
    outcome = replace(ended(pay(100), Status.DELIVERED, 10), reply=Reply({}))
    assert bench.budgets.settled(outcome).left == (() if entry is None else (entry,))


def test_whoever_is_asked_about_a_call_is_not_asked_where_no_budget_holds_it() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.budgets.check(pay(1000))
    with pytest.raises(Refused):
        bench.budgets.check(pay(1001))
    assert bench.mirrored() == 0


def test_what_has_stopped_counting_is_forgotten() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay(1))
    bench.pass_seconds(DAY)
    bench.intend(pay(2, "c2"))
    asyncio.run(bench.budgets.sweep())
    (rule,) = bench.budgets.rules()
    assert asyncio.run(bench.store.spent(0)) == (Spent(rule.ledger, '["claude"]', MIDNIGHT + DAY, 2_000_000),)


def test_what_is_no_tool_has_no_amount_and_is_in_no_budget_of_tools() -> None:
    bench = Bench(document(payments=PAYMENTS))
    assert bench.budgets.draw(call({"amount": 10**9}, to=target("bank", "pay"), method="prompts/get")) == ()


def test_metrics_say_how_full_the_fullest_key_is_and_how_many_calls_were_refused_but_not_whose() -> None:
    bench = Bench(document(payments=PAYMENTS, calls={"limit": 10}))
    assert (bench.budgets.used(), bench.budgets.refused()) == ({"payments": 0.0, "calls": 0.0}, {"payments": 0, "calls": 0})
    bench.intend(pay(250))
    bench.intend(pay(500, "c2", principal("robin")))
    refused(bench, 1000, "c3")
    refused(bench, "ten", "c4")
    assert (bench.budgets.used(), bench.budgets.refused()) == ({"payments": 0.5, "calls": 0.1}, {"payments": 2, "calls": 0})
    asyncio.run(bench.budgets.raises.give(raised(bench, 1_000_000_000, key='["robin"]', ends=NOON + DAY / 4)))
    assert bench.budgets.used()["payments"] == 0.25


def test_a_day_that_is_over_does_not_come_again_with_a_clock_that_was_set_back_and_a_restart() -> None:
    bench = Bench(document(payments=PAYMENTS))
    bench.intend(pay(1000))
    bench.wall.at -= DAY
    bench.pass_seconds(DAY / 2 + 60)
    asyncio.run(bench.budgets.sweep())
    # The log goes by the clock alone: it knows of nothing later than its last entry.
    bench.restart(NOON)
    bench.intend(pay(1000, "c2"))
    bench.pass_seconds(DAY / 2)
    refused(bench, 1, "c3")
    bench.pass_seconds(DAY / 2)
    bench.intend(pay(1000, "c4"))
