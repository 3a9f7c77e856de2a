"""Budgets over the admin API: how they stand, and who may raise which, for whom, by how much and until when."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from doorward.admission.budgets.store import Raise
from doorward.control.operators import Operator, Role
from tests.admission.budgets.bench import pay
from tests.control.plane import DOCUMENT, NOW, Plane, plane

pytestmark = pytest.mark.anyio

UID = 61_030
FINANCE = frozenset({"finance"})
APPROVER = Operator("fiona", Role.APPROVER, FINANCE)
PAYMENTS = {"unit": "amount", "amount": "/amount", "currency": "EUR", "limit": 1000, "team": "finance"}
BUDGETS = {"payments": PAYMENTS, "people": {"per": ["user", "agent"], "limit": 5, "window": {"seconds": 3600}}}
BODY: dict[str, Any] = {"by": "50.50", "key": {"agent": "claude"}, "reason": "Quarter's end.", "minutes": 60}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Plane]:
    """A plane with two budgets, and an agent of ada's."""
    async with plane(tmp_path, {**DOCUMENT, "budgets": BUDGETS}) as made:
        await made.ask("POST", "/v1/agents", {"id": "claude", "team": "support", "owner": "ada"})
        made.operators[UID] = APPROVER
        yield made


async def given(it: Plane, name: str = "payments", uid: int = UID, **changes: Any) -> tuple[int, Any]:
    """Status and answer of asking for a raise."""
    body = {field: value for field, value in {**BODY, **changes}.items() if value is not None}
    return await it.ask("POST", f"/v1/budgets/{name}/raises", body, uid=uid)


async def test_budgets_are_listed_with_who_has_used_most_of_each(it: Plane) -> None:
    it.budgets.draw(pay("12.50"))
    midnight = int(NOW) + 43_200
    payments = {
        "name": "payments",
        "unit": "amount",
        "currency": "EUR",
        "limit": "1000.00",
        "window": "day",
        "timezone": "UTC",
        "per": ["agent"],
        "team": "finance",
        "keys": [{"key": {"agent": "claude"}, "spent": "12.50", "limit": "1000.00", "left": "987.50", "renews": midnight}],
        "raises": [],
    }
    status, answer = await it.ask("GET", "/v1/budgets", uid=UID)
    assert (status, answer["budgets"][0], answer["budgets"][1]["window"]) == (200, payments, "3600")
    assert answer["budgets"][1]["keys"][0]["key"] == {"user": "agent/claude", "agent": "claude"}
    assert await it.ask("GET", "/v1/budgets/payments", uid=UID) == (200, payments)
    assert (await it.ask("GET", "/v1/budgets/nothing"))[0] == 404


async def test_a_raise_holds_is_shown_told_to_the_log_and_ended(it: Plane) -> None:
    assert await given(it) == (200, {"id": "raise-1", "ends": NOW + 3600})
    (rule, _) = it.budgets.rules()
    raised = Raise("raise-1", "payments", rule.ledger, '["claude"]', 50_500_000, "Quarter's end.", "fiona", NOW, NOW + 3600)
    assert it.budgets.raises.all() == (raised,)
    view = {"id": "raise-1", "key": {"agent": "claude"}, "by": "50.50", "reason": "Quarter's end.", "given_by": "fiona"}
    assert (await it.ask("GET", "/v1/budgets/payments"))[1]["raises"] == [{**view, "begins": NOW, "ends": NOW + 3600}]
    assert await it.ask("DELETE", "/v1/budgets/payments/raises/raise-1", uid=UID) == (200, {"warnings": []})
    assert it.budgets.raises.all() == ()
    told = {"raise": "raise-1", "budget": "payments"}
    fields = {**told, "for": "agent claude", "by": "50.50 EUR", "reason": "Quarter's end.", "ends": int(NOW) + 3600}
    assert (await it.events())[-2:] == [("budget_raised", "fiona", fields), ("budget_raise_ended", "fiona", told)]
    assert (await it.ask("DELETE", "/v1/budgets/payments/raises/raise-1"))[0] == 404


async def test_the_log_names_people_by_pseudonym(it: Plane) -> None:
    assert (await it.ask("POST", "/v1/budgets/people/raises", {**BODY, "by": 1, "key": {"user": "corp:alice", "agent": "claude"}}))[
        0
    ] == 200
    assert "alice" not in (await it.events())[-1][2]["for"]


async def test_a_raise_for_all_names_no_key(it: Plane) -> None:
    assert (await given(it, key=None, by="1"))[0] == 200
    assert (await it.events())[-1][2]["for"] == "all"


@pytest.mark.parametrize(
    "operator",
    [
        Operator("vic", Role.VIEWER),
        Operator("aud", Role.AUDITOR),
        Operator("olga", Role.OWNER, frozenset({"platform"}), frozenset({"platform"})),
        Operator("ada", Role.APPROVER, FINANCE),
        Operator("corp:ada", Role.ADMIN),
        Operator("corp:00u1", Role.ADMIN, shown="Ada"),
    ],
)
async def test_whoever_speaks_for_another_team_or_owns_the_agent_may_not(it: Plane, operator: Operator) -> None:
    it.operators[UID] = operator
    assert (await given(it))[0] == 403
    assert it.budgets.raises.all() == ()


async def test_nobody_raises_a_budget_of_their_own(it: Plane) -> None:
    it.operators[UID] = Operator("corp:alice", Role.ADMIN)
    assert (await given(it, "people", by="1", key={"user": "corp:alice", "agent": "claude"}))[0] == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"by": "0"}, 400),
        ({"by": "-1"}, 400),
        ({"by": "0.001"}, 400),
        ({"by": "1e30"}, 400),
        ({"key": {}}, 400),
        ({"key": {"agent": "claude", "user": "x"}}, 400),
        ({"reason": " "}, 400),
        ({"minutes": None}, 400),
        ({"days": 1}, 400),
        ({"minutes": None, "days": 91}, 400),
        ({"minutes": None, "until": NOW - 1}, 400),
    ],
)
async def test_what_is_no_raise_is_refused(it: Plane, changes: dict[str, Any], status: int) -> None:
    assert (await given(it, **changes))[0] == status
    assert it.budgets.raises.all() == ()


async def test_what_the_log_cannot_be_told_does_not_hold(it: Plane) -> None:
    it.log.broken = "the disk is full"
    assert (await given(it))[0] == 503
    assert it.budgets.raises.all() == ()


async def test_a_raise_that_has_ended_by_itself_is_told_and_forgotten(it: Plane) -> None:
    await given(it, minutes=1)
    it.clock.at += 61
    await it.budgets.raises.sweep(it.recorder.note)
    assert (await it.events())[-1] == ("budget_raise_ended", "doorward", {"raise": "raise-1", "budget": "payments"})
    assert (await it.ask("GET", "/v1/budgets/payments"))[1]["raises"] == []


async def test_raises_together_stay_within_what_can_be_counted_also_those_for_single_keys(it: Plane) -> None:
    given_now = [(await given(it, by="1e12", key={"agent": "claude"}))[0] for _ in range(6)]
    assert given_now == [200, 200, 200, 200, 409, 409]
