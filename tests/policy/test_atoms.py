"""Atoms: what single conditions ask, in one form whichever way round they are written."""

from decimal import Decimal

import pytest
from cedarpy import PolicySet

from doorward.policy.atoms import (
    Among,
    Atom,
    Compared,
    Empty,
    Held,
    Holds,
    InRange,
    Instant,
    Opaque,
    Paired,
    Path,
    Patterned,
    Present,
    Range,
    Subset,
    Within,
    atoms,
)

AMOUNT, OWNER, LABELS = (Path("context", ("input", name)) for name in ("amount", "owner", "labels"))
NETWORK, NOW, ME = Path("context", ("network",)), Path("context", ("time", "now")), Path("principal", ())
MOMENT = 1_764_547_200_000


def found(text: str) -> list[Atom]:
    (policy,) = PolicySet.from_str(f"permit (principal, action, resource) when {{ {text} }};").to_pst().static_policies.values()
    return list(atoms(policy))


@pytest.mark.parametrize(
    ("text", "atom"),
    [
        ("context.input.amount < 5", Compared(AMOUNT, "<", 5)),
        ("5 < context.input.amount", Compared(AMOUNT, ">", 5)),
        ("-5 >= context.input.amount", Compared(AMOUNT, "<=", -5)),
        ('context.input.amount.lessThanOrEqual(decimal("5.00"))', Compared(AMOUNT, "<=", Decimal("5.00"))),
        ('decimal("5.0").greaterThan(context.input.amount)', Compared(AMOUNT, "<", Decimal("5.0"))),
        ('context.time.now < datetime("2025-12-01")', Compared(NOW, "<", Instant(MOMENT, "2025-12-01"))),
        ('context.time.now >= datetime("2025-12-01T00:00:00Z")', Compared(NOW, ">=", Instant(MOMENT, "2025-12-01T00:00:00Z"))),
        ('context.network == ip("10.0.0.1")', Compared(NETWORK, "==", Range("10.0.0.1"))),
        ('principal == Agent::"a"', Compared(ME, "==", ("Agent", "a"))),
        ("context.input.owner == principal.owner", Paired(OWNER, "==", Path("principal", ("owner",)))),
        ("resource in principal.team", Paired(Path("resource", ()), "in", Path("principal", ("team",)))),
        ('principal in Team::"a"', Within(ME, (("Team", "a"),))),
        ('principal in [Team::"a", Team::"b"]', Within(ME, (("Team", "a"), ("Team", "b")))),
        ('principal is Agent in Team::"a"', Within(ME, (("Team", "a"),))),
        ('context.input.owner like "a*b\\**"', Patterned(OWNER, ("a", None, "b*", None))),
        ("context.input has owner", Present(OWNER)),
        ("context.input.owner", Held(OWNER)),
        ('["a", "b"].contains(context.input.owner)', Among(OWNER, ("a", "b"))),
        ('context.input.labels.contains("a")', Holds(LABELS, ("a",), True)),
        ('context.input.labels.containsAll(["a"])', Holds(LABELS, ("a",), True)),
        ('context.input.labels.containsAny(["a"])', Holds(LABELS, ("a",), False)),
        ('["a"].containsAny(context.input.labels)', Holds(LABELS, ("a",), False)),
        ('["a"].containsAll(context.input.labels)', Subset(LABELS, ("a",))),
        ("context.input.labels.isEmpty()", Empty(LABELS)),
        ('context.network.isInRange(ip("10.0.0.0/8"))', InRange(NETWORK, "10.0.0.0/8")),
    ],
)
def test_each_form_is_one_atom(text: str, atom: Atom) -> None:
    assert found(text) == [atom]


@pytest.mark.parametrize(
    "text",
    [
        "context.input.amount + 1 < 5",
        'ip(context.input.owner).isInRange(ip("10.0.0.0/8"))',
        "context.input.labels.contains(context.input.owner)",
        '[context.input.owner].contains("a")',
        "principal in [principal.team]",
        "context.network.isLoopback()",
    ],
)
def test_anything_else_is_opaque(text: str) -> None:
    (one,) = found(text)
    assert isinstance(one, Opaque)


def test_connectives_are_looked_through() -> None:
    text = "!(context.input.owner || true) && (if context.input.owner then context.input has labels else context.input.labels.isEmpty())"
    assert found(text) == [Held(OWNER), Held(OWNER), Present(LABELS), Empty(LABELS)]


def test_a_pattern_is_told_as_it_is_written() -> None:
    (one,) = found('context.input.owner like "a*b\\**"')
    assert isinstance(one, Patterned)
    assert one.text == "a*b\\**"
