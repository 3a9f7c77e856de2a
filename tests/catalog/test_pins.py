"""What was shown is what is accepted, and a pin outlives what it was made for."""

import pytest

from doorward.catalog.pins import FIRST_USE, Approval, Pins, StaleApprovalError, approve, first_use, withdrawn
from doorward.domain.catalog import Kind, Pin, Standing
from doorward.domain.ids import Digest, UpstreamId
from tests.catalog.shown import AT, accepted, offer, offers, tool

UP = UpstreamId("up")
BEFORE = offer("up", tool("add"), tool("sub"))
AFTER = offer("up", tool("add", "Adds, and more."), tool("sub"))


def approval(made: object, name: str) -> Approval:
    definition = made.definitions[Kind.TOOL, name]  # type: ignore[attr-defined]
    return Approval(UP, Kind.TOOL, name, definition.digest)


def test_an_approval_pins_the_digest_that_was_shown() -> None:
    (pin,) = approve(offers(BEFORE), [approval(BEFORE, "add")], "ada", AT)
    definition = BEFORE.definitions[Kind.TOOL, "add"]
    assert pin == Pin(UP, Kind.TOOL, "add", definition.digest, definition.canonical, "ada", AT)
    assert Pins([pin]).standing(definition) is Standing.APPROVED


def test_an_approval_of_what_has_changed_since_accepts_nothing_at_all() -> None:
    wanted = [approval(BEFORE, "sub"), approval(BEFORE, "add")]
    with pytest.raises(StaleApprovalError) as raised:
        approve(offers(AFTER), wanted, "ada", AT)
    assert raised.value.stale == (wanted[1],)
    assert str(raised.value) == "changed since it was shown: tool up/'add'"


@pytest.mark.parametrize("name", ["gone", "add\x1b[31m"])
def test_an_approval_of_what_is_not_offered_is_stale(name: str) -> None:
    with pytest.raises(StaleApprovalError, match="changed since") as raised:
        approve(offers(BEFORE), [Approval(UP, Kind.TOOL, name, Digest("0" * 64))], "ada", AT)
    assert str(raised.value).isprintable()
    with pytest.raises(StaleApprovalError):
        approve({}, [approval(BEFORE, "add")], "ada", AT)


def test_standing_is_new_approved_or_drifted() -> None:
    pins = accepted(BEFORE)
    assert Pins().standing(BEFORE.definitions[Kind.TOOL, "add"]) is Standing.NEW
    assert pins.standing(BEFORE.definitions[Kind.TOOL, "add"]) is Standing.APPROVED
    assert pins.standing(AFTER.definitions[Kind.TOOL, "add"]) is Standing.DRIFTED


def test_first_use_pins_what_was_never_seen_and_nothing_else() -> None:
    pins = accepted(BEFORE)
    later = offer("up", tool("add", "Changed."), tool("mul"), tool("held"))
    made = first_use(later, pins, frozenset({(UP, Kind.TOOL, "held")}), AT)
    assert [(pin.name, pin.approved_by) for pin in made] == [("mul", FIRST_USE)]


def test_pins_are_replaced_and_forgotten_by_key() -> None:
    pins = accepted(BEFORE).having(approve(offers(AFTER), [approval(AFTER, "add")], "ada", AT))
    assert pins.standing(AFTER.definitions[Kind.TOOL, "add"]) is Standing.APPROVED
    assert pins.get(UP, Kind.TOOL, "sub") is not None
    left = pins.having(withdrawn([(UP, Kind.TOOL, "sub")], "bob", AT))
    assert ([key for key, _ in left.items()], left.get(UP, Kind.TOOL, "sub")) == ([(UP, Kind.TOOL, "add")], None)


def test_what_was_withdrawn_is_new_and_not_accepted_for_being_seen_first() -> None:
    pins = accepted(BEFORE).having(withdrawn([(UP, Kind.TOOL, "sub")], "bob", AT))
    assert pins.standing(BEFORE.definitions[Kind.TOOL, "sub"]) is Standing.NEW
    assert first_use(BEFORE, pins, frozenset(), AT) == ()
    again = pins.having(approve(offers(BEFORE), [approval(BEFORE, "sub")], "ada", AT))
    assert again.standing(BEFORE.definitions[Kind.TOOL, "sub"]) is Standing.APPROVED
